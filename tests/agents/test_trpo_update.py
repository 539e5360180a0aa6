"""TRPO's update: what it must achieve, and what it must leave alone."""

from __future__ import annotations

import resource
from typing import Any

import numpy as np
import pytest
from harness import agents
from harness.updates import (
    FEW,
    Update,
    all_variables,
    assert_equal,
    everything,
    flat,
    unrolled,
    valid_by_hand,
    values_of,
)

from kerasmeta._keras import tf
from kerasmeta.agents import TRPOAgent, trpo


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize("kind", ["ep_lstm", "lstm"])
def test_a_step_improves_the_surrogate_within_the_trust_region(
    continuous: bool, kind: str, rng: np.random.Generator
) -> None:
    """Recomputed from the parameters before and after, and equal to the report."""
    settings = {"kind": kind, "clear_lstm_at_episode": True}
    improve = Update(continuous=continuous, agent=settings, **FEW)
    trainer = improve.trainer
    experience = agents.experience(trainer.agent, rng)
    advantage = trainer._prepare(experience)[0].advantage
    before = values_of(trainer.actor_variables)
    extra = improve(experience)
    parameters, _ = unrolled(trainer, experience)
    old, action = experience.policy_info["parameters"], experience.action
    distribution, valid = trainer.agent.distribution, valid_by_hand()
    log_ratio = distribution.log_prob(parameters, action)
    log_ratio -= distribution.log_prob(old, action)
    surrogate = (tf.exp(log_ratio) * advantage).numpy()[valid].mean()
    kl = distribution.kl(old, parameters).numpy()[valid].mean()
    entropy = distribution.entropy(old).numpy()[valid].mean()
    assert extra.step_accepted == 1
    assert surrogate > 0.01
    assert 0.001 < kl <= trainer.trpo.delta
    assert extra.surrogate == pytest.approx(surrogate, abs=1e-6)
    assert extra.kl == pytest.approx(kl, abs=1e-6)
    assert extra.entropy == pytest.approx(entropy, abs=1e-5)
    for x, y in zip(before, values_of(trainer.actor_variables), strict=True):
        assert (x != y).any()
    assert int(trainer.train_step_counter) == 1


def test_a_small_step_is_the_natural_gradient(rng: np.random.Generator) -> None:
    """θ' - θ = sqrt(2 δ / gᵀ x) x with (F + damping) x = g, F written out.

    Of few steps: an iteration for each, and one, solve it.
    """
    rows = ("FMMMML", "FMLFML", "FMMMLF")
    improve = Update(delta=1e-5, cg_iterations=60, damping=0.03)
    trainer = improve.trainer
    experience = agents.experience(trainer.agent, rng, rows)
    advantage = trainer._prepare(experience)[0].advantage
    variables, valid = trainer.actor_variables, valid_by_hand(rows)

    @tf.function(autograph=False)
    def derivatives() -> Any:
        with tf.GradientTape(persistent=True) as tape:
            parameters, _ = unrolled(trainer, experience)
            outputs = tf.reshape(parameters, [-1])
            log_prob = trainer.agent.distribution.log_prob(
                parameters, experience.action
            )
            surrogate = tf.reduce_mean(tf.boolean_mask(log_prob * advantage, valid))
        gradient = tape.gradient(surrogate, variables)
        jacobian = tape.jacobian(outputs, variables, experimental_use_pfor=False)
        return parameters, gradient, jacobian

    parameters, gradient, jacobian = derivatives()
    g = flat(values_of(gradient)).astype(np.float64)
    blocks = [block.numpy().reshape(*valid.shape, 2, -1) for block in jacobian]
    j = np.concatenate(blocks, axis=-1)[valid].astype(np.float64)  # [steps, A, P]
    p = tf.nn.softmax(parameters).numpy()[valid].astype(np.float64)
    metric = np.stack([np.diag(row) - np.outer(row, row) for row in p])
    fisher = np.einsum("sai,sab,sbj->ij", j, metric, j) / len(p)
    x = np.linalg.solve(fisher + 0.03 * np.eye(g.size), g)
    expected = np.sqrt(2e-5 / (g @ x)) * x

    before = flat(values_of(variables))
    extra = improve(experience)
    change = flat(values_of(variables)) - before
    assert extra.line_search_trials == 1
    assert np.linalg.norm(change - expected) < 0.01 * np.linalg.norm(expected)
    assert extra.gradient_norm == pytest.approx(np.linalg.norm(g), rel=1e-4)
    assert extra.surrogate == pytest.approx(g @ expected, rel=0.05)
    assert extra.kl == pytest.approx(expected @ fisher @ expected / 2, rel=0.05)


def test_no_trust_no_step(rng: np.random.Generator) -> None:
    """δ -> 0 leaves the policy where it is."""
    improve = Update(delta=1e-30, max_backtracks=3, **FEW)
    before = values_of(improve.trainer.actor_variables)
    improve(agents.experience(improve.trainer.agent, rng))
    for x, y in zip(before, values_of(improve.trainer.actor_variables), strict=True):
        np.testing.assert_allclose(x, y, rtol=0, atol=1e-12)


def test_steps_between_lifetimes_do_not_count(
    traced: Update, rng: np.random.Generator
) -> None:
    """Whatever stands there, the update is the same, bit for bit."""
    experience = agents.experience(traced.trainer.agent, rng)
    between = ~valid_by_hand()

    def garbled(leaf: Any) -> Any:
        array = leaf.numpy()
        other = ~array if array.dtype == bool else array[::-1, ::-1]
        mask = between.reshape(*between.shape, *[1] * (array.ndim - 2))
        return tf.constant(np.where(mask, other, array))

    changed = tf.nest.map_structure(garbled, experience)._replace(
        step_type=experience.step_type, next_step_type=experience.next_step_type
    )
    assert_equal(after(traced, changed), after(traced, experience))


def test_a_bad_direction_is_refused(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Downhill, every step size is worse: the old policy stays, bit for bit."""
    monkeypatch.setattr(trpo, "conjugate_gradient", lambda product, b, n: -b)
    improve = Update(max_backtracks=4)
    before = values_of(improve.trainer.actor_variables)
    extra = improve(agents.experience(improve.trainer.agent, rng))
    assert_equal(values_of(improve.trainer.actor_variables), before)
    assert (extra.step_accepted, extra.line_search_trials) == (0, 4)
    assert (extra.surrogate, extra.kl) == (0, 0)


@pytest.mark.parametrize(("max_backtracks", "accepted"), [(1, 0), (30, 1)])
def test_a_step_out_of_the_trust_region_is_shortened_or_refused(
    max_backtracks: int,
    accepted: int,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A Fisher matrix that is far too small makes the first step far too long."""

    def tiny(self: TRPOAgent, batch: Any) -> Any:
        return lambda vector: 1e-6 * vector

    monkeypatch.setattr(TRPOAgent, "fisher_product", tiny)
    improve = Update(max_backtracks=max_backtracks, backtrack=0.5)
    before = values_of(improve.trainer.actor_variables)
    extra = improve(agents.experience(improve.trainer.agent, rng))
    assert extra.step_accepted == accepted
    assert extra.kl <= improve.trainer.trpo.delta
    if accepted:
        assert extra.line_search_trials > 1
        assert extra.surrogate > 0
    else:
        assert_equal(values_of(improve.trainer.actor_variables), before)


SETTINGS = {
    "fisher_fraction": 0.6,
    "critic_learning_rate": 0.01,
    "critic_passes": 2,
    "td_lambda": 1.0,
    **FEW,
}


def compiled_by_xla(function: Any) -> Any:
    return tf.function(function, jit_compile=True, autograph=False)


def of_any_size(function: Any) -> Any:
    """One graph for any number of lifetimes and steps."""
    one = agents.experience(Update().trainer.agent, np.random.default_rng(0))
    signature = tf.nest.map_structure(
        lambda leaf: tf.TensorSpec([None, None, *leaf.shape[2:]], leaf.dtype), one
    )
    return tf.function(function, input_signature=[signature], autograph=False)


@pytest.fixture(scope="module")
def traced() -> Update:
    """An update that is traced once for several tests."""
    return Update(compiled=of_any_size, **SETTINGS)


def after(update: Update, experience: Any) -> list[np.ndarray]:
    """What an update ends in; its trainer is left as it was."""
    variables = all_variables(update.trainer)
    before = values_of(variables)
    assert np.isfinite(update(experience)).all()
    found = values_of(variables)
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return found


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("part", ["reward", "stimulus", "parameters"])
def test_experience_that_is_not_finite_changes_nothing(
    part: str, value: float, traced: Update, rng: np.random.Generator
) -> None:
    """Not the policy, not the critic, not its optimizer; a good batch then works."""
    trainer = traced.trainer
    good = agents.experience(trainer.agent, rng)

    def spoil(tensor: Any) -> Any:
        array = tensor.numpy()
        array[2, 3] = value
        return tf.constant(array)

    bad = {
        "reward": good._replace(reward=spoil(good.reward)),
        "stimulus": good._replace(
            observation={
                **good.observation,
                "stimulus": spoil(good.observation["stimulus"]),
            }
        ),
        "parameters": good._replace(
            policy_info={
                **good.policy_info,
                "parameters": spoil(good.policy_info["parameters"]),
            }
        ),
    }[part]
    before = everything(trainer)
    assert traced(bad).step_accepted == 0
    # The critic does not see the policy's parameters: it may learn from such a batch.
    count = len(trainer.actor_variables) if part == "parameters" else len(before)
    assert_equal(everything(trainer)[:count], before[:count])
    assert traced(good).step_accepted == 1
    assert np.isfinite(flat(everything(trainer))).all()


@pytest.mark.parametrize("bonus", [100.0, -100.0])
def test_an_entropy_bonus_raises_the_entropy(
    rng: np.random.Generator, bonus: float
) -> None:
    """With one that outweighs the advantages, as far as δ allows; or lowers it."""
    improve = Update(entropy_bonus=bonus, **FEW)
    trainer = improve.trainer
    experience = agents.experience(trainer.agent, rng)
    advantage = trainer._prepare(experience)[0].advantage
    extra = improve(experience)
    parameters, _ = unrolled(trainer, experience)
    distribution, valid = trainer.agent.distribution, valid_by_hand()
    gain = distribution.entropy(parameters).numpy()[valid].mean() - extra.entropy
    assert extra.step_accepted == 1
    assert gain * np.sign(bonus) > 0.01
    ratio = tf.exp(
        distribution.log_prob(parameters, experience.action)
        - distribution.log_prob(experience.policy_info["parameters"], experience.action)
    )
    improvement = (ratio * advantage).numpy()[valid].mean() + bonus * gain
    assert extra.surrogate == pytest.approx(improvement, rel=1e-3)


def test_the_critic_learns_the_returns(
    traced: Update, rng: np.random.Generator
) -> None:
    experience = agents.experience(traced.trainer.agent, rng)
    for variable in traced.trainer.critic_variables[-2:]:  # the head: all values are 0
        variable.assign(tf.zeros_like(variable))
    before = int(traced.trainer.critic_optimizer.iterations)
    reports = [traced(experience) for _ in range(40)]
    first, last = reports[0], reports[-1]
    assert first.explained_variance == pytest.approx(0.0, abs=1e-6)
    assert last.explained_variance > 0.5
    assert last.critic_loss < 0.5 * first.critic_loss
    assert int(traced.trainer.critic_optimizer.iterations) - before == 40 * 2 * 2


@pytest.mark.parametrize("rows", [1, 3])
def test_any_number_of_lifetimes_will_do(
    rows: int, traced: Update, rng: np.random.Generator
) -> None:
    """Fewer lifetimes than critic minibatches, or a number they do not divide.

    Every lifetime is fitted: each one's returns change the critic.
    """
    critic = slice(len(traced.trainer.actor_variables), None)
    whole = agents.experience(traced.trainer.agent, rng, agents.WHOLE[:rows])
    before = flat(everything(traced.trainer)[critic])
    fitted = []
    for changed in (None, *range(rows)):
        reward = whole.reward.numpy()
        if changed is not None:
            reward[changed] += 10.0
        experience = whole._replace(reward=tf.constant(reward))
        fitted.append(flat(after(traced, experience)[critic]))
        assert np.isfinite(fitted[-1]).all()
        assert (fitted[-1] != before).any()
    for other in fitted[1:]:
        assert np.abs(other - fitted[0]).max() > 1e-5


def check_the_same(eager: Update, graph: Update, experience: Any) -> None:
    """An update from the same beginning ends in the same place."""
    pairs = zip(all_variables(eager.trainer), all_variables(graph.trainer), strict=True)
    for one, other in pairs:
        one.assign(other)
    found = graph(experience)
    np.testing.assert_allclose(found, eager(experience), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(
        flat(everything(graph.trainer)),
        flat(everything(eager.trainer)),
        rtol=0,
        atol=1e-4,
    )


def test_one_graph_serves_many_updates_of_any_size(
    traced: Update, rng: np.random.Generator
) -> None:
    eager, agent = Update(**SETTINGS), traced.trainer.agent
    before = int(traced.trainer.train_step_counter)
    for rows in (agents.WHOLE, agents.WHOLE[:3], ("FMML",)):
        check_the_same(eager, traced, agents.experience(agent, rng, rows))
    assert int(traced.trainer.train_step_counter) - before == 3
    assert traced.step.experimental_get_tracing_count() == 1


@pytest.mark.slow
def test_compiled_by_xla_it_is_the_same_update(rng: np.random.Generator) -> None:
    eager, compiled = Update(), Update(compiled=compiled_by_xla)
    for _ in range(3):
        experience = agents.experience(eager.trainer.agent, rng)
        check_the_same(eager, compiled, experience)
    assert compiled.step.experimental_get_tracing_count() == 1


@pytest.mark.slow
def test_updates_do_not_grow_the_process(rng: np.random.Generator) -> None:
    """Neither programs nor tensors pile up (recompiling costs 50 MB a time)."""
    improve = Update(compiled=compiled_by_xla)
    batches = [agents.experience(improve.trainer.agent, rng) for _ in range(5)]

    def resident() -> int:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()

    for n in range(600):
        if n == 100:
            before = resident()
        improve(batches[n % 5])
    assert resident() - before < 30e6
