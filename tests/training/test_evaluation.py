"""Evaluation: fresh, reproducible lifetimes, and a task that fits the agent."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from harness.collection import collected_eagerly  # noqa: F401 - for the whole module

from kerasmeta import tasks
from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from kerasmeta.tasks.play import play
from kerasmeta.training import evaluation
from kerasmeta.training.collect import (
    EVALUATION_STREAM,
    TRAINING_STREAM,
    make_collector,
    to_lifetimes,
)
from kerasmeta.training.evaluation import (
    evaluate,
    held_out_parameters,
    players,
    record,
    references,
)
from kerasmeta.training.loop import make_agent
from kerasmeta.training.recipes import recipe

TINY = ["agent.units=4", "agent.critic_units=4"]


def tiny_agent(family: str, kind: str = "ep_lstm", **parameters):
    config = recipe(family, kind, parameters).with_overrides(TINY)
    task = tasks.make(family, **parameters)
    return make_agent(config, task), task


def test_the_same_seed_gives_the_same_lifetimes() -> None:
    agent, task = tiny_agent("two_step", trials=6)
    first, again, other = (record(agent, task, 5, seed) for seed in (1, 1, 2))
    tf.nest.map_structure(np.testing.assert_array_equal, first, again)
    assert (first.reward != other.reward).any()


def test_lifetimes_are_whole_and_cut_to_the_number_asked(monkeypatch) -> None:
    monkeypatch.setattr(evaluation, "CHUNK", 4)
    agent, task = tiny_agent("two_step", trials=6)
    lifetimes = record(agent, task, 10, seed=0)
    assert lifetimes.valid.shape == (10, task.lifetime_steps + 1)
    assert (lifetimes.valid.sum(axis=1) == 6).all()
    assert lifetimes.observation["episode_start"].sum() == 10
    # No two chunks are the same lifetimes.
    assert (lifetimes.action[:4] != lifetimes.action[4:8]).any()


def test_training_and_evaluation_never_see_the_same_lifetimes() -> None:
    agent, task = tiny_agent("episodic_two_step", uncued_trials=8, cued_trials=2)
    collector = make_collector(task, 3, agent)
    seen = {
        stream: to_lifetimes(collector.collect(0, tf.constant(0), stream))
        for stream in (TRAINING_STREAM, EVALUATION_STREAM)
    }
    contexts = [
        {row.tobytes() for row in lifetimes.observation["context"].reshape(-1, 20)}
        for lifetimes in seen.values()
    ]
    zero = np.zeros(20, np.float32).tobytes()
    assert contexts[0] & contexts[1] == {zero}


def test_a_greedy_agent_does_not_draw() -> None:
    """All lifetimes begin alike: a greedy agent's first actions are all the same."""
    agent, task = tiny_agent("two_step", "lstm", trials=3)
    greedy = record(agent, task, 50, 0, greedy=True).action[:, 0]
    drawn = record(agent, task, 50, 0).action[:, 0]
    assert (greedy == greedy[0]).all()
    assert 10 < drawn.sum() < 40  # untrained: about 25


def test_lesioned_memory_changes_cued_choices_only() -> None:
    agent, task = tiny_agent("episodic_two_step", uncued_trials=6, cued_trials=6)
    agent.actor.output_layer.kernel.assign(200.0 * agent.actor.output_layer.kernel)
    open_gate = tf.repeat(tf.constant([0.0, 0.0, 0.0, 5.0, 0.0]), agent.config.units)
    agent.actor.cell.bias.assign_add(open_gate)
    intact = record(agent, task, 50, 0)
    lesioned = record(agent.lesioned("memory"), task, 50, 0)
    np.testing.assert_array_equal(intact.action[:, :7], lesioned.action[:, :7])
    assert (intact.action[:, 7:] != lesioned.action[:, 7:]).any()


def test_an_agent_of_another_task_is_refused() -> None:
    agent, _ = tiny_agent("two_step")
    with pytest.raises(UserError, match="task 'episodic_two_step': its stimulus"):
        evaluate(agent, tasks.make("episodic_two_step"), lifetimes=2)


def test_references_hold_players_and_published_values() -> None:
    found = references(tasks.make("two_step"))
    assert found["optimal"]["reward_per_trial"] == pytest.approx(0.706, abs=0.005)
    assert found["published"]["stay_common_rewarded"] == 0.99
    assert set(found["sources"]) == {"wang_2018", "alkhamissi_2020"}


def test_references_live_as_many_lifetimes_as_they_are_told(monkeypatch) -> None:
    task = tasks.make("two_step", trials=5)
    monkeypatch.setattr(evaluation, "CHUNK", 40)
    rewards = [
        play(task, "random", 40, seed=6).reward,
        play(task, "random", 100, seed=6, side_by_side=40).reward,
    ]
    for expected in rewards:
        found = references(task, lifetimes=len(expected), seed=6)["random"]
        assert found["reward_per_trial"] == pytest.approx(expected.mean())
    assert rewards[0].mean() != rewards[1].mean()


def test_published_values_are_for_the_published_parameters() -> None:
    found = references(tasks.make("two_step", common=0.7, trials=20))
    assert found["published"] == {}


HARLOW = {"trials": 2, "max_steps": 7, "cells": 5, "field": 3, "distance": 1}


def objects_seen(lifetimes) -> set[bytes]:
    """Every object that was on the strip, as the bytes of its cell."""
    stimulus = lifetimes.observation["stimulus"][lifetimes.valid]
    cells = stimulus.reshape(-1, 1 + 5)  # `object_bits` is 5
    return {cell.tobytes() for cell in cells if cell[1:].any()}


def test_agents_and_players_meet_objects_that_training_never_shows(monkeypatch) -> None:
    agent, task = tiny_agent("harlow", "lstm", **HARLOW, object_bits=5)
    played = []

    def spy(task, *arguments):
        played.append(objects_seen(lifetimes := evaluation_play(task, *arguments)))
        return lifetimes

    evaluation_play = evaluation.play
    monkeypatch.setattr(evaluation, "play", spy)
    evaluated = objects_seen(record(agent, task, 300, seed=0))
    as_trained = objects_seen(record(agent, task, 300, seed=0, held_out=False))
    assert len(evaluated) == len(as_trained) == 2**5 / 2
    assert not evaluated & as_trained
    players(task, 300)
    assert played == len(task.players()) * [evaluated]
    played.clear()
    players(task, 300, held_out=False)
    assert played == len(task.players()) * [as_trained]
    assert objects_seen(evaluate(agent, task, 300).lifetimes) == evaluated


def test_what_is_held_out_is_told() -> None:
    harlow, two_step = tasks.make("harlow"), tasks.make("two_step")
    assert held_out_parameters(harlow) == {"objects": "held_out"}
    assert held_out_parameters(harlow.held_out()) == {}
    assert held_out_parameters(two_step) == {}
    assert two_step.held_out() is two_step


def test_published_values_stand_beside_held_out_objects() -> None:
    small = dataclasses.replace(tasks.make("harlow"), trials=2, max_steps=12)
    assert references(small)["published"] == {}
    for task in (tasks.make("harlow"), tasks.make("harlow").held_out()):
        assert references(task)["published"]["accuracy_trial_2"] == 0.95
