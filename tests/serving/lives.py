"""Lifetimes of live agents, for what is served to be held to."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

STEPS = 200
ROWS = 64
BATCHES = (1, 7, 64)
TOLERANCE = 1e-5
ROUNDING = 8 * 2.0**-23  # 8 units in the last place of numbers in 32 bits


class Lives(NamedTuple):
    """What agents were shown and what they gave, by name, `[T, B, ...]`."""

    seeds: np.ndarray  # [B, 2]
    shown: dict[str, np.ndarray]
    given: dict[str, np.ndarray]

    @property
    def within(self) -> dict[str, float]:
        """By name, how far what is served may be from what was given.

        Besides 1e-5, 8 units in the last place of the largest: of values, which are
        mean + deviation x output, so that 32 bits have 3e-5 of Meta-World's 300; and of
        logits of what sees images, up to 28, which differ by 2e-5 between batches of 7
        and 64 of the live policy (probabilities by 2e-6).
        """
        sees = self.shown["stimulus"].dtype == np.uint8
        wide = ("value", "logits") if sees else ("value",)
        return {
            key: TOLERANCE + ROUNDING * float(np.abs(array).max())
            for key, array in self.given.items()
            if key in wide
        }

    def rows(self, begin: int, end: int, steps: int | None = None) -> Lives:
        """The lifetimes of some rows; draws depend on each lifetime's own seed."""
        return Lives(
            self.seeds[begin:end],
            {key: array[:steps, begin:end] for key, array in self.shown.items()},
            {key: array[:steps, begin:end] for key, array in self.given.items()},
        )


def observations(
    inputs: dict[str, Any], steps: int, rows: int, seed: int = 0
) -> dict[str, np.ndarray]:
    """Random observations `[T, B, ...]` of the types and shapes of a contract.

    Contexts recur (so that memory is read with a match), and are shown now and then.
    """
    rng = np.random.default_rng(seed)
    shown = {}
    for name, tensor in sorted(inputs.items()):
        shape = (steps, rows, *tensor.shape[1:])
        dtype = np.dtype(tensor.dtype)
        if name == "context":
            codes = rng.choice([-1.0, 1.0], (8, *tensor.shape[1:]))
            visible = rng.random((steps, rows)) < 0.7
            chosen = codes[rng.integers(8, size=(steps, rows))]
            array = chosen * visible[..., np.newaxis]
        elif dtype.kind == "b":
            array = rng.random(shape) < 0.2
        elif dtype == np.uint8:
            array = rng.integers(0, 256, shape)
        elif dtype.kind == "i":
            array = rng.integers(-1, 2, shape)
        else:
            array = rng.normal(size=shape)
        shown[name] = array.astype(dtype)
    return shown


def live(agent: Any, shown: dict[str, np.ndarray], seed: int = 5) -> Lives:
    """The live agent's steps on observations `[T, B, ...]`."""
    from kerasmeta.agents.sampling import lifetime_seeds

    steps, rows = next(iter(shown.values())).shape[:2]
    seeds = lifetime_seeds(seed, rows).numpy()
    state, given = agent.state_from_seeds(seeds), []
    for t in range(steps):
        output = agent.step({key: array[t] for key, array in shown.items()}, state)
        state = output.state
        named = {
            key: value.numpy()
            for key, value in output._asdict().items()
            if key not in ("state", "recordings") and value is not None
        }
        given.append(named)
    stacked = {key: np.stack([one[key] for one in given]) for key in given[0]}
    return Lives(seeds, shown, stacked)


def assert_equal(
    served: dict[str, np.ndarray],
    expected: dict[str, Any],
    within: dict[str, float] | None = None,
) -> None:
    """Holds served outputs to those of the live agent: actions exactly, else 1e-5.

    Of large numbers, 8 units in the last place besides; `within` is in place of 1e-5.
    """
    for key, array in expected.items():
        exact = array.dtype.kind == "i"
        tolerance = 0.0 if exact else (within or {}).get(key, TOLERANCE)
        np.testing.assert_allclose(
            served[key],
            array,
            rtol=0.0 if exact else ROUNDING,
            atol=tolerance,
            err_msg=key,
        )


def observed(contract: Any) -> dict[str, Any]:
    """The observation's tensors in a contract."""
    inputs = contract.signatures["step"].inputs
    return {key: tensor for key, tensor in inputs.items() if key not in contract.state}
