"""The program as its users start it: a process of its own."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from harness.command_line import TINY, Answer, assert_refused

from kerasmeta.version import __version__

PROGRAM = (sys.executable, "-m", "kerasmeta.cli")

WITHOUT_TENSORFLOW = """
import atexit, sys
atexit.register(lambda: print("tensorflow" in sys.modules, file=sys.stderr))
from kerasmeta.cli import main
main(sys.argv[1:])
"""

KERAS_3_FIRST = """
import os, sys
os.environ["TF_USE_LEGACY_KERAS"] = "0"
import tensorflow
import zoo
from kerasmeta import UserError
try:
    zoo.load("two_step/lstm", registry=sys.argv[1])
except UserError as error:
    sys.exit(f"error: {error}")
"""


def program(*arguments: str | Path, **environment: str) -> Answer:
    """Runs `kerasmeta ARGUMENTS` in a process of its own."""
    return process(*PROGRAM, *arguments, **environment)


def process(*words: str | Path, **environment: str) -> Answer:
    done = subprocess.run(
        [str(word) for word in words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "arguments", [["--help"], [], ["--version"], ["tasks"], ["zoo", "--help"]]
)
def test_what_needs_no_tensorflow_does_not_import_it(arguments: list[str]) -> None:
    answer = process(sys.executable, "-c", WITHOUT_TENSORFLOW, *arguments)
    assert answer.status == 0
    assert answer.stdout
    assert answer.stderr == "False\n"


def processor_time(*arguments: str) -> float:
    """Seconds that a call of the program took."""
    before = os.times()
    assert program(*arguments).status == 0
    after = os.times()
    return (
        after.children_user
        - before.children_user
        + after.children_system
        - before.children_system
    )


def test_help_takes_less_than_half_a_second_of_processor_time() -> None:
    # Others on the machine cost it caches and never save it time: the best of three.
    assert min(processor_time("--help") for _ in range(3)) < 0.5


def test_version() -> None:
    assert program("--version") == Answer(0, f"kerasmeta {__version__}\n", "")


def test_a_failing_command_writes_one_line_whatever_tensorflow_says(
    workplace: Path,
) -> None:
    answer = program("evaluate", "lstm", "--lesion", "memory", "--json")
    assert_refused(answer, ("--lesion 'memory'", "no memory"))


@pytest.mark.slow
def test_a_log_of_standard_error_holds_nothing_of_tensorflow(workplace: Path) -> None:
    answer = program("evaluate", "lstm", "--lifetimes", "2", "--json")
    assert answer.json["lifetimes"] == 2
    assert answer.stderr == ""


def test_keras_3_chosen_for_the_command(workplace: Path) -> None:
    answer = program("evaluate", "lstm", TF_USE_LEGACY_KERAS="0")
    assert_refused(answer, ("TF_USE_LEGACY_KERAS '0'", "Keras 3", "before tensorflow"))


@pytest.mark.slow
def test_keras_3_chosen_by_the_process(registry: Path) -> None:
    answer = process(sys.executable, "-c", KERAS_3_FIRST, registry)
    assert answer.status == 1  # sys.exit with a text
    assert_refused(
        answer._replace(status=2),
        ("TF_USE_LEGACY_KERAS '0'", "Keras 3", "before tensorflow"),
    )


def test_a_reader_that_goes_away_is_no_error() -> None:
    line = f"{shlex.join(PROGRAM)} --help | head -c 1"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on_and_that_works(
    tmp_path: Path, command_line: Any
) -> None:
    out = tmp_path / "a run"
    train = ["train", "two_step", "--agent", "lstm", *TINY, "--out", str(out)]
    running = subprocess.Popen(
        [*PROGRAM, *train, "--steps", "8000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, SIGINT is ignored and inherited so.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stderr is not None
    assert running.stderr.readline().startswith("training   0%  80/8,000,000 steps")
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 130
    assert stdout == ""
    last = stderr.splitlines()[-1]
    told = "interrupted; go on with: kerasmeta "
    assert last.startswith(told)
    command = shlex.split(last.removeprefix(told))
    assert command[-1] == "--resume"
    command[command.index("8000000")] = "8000"  # less than half a minute
    resumed = command_line(*command, "--json")
    assert resumed.json["run"] == str(out)
    assert resumed.json["steps"] >= 8000
