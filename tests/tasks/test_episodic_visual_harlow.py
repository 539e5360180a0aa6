import numpy as np
import pytest
from harness.plain_screen import PlainScreen, looking
from harness.statistics import check_mean, check_rate
from harness.task_contract import TaskContract
from harness.task_rollout import roll_out

from kerasmeta import UserError
from kerasmeta.tasks.harlow.episodic_visual import EpisodicVisualHarlow
from kerasmeta.tasks.play import play

SMALL = {"trials": 2, "max_steps": 9, "image_size": 8, "pairs": 2, "context_size": 3}
ROWS = 24


class TestContract(TaskContract):
    task = EpisodicVisualHarlow(**SMALL)


def context_of(task, code):
    digits = reversed(np.binary_repr(code, task.context_size))
    return [1.0 if digit == "1" else -1.0 for digit in digits]


@pytest.mark.parametrize("variant", ["easy", "hard"])
def test_is_one_plain_screen_after_the_other(variant):
    """Every observation, reward and end, from the rules, one agent at a time."""
    task = EpisodicVisualHarlow(
        pairs=3, exposures=2, max_steps=26, variant=variant, context_size=4
    )
    seen = roll_out(task, ROWS, seed=2, choose=looking(task, ROWS, seed=3, skill=0.7))
    unfinished = 0
    for row in range(ROWS):
        t, is_stored = 0, set()
        for e in range(task.episodes):
            schedule = [part[row, 0, e] for part in seen.state.schedule]
            pair, rewarded, distractor, code, sides, gaze_right = schedule
            context = np.array(context_of(task, code))
            screen = PlainScreen(task, rewarded, distractor, sides, gaze_right)
            for step in range(task.max_steps):
                at_cross = bool(screen.things) and screen.gaze == "middle"
                check(seen, row, t, screen.stimulus(), at_cross * context)
                assert seen.observation["episode_start"][row, t] == (step == 0)
                assert not seen.observation["store"][row, t]
                reward = screen.step(seen.action[row, t])
                np.testing.assert_allclose(seen.reward[row, t], reward, rtol=1e-6)
                t += 1
                if screen.trial == task.trials:
                    break
            unfinished += screen.trial < task.trials
            store = screen.trial > 0 and pair not in is_stored
            check(seen, row, t, np.zeros([16, 16, 3]), store * context)
            assert seen.observation["store"][row, t] == store
            assert not seen.observation["episode_start"][row, t]
            is_stored |= {pair} if store else set()
            is_last = e == task.episodes - 1
            assert seen.done[row, t - 1] == is_last
            assert not seen.done[row, : t - 1].any()
            if not is_last:
                assert seen.reward[row, t] == 0  # the pause
            t += 1
        assert len(is_stored) == task.pairs
    assert unfinished > 5


def check(seen, row, t, stimulus, context):
    np.testing.assert_array_equal(seen.observation["stimulus"][row, t], stimulus)
    np.testing.assert_array_equal(seen.observation["context"][row, t], context)


@pytest.mark.parametrize(
    "variant", ["easy", pytest.param("hard", marks=pytest.mark.slow)]
)
def test_players_earn_their_closed_forms(variant):
    task = EpisodicVisualHarlow(
        pairs=5, exposures=2, variant=variant, image_size=8, max_steps=24
    )
    n = 100
    found = {
        name: play(task, name, n, seed=1)
        for name in ("incremental", "optimal", "oracle")
    }
    check_mean(found["incremental"].reward.sum(axis=1), 10 * 6.2)
    check_mean(found["optimal"].reward.sum(axis=1), 5 * 6.2 + 5 * 7.2)
    returns = found["oracle"].reward.sum(axis=1)
    np.testing.assert_allclose(returns, 10 * 7.2, rtol=1e-5)
    assert (found["oracle"].valid.sum(axis=1) == 10 * 18 + 9).all()
    for name, lifetimes in found.items():
        choice = lifetimes.reward[np.abs(lifetimes.reward) == 1]
        right = choice.reshape(n, 10, 6) == 1
        assert right[:, :, 1:].all(), name
        if name != "oracle":
            check_rate(right[:, :5, 0], 0.5)
        if name == "incremental":
            check_rate(right[:, 5:, 0], 0.5)
        else:
            assert right[:, 5:, 0].all(), name


def test_images_of_a_lifetime_are_distinct():
    task = EpisodicVisualHarlow(pairs=4, exposures=3, variant="hard")
    state, _ = task.reset(100, np.array([1, 0], np.int32))
    for rewarded, distractor in zip(
        state.schedule.rewarded.numpy(), state.schedule.distractor.numpy(), strict=True
    ):
        assert len({*rewarded, *distractor}) == 4 + 12
        assert rewarded.max() < 1000 > distractor.max()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"pairs": 0}, r"pairs 0"),
        ({"variant": "harder"}, r"variant 'harder': .* easy or hard"),
        (
            {"pairs": 501, "context_size": 30},
            r"images '\(2000 images\)': a lifetime needs 1002 .* give 2004 or more",
        ),
        ({"max_steps": 20}, r"max_steps 20: .* >= 24"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(UserError, match=message):
        EpisodicVisualHarlow(**parameters)
