"""Recordings as files: what is read back is what was recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray as xr
from harness import studies

from kerasmeta.analysis import Study
from kerasmeta.analysis.recordings.export import recordings
from kerasmeta.analysis.recordings.signals import SIGNALS
from kerasmeta.analysis.tables import write_netcdf, write_parquet

B, T, UNITS = 4, 9, 12


@pytest.fixture
def study(rng: np.random.Generator) -> Study:
    subjects = []
    for _ in range(2):
        lived = studies.lifetimes(rng, B, T)
        good = rng.integers(0, 2, [B, T]).astype(np.int32)
        slot = {"slot": rng.integers(-1, 5, [B, T]).astype(np.int32)}
        subjects.append(
            studies.recordings(
                rng, lived, UNITS, signals=slot, hidden_variables={"good": good}
            )
        )
    return studies.study(*subjects)


def inside(study: Study, subject: int) -> Any:
    found = study.subjects[subject].recordings
    assert found is not None
    return found


def test_the_table_comes_back(study: Study, tmp_path: Path) -> None:
    made = recordings(study).tables["recordings"]()
    path = write_parquet(made, tmp_path / "new" / "recordings.parquet")
    read = pq.read_table(path).to_pandas()
    lived = sum(int(s.lifetimes.valid.sum()) for s in study.subjects)
    assert len(read) == lived < 2 * B * T
    for row in read.sample(20, random_state=0).itertuples():
        number = [s.name for s in study.subjects].index(row.subject)
        one, at = inside(study, number), (row.lifetime, row.step)
        assert one.lifetimes.valid[at]
        assert row.action == one.lifetimes.action[at]
        assert row.reward == one.lifetimes.reward[at]
        assert row.task_good == one.hidden_variables["good"][at]
        assert row.slot == one.signals["slot"][at]
        assert row.value == one.signals["value"][at]
        assert row.hidden_07 == one.signals["hidden"][at][7]
        assert row.hidden_11 == one.signals["hidden"][at][11]
        assert row.stimulus_2 == one.lifetimes.observation["stimulus"][at][2]
    assert not read.isna().any().any()
    order = read[["subject", "lifetime", "step"]]
    assert order.equals(order.sort_values(["subject", "lifetime", "step"]))


def test_columns_say_what_they_are(study: Study, tmp_path: Path) -> None:
    made = recordings(study).tables["recordings"]()
    path = write_parquet(made, tmp_path / "recordings.parquet")
    schema = pq.read_schema(path)
    described = set(schema.names) - {"subject", "lifetime", "step"}
    for name in described:
        metadata = schema.field(name).metadata
        assert set(metadata) == {b"long_name", b"units"}, name
    assert schema.field("value").metadata[b"units"] == b"reward"
    hidden = schema.field("hidden_03").metadata[b"long_name"].decode()
    assert hidden == SIGNALS["hidden"].long_name


def test_the_dataset_comes_back(study: Study, tmp_path: Path) -> None:
    made = recordings(study).datasets["recordings"]()
    path = write_netcdf(made, tmp_path / "recordings.nc")
    with xr.open_dataset(path, engine="h5netcdf") as read:
        read.load()
    assert list(read.subject.values) == ["agent seed 0", "agent seed 1"]
    assert read.hidden.dims == ("subject", "lifetime", "step", "unit")
    assert read.hidden.dtype == np.float32
    for number in range(2):
        one, found = inside(study, number), read.isel(subject=number)
        valid = one.lifetimes.valid
        np.testing.assert_array_equal(found.valid, valid)
        for name in ("hidden", "cell", "value"):
            values = found[name].values
            np.testing.assert_array_equal(values[valid], one.signals[name][valid])
            assert np.isnan(values[~valid]).all()
        np.testing.assert_array_equal(found.slot, one.signals["slot"])
    assert json.loads(read.attrs["task_parameters"]) == {"arms": 2}
    assert read.attrs["gamma"] == 0.5
    for name, variable in read.data_vars.items():
        assert "long_name" in variable.attrs, name


def test_large_observations_are_left_out(study: Study) -> None:
    one = inside(study, 0)
    picture = np.zeros([B, T, 9, 9], np.float32)
    one.lifetimes.observation["stimulus"] = picture
    made = recordings(study._replace(subjects=study.subjects[:1]))
    assert not [n for n in made.tables["recordings"]().columns if "stimulus" in n]
    assert "stimulus" not in made.datasets["recordings"]()


def test_a_failed_write_leaves_nothing(study: Study, tmp_path: Path) -> None:
    made = recordings(study).datasets["recordings"]()
    made["broken"] = ("x", np.array([object()], object))
    with pytest.raises((TypeError, ValueError)):
        write_netcdf(made, tmp_path / "recordings.nc")
    assert not list(tmp_path.iterdir())
