"""The tasks' rules in JavaScript are Python's: the same draws, the same observations.

Python plays lifetimes with random actions; what is hidden and every uniform number that
a step drew are handed over, and every observation, reward and end must be the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gallery.browser_arithmetic import call, observation_at, plain

from kerasmeta import tasks
from kerasmeta._keras import tf
from kerasmeta.tasks import contexts, seeds
from kerasmeta.tasks.harlow import object_codes
from kerasmeta.tasks.observation import first_observation, next_observation

BATCH = 3
DRAWS = {  # uniform numbers that a step draws for each lifetime
    "two_step": 3,
    "episodic_two_step": 4,
    "barcode_bandit": 1,
    "harlow": 0,
    "episodic_harlow": 0,
}
SETTINGS: list[tuple[str, dict[str, Any], int]] = [
    ("two_step", {}, 100),
    ("two_step", {"common": 0.7, "reversal": 0.5, "trials": 30}, 30),
    ("episodic_two_step", {}, 101),
    ("episodic_two_step", {"uncued_trials": 7, "cued_trials": 9}, 17),
    ("barcode_bandit", {"contexts": 4, "presentations": 3, "pulls": 5}, 60),
    ("barcode_bandit", {"contexts": 3, "arms": 2, "presentations": 2}, 60),
    ("harlow", {}, 60),
    ("harlow", {"object_code": "scalar", "objects": "held_out"}, 60),
    ("episodic_harlow", {"pairs": 2, "exposures": 2}, 200),
    ("episodic_harlow", {"pairs": 3, "variant": "hard", "max_steps": 36}, 200),
]


def codes(values: Any, size: int) -> Any:
    """Contexts of whole-number codes `[E]`."""
    return plain(contexts.context_of(values, size))


def hidden_of(family: str, task: Any, state: Any, row: int) -> dict[str, Any]:
    """What JavaScript's task is begun with: the hidden state of one lifetime."""
    if family == "two_step":
        return {"good": plain(state.good[row])}
    if family == "episodic_two_step":
        shown = codes(state.codes[row], task.context_size)
        return {"good": plain(state.good[row]), "codes": shown}
    if family == "barcode_bandit":
        shown = codes(state.codes[row], task.context_size)
        return {"good": plain(state.good[row]), "codes": shown}
    if family == "harlow":
        return {
            "rewarded": features(task, state.rewarded)[row],
            "distractor": features(task, state.distractor)[row],
            "sides": plain(state.rewarded_right[row]),
            "gazeRight": int(state.gaze.cell[row]) == task.distance,
        }
    return {"schedule": schedule_of(task, state.schedule, row)}


def schedule_of(task: Any, schedule: Any, row: int) -> list[dict[str, Any]]:
    shown = codes(schedule.code[row], task.context_size)
    columns = {
        "pair": plain(schedule.pair[row]),
        "rewarded": features(task, schedule.rewarded[row]),
        "distractor": features(task, schedule.distractor[row]),
        "code": shown,
        "sides": plain(schedule.rewarded_right[row]),
        "gazeRight": plain(schedule.gaze_right[row]),
    }
    episodes = zip(*columns.values(), strict=True)
    return [dict(zip(columns, values, strict=True)) for values in episodes]


def features(task: Any, code: Any) -> Any:
    return plain(object_codes.features(code, task.object_bits, task.object_code))


def actions_of(task: Any, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Actions `[T, B]`: random, but for runs that lead the eye somewhere."""
    count = int(task.action_spec.maximum) + 1
    drawn = rng.integers(0, count, [steps // 3 + 1, BATCH])
    return np.repeat(drawn, 3, axis=0)[:steps].astype(np.int32)


@pytest.mark.parametrize(("family", "parameters", "steps"), SETTINGS)
def test_the_rules_are_the_same(
    family: str, parameters: dict[str, Any], steps: int, rng: np.random.Generator
) -> None:
    task = tasks.make(family, **parameters)
    key = seeds.key_from(seeds.as_seed(7))
    state, observation = task.reset(BATCH, seeds.at_step(key, 0))
    hidden = [hidden_of(family, task, state, row) for row in range(BATCH)]
    seen = [first_observation(task, observation, BATCH)]
    actions = actions_of(task, steps, rng)
    shape = [BATCH] if family == "barcode_bandit" else [DRAWS[family], BATCH]

    @tf.function(autograph=False)
    def step(state: Any, action: Any, number: Any) -> Any:
        seed = seeds.at_step(key, number)
        drawn = tf.reshape(seeds.uniform(shape, seed), [-1, BATCH])
        return *task.step(state, action, seed), drawn

    rewards, ends, draws = [], [], []
    for number, action in enumerate(actions):
        state, observation, reward, done, drawn = step(
            state, tf.constant(action), tf.constant(number + 1)
        )
        seen.append(next_observation(observation, tf.constant(action), reward))
        rewards.append(reward.numpy())
        ends.append(done.numpy())
        draws.append(drawn.numpy())
    lengths = [
        int(np.argmax(ends, axis=0)[row]) + 1 if np.any(ends, axis=0)[row] else steps
        for row in range(BATCH)
    ]
    lives = [
        {
            "family": family,
            "parameters": parameters,
            "hidden": hidden[row],
            "actions": plain(actions[: lengths[row], row]),
            "draws": [plain(draw[:, row]) for draw in draws[: lengths[row]]],
        }
        for row in range(BATCH)
    ]
    for row, answers in enumerate(call("tasks", lives)):
        for number, answer in enumerate(answers):
            # Of an observation after the end only what led to it counts.
            over = number == lengths[row]
            expected = observation_at(seen[number], row)
            for name in ("previous_action",) if over else expected:
                found = np.asarray(answer["observation"][name], dtype=float)
                wanted = np.asarray(expected[name], dtype=float)
                np.testing.assert_allclose(found, wanted, atol=1e-6, err_msg=name)
            if number:
                paid = float(rewards[number - 1][row])
                assert answer["reward"] == pytest.approx(paid)
                assert answer["done"] == bool(ends[number - 1][row])


def test_a_planted_error_is_caught() -> None:
    """The harness sees a wrong transition: the draws decide, and are handed over."""
    data = {
        "family": "two_step",
        "parameters": {},
        "hidden": {"good": 0},
        "actions": [0],
        "draws": [[0.79, 0.5, 0.9]],
    }
    [[_, common]] = call("tasks", [data])
    assert common["observation"]["stimulus"] == [0, 1, 0]
    assert common["reward"] == 1
    [[_, rare]] = call("tasks", [{**data, "draws": [[0.81, 0.5, 0.9]]}])
    assert rare["observation"]["stimulus"] == [0, 0, 1]
    assert rare["reward"] == 0
