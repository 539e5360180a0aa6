"""Publishing training runs: evaluated afresh, the median chosen, all of them kept."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness.command_line import STEPS_PER_ITERATION, make_run
from safetensors.numpy import load_file, save_file

import zoo
from kerasmeta.analysis import Estimate
from kerasmeta.errors import UserError
from kerasmeta.training import evaluation
from kerasmeta.training.evaluation import Evaluation
from zoo.curves import read, thinned, write
from zoo.runs import _defined, publish_runs

NAME = "two_step/lstm"


def _with_seed(run: Path, seed: int) -> Path:
    """A copy of a run, as if it were of another seed."""
    copy = Path(shutil.copytree(run, run.with_name(f"seed-{seed}")))
    config = json.loads((copy / "config.json").read_text())
    config["run"]["seed"] = seed
    (copy / "config.json").write_text(json.dumps(config))
    return copy


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three untrained runs; their weights differ a little."""
    root = tmp_path_factory.mktemp("runs")
    make_run(root / "seed-0", "lstm", steps=2 * STEPS_PER_ITERATION)
    found = [root / "seed-0", *(_with_seed(root / "seed-0", n) for n in (1, 2))]
    for run in found[1:]:
        path = run / "weights.safetensors"
        weights = load_file(path)
        noise = np.random.default_rng(int(run.name[-1]))
        for name, array in weights.items():
            weights[name] = array + noise.normal(0, 2, array.shape).astype(np.float32)
        save_file(weights, path)
    return found


def test_the_median_is_published_with_the_weights_of_all(
    runs: list[Path], tmp_path: Path
) -> None:
    published = publish_runs(NAME, runs, tmp_path / "registry", lifetimes=100)
    evaluation = published.manifest.evaluation
    rewards = {r.seed: r.metrics["reward_per_trial"].mean for r in evaluation.seeds}
    assert len(set(rewards.values())) == 3
    assert rewards[evaluation.chosen_seed] == sorted(rewards.values())[1]
    for seed, run in enumerate(runs):
        agent = zoo.load(NAME, tmp_path / "registry", seed=seed)
        assert agent.card.metrics["reward_per_trial"].mean == rewards[seed]
        trained = load_file(run / "weights.safetensors")
        for name, variable in agent.named_weights().items():
            np.testing.assert_array_equal(variable.numpy(), trained[name])
    listed = {entry.path for entry in published.manifest.files}
    assert "learning_curves.json" in listed
    logged = (runs[0] / "metrics.jsonl").read_text().splitlines()
    curves = read(published.path)
    assert list(curves) == [0, 1, 2]
    for key in ("steps", "reward_per_trial"):
        kept = [row[key] for row in curves[2]]
        rows = [json.loads(line)[key] for line in logged]
        np.testing.assert_allclose(kept, rows, atol=1e-5)


def test_a_long_curve_is_thinned_but_keeps_its_end_and_its_metrics(
    tmp_path: Path,
) -> None:
    rows: list[dict[str, Any]] = [{"steps": n, "kl": 0.1} for n in range(1001)]
    rows[517]["metrics"] = {"stay": 0.123456789, "undefined": None}
    kept = thinned(rows)
    assert len(kept) < 160
    assert kept[0] == {"steps": 0}
    assert kept[-1] == {"steps": 1000}
    assert {"steps": 517, "metrics": {"stay": 0.12346, "undefined": None}} in kept
    write(tmp_path, {3: rows, 0: rows[:1]})
    assert read(tmp_path) == {0: [{"steps": 0}], 3: kept}


def test_a_long_curve_keeps_evenly_spaced_metrics_and_the_last() -> None:
    rows: list[dict[str, Any]] = [{"steps": n} for n in range(2001)]
    for row in rows[::20]:
        row["metrics"] = {"stay": row["steps"] / 1e4}
    measured = [row["steps"] for row in thinned(rows) if "metrics" in row]
    assert measured == [*range(0, 2000, 60), 2000]


def test_two_runs_of_a_seed_are_refused(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is of seed 1, as .*seed-1 is"):
        publish_runs(NAME, [*runs, runs[1]], tmp_path / "registry", lifetimes=100)
    assert not (tmp_path / "registry").exists()


def test_runs_of_another_family_are_refused(runs: list[Path], tmp_path: Path) -> None:
    other = NAME.replace("two_step/", "harlow/")
    message = "ID 'harlow/.*': is in the family harlow, and the runs are of two_step"
    with pytest.raises(UserError, match=message):
        publish_runs(other, runs, tmp_path / "registry", lifetimes=100)
    assert not (tmp_path / "registry").exists()
    own = NAME.replace("two_step/", "mine/")
    assert publish_runs(own, runs[:1], tmp_path / "registry", lifetimes=100).id == own


def test_an_undefined_metric_is_named_with_what_to_do(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where an agent never gets a reward after a rare transition."""
    nowhere = Estimate(math.nan, (math.nan, math.nan))
    found = Evaluation(Any, {"stay_common_rewarded": nowhere})  # type: ignore[arg-type]
    monkeypatch.setattr(evaluation, "evaluate", lambda *arguments: found)
    message = (
        r"run '.*seed-0': cannot be published: stay_common_rewarded is undefined, seed "
        r"0 never met what it is measured over in 50 lifetimes; evaluate it over more "
        r"\(--lifetimes\), or train it for longer"
    )
    with pytest.raises(UserError, match=message):
        publish_runs(NAME, runs, tmp_path / "registry", lifetimes=50)
    assert not (tmp_path / "registry").exists()


def test_an_existing_version_is_refused_before_anything_is_evaluated(
    runs: list[Path], tmp_path: Path
) -> None:
    publish_runs(NAME, runs[:1], tmp_path / "registry", lifetimes=100)
    told: list[str] = []
    with pytest.raises(UserError, match="exists already"):
        publish_runs(NAME, runs, tmp_path / "registry", report=told.append, version=1)
    assert told == []


def test_what_a_player_never_did_is_no_reference() -> None:
    found = {"random": {"reward": 0.5, "recency": math.nan}, "sources": {"a": "b"}}
    assert _defined(found) == {"random": {"reward": 0.5}, "sources": {"a": "b"}}
