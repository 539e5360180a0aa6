"""Training: environment steps per second of the whole loop."""

from __future__ import annotations

from benchmarks import work
from benchmarks.figures import Figure, Goal, Limit
from benchmarks.rows.context import Context, steps_of
from benchmarks.timing import Measured, Subject, speed_ratio

GOALS = {"JAX": Goal(">=", 2.0), "RecurrentPPO": Goal(">=", 12.0)}
NOTES = {
    "RecurrentPPO": "on two-step, without memory: less work than ours, 32 environments"
}
FISHER_FRACTION = 0.25  # of the recipe


def measure(context: Context) -> list[Figure]:
    """The recipe's loop against the same loop in JAX, and against RecurrentPPO."""
    lifetimes = 8 if context.quick else 128
    options = [f"lifetimes={lifetimes}", *context.task()]
    share = context.share("train")
    ours = {"overrides": options, "share": share}
    theirs = {"environments": 4 if context.quick else 32, "units": 48}
    theirs["steps"] = 10 if context.quick else 100
    measured = context.alternate(
        f"train, {lifetimes} lifetimes",
        Subject("kerasmeta", "benchmarks.ours:train", ours),
        Subject("JAX", "benchmarks.peers.jax_two_step:train", {"share": share}),
        Subject("RecurrentPPO", "benchmarks.peers.recurrent_ppo:train", theirs),
    )
    mine = measured["kerasmeta"]
    steps = lifetimes * steps_of(options)
    collected = work.rollout(work.Sizes(), steps, cued=0.5)
    updated = work.update(work.Sizes(), steps, products=11, fraction=FISHER_FRACTION)
    limit = context.ceilings.limit(
        collected.flops + updated.flops,
        collected.bytes + updated.bytes,
        steps / mine.rate,
    )
    return [
        _figure(name, lifetimes, mine, measured[name], limit)
        for name in ("JAX", "RecurrentPPO")
    ]


def _figure(
    name: str, lifetimes: int, mine: Measured, peer: Measured, limit: Limit
) -> Figure:
    return Figure(
        row="train",
        what=f"train, {lifetimes} lifetimes",
        value=mine.rate,
        unit="steps/s",
        peer=name,
        peer_value=peer.rate,
        ratio=speed_ratio(mine, peer),
        goal=GOALS[name],
        limit=limit,
        note=NOTES.get(name, "the limit leaves the critic's work out"),
    )
