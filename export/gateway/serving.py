"""The gateway's way to TensorFlow Serving: gRPC without waiting threads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasmeta.errors import UserError

from ..client.grpc_transport import KINDS, OPTIONS, predict_request, read_answer
from ..client.refusing import NOT_FOUND, OTHER, Asked, refusal
from ..client.transport import Tensors, Version, parse_address
from ..wire.messages import GET_MODEL_METADATA, PREDICT, message
from ..wire.signatures import contract_of, from_messages

# A Predict is a pure function, so asking again is safe; gRPC does that by itself.
_RETRIES = {
    "methodConfig": [
        {
            "name": [{"service": "tensorflow.serving.PredictionService"}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.05s",
                "maxBackoff": "1s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


class Serving:
    """A TensorFlow Serving server, for every agent on it.

    Args:
        url: `grpc://host:8500`, or `grpcs://` with TLS.
        timeout: Seconds for an answer.
    """

    def __init__(self, url: str, timeout: float) -> None:
        from grpc import aio, ssl_channel_credentials

        address = parse_address(url)
        if address.scheme.startswith("http"):
            fix = "give grpc://host:8500 (grpcs: with TLS)"
            raise UserError("url", url, "is REST, and the gateway uses gRPC", fix)
        options = [*OPTIONS, ("grpc.service_config", json.dumps(_RETRIES))]
        if address.scheme == "grpcs":
            credentials = ssl_channel_credentials()
            self.channel = aio.secure_channel(address.place, credentials, options)
        else:
            self.channel = aio.insecure_channel(address.place, options)
        self.timeout = timeout
        self._predict = self._method(PREDICT, "PredictResponse")
        self._metadata = self._method(GET_MODEL_METADATA, "GetModelMetadataResponse")

    async def describe(self, agent: str, version: int | str | None) -> Version:
        """A version by its number or its label (None: the newest), and its contract.

        Raises:
            ServingError: It is not served, or is no agent of ours (of every method).
        """
        request = message("GetModelMetadataRequest")(metadata_field=["signature_def"])
        request.model_spec.name = agent
        if isinstance(version, str):
            request.model_spec.version_label = version
        elif version is not None:
            request.model_spec.version.value = version
        answer = await self._ask(self._metadata, request, Asked(agent, version))
        packed = answer.metadata["signature_def"].value
        definitions = message("SignatureDefMap").FromString(packed).signature_def
        contract = contract_of(from_messages(definitions), agent)
        return Version(answer.model_spec.version.value, contract)

    async def predict(
        self,
        agent: str,
        version: int,
        signature: str,
        inputs: Mapping[str, np.ndarray],
    ) -> Tensors:
        """The outputs of a signature of that very version."""
        request = predict_request(agent, version, signature, inputs)
        answer = await self._ask(self._predict, request, Asked(agent, version))
        return read_answer(answer, agent, version)

    async def check(self) -> None:
        """Returns once the server can be reached."""
        await self.channel.channel_ready()

    async def close(self) -> None:
        """Lets go of the connection."""
        await self.channel.close()

    def _method(self, path: str, answer: str) -> Any:
        return self.channel.unary_unary(
            path,
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=message(answer).FromString,
        )

    async def _ask(self, method: Any, request: Any, asked: Asked) -> Any:
        from grpc import RpcError

        try:
            return await method(request, timeout=self.timeout)
        except RpcError as error:
            said = f"{error.code().name}: {error.details()}"
            raise refusal(_kind(error.code().name, asked), asked, said) from None


def _kind(code: str, asked: Asked) -> str:
    """What happened; a label that no version has is refused as an argument."""
    if code == "INVALID_ARGUMENT" and isinstance(asked.version, str):
        return NOT_FOUND
    return KINDS.get(code, OTHER)
