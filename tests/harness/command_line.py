"""What tests of the command line share: small runs, and ways to damage them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

# Options of a run whose iterations take milliseconds once they are compiled.
TINY = (
    *("--set", "lifetimes=4", "--set", "task.trials=20"),
    *("--set", "agent.units=4", "--set", "agent.critic_units=4"),
    *("--set", "checkpoint_every=1", "--set", "metrics_every=1"),
)
STEPS_PER_ITERATION = 80


class Answer(NamedTuple):
    """What a command left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output as the one JSON object, on one line, that it must be."""
        assert self.status == 0, self.stderr
        assert self.stdout.endswith("\n")
        assert self.stdout.count("\n") == 1, self.stdout
        found = json.loads(self.stdout, parse_constant=_refuse)
        assert isinstance(found, dict)
        return found


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def assert_refused(answer: Answer, words: tuple[str, ...]) -> None:
    """Status 2, nothing on standard output, one line with these words on error."""
    assert answer.status == 2, answer
    assert answer.stdout == ""
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.endswith("\n")
    assert answer.stderr.count("\n") == 1, answer.stderr
    for word in words:
        assert word in answer.stderr, answer.stderr


def make_run(
    path: Path,
    kind: str,
    steps: int,
    task: str = "two_step",
    changes: tuple[str, ...] = (),
) -> None:
    """A run directory as `kerasmeta train TASK` leaves it after two iterations.

    `changes` are settings (`key=value`) besides those of `TINY`.

    The weights are those the run begins with: nothing is trained.
    """
    from kerasmeta._keras import tf
    from kerasmeta.agents import storage
    from kerasmeta.training.loop import Trainer
    from kerasmeta.training.recipes import recipe
    from kerasmeta.training.run_directory import RunDirectory

    settings = [*TINY[1::2], *changes, f"steps={steps}"]
    config = recipe(task, kind).with_overrides(settings)
    directory, trainer = RunDirectory(path), Trainer(config)
    assert trainer.steps_per_iteration == STEPS_PER_ITERATION
    directory.create(config, storage.describe(trainer.agent))
    manager = tf.train.CheckpointManager(
        trainer.checkpoint, str(directory.checkpoints_path), max_to_keep=2
    )
    lines = []
    for iteration in (1, 2):
        trainer.iterations.assign(iteration)
        manager.save(checkpoint_number=iteration)
        row = {
            "iteration": iteration,
            "steps": iteration * STEPS_PER_ITERATION,
            "reward_per_trial": 0.5,
            "kl": 0.01,
            "steps_per_second": 100.0,
            "wall_seconds": 0.8 * iteration,
        }
        lines.append(json.dumps(row) + "\n")
    directory.metrics_path.write_text("".join(lines))
    storage.save_weights(trainer.agent, directory.weights_path)


def snapshot(root: Path) -> dict[str, bytes | None]:
    """Every directory (None) and file (its content) below a directory."""
    found: dict[str, bytes | None] = {}
    for folder, directories, files in os.walk(root):
        for name in directories:
            found[os.path.join(folder, name)] = None
        for name in files:
            found[os.path.join(folder, name)] = Path(folder, name).read_bytes()
    return found


Damage = Callable[[Path], None]  # done to a directory


def write(path: str, content: str | bytes) -> Damage:
    """Replaces a file."""
    data = content.encode() if isinstance(content, str) else content
    return lambda root: (root / path).write_bytes(data) and None


def cut(path: str) -> Damage:
    """Leaves the first half of a file."""

    def damage(root: Path) -> None:
        data = (root / path).read_bytes()
        (root / path).write_bytes(data[: len(data) // 2])

    return damage


def flip(path: str) -> Damage:
    """Flips a bit in the middle of a file."""

    def damage(root: Path) -> None:
        data = bytearray((root / path).read_bytes())
        data[len(data) // 2] ^= 1
        (root / path).write_bytes(data)

    return damage


def remove(path: str) -> Damage:
    """Removes a file."""
    return lambda root: (root / path).unlink()


def edit(path: str, **changes: Any) -> Damage:
    """Changes entries of a JSON file."""

    def damage(root: Path) -> None:
        data = json.loads((root / path).read_bytes())
        (root / path).write_text(json.dumps({**data, **changes}))

    return damage
