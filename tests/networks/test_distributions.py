"""Action distributions against TensorFlow Probability, Hessians and frequencies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow_probability as tfp
from harness.statistics import check_mean, check_rate
from scipy import stats

from kerasmeta import UserError
from kerasmeta._keras import tf, tf_agents
from kerasmeta.networks import Categorical, DiagonalGaussian, distribution_for
from kerasmeta.networks.distributions import within_bounds

ACTIONS = 3
CASES = {
    "categorical": (
        Categorical(ACTIONS),
        lambda p: tfp.distributions.Categorical(logits=p),
    ),
    "gaussian": (
        DiagonalGaussian(ACTIONS),
        lambda p: tfp.distributions.MultivariateNormalDiag(
            p[..., :ACTIONS], tf.exp(p[..., ACTIONS:])
        ),
    ),
}
BOTH = pytest.mark.parametrize(("ours", "theirs"), CASES.values(), ids=CASES)


def some_parameters(ours: Any, rng: np.random.Generator, *shape: int) -> Any:
    return tf.constant(rng.normal(size=(*shape, ours.parameter_size)))


@BOTH
def test_equals_tensorflow_probability(
    ours: Any, theirs: Callable[[Any], Any], rng: np.random.Generator
) -> None:
    old, new = (some_parameters(ours, rng, 4, 5) for _ in range(2))
    actions = theirs(old).sample(seed=1)
    close = {"rtol": 0, "atol": 1e-12}
    log_prob = ours.log_prob(old, actions)
    np.testing.assert_allclose(log_prob, theirs(old).log_prob(actions), **close)
    np.testing.assert_allclose(ours.entropy(old), theirs(old).entropy(), **close)
    expected = tfp.distributions.kl_divergence(theirs(old), theirs(new))
    np.testing.assert_allclose(ours.kl(old, new), expected, **close)
    np.testing.assert_array_equal(ours.mode(old), theirs(old).mode())
    assert ours.mode(old).dtype == actions.dtype


@BOTH
def test_kl_of_equals_is_exactly_zero(
    ours: Any, theirs: Callable[[Any], Any], rng: np.random.Generator
) -> None:
    parameters = tf.cast(some_parameters(ours, rng, 100), tf.float32)
    np.testing.assert_array_equal(ours.kl(parameters, parameters), 0.0)


@BOTH
def test_fisher_metric_is_the_hessian_of_kl(
    ours: Any, theirs: Callable[[Any], Any], rng: np.random.Generator
) -> None:
    size = ours.parameter_size
    for _ in range(5):
        old = some_parameters(ours, rng)
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(old)
            with tf.GradientTape() as tape:
                tape.watch(old)
                kl = ours.kl(tf.stop_gradient(old), old)
            slope = tape.gradient(kl, old)
        hessian = outer.jacobian(slope, old, experimental_use_pfor=False)
        metric = ours.fisher_metric(
            tf.repeat(old[None], size, 0), tf.eye(size, dtype=tf.float64)
        )
        np.testing.assert_allclose(metric, hessian, rtol=0, atol=1e-12)
        assert np.linalg.eigvalsh(metric).min() > -1e-12


@BOTH
@pytest.mark.parametrize("scale", [1e4, -1e4])
def test_extreme_parameters_stay_finite(
    ours: Any, theirs: Callable[[Any], Any], scale: float
) -> None:
    if isinstance(ours, DiagonalGaussian):
        parameters = tf.constant([[scale] * ACTIONS + [-10.0, 0.0, 10.0]])
        action = tf.constant([[0.0, scale, 1.0]])
    else:
        parameters, action = tf.constant([[scale, 0.0, 1.0]]), tf.constant([0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(parameters)
        results = [
            ours.log_prob(parameters, action),
            ours.entropy(parameters),
            ours.kl(parameters, tf.identity(parameters)),
        ]
    for result in results:
        assert np.isfinite(result).all()
        assert np.isfinite(tape.gradient(result, parameters)).all()


def test_categorical_samples_at_their_rates(rng: np.random.Generator) -> None:
    logits = tf.constant([0.3, -1.0, 0.8])
    uniform = tf.constant(rng.random([40_000, 1]), tf.float32)
    samples = Categorical(3).sample(tf.broadcast_to(logits, [40_000, 3]), uniform)
    assert samples.dtype == tf.int32
    for action, rate in enumerate(tf.nn.softmax(logits).numpy()):
        check_rate(samples.numpy() == action, float(rate))


def test_categorical_sample_inverts_the_distribution_function() -> None:
    """p = (1/4, 0, 3/4): an action of probability 0 is never drawn."""
    logits = tf.math.log(tf.constant([[0.25, 1e-30, 0.75]]))
    for uniform, action in [(0.0, 0), (0.2499, 0), (0.2501, 2), (1.0 - 2.0**-24, 2)]:
        sample = Categorical(3).sample(logits, tf.constant([[uniform]]))
        assert sample.numpy().tolist() == [action]


def test_gaussian_samples_are_normal_and_independent(rng: np.random.Generator) -> None:
    mean, scale = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    parameters = tf.constant(np.concatenate([mean, np.log(scale)]), tf.float32)
    uniform = tf.constant(rng.random([20_000, 4]), tf.float32)
    samples = DiagonalGaussian(2).sample(
        tf.broadcast_to(parameters, [20_000, 4]), uniform
    )
    standard = (samples.numpy() - mean) / scale
    for column in standard.T:
        check_mean(column, 0.0)
        check_mean(column**2, 1.0)
        assert stats.kstest(column, "norm").pvalue > 0.01
    check_mean(standard[:, 0] * standard[:, 1], 0.0)


@pytest.mark.parametrize("uniform", [0.0, 1.0 - 2.0**-24])
def test_gaussian_sample_is_finite_at_the_ends(uniform: float) -> None:
    sample = DiagonalGaussian(1).sample(tf.zeros([1, 2]), tf.fill([1, 2], uniform))
    assert abs(float(sample[0, 0])) < 6.0


def test_the_action_spec_decides_the_distribution() -> None:
    bounded = tf_agents.specs.BoundedTensorSpec
    assert distribution_for(bounded([], tf.int32, 0, 4)) == Categorical(5)
    assert distribution_for(bounded([4], tf.float32, -1, 1)) == DiagonalGaussian(4)


@pytest.mark.parametrize(
    ("shape", "dtype", "minimum"),
    [([], "int32", 1), ([2], "int32", 0), ([], "float32", -1), ([2, 2], "float32", -1)],
)
def test_other_action_specs_are_refused(
    shape: list[int], dtype: str, minimum: int
) -> None:
    spec = tf_agents.specs.BoundedTensorSpec(shape, tf.as_dtype(dtype), minimum, 3)
    with pytest.raises(UserError, match="action_spec"):
        distribution_for(spec)


def test_means_are_brought_within_bounds_that_mean_something() -> None:
    """Near, wide and far bounds; the slope in the middle is 1 whatever the range."""
    low, high = np.array([-1.0, 0.0, -3e38]), np.array([1.0, 5.0, 3e38])
    spec = tf_agents.specs.BoundedTensorSpec([3], tf.float32, low, high)
    mean = tf.constant([[0.0] * 3, [1e-3] * 3, [1.0] * 3, [-50.0] * 3])
    found = within_bounds(mean, spec).numpy()
    expected = (
        [0.0, 2.5, 0.0],
        [1e-3, 2.501, 1e-3],
        [np.tanh(1), 2.5 + 2.5 * np.tanh(0.4), 1],
    )
    np.testing.assert_allclose(found[:3], expected, rtol=1e-6)
    np.testing.assert_allclose(found[3], [-1.0, 0.0, -50.0], atol=1e-6)
