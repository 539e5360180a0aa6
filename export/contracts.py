"""What a served agent takes and gives, as plain data with a hash.

A client that finds the hashes it knows may talk to a server without looking further,
and may carry a state from one request to the next. Nothing here needs TensorFlow.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class TensorContract(BaseModel):
    """A tensor: its type, and its shape with None for the batch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dtype: str
    shape: tuple[int | None, ...]


class Signature(BaseModel):
    """The named inputs and outputs of one signature of a SavedModel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: dict[str, TensorContract]
    outputs: dict[str, TensorContract]


class Contract(BaseModel):
    """The signatures of an exported agent and the state it carries.

    Attributes:
        signatures: `initial_state`, `step` (which is also `serving_default`) and
            `deterministic`.
        state: The tensors that `step` takes and gives under the same names.
        sha256: Of the signatures.
        state_sha256: Of the state. Two exports with the same one may still have
            different weights: a state means nothing to another version of an agent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    signatures: dict[str, Signature]
    state: dict[str, TensorContract]
    sha256: str
    state_sha256: str

    @classmethod
    def of(
        cls, signatures: dict[str, Signature], state: dict[str, TensorContract]
    ) -> Contract:
        """The contract with its hashes."""
        return cls(
            signatures=signatures,
            state=state,
            sha256=_digest(signatures),
            state_sha256=_digest(state),
        )

    @model_validator(mode="after")
    def _hashes_hold(self) -> Contract:
        if self.sha256 != _digest(self.signatures):
            raise ValueError("sha256 is not that of the signatures")
        if self.state_sha256 != _digest(self.state):
            raise ValueError("state_sha256 is not that of the state")
        return self


def _digest(models: dict[str, Any]) -> str:
    data = {name: model.model_dump(mode="json") for name, model in models.items()}
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
