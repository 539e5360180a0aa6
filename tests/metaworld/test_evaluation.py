"""Meta-World's own evaluation, and the metrics of lifetimes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metaworld.evaluation import Timestep

from kerasmeta.analysis import metrics
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes
from kerasmeta.training import metaworld_evaluation
from kerasmeta.training.metaworld_evaluation import MetaLearner, Outcome, estimates


def by_hand(
    success: list[list[list[int]]], names: list[list[int]] | None = None
) -> Lifetimes:
    """Lifetimes with these successes `[B, E, T]`; `names` `[B, E]` of contexts."""
    solved = np.array(success, np.float32)
    lifetimes, episodes, horizon = solved.shape
    start = np.zeros(solved.shape, bool)
    start[..., 0] = True
    context = np.zeros([lifetimes, episodes, horizon, 1], np.float32)
    if names is not None:
        context[:, :, 0, 0] = names  # a cue, as the families show it
    flat = [lifetimes, episodes * horizon]
    return Lifetimes(
        {
            "episode_start": start.reshape(flat),
            "context": context.reshape([*flat, 1]),
        },
        np.zeros([*flat, 4]),
        np.ones(flat, np.float32),
        np.ones(flat, bool),
        solved.reshape(flat),
    )


def test_success_is_of_the_last_episode_and_at_any_step() -> None:
    found = metrics(
        "metaworld_ml1_reach",
        by_hand([[[0, 0], [1, 0]], [[0, 1], [0, 0]], [[0, 0], [0, 1]]]),
    )
    assert found["success_rate"].mean == pytest.approx(2 / 3)
    assert found["success_rate_first_episode"].mean == pytest.approx(1 / 3)
    assert found["return"].mean == 4
    assert not [name for name in found if "exposure" in name]


def test_exposures_are_counted_by_context() -> None:
    success = [[[0], [0], [1], [1]], [[0], [1], [0], [1]]]
    found = metrics(
        "metaworld_ml1_reach_contextual",
        by_hand(success, [[1, -1, 1, -1], [-1, -1, 1, 1]]),
    )
    assert found["success_rate_exposure_1"].mean == 0
    assert found["success_rate_exposure_2"].mean == 1


def test_each_task_of_a_benchmark_has_a_rate() -> None:
    """Of last episodes: the second lifetime begins with reach and ends with push."""
    lived = by_hand([[[0], [1]], [[0], [1]], [[1], [0]]])
    task = np.array([["reach", "reach"], ["reach", "push-back"], ["push-back"] * 2])
    found = metrics("metaworld_ml10", lived._replace(task=task))
    assert found["success_rate_reach"].mean == 1
    assert found["success_rate_push_back"].mean == 0.5
    assert found["success_rate"].mean == pytest.approx(2 / 3)


def test_lifetimes_without_success_are_refused() -> None:
    with pytest.raises(UserError, match="was not recorded"):
        metrics("metaworld_ml10", by_hand([[[0]]])._replace(success=()))


def test_rates_are_means_over_goals_and_tasks() -> None:
    success = {"reach-v3": np.array([1.0, 1 / 3]), "door-open-v3": np.zeros(2)}
    found = estimates(Outcome(success, np.array([1.0, 3.0])))
    assert found["success_rate"].mean == pytest.approx(1 / 3)
    assert found["success_rate_reach"].mean == pytest.approx(2 / 3)
    assert found["success_rate_door_open"].mean == 0
    assert found["return"].mean == 2
    low, high = found["success_rate"].ci95
    assert 0 <= low < 1 / 3 < high <= 1


def test_the_learner_lives_as_the_collector_lets_agents_live(
    reach: Any, agent: Any, collector: Any
) -> None:
    """Told what a collected lifetime showed, it chooses the same actions."""
    seen = collector.collect(2, 0, 0)
    learner = MetaLearner(agent, len(seen.reward), seed=4)
    learner.init()  # seeds (4, 0), (4, 1), ... are those of the run 2's first rows
    shown = {key: leaf.numpy() for key, leaf in seen.observation.items()}
    for t in range(reach.lifetime_steps):
        observation = np.concatenate(
            [
                shown["stimulus"][:, t, :39],
                shown["previous_action"][:, t],
                shown["previous_reward"][:, t, None],
                np.zeros([len(seen.reward), 1]),
            ],
            axis=1,
        )
        action, _ = learner.adapt_action(observation)
        np.testing.assert_allclose(
            action, np.clip(seen.action.numpy()[:, t], -1, 1), atol=1e-4
        )
        ended = np.full(len(seen.reward), t % 7 == 6)
        learner.step(Timestep(observation, action, ended, ended & False, ended, {}))


def test_evaluated_episodes_begin_with_what_was_learnt(agent: Any) -> None:
    learner = MetaLearner(agent, 2)
    learner.init()
    random = np.random.default_rng(0)
    observations = random.normal(size=[4, 2, 45])
    learner.adapt_action(observations[0])
    learner.adapt()
    learner.reset(np.array([True, True]))
    first = [learner.eval_action(observation) for observation in observations[1:]]
    learner.reset(np.array([True, False]))
    again = learner.eval_action(observations[1])
    np.testing.assert_array_equal(again[0], first[0][0])
    assert not np.array_equal(again[1], first[0][1])
    learner.init()
    learner.adapt_action(observations[1])
    learner.adapt()
    learner.reset(np.array([True, True]))
    assert not np.array_equal(learner.eval_action(observations[1])[0], first[0][0])


@pytest.mark.slow  # 2 goals, 13 episodes each
def test_the_official_evaluation_runs_unchanged(reach: Any, agent: Any) -> None:
    told: list[int] = []
    outcome = metaworld_evaluation.run(
        agent, reach.held_out(), goals=2, horizon=6, report=told.append
    )
    assert told == [1, 2]
    assert set(outcome.success) == {"reach-v3"}
    assert outcome.success["reach-v3"].shape == outcome.returns.shape == (2,)
    assert (outcome.returns > 0).all()


def test_contextual_families_have_no_official_evaluation(contextual: Any) -> None:
    with pytest.raises(UserError, match="evaluate on metaworld_ml1_reach"):
        metaworld_evaluation.run(None, contextual)  # type: ignore[arg-type]


def test_rendering_says_what_it_needs(
    reach: Any, agent: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kerasmeta.training import metaworld_video

    class Dark:
        def __init__(self, **_: Any) -> None:
            raise RuntimeError("no\ndisplay")

    monkeypatch.setattr(metaworld_video, "_maker", lambda *_: Dark)
    with pytest.raises(UserError, match="MUJOCO_GL=osmesa") as caught:
        metaworld_video.write_video(agent, reach, tmp_path / "x.gif")
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "x.gif").exists()


def test_a_video_has_a_picture_of_every_fourth_step(
    reach: Any, agent: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenGL is not to be had everywhere: pictures are made up here."""
    from PIL import Image

    from kerasmeta.training import metaworld_video

    made = reach.goals().classes["reach-v3"]
    count = 0

    class Painted(made):  # type: ignore[misc]
        def __init__(self, **_: Any) -> None:
            super().__init__()

        def render(self) -> np.ndarray:
            nonlocal count
            count += 1
            return np.full([8, 8, 3], count % 255, np.uint8)

    monkeypatch.setattr(metaworld_video, "_maker", lambda *_: Painted)
    path = tmp_path / "x.gif"
    assert metaworld_video.write_video(agent, reach, path, episodes=2) == 4
    with Image.open(path) as video:
        assert video.n_frames == 4
