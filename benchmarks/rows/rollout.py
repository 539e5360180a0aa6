"""Collection: whole lifetimes of episodic two-step, logged as the update needs them."""

from __future__ import annotations

from benchmarks import work
from benchmarks.figures import Figure, Goal
from benchmarks.rows.context import Context, steps_of
from benchmarks.timing import Subject, speed_ratio

GOAL = Goal(">=", 1.2)


def measure(context: Context) -> list[Figure]:
    """Environment steps per second against JAX."""
    sizes = (8,) if context.quick else (256, 1024)
    return [_measure(context, lifetimes) for lifetimes in sizes]


def _measure(context: Context, lifetimes: int) -> Figure:
    share = context.share(f"rollout-{lifetimes}")
    options = [f"lifetimes={lifetimes}", *context.task()]
    what = f"rollout, {lifetimes:,} lifetimes"
    ours = {"overrides": options, "share": share}
    measured = context.alternate(
        what,
        Subject("kerasmeta", "benchmarks.ours:rollout", ours),
        Subject("JAX", "benchmarks.peers.jax_two_step:rollout", {"share": share}),
    )
    mine, peer = measured["kerasmeta"], measured["JAX"]
    steps = lifetimes * steps_of(options)
    done = work.rollout(work.Sizes(), steps, cued=0.5)
    return Figure(
        row="rollout",
        what=what,
        value=mine.rate,
        unit="steps/s",
        peer="JAX",
        peer_value=peer.rate,
        ratio=speed_ratio(mine, peer),
        goal=GOAL,
        limit=context.ceilings.limit(done.flops, done.bytes, steps / mine.rate),
    )
