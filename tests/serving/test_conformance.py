"""What every zoo agent's SavedModel says, and what servers do with it.

Served agents equal the live policy: with KERASMETA_EVERY_AGENT=1 every one, and with
KERASMETA_EVERY_BATCH=1 for 200 steps at batch 1, 7 and 64 (by default an agent of each
sort for fewer steps: `test_foreign_runtimes.py` takes all 200 at each size).
The same is asked of a real TensorFlow Serving where KERASMETA_TFS_GRPC (host:port) or
KERASMETA_TFS_REST (http://host:port) names one that serves zoo agents under the names
of `served_name` (two_step_lstm).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable

import grpc
import pytest
import tensorflow as tf
from serving import lives
from serving.conftest import AGENTS, CHOSEN, EACH, EVERY_BATCH, VERSIONS, manifest
from serving.lives import BATCHES, STEPS, Lives
from serving.processes import ZOO, Running, served_name
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2, prediction_service_pb2_grpc

from export.batching import ALLOWED_BATCH_SIZES
from export.client import ServedAgent
from export.client.grpc_transport import OPTIONS
from export.errors import UnknownAgentError, WrongVersionError
from export.warmup import WARMUP
from export.wire.signatures import from_messages
from zoo import programs

REAL = {"grpc": "KERASMETA_TFS_GRPC", "rest": "KERASMETA_TFS_REST"}


@pytest.mark.parametrize("id", AGENTS)
def test_what_the_file_says(id: str) -> None:
    """Signatures are those of the manifest, batch-first, of operations on the list."""
    published = manifest(id)
    directory = ZOO / id / str(published.version)
    programs.check(directory)
    assert directory.name.isdecimal()
    saved = saved_model_pb2.SavedModel.FromString(
        (directory / "saved_model.pb").read_bytes()
    )
    definitions = saved.meta_graphs[0].signature_def
    assert "serve" in saved.meta_graphs[0].meta_info_def.tags
    found = from_messages(
        {k: v for k, v in definitions.items() if k in published.contract.signatures}
    )
    assert found == published.contract.signatures
    served = from_messages({"": definitions["serving_default"]})[""]
    assert served == found["step"]
    for signature in found.values():
        assert signature.inputs
        for tensor in [*signature.inputs.values(), *signature.outputs.values()]:
            assert tensor.shape[0] is None
            assert None not in tensor.shape[1:]


def play(agent: ServedAgent, expected: Lives) -> None:
    """Holds a served agent to recorded lifetimes, step by step."""
    state = agent.state_from_seeds(expected.seeds)
    for t in range(len(next(iter(expected.shown.values())))):
        shown = {key: array[t] for key, array in expected.shown.items()}
        output = agent.step(shown, state)
        state = output.state
        given = {k: v for k, v in output._asdict().items() if v is not None}
        wanted = {k: array[t] for k, array in expected.given.items()}
        lives.assert_equal(given, wanted, expected.within)


@pytest.mark.parametrize("batch", BATCHES if EVERY_BATCH else (7,))
@pytest.mark.parametrize("id", EACH)
def test_served_equals_live(
    id: str, batch: int, server: Running, recorded: Callable[..., Lives]
) -> None:
    expected = recorded(id, batch).rows(0, batch, STEPS if EVERY_BATCH else 60)
    with ServedAgent(f"grpc://{server.grpc}", served_name(id), timeout=120) as agent:
        play(agent, expected)


@pytest.mark.parametrize("id", EACH)
def test_served_over_rest_equals_live(
    id: str, server: Running, recorded: Callable[..., Lives]
) -> None:
    expected = recorded(id, 2).rows(0, 2, steps=10)
    with ServedAgent(server.rest, served_name(id), timeout=120) as agent:
        play(agent, expected)


@pytest.mark.parametrize("id", EACH)
def test_the_warm_up_file_replays(id: str, server: Running) -> None:
    """As the server does it with what was published: every request is answered."""
    published = manifest(id)
    file = ZOO / id / str(published.version) / WARMUP
    rows = []
    with grpc.insecure_channel(server.grpc, OPTIONS) as channel:
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        for record in tf.data.TFRecordDataset(str(file)):
            log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
            request = log.predict_log.request
            request.model_spec.name = served_name(id)
            outputs = predict(request, timeout=120).outputs
            signature = request.model_spec.signature_name
            shapes = {len(tf.make_ndarray(tensor)) for tensor in outputs.values()}
            rows.append((signature, *shapes))
    sizes = {size for _, size in rows}
    signatures = {*published.contract.signatures, "serving_default"}
    assert sorted(rows) == sorted(itertools.product(signatures, sizes))
    assert sizes == set(ALLOWED_BATCH_SIZES)


@pytest.fixture(params=sorted(REAL))
def real(request: pytest.FixtureRequest) -> str:
    variable = REAL[request.param]
    if variable not in os.environ:
        pytest.skip(f"no real TensorFlow Serving: {variable} names none")
    address = os.environ[variable]
    return address if "://" in address else f"grpc://{address}"


@pytest.mark.slow
@pytest.mark.parametrize("id", CHOSEN)
def test_a_real_server_equals_live(
    id: str, real: str, recorded: Callable[..., Lives]
) -> None:
    steps = 20 if real.startswith("http") else STEPS
    options = {"version": VERSIONS[id], "timeout": 120.0}
    with ServedAgent(real, served_name(id), **options) as agent:
        try:
            agent.contract()
        except (UnknownAgentError, WrongVersionError):
            pytest.skip(f"{real} does not serve {served_name(id)}")
        for batch in BATCHES:
            play(agent, recorded(id, batch).rows(0, batch, steps=steps))
