"""The warm-up file: every signature and batch size, and it replays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorflow_serving.apis import prediction_log_pb2

import export
from export.batching import ALLOWED_BATCH_SIZES
from export.naming import flatten_state
from export.warmup import WARMUP
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent

NAMES = ("ep_lstm", "lstm_continuous", "ep_lstm_image")
SIGNATURES = ("deterministic", "initial_state", "serving_default", "step")


@pytest.fixture(scope="module", params=NAMES)
def exported(
    request: pytest.FixtureRequest,
    agents: dict[str, EpisodicAgent],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[EpisodicAgent, Path]:
    agent = agents[request.param]
    return agent, export.export_agent(agent, tmp_path_factory.mktemp("warm"))


def requests(directory: Path) -> list[Any]:
    """The requests of a warm-up file, as the server reads them."""
    records = tf.data.TFRecordDataset(str(directory / WARMUP))
    logs = [prediction_log_pb2.PredictionLog.FromString(r.numpy()) for r in records]
    assert {log.WhichOneof("log_type") for log in logs} == {"predict_log"}
    return [log.predict_log.request for log in logs]


def test_every_signature_and_batch_size_replays(
    exported: tuple[EpisodicAgent, Path],
) -> None:
    _, directory = exported
    model = tf.saved_model.load(str(directory))
    replayed = []
    for request in requests(directory):
        name = request.model_spec.signature_name
        inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
        outputs = model.signatures[name](**inputs)
        [rows] = {len(tensor) for tensor in (*inputs.values(), *outputs.values())}
        for key, tensor in outputs.items():
            if tensor.dtype.is_floating:
                assert np.isfinite(tensor.numpy()).all(), key
        replayed.append((name, rows))
    assert sorted(replayed) == [
        (name, rows) for name in SIGNATURES for rows in ALLOWED_BATCH_SIZES
    ]
    assert len(replayed) <= 1000  # the server reads no more


def test_lifetimes_begin_as_they_do(exported: tuple[EpisodicAgent, Path]) -> None:
    agent, directory = exported
    begun = flatten_state(agent.initial_state(batch_size=1))
    steps = [r for r in requests(directory) if r.model_spec.signature_name == "step"]
    for request in steps:
        for key, leaf in begun.items():
            found = tf.make_ndarray(request.inputs[key])
            np.testing.assert_array_equal(found, np.repeat(leaf, len(found), axis=0))
        assert (tf.make_ndarray(request.inputs["context"]) == 1).all()


def test_it_is_small(exported: tuple[EpisodicAgent, Path]) -> None:
    """Values that are all equal are written once."""
    _, directory = exported
    assert (directory / WARMUP).stat().st_size < 10_000
