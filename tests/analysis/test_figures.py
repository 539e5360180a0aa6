"""Figures hold what they were given, and files of one figure are always the same."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from harness import two_step_simulation as simulation
from matplotlib.figure import Figure

from kerasmeta.analysis import (
    Estimate,
    learning_curve,
    metrics,
    published,
    save,
    stay_figure,
)
from kerasmeta.analysis.figures.labels import spread
from kerasmeta.analysis.figures.learning_curve import mean_curve
from kerasmeta.errors import UserError


@pytest.fixture(scope="module")
def agent() -> dict[str, Estimate]:
    chooser = simulation.OptimalChooser(0.9, 0.9, 0.1, lapse=0.1)
    lifetimes = simulation.episodic_two_step(chooser, 20, seed=0)
    return metrics("episodic_two_step", lifetimes)


def episodic_figure(agent: dict[str, Estimate], **options: Any) -> Figure:
    sources = published("episodic_two_step")
    values = {sources[k].label: sources[k].values for k in ("ritter_2018",)}
    return stay_figure(agent, published=values, optimal=agent, **options)


def rows(top: float, steps: range = range(0, 1000, 100)) -> list[dict[str, Any]]:
    return [{"steps": s, "reward": top * s / 1000, "note": None} for s in steps]


def bar_heights(figure: Figure, panel: int) -> list[float]:
    bars = [bar for c in figure.axes[panel].containers for bar in c]
    return [bar.get_height() for bar in bars]


def texts(figure: Figure) -> set[str]:
    legend = [t.get_text() for item in figure.legends for t in item.get_texts()]
    inside = [t.get_text() for axes in figure.axes for t in axes.texts]
    return {*legend, *inside}


def test_bars_are_the_agents_probabilities(agent: dict[str, Estimate]) -> None:
    figure = episodic_figure(agent, agent_name="my agent")
    assert len(figure.axes) == 2
    for panel, prefix in enumerate(("stay", "episodic_repeat")):
        means = [agent[f"{prefix}_{name}"].mean for name in simulation.TRIAL_TYPES]
        assert bar_heights(figure, panel) == means
    assert {"my agent", "optimal", "Ritter et al. 2018"} <= texts(figure)


def test_a_lesioned_twin_doubles_the_bars(agent: dict[str, Estimate]) -> None:
    figure = episodic_figure(agent, lesioned=agent, lesioned_name="no gate")
    assert len(bar_heights(figure, 0)) == 8
    assert "no gate" in texts(figure)


def test_two_step_metrics_give_one_panel(agent: dict[str, Estimate]) -> None:
    only_stay = {k: v for k, v in agent.items() if k.startswith("stay")}
    assert len(stay_figure(only_stay).axes) == 1


def test_a_source_without_these_metrics_is_left_out(agent: dict[str, Estimate]) -> None:
    figure = stay_figure(agent, published={"someone": {"reward_per_trial": 0.7}})
    assert "someone" not in texts(figure)


def test_missing_trials_are_named(agent: dict[str, Estimate]) -> None:
    nothing = Estimate(np.nan, (np.nan, np.nan))
    figure = stay_figure({**agent, "stay_uncommon_rewarded": nothing})
    assert len(bar_heights(figure, 0)) == 3
    assert "no\ntrials" in texts(figure)


def test_metrics_without_stay_probabilities_are_refused() -> None:
    with pytest.raises(UserError, match="no stay probabilities"):
        stay_figure({"return": Estimate(1.0, (0.0, 2.0))})


def test_nothing_is_cut_off(agent: dict[str, Estimate]) -> None:
    """All text lies inside the figure, long names in the legend included."""
    stay = episodic_figure(
        agent,
        agent_name="runs/episodic_two_step-ep_lstm-seed-17-continued",
        lesioned=agent,
        lesioned_name="the same without its reinstatement gate",
    )
    curve = learning_curve(
        {"a rather long agent name": [rows(1.0)]}, y="reward", references={"random": 0}
    )
    for figure in (stay, curve):
        figure.draw_without_rendering()
        box = figure.get_tightbbox()
        width, height = figure.get_size_inches()
        assert box.x0 >= -1e-6
        assert box.y0 >= -1e-6
        assert box.x1 <= width + 1e-6
        assert box.y1 <= height + 1e-6


def test_numbers_of_neighbouring_bars_stay_apart(agent: dict[str, Estimate]) -> None:
    always = dict.fromkeys(agent, Estimate(1.0, (0.98, 1.0)))
    figure = episodic_figure(always, lesioned=always)
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = sorted((text.get_window_extent() for text in axes.texts), key=_left)
        assert len(boxes) == 8
        gaps = [right.x0 - left.x1 for left, right in itertools.pairwise(boxes)]
        assert min(gaps) > 3.0  # points of a figure of 72 dots an inch, or more


def _left(box: Any) -> float:
    return float(box.x0)


@pytest.mark.parametrize("kind", ["stay", "curve"])
def test_files_are_whole_and_the_same_every_time(
    agent: dict[str, Estimate], tmp_path: Path, kind: str
) -> None:
    def make() -> Figure:
        if kind == "stay":
            return episodic_figure(agent)
        return learning_curve({"lstm": [rows(0.7), rows(0.6)]}, y="reward")

    figure = make()
    first = save(figure, tmp_path / "new" / "figure.v1")
    again = save(figure, tmp_path / "again")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "black"}):
        other = save(make(), os.fspath(tmp_path / "other"))
    assert [path.name for path in first] == ["figure.v1.png", "figure.v1.svg"]
    for one, two, three in zip(first, again, other, strict=True):
        assert one.read_bytes() == two.read_bytes() == three.read_bytes()
        assert one.stat().st_size > 5_000
    assert first[0].read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in first[1].read_bytes()
    assert not list(tmp_path.rglob("*.tmp"))


def test_pictures_are_not_blank(agent: dict[str, Estimate], tmp_path: Path) -> None:
    png, _ = save(episodic_figure(agent), tmp_path / "figure")
    pixels = matplotlib.image.imread(png)[:, :, :3]  # [height, width, 3]
    assert pixels.shape[1] == 1800
    white = (pixels == 1).all(axis=2).mean()
    assert 0.3 < white < 0.9
    np.testing.assert_array_equal(pixels[0, 0], 1.0)


def test_a_failed_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agent: dict[str, Estimate]
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        save(stay_figure(agent), tmp_path / "figure")
    assert list(tmp_path.iterdir()) == []


def test_mean_curve_covers_what_all_seeds_share() -> None:
    early = (np.array([0.0, 10.0, 20.0]), np.array([0.0, 1.0, 2.0]))
    late = (np.array([5.0, 15.0, 25.0]), np.array([3.0, 4.0, 5.0]))
    x, y = mean_curve([early, late])
    np.testing.assert_array_equal(x, [5, 10, 15, 20])
    np.testing.assert_allclose(y, [(0.5 + 3) / 2, 2.25, (1.5 + 4) / 2, 3.25])


def test_learning_curve_draws_seeds_mean_and_references() -> None:
    runs = {"ep_lstm": [rows(0.8), rows(0.6)], "lstm": [rows(0.5)]}
    figure = learning_curve(runs, y="reward", references={"random": 0.5})
    axes = figure.axes[0]
    assert len(axes.lines) == 2 + 1 + 1 + 1
    np.testing.assert_allclose(axes.lines[2].get_ydata()[-1], 0.7 * 0.9)
    assert texts(figure) == {"ep_lstm", "lstm", "random"}
    assert axes.get_ylabel() == "reward"


def test_rows_without_the_metric_are_skipped() -> None:
    log = [*rows(1.0), {"steps": 50}, {"steps": 60, "reward": float("nan")}]
    line = learning_curve({"lstm": [log]}, y="reward").axes[0].lines[0]
    assert len(line.get_xdata()) == 10


def test_an_unknown_metric_names_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"no row has both.*note, reward, steps"):
        learning_curve({"lstm": [rows(1.0)]}, y="accuracy")


def test_labels_keep_their_order_and_distance() -> None:
    wanted = [0.5, 0.1, 0.51, 0.52, 0.9]
    found = np.array(spread(wanted))
    np.testing.assert_array_equal(np.argsort(found), np.argsort(wanted))
    assert np.diff(np.sort(found)).min() > 0.0549
    assert abs(found[1] - 0.1) < 1e-9
    np.testing.assert_allclose(found[[0, 2, 3]].mean(), 0.51)
