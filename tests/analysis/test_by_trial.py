"""Accuracy by trial and exposure, and across training, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from kerasmeta import UserError
from kerasmeta.analysis.behaviour.by_trial import (
    by_trial,
    curves,
    learning_to_learn,
    parts_of_training,
)
from kerasmeta.analysis.families.harlow import episodic_harlow_metrics
from kerasmeta.analysis.study import Study, Subject
from kerasmeta.lifetimes import Lifetimes

RNG_SEEDS = (1, 2)
STEPS = 4  # of an episode: the context is shown, then three choices


def returning(seed: int, batch: int = 30) -> tuple[Lifetimes, dict]:
    """Episodes of three choices; what was right by (exposure, trial)."""
    rng = np.random.default_rng(seed)
    contexts = np.array([[1.0, 1], [1, -1], [-1, 1]])
    shape = (batch, 5 * STEPS)
    reward, start = np.zeros(shape), np.zeros(shape, bool)
    context = np.zeros((*shape, 2))
    tally: dict[tuple[int, int], list[bool]] = {}
    for row in range(batch):
        met = [0, 0, 0]
        for episode in range(5):
            pair, first = rng.integers(3), STEPS * episode
            met[pair] += 1
            start[row, first], context[row, first] = True, contexts[pair]
            for trial in (1, 2, 3):
                right = rng.random() < 0.2 * trial + 0.1 * min(met[pair], 3)
                reward[row, first + trial] = 1 if right else -1
                tally.setdefault((met[pair], trial), []).append(right)
    seen = {"context": context, "episode_start": start}
    valid = np.ones(shape, bool)
    return Lifetimes(seen, np.zeros(shape, int), reward, valid), tally


@pytest.mark.parametrize("seed", RNG_SEEDS)
@pytest.mark.parametrize("task", ["episodic_harlow", "episodic_visual_harlow"])
def test_accuracy_by_trial_and_exposure(seed: int, task: str) -> None:
    lifetimes, tally = returning(seed)
    found = curves(task, lifetimes)
    assert set(found) == {f"exposure {met}" for met, _ in tally}
    for (met, trial), outcomes in tally.items():
        estimate = found[f"exposure {met}"][trial - 1]
        assert estimate.mean == pytest.approx(np.mean(outcomes)), (met, trial)
    family = episodic_harlow_metrics(lifetimes)
    for met in range(1, len(found) + 1):
        same = family[f"accuracy_trial_1_exposure_{met}"]
        assert found[f"exposure {met}"][0] == same


def test_a_task_without_exposures_has_one_curve() -> None:
    lifetimes, tally = returning(3)
    found = curves("harlow", lifetimes)
    assert set(found) == {"all episodes"}
    for trial in (1, 2, 3):
        of_trial = [
            x for (_, t), outcomes in tally.items() if t == trial for x in outcomes
        ]
        mean = found["all episodes"][trial - 1].mean
        assert mean == pytest.approx(np.mean(of_trial))


def test_rewards_by_pull() -> None:
    """Two contexts that take turns; pull n pays where n is larger than the exposure."""
    batch, pulls, episodes = 3, 4, 4
    steps = np.arange(pulls * episodes)
    exposure = 1 + steps // (2 * pulls)
    start = np.tile(steps % pulls == 0, (batch, 1))
    sign = np.where(steps // pulls % 2 == 0, 1.0, -1.0)
    context = np.tile(np.stack([np.ones_like(sign), sign], axis=1), (batch, 1, 1))
    reward = np.tile((steps % pulls + 1 > exposure).astype(float), (batch, 1))
    seen = {"context": context, "episode_start": start}
    lived = Lifetimes(seen, reward.astype(int), reward, np.ones(reward.shape, bool))
    found = curves("barcode_bandit", lived)
    assert [e.mean for e in found["exposure 1"]] == [0, 1, 1, 1]
    assert [e.mean for e in found["exposure 2"]] == [0, 0, 1, 1]


def test_the_finding_has_players_and_seeds() -> None:
    subjects = [Subject(f"seed {n}", returning(n)[0]) for n in RNG_SEEDS]
    players = {"optimal": returning(9)[0]}
    study = Study("a/b", "episodic_harlow", {}, True, 15, subjects, players)
    finding = by_trial(study)
    value = finding.statistics["exposure 1"]["trial_2"]
    assert len(value["seeds"]) == 2
    expected = curves("episodic_harlow", players["optimal"])["exposure 1"][1].mean
    assert value["players"]["optimal"] == expected
    axes = finding.figures["by_trial"]().axes[0]
    assert len(axes.containers) == 4  # exposures 1 to 3, and the last
    plain = Study("a/b", "harlow", {}, True, 15, subjects[:1])
    found = by_trial(plain).statistics
    assert found["trial_2"]["published"] == {"alkhamissi_2020": 0.95}


def test_an_agent_that_never_chose_has_no_curve() -> None:
    lived, _ = returning(1)
    idle = lived._replace(reward=np.zeros_like(lived.reward))
    study = Study("a", "episodic_harlow", {}, True, 15, [Subject("seed 0", idle)])
    assert by_trial(study).statistics == {}
    assert by_trial(study).figures == {}


def rows(count: int = 100, every: int = 5) -> list[dict]:
    """Accuracy that grows from the second trial on, by 0.005 a row."""
    made = []
    for n in range(1, count + 1):
        row: dict = {"steps": 10 * n, "return": 0.0}
        if n % every == 0:
            later = {f"accuracy_trial_{t}": 0.5 + 0.005 * n for t in range(2, 7)}
            row["metrics"] = {"accuracy_trial_1": 0.5, **later, "return": 1.0}
        made.append(row)
    return made


def test_parts_of_training() -> None:
    found = parts_of_training(rows())
    assert found.shape == (5, 6)
    np.testing.assert_allclose(found[:, 0], 0.5)
    for part in range(5):  # rows 20 * part + 5, 10, 15, 20
        mean = np.mean([20 * part + 5 * k for k in (1, 2, 3, 4)])
        np.testing.assert_allclose(found[part, 1:], 0.5 + 0.005 * mean)


def test_accuracies_that_were_not_known_are_left_out() -> None:
    logged = rows()
    logged[4]["metrics"]["accuracy_trial_6"] = None
    found = parts_of_training(logged)
    assert found[0, 5] == pytest.approx(0.5 + 0.005 * np.mean([10, 15, 20]))


def test_learning_to_learn() -> None:
    lived = returning(1)[0]
    subjects = [Subject("seed 0", lived, training=rows()) for _ in range(2)]
    finding = learning_to_learn(Study("a", "harlow", {}, True, 6, subjects))
    first, last = (finding.statistics[f"part_{n}_of_5"] for n in (1, 5))
    assert first["trial_1"]["mean"] == last["trial_1"]["mean"] == 0.5
    assert last["trial_2"]["mean"] > first["trial_2"]["mean"] + 0.3
    assert len(finding.figures["learning_to_learn"]().axes[0].containers) == 5


@pytest.mark.parametrize("logged", [[], rows(every=60), rows(count=4, every=1)])
def test_training_that_was_logged_too_seldom_is_refused(logged: list) -> None:
    with pytest.raises(UserError, match="some fifth of training has no accuracies"):
        parts_of_training(logged)
