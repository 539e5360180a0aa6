"""`ServedAgent`: an agent on a server, used as if it were here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from kerasmeta.errors import UserError

from ..contracts import Contract, TensorContract
from ..errors import WrongSchemaError, WrongVersionError
from . import checks, states
from .retrying import retrying
from .states import ServedState
from .transport import Transport, Version, parse_address

Answer = TypeVar("Answer")


class ServedOutput(NamedTuple):
    """What one step of a served agent gives: the `AgentOutput` but for recordings."""

    action: np.ndarray  # [B] int32 or [B, A] float32; drawn, or the mode where `greedy`
    greedy_action: np.ndarray  # the same shape, the mode
    logits: np.ndarray | None  # [B, A], discrete actions; else None
    mean: np.ndarray | None  # [B, A], continuous actions; else None
    scale: np.ndarray | None  # [B, A], standard deviations, continuous actions
    value: np.ndarray  # [B], the critic's estimate of the return from here
    state: ServedState


class ServedAgent:
    """An agent that TensorFlow Serving serves, with a local agent's methods.

    The server keeps nothing of a lifetime: its state travels with every request. A
    lifetime goes on with the version that it began with, also when a newer one is
    loaded meanwhile, as long as the server keeps both.

    Several threads may share one. A context manager; `close` lets go of connections.

    Args:
        url: `grpc://host:8500`, or `http://host:8501` for REST; `grpcs`, `https`: with
            TLS.
        name: The agent's name in the server's models.config.
        version: The version to begin lifetimes with: a number, or a label that the
            server gives to one (`"stable"`). None: the newest one that it serves.
        schema: The state's `Contract.state_sha256` that is expected, as the manifest of
            a published agent has it. A server with another one is refused.
        timeout: Seconds for an answer, with every attempt to get one.
        attempts: How often to ask while the server is gone or busy.
        certificates: A file of root certificates (PEM), where the system's will not do.
        headers: Sent with every request (`{"authorization": "Bearer ..."}`).
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        version: int | str | None = None,
        schema: str | None = None,
        timeout: float = 10.0,
        attempts: int = 5,
        certificates: str | Path | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        _check_arguments(name, version, timeout, attempts)
        self.url, self.name = url, name
        self.version, self.schema = version, schema
        self.timeout, self.attempts = timeout, attempts
        self.transport = _open(url, name, certificates, headers)
        self._contracts: dict[int, Contract] = {}

    def initial_state(self, batch_size: int = 1, seed: int = 0) -> ServedState:
        """The state at the beginning of `batch_size` lifetimes.

        `seed`, a 32-bit integer, fixes every action drawn in them, to those that a
        local agent would draw.

        Raises:
            ServingError: See `export.errors`.
        """
        whole = isinstance(batch_size, (int, np.integer))
        if not whole or isinstance(batch_size, bool) or batch_size < 1:
            raise UserError(
                "batch_size", batch_size, "is not a positive integer", "give 1 or more"
            )
        states.check_seed(seed)
        return self.state_from_seeds(states.lifetime_seeds(seed, batch_size))

    def state_from_seeds(self, seeds: Any) -> ServedState:
        """The state where lifetimes with these seeds (int32 `[B, 2]`) begin."""
        version, contract = self._newest()
        signature = contract.signatures["initial_state"]
        rows = np.shape(seeds)[0] if np.ndim(seeds) else 0
        [(name, wanted)] = signature.inputs.items()
        inputs = {name: checks.as_tensor(name, seeds, wanted, rows)}
        tensors = self._predict("initial_state", version, inputs)
        checks.check_outputs(tensors, signature.outputs, rows)
        return ServedState(self.name, version, contract.state_sha256, tensors)

    def step(
        self, observation: Mapping[str, Any], state: ServedState, greedy: bool = False
    ) -> ServedOutput:
        """Acts on a batch of observations.

        Args:
            observation: The task's observation dict; every leaf is batch-first.
            state: The state that `initial_state` or the last step returned. It is not
                changed; with the same one the same step can be taken again.
            greedy: Take the most probable action instead of drawing one.

        Raises:
            ServingError: See `export.errors`. The state still holds then.
        """
        state = states.check(state, self.name)
        signature = self.contract(self._pinned(state)).signatures["step"]
        inputs = self._inputs(observation, state, signature.inputs)
        outputs = self._predict("step", state.version, inputs)
        checks.check_outputs(outputs, signature.outputs, state.batch_size)
        carried = {name: outputs.pop(name) for name in state.tensors}
        return ServedOutput(
            action=outputs["greedy_action" if greedy else "action"],
            greedy_action=outputs["greedy_action"],
            logits=outputs.get("logits"),
            mean=outputs.get("mean"),
            scale=outputs.get("scale"),
            value=outputs["value"],
            state=state._replace(tensors=carried),
        )

    def contract(self, version: int | None = None) -> Contract:
        """What a version takes and gives; by default the one lifetimes begin with."""
        if version is None:
            return self._newest().contract
        if version not in self._contracts:
            self._describe(version)
        return self._contracts[version]

    def observation_spec(self, version: int | None = None) -> dict[str, TensorContract]:
        """What `step` wants to see, by name: types, and shapes with None first."""
        contract = self.contract(version)
        inputs = contract.signatures["step"].inputs
        return {k: tensor for k, tensor in inputs.items() if k not in contract.state}

    def close(self) -> None:
        """Lets go of the connections."""
        self.transport.close()

    def __enter__(self) -> ServedAgent:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _newest(self) -> Version:
        """The version that lifetimes begin with now."""
        if isinstance(self.version, int) and self.version in self._contracts:
            return Version(self.version, self._contracts[self.version])
        return self._describe(self.version)

    def _describe(self, version: int | str | None) -> Version:
        found = self._ask(lambda left: self.transport.describe(version, left))
        if self.schema not in (None, found.contract.state_sha256):
            raise WrongSchemaError(
                "server",
                self.name,
                f"serves version {found.number}, whose state has another schema",
                "serve the agent that is expected, or expect this one's schema",
            )
        self._contracts[found.number] = found.contract
        return found

    def _pinned(self, state: ServedState) -> int:
        """The version of a state, which must be ours where we have one."""
        if isinstance(self.version, int) and state.version != self.version:
            raise WrongVersionError(
                "state",
                f"version {state.version}",
                f"is not of version {self.version}, which this client keeps to",
                "begin a new lifetime with initial_state",
            )
        return state.version

    def _inputs(
        self,
        observation: Mapping[str, Any],
        state: ServedState,
        wanted: Mapping[str, TensorContract],
    ) -> dict[str, np.ndarray]:
        """Everything that a step takes, checked."""
        contract = self.contract(state.version)
        states.check_schema(state, contract.state_sha256)
        checks.check_names("state", state.tensors, contract.state)
        shown = {k: v for k, v in wanted.items() if k not in contract.state}
        checks.check_names("observation", observation, shown)
        rows, tensors = state.batch_size, {}
        for name, tensor in wanted.items():
            carried = name in contract.state
            value = state.tensors[name] if carried else observation[name]
            label = f"state[{name!r}]" if carried else f"observation[{name!r}]"
            tensors[name] = checks.as_tensor(label, value, tensor, rows)
        return tensors

    def _predict(
        self, signature: str, version: int, inputs: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        return self._ask(
            lambda left: self.transport.predict(signature, version, inputs, left)
        )

    def _ask(self, ask: Callable[[float], Answer]) -> Answer:
        return retrying(ask, self.timeout, self.attempts)


def _open(
    url: str,
    name: str,
    certificates: str | Path | None,
    headers: Mapping[str, str] | None,
) -> Transport:
    """The transport for an address; each protocol's library is imported when used."""
    address = parse_address(url)
    roots = None if certificates is None else Path(certificates)
    if roots and not roots.is_file():
        raise UserError("certificates", str(roots), "is no file", "give a PEM file")
    if address.scheme.startswith("http"):
        from .rest_transport import RestTransport

        return RestTransport(
            f"{address.scheme}://{address.place}", name, roots, headers
        )
    from .grpc_transport import GrpcTransport

    return GrpcTransport(address.place, name, address.scheme == "grpcs", roots, headers)


def _check_arguments(name: Any, version: Any, timeout: Any, attempts: Any) -> None:
    if not isinstance(name, str) or not name:
        raise UserError("name", name, "is no name", "give the one in models.config")
    if isinstance(version, bool) or not isinstance(version, (int, str, type(None))):
        raise UserError(
            "version", version, "is no version", "give 1, 2, ... or a label"
        )
    if not isinstance(timeout, (int, float)) or not timeout > 0:
        raise UserError("timeout", timeout, "is not positive", "give seconds")
    if not isinstance(attempts, int) or attempts < 1:
        raise UserError("attempts", attempts, "is not positive", "give 1, 2, ...")
