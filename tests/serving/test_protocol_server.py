"""The protocol server does what TensorFlow Serving does, word for word.

The texts are those of TensorFlow Serving's sources (predict_util.cc, json_tensor.cc,
server_core.cc, basic_manager.cc, get_model_status_impl.cc).
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import requests
import tensorflow as tf
from google.protobuf import text_format
from serving.processes import START_SECONDS, ZOO, Running, protocol_server
from serving.protocol_server.batching import Batcher, Parameters
from serving.protocol_server.refusals import RefusedError
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

MODEL = "two_step_lstm"


class Stubs:
    """The official stubs on one channel."""

    def __init__(self, channel: Any) -> None:
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self.model = model_service_pb2_grpc.ModelServiceStub(channel)


@pytest.fixture(scope="module")
def stubs(server: Running) -> Iterator[Stubs]:
    with grpc.insecure_channel(server.grpc) as channel:
        yield Stubs(channel)


def request(model: str = MODEL, signature: str = "initial_state", **inputs: Any) -> Any:
    made = predict_pb2.PredictRequest()
    made.model_spec.name = model
    made.model_spec.signature_name = signature
    for key, value in inputs.items():
        made.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return made


SEEDS = np.array([[1, 2], [3, 4]], np.int32)


def refused(stub: Any, message: Any) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        stub(message)
    return caught.value.code().name, caught.value.details()


def test_the_answer_tells_the_version_that_gave_it(stubs: Stubs) -> None:
    answer = stubs.prediction.Predict(request(seed=SEEDS))
    assert answer.model_spec.name == MODEL
    assert answer.model_spec.version.value >= 1
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["state_seed"]), SEEDS)
    # Values come in the field of their type, not as bytes.
    assert list(answer.outputs["state_step"].int_val) == [0, 0]
    assert not answer.outputs["state_step"].tensor_content


def test_only_the_outputs_asked_for_come(stubs: Stubs) -> None:
    asked = request(seed=SEEDS)
    asked.output_filter.append("state_step")
    assert set(stubs.prediction.Predict(asked).outputs) == {"state_step"}


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        (
            {"model": "nope"},
            "NOT_FOUND",
            "Servable not found for request: Latest(nope)",
        ),
        (
            {"signature": "nope"},
            "FAILED_PRECONDITION",
            'Serving signature key "nope" not found.',
        ),
        (
            {"seed": None},
            "INVALID_ARGUMENT",
            "input size does not match signature: 0!=1 len({}) != len({seed}). "
            "Sent extra: {}. Missing but required: {seed}.",
        ),
        (
            {"more": SEEDS},
            "INVALID_ARGUMENT",
            "input size does not match signature: 2!=1 len({more,seed}) != len({seed})."
            " Sent extra: {more}. Missing but required: {}.",
        ),
    ],
)
def test_words_of_predict(
    stubs: Stubs, changes: dict[str, Any], code: str, text: str
) -> None:
    options = {"seed": SEEDS, **changes}
    made = request(**{k: v for k, v in options.items() if v is not None})
    assert refused(stubs.prediction.Predict, made) == (code, text)


def test_a_version_that_is_not_there(stubs: Stubs) -> None:
    made = request(seed=SEEDS)
    made.model_spec.version.value = 999
    text = f"Servable not found for request: Specific({MODEL}, 999)"
    assert refused(stubs.prediction.Predict, made) == ("NOT_FOUND", text)
    made.model_spec.version_label = "nope"
    text = "Unrecognized servable version label: nope"
    assert refused(stubs.prediction.Predict, made) == ("INVALID_ARGUMENT", text)


def test_an_output_that_is_not_there(stubs: Stubs) -> None:
    made = request(seed=SEEDS)
    made.output_filter.append("nope")
    code, text = refused(stubs.prediction.Predict, made)
    assert code == "INVALID_ARGUMENT"
    assert text.startswith("output tensor alias not found in signature: nope Outputs")


@pytest.mark.parametrize(
    "seeds",
    [np.zeros([2, 3], np.int32), np.zeros([2, 2], np.float32), np.zeros(2, np.int32)],
)
def test_the_runtime_refuses_other_shapes_and_types(stubs: Stubs, seeds: Any) -> None:
    code, _ = refused(stubs.prediction.Predict, request(seed=seeds))
    assert code == "INVALID_ARGUMENT"


def test_metadata_and_status(stubs: Stubs) -> None:
    asked = get_model_metadata_pb2.GetModelMetadataRequest()
    asked.model_spec.name = MODEL
    code, text = refused(stubs.prediction.GetModelMetadata, asked)
    assert (code, "at least one metadata_field" in text) == ("INVALID_ARGUMENT", True)
    asked.metadata_field.append("signature_def")
    answer = stubs.prediction.GetModelMetadata(asked)
    described = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(described)
    assert {"initial_state", "step", "serving_default"} <= set(described.signature_def)
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = MODEL
    states = stubs.model.GetModelStatus(status).model_version_status
    assert {one.state for one in states} == {30}  # AVAILABLE
    status.model_spec.version.value = 999
    expected = f"Could not find version 999 of model {MODEL}"
    assert refused(stubs.model.GetModelStatus, status) == ("NOT_FOUND", expected)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("", "JSON Parse error: The document is empty"),
        ("[1]", "JSON Value: [1] Is not object"),
        ('{"signature_name": "initial_state"}', "Missing 'inputs' or 'instances' key"),
        (
            '{"signature_name": "nope", "instances": [1]}',
            'Serving signature name: "nope" not found in signature def',
        ),
        ('{"inputs": {}}', "Missing named input: context in 'inputs' object."),
        (
            '{"inputs": 1}',
            "inputs is a plain value/list, but expecting an object as multiple input "
            "tensors required as per tensorinfo_map",
        ),
        (
            '{"signature_name": "initial_state", "inputs": {"seed": [[1, 0.5]]}}',
            "JSON Value: 0.5 Type: Number is not of expected type: int32",
        ),
        (
            '{"signature_name": "initial_state", "inputs": {"seed": [[1, 2], [3]]}}',
            "Encountered list at unexpected size: 1 at level: 1 expected size: 2",
        ),
    ],
)
def test_words_of_rest(server: Running, body: str, text: str) -> None:
    answer = requests.post(f"{server.rest}/v1/models/{MODEL}:predict", data=body)
    assert (answer.status_code, answer.json()) == (400, {"error": text})


def test_rest_by_rows_and_by_columns(server: Running) -> None:
    url = f"{server.rest}/v1/models/{MODEL}:predict"
    body = {"signature_name": "initial_state"}
    rows = requests.post(url, json={**body, "instances": [[1, 2], [3, 4]]}).json()
    columns = requests.post(url, json={**body, "inputs": [[1, 2], [3, 4]]}).json()
    assert [row["state_seed"] for row in rows["predictions"]] == [[1, 2], [3, 4]]
    assert columns["outputs"]["state_seed"] == [[1, 2], [3, 4]]
    absent = requests.get(f"{server.rest}/v1/models/nope")
    assert absent.status_code == 404
    wrong = requests.post(f"{server.rest}/v1/models/{MODEL}:nope", data="{}")
    assert wrong.json()["error"].startswith("Malformed request: POST /v1/models/")


@pytest.mark.slow
def test_versions_labels_and_a_roll_over(tmp_path: Path) -> None:
    """A second version appears and is served; both are kept where the config says."""
    base = tmp_path / "base"
    shutil.copytree(ZOO / "two_step/lstm/1", base / "1")
    config = (
        f'model_config_list {{ config {{ name: "m" base_path: "{base}" '
        'model_platform: "tensorflow" %s } }'
    )
    latest, both = (
        config % "",
        config
        % (
            "model_version_policy { specific { versions: 1 versions: 2 } } "
            'version_labels { key: "stable" value: 1 }'
        ),
    )
    options = {"file_system_poll_wait_seconds": 0.1}
    with (
        protocol_server(tmp_path, latest, "", **options) as running,
        grpc.insecure_channel(running.grpc) as channel,
    ):
        stubs = Stubs(channel)

        def version(**spec: Any) -> int:
            made = request("m", seed=SEEDS)
            made.model_spec.MergeFrom(type(made.model_spec)(**spec))
            return stubs.prediction.Predict(made).model_spec.version.value

        assert version() == 1
        shutil.copytree(ZOO / "two_step/ep_lstm/1", base / ".tmp-2")
        (base / ".tmp-2").rename(base / "2")
        end = time.monotonic() + START_SECONDS
        while version() == 1 and time.monotonic() < end:
            time.sleep(0.05)
        assert version() == 2
        reload = model_management_pb2.ReloadConfigRequest()
        text_format.Parse(both, reload.config)
        stubs.model.HandleReloadConfigRequest(reload)
        assert version() == 2
        assert version(version={"value": 1}) == 1
        assert version(version_label="stable") == 1


class Doubling:
    """A servable whose output is twice its input; it keeps what it was run on."""

    def __init__(self) -> None:
        self.runs: list[np.ndarray] = []

    def run(self, feeds: Any, fetches: Any, arrays: list[np.ndarray]) -> Any:
        self.runs.append(arrays[0])
        return [arrays[0] * 2]


def batched(parameters: Parameters, sizes: list[int]) -> tuple[Doubling, list[Any]]:
    """Requests of some sizes, sent at once to a batcher: what ran and what came."""
    servable = Doubling()
    numbers = itertools.count(1)
    arrays = [np.array([next(numbers) for _ in range(n)], float) for n in sizes]

    async def run() -> list[Any]:
        batcher: Any = Batcher(parameters)
        calls = [batcher.run(servable, ("x",), ("y",), [array]) for array in arrays]
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = asyncio.run(run())
    for array, answer in zip(arrays, answers, strict=True):
        if not isinstance(answer, Exception):
            np.testing.assert_array_equal(answer[0], array * 2)
    return servable, answers


def test_requests_are_merged_padded_and_cut_apart() -> None:
    parameters = Parameters(8, 20_000, 10, 1, [4, 8])
    servable, _ = batched(parameters, [2, 1, 3])
    [run] = servable.runs
    # Six rows, padded to eight with copies of the first one.
    np.testing.assert_array_equal(run, [1, 2, 3, 4, 5, 6, 1, 1])


def test_a_full_batch_does_not_wait_and_none_is_split() -> None:
    parameters = Parameters(8, 60_000_000, 10, 1, [8])
    servable, _ = batched(parameters, [5, 3, 8])
    assert [len(run) for run in servable.runs] == [8, 8]


def test_what_is_too_large_or_too_much_is_refused() -> None:
    parameters = Parameters(4, 0, 2, 1)
    servable, answers = batched(parameters, [5, 4, 4, 1])
    large, _, _, full = answers
    assert isinstance(large, RefusedError)
    assert large.text == "Task size 5 is larger than maximum input batch size 4"
    assert isinstance(full, RefusedError)
    assert full.code.name == "UNAVAILABLE"
    assert "queue to which this task was submitted is full" in full.text
    assert len(servable.runs) == 2


def test_scalars_cannot_be_batched() -> None:
    with pytest.raises(RefusedError, match="must have at least one dimension"):
        asyncio.run(
            Batcher(Parameters()).run(Doubling(), (), (), [np.float32(1)])  # type: ignore
        )


def test_parameters_are_read_as_the_server_reads_them() -> None:
    text = "max_batch_size { value: 8 }\nallowed_batch_sizes: 2\nallowed_batch_sizes: 8"
    parsed = Parameters.parse(text)
    assert (parsed.max_batch_size, parsed.allowed_batch_sizes) == (8, [2, 8])
    with pytest.raises(RefusedError, match="must match max_batch_size"):
        Parameters.parse(text + "\nallowed_batch_sizes: 16")
