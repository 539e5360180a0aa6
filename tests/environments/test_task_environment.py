import numpy as np
import pytest
from harness.task_contract import TaskContract, record
from harness.toy_tasks import Countdown

from kerasmeta import UserError
from kerasmeta._keras import tf, tf_agents
from kerasmeta.environments import TaskEnvironment
from kerasmeta.tasks.two_step.episodic import EpisodicTwoStep
from kerasmeta.tasks.two_step.two_step import TwoStep

StepType = tf_agents.trajectories.StepType


class TestUnevenLifetimes(TaskContract):
    task = Countdown(longest=4)
    registered = False


class TestContinuousActions(TaskContract):
    task = Countdown(longest=3, continuous=True)
    registered = False


def test_each_row_begins_anew_after_its_own_last_step():
    run = record(TaskEnvironment(Countdown(4), batch_size=40, seed=0), 30)
    left = run.observation["stimulus"][..., 0]
    first = run.step_type == StepType.FIRST
    # A lifetime counts down by one to 0 and is then LAST; FIRST follows LAST at once.
    np.testing.assert_array_equal(run.step_type == StepType.LAST, left == 0)
    np.testing.assert_array_equal(first[:, 1:], left[:, :-1] == 0)
    going = ~first[:, 1:]
    np.testing.assert_array_equal((left[:, 1:] - left[:, :-1])[going], -1)
    # Rows are out of step, so that some begin while others go on.
    mixed = first[:, 1:].any(axis=0) & ~first[:, 1:].all(axis=0)
    assert mixed.sum() > 20
    # A row's next lifetime is a new draw.
    lengths = [row[flags] for row, flags in zip(left, first, strict=True)]
    assert sum(len(set(row)) > 1 for row in lengths) > 35


def test_rows_are_different_lifetimes():
    run = record(TaskEnvironment(EpisodicTwoStep(), batch_size=8), 3)
    context = run.observation["context"][:, 1]
    assert len(np.unique(context, axis=0)) == 8


def test_successive_lifetimes_of_a_row_have_different_contexts():
    task = EpisodicTwoStep(5, 2)
    run = record(TaskEnvironment(task, batch_size=2), 2 * (task.lifetime_steps + 1))
    fresh = run.observation["context"][run.observation["store"]]
    assert len(fresh) == 2 * 2 * 5
    assert len(np.unique(fresh, axis=0)) == len(fresh)


def test_iterations_of_a_run_are_independent_lifetimes():
    environment = TaskEnvironment(TwoStep(), batch_size=2000)

    @tf.function(autograph=False)
    def good_states(iteration):
        environment.reset_with_seed((5, iteration))
        return tf.identity(environment._task_state.good)

    good = np.stack([good_states(tf.constant(i)) for i in range(2)])
    assert abs(np.corrcoef(good)[0, 1]) < 0.06  # 2.6 standard errors


def test_seed_pair_from_tensors_is_that_from_integers():
    environment = TaskEnvironment(EpisodicTwoStep(), batch_size=2)
    by_tensor = tf.function(
        lambda i: environment.reset_with_seed((5, i)), autograph=False
    )
    by_tensor(tf.constant(9, tf.int64))
    first = environment.step(tf.zeros([2], tf.int32))
    environment.reset_with_seed((5, 9))
    again = environment.step(tf.zeros([2], tf.int32))
    tf.nest.map_structure(np.testing.assert_array_equal, first, again)


def test_what_leaves_the_environment_is_plain():
    environment = TaskEnvironment(TwoStep(), batch_size=2)
    for time_step in (environment.current_time_step(), environment.reset()):
        assert type(time_step) is tf_agents.trajectories.TimeStep
        assert type(time_step.observation) is dict
    assert type(environment.observation_spec()) is dict


def test_every_variable_is_tracked():
    environment = TaskEnvironment(TwoStep(), batch_size=2)
    names = {v.name for v in environment.variables}
    assert {"key:0", "counter:0"} <= names
    # key, counter; good, trial; step type, reward, discount, six observations.
    assert len(environment.variables) == 2 + 2 + 3 + 6
    assert not environment.trainable_variables


@pytest.mark.parametrize("batch_size", [0, -1, 1.5])
def test_batch_that_is_none_is_refused(batch_size):
    with pytest.raises(UserError, match=r"^batch_size "):
        TaskEnvironment(TwoStep(), batch_size)
