"""Requests that a server makes to itself before it says that a version is ready.

TensorFlow Serving replays `assets.extra/tf_serving_warmup_requests`, so that no client
waits for what is only done at the first request of a signature and a batch size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kerasmeta._keras import tf

from .batching import ALLOWED_BATCH_SIZES
from .contracts import Contract, TensorContract
from .wire.messages import message
from .wire.tensors import filled_proto, to_proto

WARMUP = "assets.extra/tf_serving_warmup_requests"
DEFAULT = "serving_default"  # which is `step`
# A context is shown (ones, not zeros), so that a memory is read; nothing is stored.
FILLED = {"context": 1.0, "episode_start": 1.0}


def write_warmup(
    directory: Path, contract: Contract, state: Mapping[str, np.ndarray]
) -> None:
    """Writes a version's warm-up file.

    Args:
        directory: The version's directory.
        contract: Its contract.
        state: A state of one lifetime `[1, ...]`, at its beginning.
    """
    path = directory / WARMUP
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for log in logs(contract, state):
            writer.write(log.SerializeToString(deterministic=True))


def logs(contract: Contract, state: Mapping[str, np.ndarray]) -> Iterator[Any]:
    """A `PredictionLog` for every signature and batch size."""
    signatures = {**contract.signatures, DEFAULT: contract.signatures["step"]}
    for name in sorted(signatures):
        for rows in ALLOWED_BATCH_SIZES:
            log = message("PredictionLog")()
            request = log.predict_log.request
            request.model_spec.signature_name = name
            for key, tensor in signatures[name].inputs.items():
                request.inputs[key].CopyFrom(_tensor(key, tensor, state, rows))
            yield log


def _tensor(
    name: str, contract: TensorContract, state: Mapping[str, np.ndarray], rows: int
) -> Any:
    """An input: a few bytes where all its values are equal, as they mostly are."""
    shape = (rows, *(size or 0 for size in contract.shape[1:]))
    if name not in state:
        return filled_proto(contract.dtype, shape, FILLED.get(name, 0.0))
    row = state[name]
    if (row == row.flat[0]).all():
        return filled_proto(contract.dtype, shape, row.flat[0])
    return to_proto(np.broadcast_to(row, shape))
