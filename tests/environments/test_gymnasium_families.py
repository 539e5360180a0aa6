"""Every task family as a Gymnasium environment, alone and vectorised."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from kerasmeta import UserError, tasks
from kerasmeta._keras import tf
from kerasmeta.environments import TaskEnvironment
from kerasmeta.registration import gymnasium_id
from kerasmeta.tasks.observation import full_observation_spec

ROWS = 3
STEPS = 110


def actions(space: Any, steps: int) -> list[Any]:
    """Members of an action space, the same ones in every call."""
    space.seed(5)
    return [space.sample() for _ in range(steps)]


def assert_same(one: Any, other: Any) -> None:
    """Bit for bit, key by key."""
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_array_equal(one[key], other[key], err_msg=key)


# One of each kind; the others are slow tests.
QUICK = ("two_step", "episodic_two_step", "volatile_bandit", "water_maze", "harlow")
FAMILIES = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
    for name in tasks.names()
]


@pytest.mark.parametrize("family", FAMILIES, scope="class")
class TestFamily:
    @pytest.fixture(scope="class")
    def single(self, family: str) -> Any:
        return gymnasium.make(gymnasium_id(family)).unwrapped

    def test_keeps_the_contract_of_gymnasium(self, single: Any, family: str) -> None:
        check_env(single)  # a warning fails the test, see setup.cfg
        assert single.spec.id == gymnasium_id(family)

    def test_the_spaces_mirror_the_observation(self, single: Any, family: str) -> None:
        specs = full_observation_spec(tasks.make(family))
        assert set(single.observation_space) == set(specs)
        for key, spec in specs.items():
            space = single.observation_space[key]
            assert tuple(space.shape) == tuple(spec.shape), key
            if spec.dtype.is_floating:
                assert space.dtype == spec.dtype.as_numpy_dtype, key

    def test_one_row_of_the_vector_is_the_single_one(
        self, single: Any, family: str
    ) -> None:
        """Step for step to the lifetime's end; then the row begins another one."""
        vector = gymnasium.make_vec(gymnasium_id(family), num_envs=1)
        (seen, _), (seen_by_row, _) = single.reset(seed=4), vector.reset(seed=4)
        for action in actions(single.action_space, STEPS):
            assert_same({k: np.asarray(v)[None] for k, v in seen.items()}, seen_by_row)
            seen, paid, ended, cut, _ = single.step(action)
            batch = np.asarray(action)[None]
            seen_by_row, reward, terminated, truncated, _ = vector.step(batch)
            assert (reward, terminated, truncated) == (paid, ended, cut)
            if ended:
                seen_by_row = vector.step(batch)[0]
                assert seen_by_row["episode_start"].all()
                break

    def test_the_vector_is_the_batched_task(self, family: str) -> None:
        vector: Any = gymnasium.make_vec(gymnasium_id(family), num_envs=ROWS)
        assert vector.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
        seen, _ = vector.reset(seed=9)
        seed = np.random.default_rng(9).integers(2**31, size=2).astype(np.int32)
        environment = TaskEnvironment(tasks.make(family), ROWS, seed=tf.constant(seed))
        time_step = environment.reset_with_seed(seed)
        for action in actions(vector.action_space, 10):
            assert seen in vector.observation_space
            assert_same(seen, {k: v.numpy() for k, v in time_step.observation.items()})
            action = tf.constant(action, environment.action_spec().dtype)
            time_step = environment.step(action)
            seen, reward, terminated, _, _ = vector.step(action.numpy())
            np.testing.assert_array_equal(reward, time_step.reward)
            np.testing.assert_array_equal(terminated, time_step.is_last())


def test_the_vector_begins_anew_after_the_end() -> None:
    """Autoreset NEXT_STEP: the last observation is seen, the next action ignored."""
    vector = gymnasium.make_vec("kerasmeta/TwoStep-v0", num_envs=2, trials=3)
    vector.reset(seed=1)
    one = np.ones(2, np.int64)
    steps = [vector.step(one) for _ in range(4)]
    assert [list(step[2]) for step in steps] == [[False] * 2] * 2 + [[True] * 2] + [
        [False] * 2
    ]
    last, first = steps[2][0], steps[3][0]
    np.testing.assert_array_equal(last["previous_action"], one)
    assert not last["episode_start"].any()
    assert first["episode_start"].all()
    np.testing.assert_array_equal(first["previous_action"], -one)
    assert not steps[3][1].any()


def test_parameters_are_the_tasks() -> None:
    task = gymnasium.make("kerasmeta/TwoStep-v0", trials=7, common=0.7).unwrapped.task
    assert task == tasks.make("two_step", trials=7, common=0.7)


def test_bad_calls_are_refused() -> None:
    with pytest.raises(UserError, match=r"trals.*did you mean 'trials'"):
        gymnasium.make("kerasmeta/TwoStep-v0", trals=7)
    with pytest.raises(UserError, match="render_mode 'human'"):
        gymnasium.make_vec("kerasmeta/TwoStep-v0", render_mode="human")
    single = gymnasium.make("kerasmeta/TwoStep-v0", trials=1).unwrapped
    with pytest.raises(gymnasium.error.ResetNeeded):
        single.step(0)
    single.reset(seed=0)
    with pytest.raises(UserError, match="action 2: is not in the action space"):
        single.step(2)
    assert single.step(1)[2]
    with pytest.raises(gymnasium.error.ResetNeeded):
        single.step(0)
    vector = gymnasium.make_vec("kerasmeta/TwoStep-v0", num_envs=2)
    vector.reset(seed=0)
    with pytest.raises(UserError, match="action"):
        vector.step(np.array([0, 1, 1]))


def test_seeds_that_are_not_given_are_not_the_same() -> None:
    single = gymnasium.make("kerasmeta/EpisodicTwoStep-v0")
    contexts = [single.reset()[0]["context"]]
    for _ in range(2):
        single.reset()
        contexts.append(single.step(0)[0]["context"])
    assert not np.array_equal(contexts[1], contexts[2])


def test_importing_kerasmeta_registers_without_tensorflow() -> None:
    """Whichever is imported first; the families stand in Gymnasium's registry."""
    code = (
        "import sys\n{imports}\nimport json\n"
        "ids = [i for i in gymnasium.registry if i.startswith('kerasmeta/')]\n"
        "print(json.dumps([ids, 'tensorflow' in sys.modules]))"
    )
    for imports in ("import kerasmeta, gymnasium", "import gymnasium, kerasmeta"):
        done = subprocess.run(
            [sys.executable, "-c", code.format(imports=imports)],
            capture_output=True,
            text=True,
            check=True,
        )
        ids, tensorflow = json.loads(done.stdout)
        assert ids == [gymnasium_id(family) for family in tasks.names()]
        assert "kerasmeta/TwoStep-v0" in ids
        assert not tensorflow
        assert done.stderr == ""
