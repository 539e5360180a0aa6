"""What is kept of a session: the state, the next step's number and the last answer.

The answer is kept for a client that did not get it: the same step asked for again, with
the same observation, gets the same answer and is not taken twice.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..client.states import ServedState
from ..errors import WrongSchemaError
from .errors import UnknownSessionError

NAME = re.compile(r"[A-Za-z0-9_-]{22}")  # 128 random bits
_STATE, _ANSWER = "state/", "answer/"


class Session(NamedTuple):
    """A batch of lifetimes, between two of its steps."""

    state: ServedState
    seed: int
    step: int  # the number of the next one
    seen: str  # the hash of the last observation
    answer: dict[str, np.ndarray]  # to the last step

    def to_bytes(self) -> bytes:
        """The session as a safetensors file."""
        from safetensors.numpy import save

        arrays = {_STATE + k: v for k, v in self.state.tensors.items()}
        arrays |= {_ANSWER + k: v for k, v in self.answer.items()}
        described = {
            "agent": self.state.agent,
            "version": str(self.state.version),
            "schema": self.state.schema,
            "seed": str(self.seed),
            "step": str(self.step),
            "seen": self.seen,
        }
        contiguous = {k: np.ascontiguousarray(v) for k, v in arrays.items()}
        return save(contiguous, metadata=described)

    @classmethod
    def from_bytes(cls, data: bytes) -> Session:
        """The inverse of `to_bytes`.

        Raises:
            WrongSchemaError: Another version of the gateway wrote it, or none did.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            length = int.from_bytes(data[:8], "little")
            described = json.loads(data[8 : 8 + length])["__metadata__"]
            arrays = load(data)
            tensors, answer = _named(arrays, _STATE), _named(arrays, _ANSWER)
            agent, version = described["agent"], int(described["version"])
            state = ServedState(agent, version, described["schema"], tensors)
            seed, step = int(described["seed"]), int(described["step"])
            return cls(state, seed, step, described["seen"], answer)
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            problem = f"is no session ({type(error).__name__})"
            raise WrongSchemaError(
                "session", f"{len(data)} bytes", problem, "begin a new one"
            ) from None


def _named(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)
    }


def new_name() -> str:
    """A name that nobody can guess."""
    return secrets.token_urlsafe(16)


def check_name(name: Any) -> str:
    """Refuses what is no name of a session."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise unknown(name)
    return name


def unknown(name: Any) -> UnknownSessionError:
    """The error for a session that is not there."""
    return UnknownSessionError(
        "session",
        name,
        "does not exist, has ended, or was forgotten after its time to live",
        "begin a new one",
    )


def digest(observation: Mapping[str, np.ndarray]) -> str:
    """A hash of an observation's values."""
    hashed = hashlib.sha256()
    for name in sorted(observation):
        array = observation[name]
        hashed.update(f"{name} {array.dtype} {array.shape} ".encode())
        hashed.update(np.ascontiguousarray(array).tobytes())
    return hashed.hexdigest()
