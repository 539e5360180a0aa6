"""The policy's update: gradient, ten CG steps on the full batch, line search."""

from __future__ import annotations

import math
from collections.abc import Mapping

from benchmarks import work
from benchmarks.figures import Figure, Goal
from benchmarks.rows.context import Context, steps_of
from benchmarks.timing import Subject, speed_ratio

GOAL = Goal(">=", 1.5)
LIFETIMES = 128
# T = 200: an untrained agent's lifetimes of 100 uncued trials, a pause, 99 cued ones.
TASK = ["task.uncued_trials=100", "task.cued_trials=99"]
PRODUCTS = 11  # ten CG steps and the curvature of the step found


def measure(context: Context) -> list[Figure]:
    """Milliseconds of an update against JAX, on the same experience."""
    lifetimes = 8 if context.quick else LIFETIMES
    task = context.task() if context.quick else TASK
    options = [f"lifetimes={lifetimes}", "trpo.fisher_fraction=1.0", *task]
    steps = steps_of(options)
    what = f"update, T={steps}, B={lifetimes}, 48 units"
    share = context.share("update")
    ours = {"overrides": options, "share": share}
    measured = context.alternate(
        what,
        Subject("kerasmeta", "benchmarks.ours:update", ours),
        Subject("JAX", "benchmarks.peers.jax_two_step:update", {"share": share}),
    )
    mine, peer = measured["kerasmeta"], measured["JAX"]
    done = work.update(work.Sizes(), steps * lifetimes, PRODUCTS, fraction=1.0)
    figure = Figure(
        row="update",
        what=what,
        value=1e3 / mine.rate,
        unit="ms",
        peer="JAX",
        peer_value=1e3 / peer.rate,
        ratio=speed_ratio(mine, peer),
        goal=GOAL,
        limit=context.ceilings.limit(done.flops, done.bytes, 1.0 / mine.rate),
        note=_agreement(mine.facts, peer.facts),
    )
    return [figure]


def _agreement(mine: Mapping[str, float], peer: Mapping[str, float]) -> str:
    """Says whether both found the same step."""
    same = mine["trials"] == peer["trials"] and all(
        math.isclose(mine[name], peer[name], rel_tol=1e-2, abs_tol=1e-6)
        for name in ("surrogate", "kl")
    )
    found = f"KL {mine['kl']:.6f}, {peer['kl']:.6f}"
    return f"the same step ({found})" if same else f"NOT THE SAME STEP ({found})"
