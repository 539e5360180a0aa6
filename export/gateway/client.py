"""A gateway's client: begins sessions and steps them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..client.grpc_transport import OPTIONS
from ..client.transport import parse_address
from ..errors import ServerTimeoutError, ServerUnavailableError, TensorError
from .errors import TooLargeError, error_of

SERVICE = "kerasmeta.gateway.v1.Gateway"
REASON = "kerasmeta-reason"

# Steps are numbered, so that one whose answer was lost may be asked for again.
_RETRIES = {
    "methodConfig": [
        {
            "name": [{"service": SERVICE}],
            "waitForReady": True,
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "4s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


class GatewayClient:
    """A connection to a gateway, which threads may share.

    Args:
        url: `grpc://host:8600`, or `grpcs://` with TLS.
        token: The gateway's bearer token, if it has one.
        certificates: A file of root certificates (PEM), where the system's will not do.
        timeout: Seconds for an answer. A gateway that is gone is waited for as long.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        certificates: str | Path | None = None,
        timeout: float = 30.0,
    ) -> None:
        import grpc

        address = parse_address(url)
        options = [*OPTIONS, ("grpc.service_config", json.dumps(_RETRIES))]
        if address.scheme == "grpcs":
            roots = Path(certificates).read_bytes() if certificates else None
            credentials = grpc.ssl_channel_credentials(roots)
            self.channel = grpc.secure_channel(address.place, credentials, options)
        else:
            self.channel = grpc.insecure_channel(address.place, options)
        self.timeout = timeout
        self.headers = [("authorization", f"Bearer {token}")] if token else []

    def begin(
        self,
        agent: str,
        *,
        version: int | None = None,
        label: str | None = None,
        lifetimes: int = 1,
        seed: int | None = None,
        schema: str | None = None,
    ) -> GatewaySession:
        """Begins a session of `lifetimes` lifetimes of an agent.

        Args:
            agent: Its name in the server's models.config.
            version: To keep to; by default the newest that is served.
            label: Of a version, instead of its number.
            lifetimes: How many; observations have as many rows.
            seed: Fixes every draw. Drawn by the gateway where it is not given.
            schema: The state's hash that is expected (`Contract.state_sha256`).

        Raises:
            ServingError: See docs/serving.md for all of them.
        """
        from . import gateway_pb2 as messages

        request = messages.BeginRequest(
            agent=agent,
            version=version,
            label=label,
            lifetimes=lifetimes,
            seed=seed,
            schema=schema,
        )
        return GatewaySession(self, self.ask("Begin", request, messages.Session))

    def resume(self, session: str) -> GatewaySession:
        """A session that was begun before, by its name."""
        from . import gateway_pb2 as messages

        request = messages.SessionRequest(session=session)
        return GatewaySession(self, self.ask("Describe", request, messages.Session))

    def ask(self, method: str, request: Any, answer: Any) -> Any:
        """Calls a method of gateway.proto; for those who fill messages themselves."""
        import grpc

        call = self.channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        try:
            return call(request, timeout=self.timeout, metadata=self.headers)
        except grpc.RpcError as error:
            raise _refusal(error) from None

    def close(self) -> None:
        """Lets go of the connection."""
        self.channel.close()

    def __enter__(self) -> GatewayClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class GatewaySession:
    """A batch of lifetimes whose state the gateway keeps.

    Attributes:
        name: To resume it with.
        agent, version, seed, lifetimes: What it was begun with.
        schema: The state's hash.
        step_number: The number of the next step.
    """

    def __init__(self, client: GatewayClient, described: Any) -> None:
        self.client = client
        self.name: str = described.session
        self.agent: str = described.agent
        self.version: int = described.version
        self.seed: int = described.seed
        self.lifetimes: int = described.lifetimes
        self.schema: str = described.schema
        self.step_number: int = described.step
        self.observation_spec: dict[str, tuple[str, tuple[int, ...]]] = {
            name: (spec.dtype, tuple(spec.shape))
            for name, spec in described.observation.items()
        }

    def step(self, observation: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Acts on a batch of observations; the action is under `action`.

        A number or list is taken in the type that the agent wants. Where an error is
        raised the lifetimes are as they were before.

        Raises:
            ServingError: See docs/serving.md for all of them.
        """
        from . import gateway_pb2 as messages
        from . import tensors

        request = messages.StepRequest(session=self.name, step=self.step_number)
        tensors.fill(request.observation, self._arrays(observation))
        response = self.client.ask("Step", request, messages.StepResponse)
        self.step_number = response.step + 1
        return tensors.read(response.outputs)

    def end(self) -> None:
        """Ends the session; the gateway forgets it."""
        from . import gateway_pb2 as messages

        request = messages.SessionRequest(session=self.name)
        self.client.ask("End", request, messages.EndResponse)

    def _arrays(self, observation: Mapping[str, Any]) -> dict[str, np.ndarray]:
        arrays = {}
        for name, value in observation.items():
            wanted = self.observation_spec.get(name, (None, ()))[0]
            try:
                arrays[name] = np.asarray(
                    value, None if isinstance(value, np.ndarray) else wanted
                )
            except (ValueError, TypeError, OverflowError) as error:
                raise TensorError(
                    f"observation {name}", value, f"is no {wanted}", f"mend it: {error}"
                ) from None
        return arrays


def _refusal(error: Any) -> Exception:
    """The error that a gateway told of, or that it could not."""
    said = dict(error.trailing_metadata() or ())
    if REASON in said:
        return error_of(str(said[REASON]), error.details())
    code, text = error.code().name, " ".join(str(error.details()).split())
    if code == "DEADLINE_EXCEEDED":
        return ServerTimeoutError("gateway", "-", "did not answer in time", "ask again")
    if code == "RESOURCE_EXHAUSTED":
        return TooLargeError("request", "-", f"is too large ({text})", "send less")
    return ServerUnavailableError(
        "gateway", "-", f"cannot be reached ({code}: {text})", "look whether it runs"
    )
