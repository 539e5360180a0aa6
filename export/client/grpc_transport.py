"""TensorFlow Serving over gRPC."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import WrongVersionError
from ..wire.messages import GET_MODEL_METADATA, PREDICT, message
from ..wire.signatures import contract_of, from_messages
from ..wire.tensors import from_proto, to_proto
from .refusing import NOT_FOUND, OTHER, TIMEOUT, UNAVAILABLE, Asked, refusal
from .transport import Tensors, Version

# An agent's memory may be larger than the 4 MiB that gRPC allows by default; a server
# that comes back is found again within a second.
OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
KINDS = {
    "NOT_FOUND": NOT_FOUND,
    "DEADLINE_EXCEEDED": TIMEOUT,
    "UNAVAILABLE": UNAVAILABLE,
    "RESOURCE_EXHAUSTED": UNAVAILABLE,
}


class GrpcTransport:
    """One model over one channel, which threads may share.

    Args:
        place: `host:port`.
        agent: The model's name on the server.
        secure: Use TLS.
        certificates: A file of root certificates (PEM), where the system's will not do.
        headers: Sent with every request (`{"authorization": "Bearer ..."}`).
    """

    def __init__(
        self,
        place: str,
        agent: str,
        secure: bool = False,
        certificates: Path | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        import grpc

        self.agent = agent
        self.headers = [(k.lower(), v) for k, v in (headers or {}).items()]
        if secure:
            roots = certificates.read_bytes() if certificates else None
            credentials = grpc.ssl_channel_credentials(roots)
            self.channel = grpc.secure_channel(place, credentials, OPTIONS)
        else:
            self.channel = grpc.insecure_channel(place, OPTIONS)
        self._predict = self._method(PREDICT, "PredictResponse")
        self._metadata = self._method(GET_MODEL_METADATA, "GetModelMetadataResponse")

    def describe(self, version: int | str | None, timeout: float) -> Version:
        """See `Transport`."""
        request = message("GetModelMetadataRequest")(metadata_field=["signature_def"])
        _fill(request.model_spec, self.agent, version)
        answer = self._ask(self._metadata, request, version, timeout)
        packed = answer.metadata["signature_def"].value
        definitions = message("SignatureDefMap").FromString(packed).signature_def
        contract = contract_of(from_messages(definitions), self.agent)
        return Version(answer.model_spec.version.value, contract)

    def predict(
        self,
        signature: str,
        version: int,
        inputs: Mapping[str, np.ndarray],
        timeout: float,
    ) -> Tensors:
        """See `Transport`."""
        request = predict_request(self.agent, version, signature, inputs)
        answer = self._ask(self._predict, request, version, timeout)
        return read_answer(answer, self.agent, version)

    def close(self) -> None:
        """See `Transport`."""
        self.channel.close()

    def _method(self, path: str, answer: str) -> Any:
        return self.channel.unary_unary(
            path,
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=message(answer).FromString,
        )

    def _ask(
        self, method: Any, request: Any, version: int | str | None, timeout: float
    ) -> Any:
        import grpc

        try:
            return method(request, timeout=timeout, metadata=self.headers)
        except grpc.RpcError as error:
            kind = KINDS.get(error.code().name, OTHER)
            said = f"{error.code().name}: {error.details()}"
            raise refusal(kind, Asked(self.agent, version), said) from None


def predict_request(
    agent: str, version: int | None, signature: str, inputs: Mapping[str, np.ndarray]
) -> Any:
    """The `PredictRequest` for a signature of a version; None: whichever is newest."""
    request = message("PredictRequest")()
    _fill(request.model_spec, agent, version)
    request.model_spec.signature_name = signature
    for name, array in inputs.items():
        request.inputs[name].CopyFrom(to_proto(array))
    return request


def read_answer(answer: Any, agent: str, version: int) -> Tensors:
    """The outputs in a `PredictResponse`, which must come from that version.

    Raises:
        WrongVersionError: They come from another one.
        ServerRefusedError: A tensor is broken.
    """
    served = answer.model_spec.version.value
    if answer.model_spec.HasField("version") and served != version:
        raise WrongVersionError(
            "version", served, f"of {agent} answered for {version}", "mend the server"
        )
    return {name: from_proto(proto, name) for name, proto in answer.outputs.items()}


def _fill(model_spec: Any, agent: str, version: int | str | None) -> None:
    model_spec.name = agent
    if isinstance(version, str):
        model_spec.version_label = version
    elif version is not None:
        model_spec.version.value = version
