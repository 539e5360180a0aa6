"""The parser from steps to trials, against what a loop over one lifetime reads."""

from __future__ import annotations

import numpy as np
import pytest
from harness import two_step_simulation as simulation

from kerasmeta.analysis import episodic_two_step_trials, two_step_trials
from kerasmeta.analysis.trials import NO_TRIAL, NOT_VISIBLE
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

BATCH_SIZE = 6


@pytest.fixture(scope="module")
def two_step() -> Lifetimes:
    return simulation.two_step(simulation.RandomChooser(), BATCH_SIZE, seed=1)


@pytest.fixture(scope="module")
def episodic() -> Lifetimes:
    chooser = simulation.RandomChooser()
    return simulation.episodic_two_step(chooser, BATCH_SIZE, seed=1)


def shorten(lifetimes: Lifetimes, lifetime: int, steps: int) -> Lifetimes:
    """One lifetime ends early; what stands after its end is rubbish."""
    valid = lifetimes.valid.copy()
    valid[lifetime, steps:] = False
    return lifetimes._replace(valid=valid)


def test_state_is_read_from_the_step_after(two_step: Lifetimes) -> None:
    trials = two_step_trials(two_step)
    stimulus = two_step.observation["stimulus"]
    for b in range(BATCH_SIZE):
        for t in range(99):
            assert stimulus[b, t + 1, 1 + trials.state[b, t]] == 1
            assert trials.common[b, t] == (trials.state[b, t] == two_step.action[b, t])
    assert (trials.state[:, -1] == NOT_VISIBLE).all()
    assert trials.valid.all()
    assert not trials.cued.any()


def test_common_transitions_are_common(two_step: Lifetimes) -> None:
    """Action 0 commonly leads to S1: 0.8 of 594 transitions, within 4 s.e."""
    trials = two_step_trials(two_step)
    assert abs(trials.common[trials.visible].mean() - 0.8) < 4 * 0.4 / np.sqrt(594)


def test_end_of_a_short_lifetime_is_not_visible(two_step: Lifetimes) -> None:
    trials = two_step_trials(shorten(two_step, lifetime=2, steps=10))
    assert trials.valid[2].sum() == 10
    assert trials.state[2, 9] == NOT_VISIBLE
    assert (trials.state[2, :9] != NOT_VISIBLE).all()
    assert (trials.state[2, 10:] == NOT_VISIBLE).all()


def test_the_pause_is_no_trial(episodic: Lifetimes) -> None:
    trials = episodic_two_step_trials(episodic)
    assert episodic.valid.shape[1] == 101
    assert not trials.valid[:, 50].any()
    assert trials.valid.sum() == 100 * BATCH_SIZE
    assert not trials.cued[:, :51].any()
    assert trials.cued[:, 51:].all()
    # The pause shows the last uncued outcome; the first cue comes with no state.
    assert trials.visible[:, 49].all()
    assert not trials.visible[:, 50].any()


def test_cues_are_traced_to_their_trials(episodic: Lifetimes) -> None:
    trials = episodic_two_step_trials(episodic)
    context = episodic.observation["context"]
    for b in range(BATCH_SIZE):
        for t in range(101):
            expected = NO_TRIAL
            for past in range(50):
                if t > 50 and (context[b, past + 1] == context[b, t]).all():
                    expected = past
            assert trials.cued_trial[b, t] == expected
    assert (trials.cued_trial[:, 51:] != NO_TRIAL).all()
    assert (trials.cued_trial[:, 51:76] < 25).all()
    assert (trials.cued_trial[:, 76:] >= 25).all()


def test_the_same_context_in_another_lifetime_is_no_match(episodic: Lifetimes) -> None:
    context = episodic.observation["context"].copy()
    context[0, 60] = context[1, 5]
    context[0, 7] = context[0, 61] = 0  # zeros: nothing was shown
    observation = {**episodic.observation, "context": context}
    trials = episodic_two_step_trials(episodic._replace(observation=observation))
    own = (context[0, 1:51] == context[1, 5]).all(axis=1)
    assert trials.cued_trial[0, 60] == (own.argmax() if own.any() else NO_TRIAL)
    assert trials.cued_trial[0, 61] == NO_TRIAL


def test_the_newest_of_equal_contexts_counts(episodic: Lifetimes) -> None:
    context = episodic.observation["context"].copy()
    context[0, 8] = context[0, 31] = context[0, 60]
    observation = {**episodic.observation, "context": context}
    trials = episodic_two_step_trials(episodic._replace(observation=observation))
    first = (context[0, 1:51] == context[0, 60]).all(axis=1).nonzero()[0]
    assert trials.cued_trial[0, 60] == first.max() >= 30


def test_nothing_stored_gives_no_cued_trial(episodic: Lifetimes) -> None:
    store = np.zeros_like(episodic.observation["store"])
    observation = {**episodic.observation, "store": store}
    trials = episodic_two_step_trials(episodic._replace(observation=observation))
    assert (trials.cued_trial == NO_TRIAL).all()


def test_the_other_task_is_refused(two_step: Lifetimes, episodic: Lifetimes) -> None:
    with pytest.raises(UserError, match=r"stimulus .*\[B, T, 3\]"):
        two_step_trials(episodic)
    with pytest.raises(UserError, match=r"stimulus .*\[B, T, 4\]"):
        episodic_two_step_trials(two_step)
    with pytest.raises(UserError, match="actions 0 and 1"):
        two_step_trials(two_step._replace(action=two_step.action + 1))
