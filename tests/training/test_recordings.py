"""Recordings: the agent undisturbed, its signals, the task's hidden variables."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from harness import agents
from harness.collection import collected_eagerly  # noqa: F401 - for the whole module
from harness.toy_tasks import Countdown

from kerasmeta import tasks
from kerasmeta._keras import tf
from kerasmeta.agents import EpisodicAgent
from kerasmeta.analysis import Recordings
from kerasmeta.analysis.recordings.signals import SIGNALS
from kerasmeta.analysis.trials import two_step_trials
from kerasmeta.environments import TaskEnvironment
from kerasmeta.errors import UserError
from kerasmeta.tasks.base import Task
from kerasmeta.tasks.revealed import has_hidden_variables
from kerasmeta.training import evaluation, recordings

B, SEED, GAMMA = 20, 11, 0.7
MEMORY = {"reinstatement_gate", "retrieved_cell", "slot", "similarity"}


def agent_for(task: Task, kind: str) -> EpisodicAgent:
    environment = TaskEnvironment(task, 1)
    agent = EpisodicAgent(
        environment.time_step_spec().observation,
        environment.action_spec(),
        agents.config(kind=kind, memory={"capacity": 8}),
    )
    agents.shake(agent.variables)
    return agent


CASES = {
    # The good state always pays and the other never.
    "two_step": (
        tasks.make("two_step", trials=30, high_reward=1, low_reward=0, reversal=0.3),
        "lstm",
    ),
    "episodic_two_step": (
        tasks.make("episodic_two_step", uncued_trials=6, cued_trials=8, context_size=4),
        "ep_lstm",
    ),
    "countdown": (Countdown(longest=6), "lstm"),
}
Case = tuple[EpisodicAgent, Task, Recordings]


@functools.cache
def made(name: str) -> Case:
    task, kind = CASES[name]
    agent = agent_for(task, kind)
    return agent, task, recordings.record(agent, task, B, SEED, GAMMA)


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return made(request.param)


def test_recording_disturbs_nothing(case: Case) -> None:
    """The same lifetimes, bit for bit, as those of an evaluation."""
    agent, task, recorded = case
    lived = evaluation.record(agent, task, B, SEED)
    assert set(lived.observation) == set(recorded.lifetimes.observation)
    agents.assert_same(lived._asdict(), recorded.lifetimes._asdict())


def test_signals_are_those_of_the_agent_step_by_step(case: Case) -> None:
    agent, _, recorded = case
    memory = MEMORY if agent.config.has_memory else set()
    assert set(recorded.signals) == set(SIGNALS) - MEMORY | memory
    lived, state = recorded.lifetimes, agent.initial_state(B)
    for t in range(lived.valid.shape[1]):
        output = agent.step(agents.at(lived.observation, t), state)
        state, valid = output.state, lived.valid[:, t]
        expected = {
            "hidden": output.state.actor.hidden,
            "cell": output.state.actor.cell,
            "critic_hidden": output.state.critic.hidden,
            "critic_cell": output.state.critic.cell,
            "forget_gate": output.recordings["forget"],
            "candidate": output.recordings["candidate"],
            "action_parameters": output.logits,
            "value": output.value,
        }
        if memory:
            expected |= {
                "reinstatement_gate": output.recordings["reinstatement"],
                "retrieved_cell": output.recordings["memory"],
                "slot": output.recordings["slot"],
                "similarity": output.recordings["similarity"],
            }
        for name, value in expected.items():
            np.testing.assert_allclose(
                recorded.signals[name][:, t][valid],
                np.asarray(value)[valid],
                atol=1e-5,
                err_msg=f"{name} at step {t}",
            )
    assert all(
        SIGNALS[k].axis is not None or v.ndim == 2 for k, v in recorded.signals.items()
    )


def test_prediction_errors_by_hand(case: Case) -> None:
    _, _, recorded = case
    value, errors = (
        recorded.signals[name] for name in ("value", "reward_prediction_error")
    )
    for row in range(B):
        last = recorded.lifetimes.valid[row].sum() - 1
        for t in range(last + 1):
            following = 0.0 if t == last else value[row, t + 1]
            paid = recorded.lifetimes.reward[row, t]
            expected = paid + GAMMA * following - value[row, t]
            assert errors[row, t] == pytest.approx(expected, abs=1e-5)
        assert not errors[row, last + 1 :].any()
    assert recorded.gamma == GAMMA


def test_hidden_variables_are_those_when_the_action_is_chosen() -> None:
    """Where the good state always pays and the other never, they tell the reward."""
    _, _, recorded = made("two_step")
    good = recorded.hidden_variables["good_state"]
    trials = two_step_trials(recorded.lifetimes)
    known = trials.visible
    np.testing.assert_array_equal(
        trials.reward[known], (trials.state == good)[known].astype(float)
    )
    assert 0.2 < np.mean(good[:, 1:30] != good[:, :29]) < 0.4


def test_hidden_outcomes_of_cued_trials() -> None:
    """A cued trial that reaches the hidden past state pays the hidden past reward."""
    _, _, recorded = made("episodic_two_step")
    hidden, lived = recorded.hidden_variables, recorded.lifetimes
    cued = lived.observation["stimulus"][..., 3] > 0
    for name in ("cued_state", "cued_reward"):
        np.testing.assert_array_equal(
            np.isnan(hidden[name][lived.valid]), ~cued[lived.valid]
        )
    following = lived.observation["stimulus"][:, 1:, 1:3]  # of the step after
    reached = following.argmax(axis=2)
    same = cued[:, :-1] & (reached == hidden["cued_state"][:, :-1])
    same &= lived.valid[:, 1:]
    assert same.sum() > 30
    np.testing.assert_array_equal(
        lived.reward[:, :-1][same], hidden["cued_reward"][:, :-1][same]
    )


def test_a_lesioned_agent_is_recorded_in_as_many_batches_as_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(evaluation, "CHUNK", 2)
    agent, task, _ = made("episodic_two_step")
    recorded = recordings.record(agent.lesioned("memory"), task, 5, SEED, GAMMA)
    assert recorded.signals["hidden"].shape == (5, 16, agents.UNITS)
    assert {len(leaf) for leaf in tf.nest.flatten(recorded[:3])} == {5}
    assert len({row.tobytes() for row in recorded.signals["value"]}) == 5
    assert not recorded.signals["retrieved_cell"].any()
    assert (recorded.signals["slot"] == -1).all()


def test_which_tasks_say_what_is_hidden() -> None:
    assert has_hidden_variables(CASES["two_step"][0])
    assert not has_hidden_variables(CASES["countdown"][0])


def test_what_is_refused() -> None:
    agent, task, _ = made("two_step")
    with pytest.raises(UserError, match=r"trpo.gamma in its config.json"):
        recordings.record(agent, task, B)
    with pytest.raises(UserError, match="give 1 or more"):
        recordings.record(agent, task, 0, gamma=GAMMA)
    with pytest.raises(UserError, match="evaluate the agent on the task"):
        recordings.record(agent, CASES["episodic_two_step"][0], B, gamma=GAMMA)
