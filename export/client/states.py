"""What a client carries from step to step of a served agent's lifetimes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kerasmeta.errors import UserError

from ..errors import WrongSchemaError

_FIX = "begin a new lifetime with initial_state"


class ServedState(NamedTuple):
    """The state of a batch of lifetimes, and which agent it belongs to."""

    agent: str  # the name it is served under
    version: int  # that the lifetimes began with, and go on with
    schema: str  # the SHA-256 of the state's names, types and shapes
    tensors: dict[str, np.ndarray]  # by name, batch-first

    @property
    def batch_size(self) -> int:
        """How many lifetimes there are."""
        shapes = [np.shape(tensor) for tensor in self.tensors.values()]
        return shapes[0][0] if shapes and shapes[0] else 0

    def to_bytes(self) -> bytes:
        """The state as a safetensors file, for a store outside of the process."""
        from safetensors.numpy import save

        described = {"agent": self.agent, "version": str(self.version)}
        arrays = {k: np.ascontiguousarray(v) for k, v in self.tensors.items()}
        return save(arrays, metadata={**described, "schema": self.schema})

    @classmethod
    def from_bytes(cls, data: bytes) -> ServedState:
        """The inverse of `to_bytes`.

        Raises:
            WrongSchemaError: These are not the bytes of a state.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            tensors = load(data)
            described = _metadata(data)
            return cls(
                described["agent"],
                int(described["version"]),
                described["schema"],
                {name: tensors[name] for name in sorted(tensors)},
            )
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            problem = f"is no state ({type(error).__name__})"
            raise WrongSchemaError(
                "state", f"{len(data)} bytes", problem, _FIX
            ) from None


def check(state: Any, agent: str) -> ServedState:
    """Refuses what is no state, and a state of another agent."""
    if not isinstance(state, ServedState):
        raise WrongSchemaError(
            "state",
            type(state).__name__,
            "is no state of a served agent",
            "give initial_state(batch_size) or the state the last step returned",
        )
    if state.agent != agent:
        raise WrongSchemaError("state", state.agent, f"is not that of {agent}", _FIX)
    return state


def check_schema(state: ServedState, schema: str) -> None:
    """Refuses a state whose tensors are not those that the agent carries."""
    if state.schema != schema:
        raise WrongSchemaError(
            "state",
            f"schema {state.schema[:12]}",
            f"is not what {state.agent} version {state.version} carries "
            f"(schema {schema[:12]})",
            _FIX,
        )


def check_seed(seed: Any) -> None:
    """Refuses what is no 32-bit integer."""
    integer = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not integer or not -(2**31) <= seed < 2**31:
        raise UserError("seed", seed, "is not a 32-bit integer", "give 0 to 2147483647")


def lifetime_seeds(seed: int, batch_size: int) -> np.ndarray:
    """The seeds int32 `[B, 2]` that a local agent gives `batch_size` lifetimes."""
    rows = np.arange(batch_size, dtype=np.int32)
    return np.stack([np.full(batch_size, seed, np.int32), rows], axis=1)


def _metadata(data: bytes) -> dict[str, str]:
    """The metadata of a safetensors file: its length, then JSON."""
    import json

    length = int.from_bytes(data[:8], "little")
    return dict(json.loads(data[8 : 8 + length])["__metadata__"])
