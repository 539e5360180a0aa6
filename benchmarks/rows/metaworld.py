"""Meta-World: collection with a policy, beside bare simulators and Meta-World's own."""

from __future__ import annotations

from benchmarks.figures import Figure, Goal
from benchmarks.rows.context import Context
from benchmarks.timing import Subject, alternate, speed_ratio

HORIZON = 100
ROUNDS = 5


def measure(context: Context) -> list[Figure]:
    """Steps per second on all cores, on reach."""
    return [
        # The recipe's lifetimes, against simulators that nobody waits for.
        against(context, "bare simulators", "bare", 40, Goal(">=", 0.8)),
        # A process for each of Meta-World's environments: fewer of them.
        against(context, "AsyncVectorEnv", "vector", 20, Goal(">=", 1.5)),
    ]


def against(context: Context, name: str, peer: str, rows: int, goal: Goal) -> Figure:
    """Our collection beside one other way."""
    rows, horizon = (4, 10) if context.quick else (rows, HORIZON)
    sizes = {"rows": rows, "horizon": horizon}
    subjects = (
        Subject("ours", "benchmarks.metaworld:collect", sizes),
        Subject(name, f"benchmarks.metaworld:{peer}", sizes),
    )
    context.say(f"metaworld: ours against {name}")
    found = alternate(subjects, 2 if context.quick else ROUNDS)
    return Figure(
        row="metaworld",
        what=f"collection with policy, reach, {rows} lifetimes",
        value=found["ours"].rate,
        unit="steps/s",
        peer=name,
        peer_value=found[name].rate,
        ratio=speed_ratio(found["ours"], found[name]),
        goal=goal,
    )
