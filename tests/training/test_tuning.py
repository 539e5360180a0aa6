"""Searches: their space, their results, and what survives a kill.

KERASMETA_KILLS=1 has a killed search resumed by one process as well.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kerasmeta.analysis.figures.search_figure import best_so_far, search_figure
from kerasmeta.errors import UserError
from kerasmeta.training import tuning
from kerasmeta.training.config_file import read_config
from kerasmeta.training.loop import train
from kerasmeta.training.recipes import recipe
from kerasmeta.training.run_directory import RunDirectory, to_json
from kerasmeta.training.tuning import results, searching
from kerasmeta.training.tuning.oracles import make_oracle, part_of_steps
from kerasmeta.training.tuning.results import Results, SeedResult, Trial, score
from kerasmeta.training.tuning.seeds import SeedTrainer
from kerasmeta.training.tuning.space import dimensions, settings

TINY = ["lifetimes=4", "task.trials=20", "agent.critic_units=4"]
SEARCHED = ("trpo.delta=0.001:0.1", "agent.units=4,5,6")
KILLS = int(os.environ.get("KERASMETA_KILLS", "0"))


def search_config(**changes: Any) -> tuning.SearchConfig:
    run = recipe("two_step", "lstm").with_overrides(TINY)
    values = {
        "run": run,
        "steps": 160,
        "dimensions": dimensions("lstm", SEARCHED),
        "algorithm": "random",
        "trials": 4,
        "seeds": 2,
    }
    return tuning.SearchConfig(**{**values, **changes})


class Pretend:
    """Trains nothing: the score is a known function of the values."""

    def __init__(self) -> None:
        self.trained: list[tuple[str, int]] = []
        self.steps: list[int] = []
        self.die_at: int | None = None

    def __call__(self, config: Any, seeds: list[int], path: Path, trial: str) -> None:
        kept = Results(path)
        for seed in seeds:
            if kept.read(trial, seed) is not None:
                continue
            if len(self.trained) == self.die_at:
                raise KeyboardInterrupt
            self.trained.append((trial, seed))
            self.steps.append(config.steps)
            found = -((math.log(config.trpo.delta) - math.log(0.01)) ** 2) - 0.01 * seed
            kept.write(trial, SeedResult(seed, found, [config.steps], [found], 1.0))


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    pretended = Pretend()
    monkeypatch.setattr(searching, "run_seeds", pretended)
    return pretended


def test_the_space_is_what_the_issue_asks_for() -> None:
    keys = {dimension.key for dimension in dimensions("ep_lstm")}
    assert keys == {
        *("trpo.delta", "trpo.damping", "trpo.gamma", "trpo.td_lambda"),
        *("agent.units", "trpo.critic_learning_rate", "agent.memory.read"),
    }
    assert keys - {d.key for d in dimensions("lstm")} == {"agent.memory.read"}
    for dimension in dimensions("ep_lstm"):  # each of them is a setting
        for value in dimension.examples:
            changed = recipe("two_step", "ep_lstm").with_overrides(
                settings({dimension.key: value})
            )
            assert changed.settings()[dimension.key] == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trpo.delt", "did you mean 'trpo.delta'"),
        ("trpo.backtrack", "has no values"),
        ("trpo.delta=0.1:0.01", "the lower one first"),
        ("trpo.delta=0:1", "two numbers above 0"),
        ("trpo.delta=a:b", "is no range of numbers"),
        ("agent.units=4", "fewer than two values"),
        ("agent.memory.read", "which an lstm agent lacks"),
    ],
)
def test_what_cannot_be_searched_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        dimensions("lstm", [text])


def test_values_that_a_run_would_refuse_are_refused_before_anything_is_tried(
    tmp_path: Path,
) -> None:
    bad = search_config(dimensions=dimensions("lstm", ["trpo.gamma=0.5:2"]))
    with pytest.raises(UserError, match=r"trpo\.gamma 2\.0"):
        searching.search(bad, tmp_path / "search")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("algorithm", ["random", "bayesian"])
def test_every_trial_is_trained_from_every_seed(
    algorithm: str, pretend: Pretend, tmp_path: Path
) -> None:
    config = search_config(algorithm=algorithm)
    found = searching.search(config, tmp_path / "s")
    assert pretend.trained == [(str(t), seed) for t in range(4) for seed in (0, 1)]
    assert len({json.dumps(trial.values) for trial in found}) == 4
    best = tuning.best_config(config, found)
    assert best is not None
    scores = [trial.score or math.nan for trial in found]
    values = found[int(np.argmax(scores))].values
    assert best.trpo.delta == values["trpo.delta"]
    assert best.agent.units == values["agent.units"]
    assert best.steps == config.run.steps


@pytest.mark.slow
def test_the_gaussian_process_searches_where_it_is_good(
    pretend: Pretend, tmp_path: Path
) -> None:
    """The last of 20 trials are closer to the optimum, 0.01, than chance would be."""
    only = dimensions("lstm", ["trpo.delta=0.0001:1.0"])
    config = search_config(algorithm="bayesian", trials=20, seeds=1, dimensions=only)
    found = searching.search(config, tmp_path / "s")
    away = [abs(math.log(trial.values["trpo.delta"] / 0.01)) for trial in found]
    assert np.mean(away[-5:]) < 0.5  # by chance 2.3


def test_hyperband_gives_few_trials_all_the_steps(
    pretend: Pretend, tmp_path: Path
) -> None:
    config = search_config(algorithm="hyperband", trials=13, seeds=1, steps=900)
    found = searching.search(config, tmp_path / "s")
    assert pretend.steps == [100] * 9 + [300] * 3 + [900]
    best = max(found[:9], key=lambda trial: trial.score or -math.inf)
    assert found[-1].values["trpo.delta"] == best.values["trpo.delta"]
    assert results.ranked(found)[0] is found[-1]


def test_a_search_that_was_stopped_repeats_no_finished_seed(
    pretend: Pretend, tmp_path: Path
) -> None:
    config, path = search_config(), tmp_path / "s"
    for stop in (1, 4, 7):  # within a trial, between two, within the last
        pretend.die_at = stop
        with pytest.raises(KeyboardInterrupt):
            searching.search(config, path, resume=stop > 1)
    pretend.die_at = None
    found = searching.search(config, path, resume=True)
    wanted = [(str(trial), seed) for trial in range(4) for seed in (0, 1)]
    assert sorted(pretend.trained) == wanted
    assert len(found) == 4
    # Nothing is left, and more can be asked for.
    searching.search(config, path, resume=True)
    assert len(pretend.trained) == 8
    more = config.model_copy(update={"trials": 5})
    assert len(searching.search(more, path, resume=True)) == 5
    assert len(pretend.trained) == 10


def test_a_trial_whose_beginning_was_not_noted_is_run(
    pretend: Pretend, tmp_path: Path
) -> None:
    """As after a kill between keras-tuner's two files."""
    config, path = search_config(seeds=1), tmp_path / "s"
    pretend.die_at = 1
    with pytest.raises(KeyboardInterrupt):
        searching.search(config, path)
    state = path / "tuner" / "oracle.json"
    data = json.loads(state.read_bytes())
    data |= {"ongoing_trials": {}, "start_order": ["0"]}
    state.write_text(json.dumps(data))
    pretend.die_at = None
    found = searching.search(config, path, resume=True)
    assert sorted(trial.id for trial in found) == ["0", "1", "2", "3"]


def test_another_search_is_not_resumed(pretend: Pretend, tmp_path: Path) -> None:
    path = tmp_path / "s"
    searching.search(search_config(trials=1), path)
    with pytest.raises(UserError, match="add --resume to go on"):
        searching.search(search_config(trials=1), path)
    with pytest.raises(UserError, match="was begun with other options"):
        searching.search(search_config(seeds=3), path, resume=True)
    with pytest.raises(UserError, match="holds no search"):
        searching.search(search_config(), tmp_path / "none", resume=True)


def test_a_seed_that_diverges_makes_no_best(tmp_path: Path) -> None:
    good = SeedResult(0, 0.6, [80], [0.6], 1.0)
    bad = SeedResult(1, None, [], [], 1.0)
    values = {"trpo.delta": 0.02, "agent.units": 4}
    trials = [Trial("0", values, (good, bad)), Trial("1", values, (good, good))]
    assert trials[0].score is None
    assert results.ranked(trials)[0].id == "1"
    assert tuning.best_config(search_config(), trials[:1]) is None
    rows = results.table(search_config(), trials)
    assert rows[1] == ["1", 0.02, 4, 80, 0.6, 0.6, 0.6]
    assert rows[2][:4] == ["0", 0.02, 4, 80]


def test_the_score_is_that_of_the_last_tenth() -> None:
    assert score([0.0] * 90 + [0.5] * 10) == 0.5
    assert score([0.0, 0.25, 0.5, 0.5, 0.5, 0.75]) == 0.5  # of the last five
    assert score([0.5, math.nan]) is None


def test_the_figure_has_a_panel_for_each_setting() -> None:
    values = {"trpo.delta": [0.01, 0.1, 0.02], "agent.memory.read": ["a", "b", "a"]}
    figure = search_figure([0.5, math.nan, 0.6], values, ["trpo.delta"])
    labels = [axes.get_xlabel() for axes in figure.axes]
    assert labels == ["trial", "delta", "read"]
    assert figure.axes[1].get_xscale() == "log"
    np.testing.assert_array_equal(
        best_so_far(np.array([np.nan, 0.5, 0.4, np.nan, 0.6])),
        [np.nan, 0.5, 0.5, 0.5, 0.6],
    )


def test_hyperbands_budgets() -> None:
    assert part_of_steps({"tuner/epochs": 3}) == pytest.approx(1 / 3)
    assert part_of_steps({}) == 1.0
    assert make_oracle(search_config(algorithm="hyperband")).max_trials == 4


def test_configurations_in_files(tmp_path: Path) -> None:
    file = tmp_path / "best.json"
    best = recipe("two_step", "lstm").with_overrides(["trpo.delta=0.02"])
    file.write_text(to_json(best.model_dump(mode="json")))
    assert read_config(file) == best
    assert read_config(file, "two_step", "lstm") == best
    file.write_text(to_json({"format": 1, "run": best.model_dump(mode="json")}))
    assert read_config(file) == best
    with pytest.raises(UserError, match=r"--agent 'ep_lstm': is not that of"):
        read_config(file, "two_step", "ep_lstm")
    with pytest.raises(UserError, match="TASK 'bandit'"):
        read_config(file, "bandit")
    start = {"agent": "a/b@1", "weights_sha256": "0"}
    file.write_text(to_json({**best.model_dump(mode="json"), "start": start}))
    with pytest.raises(UserError, match=r"was fine-tuned from a/b@1"):
        read_config(file)
    file.write_text("{")
    with pytest.raises(UserError, match="it is not JSON"):
        read_config(file)
    with pytest.raises(UserError, match="No such file"):
        read_config(tmp_path / "none.json")


@pytest.mark.slow
def test_seeds_share_a_program_and_learn_what_they_would_alone(tmp_path: Path) -> None:
    changes = [*TINY, "agent.units=4", "steps=400"]
    config = recipe("two_step", "lstm").with_overrides(changes)
    shared = SeedTrainer(config)
    alone = train(config.with_overrides(["seed=5"]), RunDirectory(tmp_path / "run"))
    wanted = [row["reward_per_trial"] for row in alone.rows]
    for seed in (2, 5):  # another one first
        found = shared.rewards(seed)
    assert found == wanted
    assert shared._compiled.experimental_get_tracing_count() == 1


COMMAND = [
    *(sys.executable, "-m", "kerasmeta.cli", "tune", "two_step", "--agent", "lstm"),
    *("--steps", "160", "--seeds", "1", "--search", "trpo.delta", "--json"),
    *(word for setting in TINY for word in ("--set", setting)),
    *("--set", "agent.units=4", "--algorithm", "random"),
]


def finished(path: Path) -> dict[Path, int]:
    """When each seed's result was written."""
    files = (path / "trials").glob("*/seed_*.json")
    return {file: file.stat().st_mtime_ns for file in files}


def wait_for(path: Path, count: int, process: Any) -> None:
    """Until so many seeds have a result."""
    deadline = time.monotonic() + 300
    while len(finished(path)) < count:
        assert process.poll() is None, "the search ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def go_on_alone(command: list[str]) -> str:
    """Resumes a search in one process; what it prints."""
    ended = subprocess.run([*command, "--resume"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def go_on_together(command: list[str]) -> str:
    """Resumes a search as a chief with two workers; what the chief prints."""
    address = f"127.0.0.1:{20000 + os.getpid() % 20000}"
    chief = subprocess.Popen(
        [*command, "--resume", "--chief", address], stdout=subprocess.PIPE, text=True
    )
    work = [*command, "--worker", address]
    workers = [subprocess.Popen(work, stdout=subprocess.PIPE) for _ in range(2)]
    for worker in workers:
        worker.communicate(timeout=300)
    assert [worker.returncode for worker in workers] == [0, 0]
    printed, _ = chief.communicate(timeout=120)
    assert chief.returncode == 0
    return printed


@pytest.mark.slow
@pytest.mark.parametrize(
    "go_on", [go_on_together, go_on_alone] if KILLS else [go_on_together]
)
def test_killed_and_resumed(go_on: Callable[[list[str]], str], tmp_path: Path) -> None:
    """One process is killed; a chief and two workers share what was left to do."""
    out = tmp_path / "search"
    command = [*COMMAND, "--trials", "2", "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    wait_for(out, 1, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    before = finished(out)
    answer = json.loads(go_on(command))
    assert len(answer["trials"]) == len(finished(out)) == 2
    assert {file: finished(out)[file] for file in before} == before
    assert {Path(file).name for file in answer["files"]} == {
        *("results.csv", "search.png", "search.svg")
    }
    best = max(answer["trials"], key=lambda trial: trial["reward_per_trial"])
    delta = read_config(Path(answer["best"])).trpo.delta
    assert delta == best["values"]["trpo.delta"]
