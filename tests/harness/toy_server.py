"""A server of a toy agent over gRPC and REST, without TensorFlow.

The agent counts: its state is a count and a seed, its action the count so far. Tests
tell the server which versions it has, and what to do wrong.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import numpy as np
from google.protobuf import json_format

from export.contracts import Signature, TensorContract
from export.wire.messages import GET_MODEL_METADATA, PREDICT, message
from export.wire.tensors import KINDS, from_proto, to_proto

NAME = "toy"
LARGE = 1_200_000  # floats in a state: more than the 4 MiB that gRPC allows by default


def tensor(dtype: str, *shape: int) -> TensorContract:
    return TensorContract(dtype=dtype, shape=(None, *shape))


def signatures(width: int = 3) -> dict[str, Signature]:
    """What the toy agent takes and gives; `width` is of a part of its state."""
    state = {
        "state_count": tensor("int32"),
        "state_notes": tensor("float32", width),
        "state_seed": tensor("int32", 2),
    }
    shown = {"stimulus": tensor("float32", 2), "store": tensor("bool")}
    given = {
        "action": tensor("int32"),
        "greedy_action": tensor("int32"),
        "logits": tensor("float32", 2),
        "value": tensor("float32"),
    }
    return {
        "initial_state": Signature(inputs={"seed": tensor("int32", 2)}, outputs=state),
        "step": Signature(inputs={**shown, **state}, outputs={**given, **state}),
    }


class ToyServer:
    """The server, on free ports of this machine; a context manager."""

    def __init__(self) -> None:
        self.versions = {1: signatures()}
        self.labels: dict[str, int] = {}
        self.failures: list[grpc.StatusCode] = []  # of the next requests
        self.pause = 0.0  # seconds before every answer
        self.asked = 0  # predictions
        self.spoil: Callable[[dict[str, np.ndarray]], None] = lambda outputs: None

    def __enter__(self) -> ToyServer:
        options = [("grpc.max_receive_message_length", -1)]
        self._grpc = grpc.server(futures.ThreadPoolExecutor(4), options=options)
        self._grpc.add_generic_rpc_handlers([_Service(self)])
        self.grpc = f"grpc://127.0.0.1:{self._grpc.add_insecure_port('127.0.0.1:0')}"
        self._grpc.start()
        toy = self

        class Handler(_Handler):
            server_of = toy

        self._rest = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.rest = f"http://127.0.0.1:{self._rest.server_port}"
        threading.Thread(
            target=self._rest.serve_forever, args=(0.02,), daemon=True
        ).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._grpc.stop(None).wait()
        self._rest.shutdown()
        self._rest.server_close()

    def find(self, name: str, version: int | None, label: str) -> int:
        """The version that is asked for."""
        number = self.labels.get(label) if label else version or max(self.versions)
        if name != NAME or number not in self.versions:
            raise _RefusedError(grpc.StatusCode.NOT_FOUND, "Servable not found")
        return number

    def predict(
        self, version: int, signature: str, inputs: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        self.asked += 1
        time.sleep(self.pause)
        if self.failures:
            raise _RefusedError(self.failures.pop(0), "as the test wants it")
        known = self.versions[version][signature]
        assert {k: v.dtype.name for k, v in inputs.items()} == {
            k: t.dtype for k, t in known.inputs.items()
        }
        rows = len(next(iter(inputs.values())))
        outputs = {
            k: np.zeros((rows, *t.shape[1:]), t.dtype) for k, t in known.outputs.items()
        }
        outputs.update({k: v for k, v in inputs.items() if k in outputs})
        if signature == "initial_state":
            outputs["state_seed"] = inputs["seed"]
        else:
            outputs["action"] = inputs["state_count"] + 100 * np.int32(version)
            outputs["state_count"] = inputs["state_count"] + np.int32(1)
            outputs["value"] = inputs["stimulus"].sum(axis=1)
        self.spoil(outputs)
        return outputs

    def definitions(self, version: int) -> Any:
        """The `SignatureDefMap` of a version."""
        found = message("SignatureDefMap")()
        for name, signature in self.versions[version].items():
            for side in ("inputs", "outputs"):
                for key, contract in getattr(signature, side).items():
                    info = getattr(found.signature_def[name], side)[key]
                    info.dtype = KINDS[contract.dtype].number
                    for size in contract.shape:
                        info.tensor_shape.dim.add(size=-1 if size is None else size)
        return found

    def described(self, version: int) -> dict[str, Any]:
        """The same as JSON, where types have TensorFlow's names."""
        names = {"float32": "DT_FLOAT", "int32": "DT_INT32", "bool": "DT_BOOL"}
        numbers = {KINDS[kind].number: name for kind, name in names.items()}
        found = json_format.MessageToDict(
            self.definitions(version), preserving_proto_field_name=True
        )
        for signature in found["signature_def"].values():
            for info in (*signature["inputs"].values(), *signature["outputs"].values()):
                info["dtype"] = numbers[info["dtype"]]
        return found


class _RefusedError(Exception):
    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        self.code, self.text = code, text


class _Service(grpc.GenericRpcHandler):
    """The two methods of the PredictionService that a client calls."""

    def __init__(self, toy: ToyServer) -> None:
        self.toy = toy

    def service(self, details: Any) -> Any:
        methods = {
            PREDICT: (self._predict, "PredictRequest"),
            GET_MODEL_METADATA: (self._describe, "GetModelMetadataRequest"),
        }
        method, request = methods[details.method]

        def answer(asked: Any, context: Any) -> Any:
            try:
                return method(asked)
            except _RefusedError as error:
                context.abort(error.code, error.text)

        return grpc.unary_unary_rpc_method_handler(
            answer, message(request).FromString, lambda made: made.SerializeToString()
        )

    def _find(self, spec: Any) -> int:
        number = spec.version.value if spec.HasField("version") else None
        return self.toy.find(spec.name, number, spec.version_label)

    def _predict(self, request: Any) -> Any:
        version = self._find(request.model_spec)
        inputs = {k: from_proto(v, k) for k, v in request.inputs.items()}
        outputs = self.toy.predict(version, request.model_spec.signature_name, inputs)
        made = message("PredictResponse")()
        made.model_spec.version.value = version
        for key, array in outputs.items():
            made.outputs[key].CopyFrom(to_proto(array))
        return made

    def _describe(self, request: Any) -> Any:
        version = self._find(request.model_spec)
        made = message("GetModelMetadataResponse")()
        made.model_spec.version.value = version
        packed = self.toy.definitions(version).SerializeToString()
        made.metadata["signature_def"].value = packed
        return made


class _Handler(BaseHTTPRequestHandler):
    server_of: ToyServer

    def do_GET(self) -> None:
        self._answer(self._metadata)

    def do_POST(self) -> None:
        self._answer(self._predict)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""

    def _find(self) -> int:
        _, _, _, name, *rest = self.path.removesuffix(":predict").split("/")
        number = int(rest[1]) if rest[:1] == ["versions"] else None
        label = rest[1] if rest[:1] == ["labels"] else ""
        return self.server_of.find(name, number, label)

    def _metadata(self) -> dict[str, Any]:
        version = self._find()
        definitions = self.server_of.described(version)
        return {
            "model_spec": {"name": NAME, "version": str(version)},
            "metadata": {"signature_def": definitions},
        }

    def _predict(self) -> dict[str, Any]:
        version = self._find()
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = body["signature_name"]
        known = self.server_of.versions[version][name].inputs
        inputs = {k: np.asarray(v, known[k].dtype) for k, v in body["inputs"].items()}
        outputs = self.server_of.predict(version, name, inputs)
        return {"outputs": {k: v.tolist() for k, v in outputs.items()}}

    def _answer(self, made: Callable[[], dict[str, Any]]) -> None:
        codes = {"NOT_FOUND": 404, "UNAVAILABLE": 503, "INVALID_ARGUMENT": 400}
        try:
            status, content = 200, made()
        except _RefusedError as error:
            status, content = codes[error.code.name], {"error": error.text}
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
