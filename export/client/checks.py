"""Checks of what goes to a server and of what comes back, against its contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..contracts import TensorContract
from ..errors import NotFiniteError, TensorError, WrongSchemaError


def check_names(what: str, given: Any, wanted: Mapping[str, Any]) -> None:
    """Refuses a dict that lacks a key or has one too many."""
    names = ", ".join(sorted(wanted))
    if not isinstance(given, Mapping):
        problem = "is not a dict"
        raise TensorError(what, type(given).__name__, problem, f"give one with {names}")
    missing = [key for key in wanted if key not in given]
    unknown = sorted(map(str, set(given) - set(wanted)))
    if missing or unknown:
        problem = f"lacks {missing[0]}" if missing else f"holds {unknown[0]} as well"
        value = ", ".join(sorted(map(str, given)))
        raise TensorError(what, value, problem, f"give a dict with {names}")


def as_tensor(name: str, value: Any, contract: TensorContract, rows: int) -> np.ndarray:
    """A value as the array that a contract asks for, for a batch of `rows`.

    Raises:
        TensorError: Its shape is another one, or its values are lost in the type.
        NotFiniteError: It holds NaN or infinity.
    """
    array = _converted(name, value, np.dtype(contract.dtype))
    shape = (rows, *contract.shape[1:])
    if array.shape != shape:
        problem = f"is the wrong shape for a batch of {rows}"
        raise TensorError(name, str(array.shape), problem, f"give {shape}")
    return check_finite(name, array)


def check_finite(name: str, array: np.ndarray) -> np.ndarray:
    """Refuses an array with NaN or infinity in it; returns it else."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        odd = array[~np.isfinite(array)].flat[0]
        raise NotFiniteError(name, f"{odd}", "is not finite", "give finite numbers")
    return array


def check_outputs(
    outputs: Mapping[str, np.ndarray], wanted: Mapping[str, TensorContract], rows: int
) -> None:
    """Refuses an answer that is not what the server's own metadata promised."""
    for name, contract in wanted.items():
        array = outputs.get(name)
        shape = (rows, *contract.shape[1:])
        kind = contract.dtype
        if array is None or array.shape != shape or array.dtype.name != kind:
            found = "missing" if array is None else f"{array.dtype.name} {array.shape}"
            raise WrongSchemaError(
                f"the server's {name}",
                found,
                f"is not the {kind} {shape} that its metadata promises",
                "make a new ServedAgent: the server holds another model now",
            )
        check_finite(f"the server's {name}", array)


def _converted(name: str, value: Any, dtype: np.dtype) -> np.ndarray:
    """The value as an array of a type, if nothing is lost but precision."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        array = np.empty([], object)
    if array.dtype.kind not in "bifu":
        raise TensorError(name, str(array.dtype), "is not numeric", "give numbers")
    with np.errstate(all="ignore"):
        converted = array.astype(dtype)
    changed = converted != array
    if dtype.kind == "f":
        return converted
    if array.dtype.kind == "f":
        check_finite(name, array)
    if changed.any():
        odd = array[changed].flat[0]
        raise TensorError(name, f"{odd}", f"is no {dtype.name}", "give whole values")
    return converted
