"""Progress in a log and on a terminal, and what Ctrl-C says."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kerasmeta.cli import console, progress
from kerasmeta.cli.progress import (
    LogProgress,
    log_line,
    stage_progress,
    training_progress,
)

TOTAL = 1000


def row(steps: int) -> dict[str, Any]:
    return {
        "steps": steps,
        "reward_per_trial": 0.6543,
        "kl": 0.00987,
        "steps_per_second": 250.0,
    }


def test_a_line_tells_reward_kl_speed_and_time_left() -> None:
    assert log_line(row(250), TOTAL) == (
        "training  25%  250/1,000 steps  reward/trial 0.654  KL 0.0099  250 steps/s"
        "  0:00:03 left"
    )


def test_time_left_in_hours() -> None:
    assert log_line(row(0), 250 * (7200 + 180 + 5)).endswith("  2:03:05 left")


def lines_at(
    capsys: pytest.CaptureFixture[str], reports: list[tuple[float, int]]
) -> list[int]:
    """The steps of the lines that reports (seconds, steps) lead to."""
    seconds = iter([time for time, _ in reports])
    report = LogProgress(TOTAL, clock=lambda: next(seconds))
    told = []
    for _, steps in reports:
        report(row(steps))
        if capsys.readouterr().err:
            told.append(steps)
    return told


def test_a_log_gets_the_first_and_the_last_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert lines_at(capsys, [(0, 10), (0.1, 20), (0.2, 1000)]) == [10, 1000]


def test_a_slow_run_tells_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    reports = [(4.0 * n, n) for n in range(1, 10)]  # at 4, 8, ... seconds
    assert lines_at(capsys, reports) == [1, 4, 7]


def test_a_fast_run_tells_every_twentieth_but_not_twice_a_second(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reports = [(2.0 * n, 20 * n) for n in range(1, 8)]  # 2 % in 2 seconds
    assert lines_at(capsys, reports) == [20, 80, 140]
    reports = [(0.25 * n, 100 * n) for n in range(1, 10)]  # 10 % in 1/4 second
    assert lines_at(capsys, reports) == [100, 500, 900]


def test_nothing_is_said_before_training_gets_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with training_progress(TOTAL):
        pass
    assert capsys.readouterr().err == ""


def test_the_bar_starts_where_a_resumed_run_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = io.StringIO()
    terminal = Console(file=drawn, force_terminal=True, width=120)
    monkeypatch.setattr(console, "err", terminal)
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with training_progress(TOTAL) as report:
        report(row(400))
    assert "40%" in drawn.getvalue()
    assert "reward/trial 0.654  KL 0.0099  250 steps/s" in drawn.getvalue()


def test_stages_are_lines_in_a_log_and_a_bar_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with stage_progress("analysing", 2) as tell:
        tell("behaviour")
        tell("writing")
    told = capsys.readouterr().err
    assert told == "analysing 1/2  behaviour\nanalysing 2/2  writing\n"
    drawn = io.StringIO()
    terminal = Console(file=drawn, force_terminal=True, width=120)
    monkeypatch.setattr(console, "err", terminal)
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with stage_progress("analysing", 2) as tell:
        tell("behaviour")
        tell("writing")
    assert "100%" in drawn.getvalue()
    assert "writing" in drawn.getvalue()


def interrupt(*arguments: Any, **options: Any) -> None:
    raise KeyboardInterrupt


TRAIN = (
    *("train", "two_step", "--agent", "lstm", "--set", "agent.units=4"),
    *("--steps", "900", "--seed", "2"),
)


def test_ctrl_c_during_training_says_how_to_go_on(
    command_line: Any, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin_and_interrupt(config: Any, directory: Any, **options: Any) -> None:
        directory.create(config, {})
        raise KeyboardInterrupt

    monkeypatch.setattr("kerasmeta.training.loop.train", begin_and_interrupt)
    answer = command_line(*TRAIN, "--out", "a run", "--json")
    assert answer.status == 130
    assert answer.stdout == ""
    assert answer.stderr == (
        "interrupted; go on with: kerasmeta train two_step --agent lstm --seed 2 "
        "--set agent.units=4 --steps 900 --out 'a run' --resume\n"
    )


def test_ctrl_c_before_training(
    command_line: Any, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kerasmeta.training.loop.train", interrupt)
    answer = command_line(*TRAIN, "--out", "new")
    assert answer.status == 130
    assert answer.stderr == "interrupted before the run began; nothing was written\n"


def test_ctrl_c_elsewhere(
    command_line: Any, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kerasmeta.cli.agents.load_agent", interrupt)
    answer = command_line("evaluate", "lstm")
    assert (answer.status, answer.stderr) == (130, "interrupted\n")
