"""The little picture of an agent in the index: its metrics as bars or a line."""

from __future__ import annotations

from collections.abc import Sequence

from zoo import Manifest

WIDTH, HEIGHT, BASE = 160, 84, 74
LEFT, RIGHT = 16, WIDTH - 16  # ends of the scale from random to optimal
_TYPES = (
    ("common_rewarded", "blue"),
    ("uncommon_rewarded", "vermillion"),
    ("common_unrewarded", "blue"),
    ("uncommon_unrewarded", "vermillion"),
)


def thumbnail(manifest: Manifest) -> str:
    """An SVG, decorative: the numbers stand beside it. Colours are the page's."""
    means = {name: e.mean for name, e in manifest.evaluation.metrics.items()}
    lesioned = manifest.evaluation.lesions.get("memory", {})
    off = {name: estimate.mean for name, estimate in lesioned.items()}
    for prefix in ("episodic_repeat", "stay"):
        names = [(f"{prefix}_{kind}", tone) for kind, tone in _TYPES]
        if all(name in means for name, _ in names):
            bars = [(means[name], off.get(name), tone) for name, tone in names]
            return _svg(_AXIS + _bars(bars))
    trials = [f"accuracy_trial_{n}" for n in range(1, 7)]
    if all(name in means for name in trials):
        return _svg(_AXIS + _line([means[name] for name in trials]))
    return _svg(_scale(manifest))


def _svg(inner: str) -> str:
    return (
        f'<svg class="thumbnail" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
        f"{inner}</svg>"
    )


_AXIS = f'<line x1="8" x2="{WIDTH - 8}" y1="{BASE}" y2="{BASE}" class="axis-line"/>'


def _y(value: float) -> float:
    return BASE - max(0.0, min(value, 1.0)) * (BASE - 10)


def _bars(bars: Sequence[tuple[float, float | None, str]]) -> str:
    drawn = []
    for n, (value, lesioned, tone) in enumerate(bars):
        x = 16 + n * 33 + (6 if n > 1 else 0)
        drawn.append(_bar(x, value, f"bar {tone}"))
        if lesioned is not None:
            drawn.append(_bar(x + 12, lesioned, f"bar hollow {tone}"))
    return "".join(drawn)


def _bar(x: float, value: float, look: str) -> str:
    height = max(BASE - _y(value), 1)
    return (
        f'<rect x="{x}" y="{_y(value):.1f}" width="11" height="{height:.1f}" '
        f'class="{look}"/>'
    )


def _line(values: Sequence[float]) -> str:
    step = (WIDTH - 40) / (len(values) - 1)
    points = [(20 + n * step, _y(value)) for n, value in enumerate(values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="line blue"/>'
        for x, y in points
    )
    return f'<polyline points="{path}" class="line blue"/>{dots}'


def _scale(manifest: Manifest) -> str:
    """The first headline metric between the random and the optimal player.

    A hollow dot is the agent with its memory lesioned.
    """
    name, evaluation = manifest.headline[0], manifest.evaluation
    low, high = (_mean(evaluation.references.get(who, {}).get(name)) for who in _ENDS)
    if low is None or high is None or low == high:
        return ""
    agent = _place(evaluation.metrics[name].mean, low, high)
    lesioned = evaluation.lesions.get("memory", {}).get(name)
    hollow = _dot(_place(lesioned.mean, low, high), " hollow") if lesioned else ""
    return (
        f'<line x1="{LEFT}" x2="{RIGHT}" y1="42" y2="42" class="axis-line"/>'
        f'<line x1="{LEFT}" x2="{agent:.1f}" y1="42" y2="42" class="line blue thick"/>'
        f"{_dot(agent, '')}{hollow}"
        f'<text x="{LEFT}" y="64" class="tick">random</text>'
        f'<text x="{RIGHT}" y="64" class="tick" text-anchor="end">optimal</text>'
    )


def _place(value: float, low: float, high: float) -> float:
    part = max(0.0, min((value - low) / (high - low), 1.0))
    return LEFT + part * (RIGHT - LEFT)


def _dot(x: float, look: str) -> str:
    return f'<circle cx="{x:.1f}" cy="42" r="6" class="line blue{look}"/>'


_ENDS = ("random", "optimal")


def _mean(value: object) -> float | None:
    found = getattr(value, "mean", value)
    return float(found) if isinstance(found, (int, float)) else None
