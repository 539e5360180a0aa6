"""The benchmarks measure what they say, and their JAX peer computes what we compute.

JAX is no part of the project's environment. To run the tests that need it:
`.venv-bench/bin/python -m pytest tests/test_benchmarks.py` (`make bench` makes it).
"""

from __future__ import annotations

import importlib
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import machine, report, timing, work
from benchmarks.figures import Figure, Goal
from benchmarks.peers.gymnasium_two_step import TwoStepEnv
from benchmarks.rows.criterion import WINDOW, Criterion
from benchmarks.rows.scale import exponent
from benchmarks.timing import Measured, Ratio, Subject, SubjectError
from benchmarks.worker import Prepared
from kerasmeta.agents.derivatives import unrolled

TINY = ["lifetimes=5", "task.uncued_trials=6", "task.cued_trials=5"]


@pytest.fixture(scope="module")
def jax() -> Any:
    return pytest.importorskip(
        "jax", reason="JAX is in .venv-bench alone: see this file's first lines"
    )


@pytest.fixture(scope="module")
def trainer() -> Any:
    """A tiny run whose weights have left their initial values."""
    ours = importlib.import_module("benchmarks.ours")
    made = ours.make_trainer([*TINY, "trpo.fisher_fraction=1.0"])
    rng = np.random.default_rng(1)
    for variable in made.agent.named_weights().values():
        variable.assign_add(rng.normal(scale=0.2, size=variable.shape))
    return made


@pytest.fixture(scope="module")
def shared(jax: Any, trainer: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Our batch, and the same weights and experience as the peer loads them."""
    path = str(tmp_path_factory.mktemp("share") / "share.npz")
    batch = importlib.import_module("benchmarks.ours").collect_batch(trainer, path)
    return batch, np.load(path)


def peer(name: str) -> Any:
    return importlib.import_module(f"benchmarks.peers.{name}")


# Subjects for the worker, which imports this file.


def sleeper(seconds: float, work: float = 1.0) -> Prepared:
    return Prepared(lambda: time.sleep(seconds), work, {"answer": 42.0})


def broken() -> Prepared:
    raise ValueError("no such thing")


class TestTiming:
    @pytest.mark.slow
    def test_alternates_and_finds_the_ratio(self) -> None:
        subjects = [
            Subject("fast", "tests.test_benchmarks:sleeper", {"seconds": 0.1}),
            Subject("slow", "tests.test_benchmarks:sleeper", {"seconds": 0.3}),
        ]
        measured = timing.alternate(subjects, rounds=2)
        ratio = timing.speed_ratio(measured["fast"], measured["slow"])
        assert ratio.rounds == 2
        assert ratio.low <= ratio.median <= ratio.high
        assert 2.0 < ratio.median < 4.0
        assert measured["fast"].facts == {"answer": 42.0}

    def test_ratio_compares_work_not_calls(self) -> None:
        ours = Measured([1.0, 2.0, 1.0], 10.0, 0.0, {})
        theirs = Measured([1.0, 1.0, 4.0], 5.0, 0.0, {})
        assert timing.speed_ratio(ours, theirs) == Ratio(2.0, 1.0, 8.0, 3)
        assert ours.rate == 10.0

    @pytest.mark.slow
    def test_failing_subject_says_why(self) -> None:
        with pytest.raises(SubjectError, match="broken: ValueError: no such thing"):
            timing.alternate([Subject("broken", "tests.test_benchmarks:broken")], 1)


class TestReport:
    FIGURE = Figure(
        "rollout",
        "rollout, 8 lifetimes",
        2000.0,
        "steps/s",
        peer="JAX",
        peer_value=1000.0,
        ratio=Ratio(2.0, 1.5, 2.5, 3),
        goal=Goal(">=", 1.2),
    )

    def test_goal_is_of_the_ratio_where_there_is_one(self) -> None:
        assert self.FIGURE.met is True
        assert Figure("cold", "x", 3.0, "s", goal=Goal("<=", 2.5)).met is False
        assert Figure("cold", "x", math.nan, "s", goal=Goal("<=", 2.5)).met is False
        assert Figure("cold", "x", 3.0, "s").met is None

    def test_recording_one_row_keeps_the_others(self, tmp_path: Path) -> None:
        results = tmp_path / "results.json"
        row = {
            "machine": machine.describe(),
            "ceilings": {"flops": 1e11, "bytes": 2e10},
            "date": "2026-01-01",
            "load": 0.1,
        }
        nothing = Figure("scale", "time", math.nan, "exponent").as_dict()
        report.record({"scale": {**row, "figures": [nothing]}}, results)
        figure = self.FIGURE.as_dict()
        report.record({"rollout": {**row, "figures": [figure]}}, results)
        kept = json.loads(results.read_text())
        assert set(kept) == {"scale", "rollout"}
        assert kept["rollout"]["figures"][0]["met"] is True
        page = (tmp_path / "RESULTS.md").read_text()
        line = "2,000 steps/s | JAX: 1,000 steps/s | 2 (1.5 to 2.5) | ≥ 1.2, met"
        assert line in page
        assert "| time | – |" in page


class TestRows:
    def test_every_row_can_be_measured(self) -> None:
        run = importlib.import_module("benchmarks.run")
        for name in run.ROWS:
            row = importlib.import_module(f"benchmarks.rows.{name}")
            assert callable(row.measure)
        files = {path.stem for path in Path("benchmarks/rows").glob("*.py")}
        assert files - {"__init__", "context"} == set(run.ROWS)

    def test_exponent_is_the_slope(self) -> None:
        sizes = np.array([1.0, 8.0, 64.0])
        assert exponent(sizes, 3.0 * sizes**1.5) == pytest.approx(1.5)

    def test_criterion_needs_every_threshold_on_average(self) -> None:
        criterion = Criterion("x", {"a": 1.0, "b": 2.0}, Goal("<=", 1.0), 1.0)
        good = [{"a": 0.9, "b": 2.5}, {"a": 1.2, "b": 1.8}] * (WINDOW // 2)
        assert criterion.reached(good)
        assert not criterion.reached(good[1:])
        assert not criterion.reached([*good[:-1], {"a": 1.2, "b": -9.0}])

    def test_work_counts_matrix_products(self) -> None:
        """Against a count by hand for one unit, one feature, two actions."""
        sizes = work.Sizes(features=1, units=1, actions=2, slots=3, context=4)
        assert sizes.step_flops == 2 * 2 * 5 + 2 * 2
        assert work.rollout(sizes, 10, cued=0.5).flops == 10 * (24 + 0.5 * 24)
        update = work.update(sizes, 10, products=11, fraction=0.5)
        assert update.flops == 10 * (4 * 24 + 11 * 2 * 2 * 3 * 5 * 0.5)

    def test_ceilings_are_positive_and_name_the_limit(self) -> None:
        ceilings = machine.Ceilings(flops=1e9, bytes=1e9)
        limit = ceilings.limit(1e9, 5e8, 4.0)
        assert (limit.kind, limit.seconds, limit.share) == ("FLOPs", 1.0, 0.25)
        assert ceilings.limit(1e8, 5e8, 1.0).kind == "bytes"


def test_gymnasium_two_step_has_the_rules_of_ours() -> None:
    """Common transitions .8, good state .9, the other .1, reversals .025."""
    env = TwoStepEnv(trials=4000)
    env.reset(seed=3)
    common, paid, good = [], [], []
    for n in range(4000):
        action, before = n % 2, env.good
        observation, reward, done, *_ = env.step(action)
        reached = int(np.argmax(observation[1:3]))
        assert observation.sum() == 2.0 + reward
        common.append(reached == action)
        paid.append((reached == before, reward))
        good.append(env.good != before)
    assert done
    rewarded = {key: np.mean([r for k, r in paid if k == key]) for key in (True, False)}
    # Five standard errors of 4,000 (rewards: about 2,000) draws.
    assert np.mean(common) == pytest.approx(0.8, abs=0.032)
    assert rewarded[True] == pytest.approx(0.9, abs=0.034)
    assert rewarded[False] == pytest.approx(0.1, abs=0.034)
    assert np.mean(good) == pytest.approx(0.025, abs=0.0125)


class TestJax:
    """Same inputs, same numbers, to 1e-5."""

    def test_lifetime_is_ours_step_for_step(self, shared: Any, trainer: Any) -> None:
        """Rules, epLSTM step, DND writes and reads, from the draws of our task."""
        from kerasmeta._keras import tf
        from kerasmeta.tasks.seeds import uniform

        _, arrays = shared
        task, agent, batch = trainer.task, trainer.agent, 5
        agent_peer, two_step = peer("jax_agent"), peer("jax_two_step")
        state, observation = task.reset(batch, tf.constant([1, 2]))
        seeds = [tf.constant([3, t]) for t in range(task.lifetime_steps)]
        draws = np.stack([uniform([4, batch], seed) for seed in seeds])
        rules, slots, _, _ = two_step.load_settings(arrays)
        task_draws = peer("jax_task").Draws(
            state.good.numpy(),
            state.codes.numpy().T.astype(np.int32),
            draws[:, :3],
            draws[:, 3],
        )
        uniforms = np.random.default_rng(0).random(draws[:, 0].shape, np.float32)
        actor = two_step.load_network(arrays, "actor")
        found = agent_peer.run(rules, slots, actor, task_draws, uniforms)
        agent_state = agent.initial_state(batch)
        seen = {"previous_action": tf.fill([batch], -1)}
        seen["previous_reward"] = tf.zeros([batch])
        for t, seed in enumerate(seeds):
            observation = {**observation, **seen}
            output = agent.forward(observation, agent_state)
            agent_state = output.state
            features = agent.actor.features(observation)
            np.testing.assert_allclose(found.features[t], features)
            np.testing.assert_allclose(found.logits[t], output.logits, atol=1e-5)
            memory = np.tanh(output.recordings["memory"])
            np.testing.assert_allclose(found.remembered[t], memory, atol=1e-5)
            action = tf.constant(np.asarray(found.action[t]))
            noise = tf.constant(uniforms[t][:, None])
            drawn = agent.distribution.sample(output.logits, noise)
            np.testing.assert_array_equal(action, drawn)
            outcome = task.step(state, action, seed)
            np.testing.assert_array_equal(found.reward[t], outcome.reward)
            state, observation = outcome.state, outcome.observation
            seen = {"previous_action": action, "previous_reward": outcome.reward}
        assert np.any(np.asarray(found.remembered[-1]))  # the memory was in use

    def test_newest_of_equal_keys_is_read(self, jax: Any) -> None:
        agent_peer = peer("jax_agent")
        memory = agent_peer.empty_memory(3, 2, 1, 1)
        key = np.ones([2, 1], np.float32)
        for slot, sign in enumerate((1.0, 1.0, -1.0)):
            value = np.full([1, 1], slot, np.float32)
            memory = agent_peer.write(memory, slot, sign * key, value)
        assert float(agent_peer.read(memory, 3, 5.0 * key)[0, 0]) == 1.0
        assert float(agent_peer.read(memory, 3, -key)[0, 0]) == 2.0

    def test_actor_and_critic_over_time(self, shared: Any, trainer: Any) -> None:
        batch, arrays = shared
        two_step = peer("jax_two_step")
        experience, _ = two_step.load_batch(arrays)
        actor = two_step.load_network(arrays, "actor")
        critic = two_step.load_network(arrays, "critic")
        logits = peer("jax_agent").unroll(
            actor, experience.features, experience.remembered
        )
        values = peer("jax_trpo").critic_values(critic, experience)
        ours = unrolled(trainer.agent.actor, batch)
        np.testing.assert_allclose(np.swapaxes(logits, 0, 1), ours[:, :-1], atol=1e-5)
        ours = unrolled(trainer.agent.critic, batch)
        np.testing.assert_allclose(np.swapaxes(values, 0, 1), ours[:, :-1], atol=1e-5)

    def test_advantages(self, shared: Any) -> None:
        """Ours were normalised: so are theirs."""
        batch, arrays = shared
        two_step, trpo = peer("jax_two_step"), peer("jax_trpo")
        experience, _ = two_step.load_batch(arrays)
        *_, config = two_step.load_settings(arrays)
        values = trpo.critic_values(two_step.load_network(arrays, "critic"), experience)
        found = np.asarray(
            trpo.advantages(values, experience.reward, config.gamma, config.td_lambda)
        )
        returns = found + np.asarray(values)
        np.testing.assert_allclose(returns.T, batch.returns[:, :-1], atol=1e-5)
        found = (found - found.mean()) / found.std()
        np.testing.assert_allclose(found.T, batch.advantage[:, :-1], atol=1e-4)

    def test_fisher_product(self, jax: Any, shared: Any, trainer: Any) -> None:
        from jax.flatten_util import ravel_pytree

        from kerasmeta.agents.trust_region import flatten, unflatten

        batch, arrays = shared
        two_step, trpo = peer("jax_two_step"), peer("jax_trpo")
        experience, _ = two_step.load_batch(arrays)
        *_, config = two_step.load_settings(arrays)
        rng = np.random.default_rng(2)
        named = trainer.agent.actor.named_weights()
        tangents = {
            name: rng.normal(size=v.shape).astype(np.float32)
            for name, v in named.items()
        }
        flat, unravel = ravel_pytree(two_step.load_network(arrays, "actor"))

        def logits(vector: Any) -> Any:
            network = unravel(vector)
            return peer("jax_agent").unroll(
                network, experience.features, experience.remembered
            )

        outputs, push = jax.linearize(logits, flat)
        pull = jax.linear_transpose(push, flat)
        product = trpo.fisher_product(push, pull, outputs, config.damping)
        arrays = {f"actor/{name}": tangent for name, tangent in tangents.items()}
        vector, _ = ravel_pytree(two_step.load_network(arrays, "actor"))
        theirs = unravel(product(vector))
        names = {variable.ref(): name for name, variable in named.items()}
        variables = trainer.learner.actor_variables
        ours = trainer.learner.fisher_product(batch)(
            flatten([tangents[names[v.ref()]] for v in variables])
        )
        ours = unflatten(ours, variables)
        found = {names[v.ref()]: x for v, x in zip(variables, ours, strict=True)}
        for name, field in two_step.WEIGHTS.items():
            np.testing.assert_allclose(getattr(theirs, field), found[name], atol=1e-5)

    def test_update_finds_the_same_step(self, shared: Any, trainer: Any) -> None:
        batch, arrays = shared
        two_step = peer("jax_two_step")
        experience, advantage = two_step.load_batch(arrays)
        *_, config = two_step.load_settings(arrays)
        actor = two_step.load_network(arrays, "actor")
        theirs = peer("jax_trpo").update_policy(config, actor, experience, advantage)
        old = [variable.numpy() for variable in trainer.learner.actor_variables]
        search, _, _ = trainer.learner._update_policy(batch)
        kernel = trainer.agent.actor.cell.recurrent_kernel.numpy()
        for variable, value in zip(trainer.learner.actor_variables, old, strict=True):
            variable.assign(value)
        assert bool(theirs.accepted)
        assert bool(search.accepted)
        assert float(theirs.kl) == pytest.approx(float(search.kl), rel=1e-2)
        assert float(theirs.surrogate) == pytest.approx(float(search.surrogate), 1e-2)
        np.testing.assert_allclose(theirs.actor.recurrent_kernel, kernel, atol=1e-4)

    def test_adam_is_keras(self, jax: Any) -> None:
        from kerasmeta._keras import keras, tf

        trpo = peer("jax_trpo")
        rng = np.random.default_rng(4)
        flat = rng.normal(size=6).astype(np.float32)
        variable = tf.Variable(flat)
        optimizer = keras.optimizers.Adam(1e-2, jit_compile=False)
        optimizer.build([variable])
        adam = trpo.Adam(np.zeros(6, np.float32), np.zeros(6, np.float32), np.int32(0))
        for _ in range(3):
            gradient = rng.normal(size=6).astype(np.float32)
            optimizer.apply_gradients([(tf.constant(gradient), variable)])
            flat, adam = trpo.adam_step(1e-2, flat, gradient, adam)
        np.testing.assert_allclose(flat, variable, rtol=1e-5)
