"""Meta-World: collection with a policy, beside bare simulators and Meta-World's own."""

from __future__ import annotations

from benchmarks.figures import Figure, Goal
from benchmarks.rows.context import Context
from benchmarks.timing import Measured, Subject, alternate, speed_ratio

ROWS = 40
HORIZON = 100
ROUNDS = 5


def measure(context: Context) -> list[Figure]:
    """Steps per second on all cores, on reach."""
    rows, horizon = (4, 10) if context.quick else (ROWS, HORIZON)
    subjects = (
        Subject("bare", "benchmarks.metaworld:bare", {"steps": rows * horizon}),
        Subject(
            "ours",
            "benchmarks.metaworld:collect",
            {"rows": rows, "horizon": horizon},
        ),
        Subject(
            "vector", "benchmarks.metaworld:vector", {"rows": rows, "horizon": horizon}
        ),
    )
    context.say(f"metaworld: {', '.join(subject.name for subject in subjects)}")
    found = alternate(subjects, 2 if context.quick else ROUNDS)
    what = f"collection with policy, reach, {rows} lifetimes"
    return [
        _figure(what, found["ours"], "bare simulators", found["bare"], 0.8),
        _figure(what, found["ours"], "AsyncVectorEnv", found["vector"], 1.5),
    ]


def _figure(
    what: str, ours: Measured, name: str, peer: Measured, least: float
) -> Figure:
    return Figure(
        row="metaworld",
        what=what,
        value=ours.rate,
        unit="steps/s",
        peer=name,
        peer_value=peer.rate,
        ratio=speed_ratio(ours, peer),
        goal=Goal(">=", least),
    )
