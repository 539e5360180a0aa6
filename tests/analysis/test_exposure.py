"""Behaviour by exposure: the numbers are the metrics', and the figure holds them."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from matplotlib.figure import Figure

from kerasmeta.analysis import Study, Subject, analysis, metrics
from kerasmeta.analysis.behaviour.exposure import MEASURES, by_exposure
from kerasmeta.analysis.study import Finding
from kerasmeta.lifetimes import Lifetimes

STEPS = 5


def simulate(chances: tuple[float, ...], seed: int, lifetimes: int = 30) -> Lifetimes:
    """Two contexts, exposed in turns, rewarded by chance depending on the exposure."""
    rng = np.random.default_rng(seed)
    episodes = 2 * len(chances)
    context = np.where(np.arange(episodes) % 2, 1.0, -1.0)[:, None] * np.ones(4)
    shown = np.broadcast_to(
        np.repeat(context, STEPS, axis=0), (lifetimes, episodes * STEPS, 4)
    )
    chance = np.repeat(chances, 2 * STEPS)
    reward = (rng.random((lifetimes, episodes * STEPS)) < chance).astype(np.float32)
    starts = np.broadcast_to(np.arange(episodes * STEPS) % STEPS == 0, reward.shape)
    observation = {"context": shown, "episode_start": starts}
    return Lifetimes(
        observation, np.zeros_like(reward, int), reward, np.ones_like(reward, bool)
    )


def study(task: str, lesioned: bool, seeds: int = 3) -> Study:
    def subject(seed: int) -> Subject:
        twin = {"memory lesioned": simulate((0.2, 0.2, 0.2), 100 + seed)}
        experiments = {"memory_lesion": twin} if lesioned else {}
        own = simulate((0.2, 0.7, 0.9), seed)
        return Subject(f"seed {seed}", own, experiments=MappingProxyType(experiments))

    players = {"optimal": simulate((0.3, 0.9, 0.9), 7)}
    subjects = [subject(seed) for seed in range(seeds)]
    return Study("maze/agent", task, {}, True, 6, subjects, players)


def lines(finding: Finding) -> dict[str, list[list[float]]]:
    """The lines of the figure by colour, in drawing order; not the error bars' ends."""
    figure: Figure = finding.figures["exposure"]()
    figure.draw_without_rendering()
    [axes] = figure.axes
    drawn: dict[str, list[list[float]]] = {}
    for line in axes.lines:
        if line.get_linestyle() != "None":
            drawn.setdefault(str(line.get_color()), []).append(list(line.get_ydata()))
    return drawn


@pytest.mark.parametrize("task", ["water_maze", "barcode_bandit"])
def test_statistics_are_the_metrics_of_each_exposure(task: str) -> None:
    one = study(task, lesioned=True)
    found = by_exposure(one).statistics
    prefix = MEASURES[task].metric
    assert list(found) == [f"{prefix}_exposure_{n}" for n in (1, 2, 3)]
    by_seed = [metrics(task, subject.lifetimes) for subject in one.subjects]
    optimal = metrics(task, one.players["optimal"])
    for name, entry in found.items():
        assert entry["seeds"] == [of_seed[name].mean for of_seed in by_seed]
        assert entry["mean"] == pytest.approx(np.mean(entry["seeds"]))
        assert entry["players"] == {"optimal": optimal[name].mean}
        twins = [
            metrics(task, subject.experiments["memory_lesion"]["memory lesioned"])
            for subject in one.subjects
        ]
        expected = np.mean([twin[name].mean for twin in twins])
        assert entry["lesioned"]["memory lesioned"] == pytest.approx(expected)


def test_the_figure_draws_mean_seeds_twin_and_players() -> None:
    one = study("water_maze", lesioned=True)
    finding = by_exposure(one)
    agent, twin, player = (lines(finding)[c] for c in ("#0072B2", "#D55E00", "#8A8A8A"))
    means = [entry["mean"] for entry in finding.statistics.values()]
    seeds = np.array([entry["seeds"] for entry in finding.statistics.values()]).T
    np.testing.assert_allclose(agent, [*seeds, means])
    assert len(twin) == 4
    assert len(player) == 1


def test_one_seed_without_a_memory_is_one_line() -> None:
    finding = by_exposure(study("water_maze", lesioned=False, seeds=1))
    assert len(lines(finding)["#0072B2"]) == 1
    assert "#D55E00" not in lines(finding)
    [entry, *_] = finding.statistics.values()
    assert entry["over"] == "lifetimes"
    assert "lesioned" not in entry


def test_nothing_is_cut_off() -> None:
    one = study("water_maze", lesioned=True)
    finding = by_exposure(one._replace(agent="runs/water_maze-ep_lstm-seed-17"))
    figure = finding.figures["exposure"]()
    figure.draw_without_rendering()
    box, size = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) >= -1e-6
    assert box.x1 <= size[0] + 1e-6
    assert box.y1 <= size[1] + 1e-6


def test_the_registry_offers_it_to_the_families_it_knows() -> None:
    assert set(analysis("exposure").families) == set(MEASURES)
