"""A run directory: config.json, metrics.jsonl, checkpoints, event files, weights.

`config.json`, `weights.safetensors` and rewritten files appear by renaming a finished
temporary file, so a reader never sees half of one. `metrics.jsonl` grows by whole
lines; a resumed run first drops what lies beyond its checkpoint.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kerasmeta.errors import UserError
from kerasmeta.training.config import RUN_FORMAT, RunConfig, validate
from kerasmeta.training.provenance import provenance
from kerasmeta.version import __version__


class RunDirectory:
    """The files of one training run.

    Args:
        path: The directory. `create` makes it, `open` needs it.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.config_path = self.path / "config.json"
        self.metrics_path = self.path / "metrics.jsonl"
        self.weights_path = self.path / "weights.safetensors"
        self.start_path = self.path / "start.safetensors"  # of a fine-tuned agent
        self.checkpoints_path = self.path / "checkpoints"
        self.events_path = self.path / "events"

    def exists(self) -> bool:
        """Whether a run has begun here."""
        return self.config_path.exists()

    def check_free(self) -> None:
        """Refuses a path where no run can begin.

        Raises:
            UserError: It is a file, or a directory that holds something.
        """
        if self.exists():
            problem = "holds a run already"
            fix = "add --resume to go on with it, or choose another directory"
        elif self.path.is_dir() and set(self.path.iterdir()) - {self.start_path}:
            problem, fix = "is not empty", "choose another directory"
        elif self.path.exists() and not self.path.is_dir():
            problem, fix = "is not a directory", "choose another path"
        else:
            return
        raise UserError("--out", str(self.path), problem, fix)

    def create(self, config: RunConfig, description: dict[str, Any]) -> None:
        """Begins a run: makes the directory and writes config.json.

        Raises:
            UserError: The directory holds something, or cannot be written.
        """
        self.check_free()
        data = {
            "format": RUN_FORMAT,
            "kerasmeta": __version__,
            "run": config.model_dump(mode="json"),
            "provenance": provenance(),
            **description,
        }
        self.make()
        try:
            write_atomically(self.config_path, to_json(data))
        except OSError as error:
            raise self._unwritable(error) from None

    def make(self) -> None:
        """Makes the directory.

        Raises:
            UserError: It cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(
            "--out",
            str(self.path),
            f"cannot be written ({error.strerror})",
            "choose a directory you may write to",
        )

    def read(self) -> dict[str, Any]:
        """config.json as a dict.

        Raises:
            UserError: There is none, it is damaged, or it is of another format.
        """
        give = "give a directory that kerasmeta train wrote, or a zoo id"
        restore = "restore the file or train again"
        if not self.path.is_dir():
            problem = "is not a directory" if self.path.exists() else "does not exist"
            raise UserError("run", str(self.path), problem, give)
        try:
            data = json.loads(self.config_path.read_bytes())
            found = data["format"]
        except FileNotFoundError:
            problem = "is not a run directory (it has no config.json)"
            raise UserError("run", str(self.path), problem, give) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"cannot be read ({_reason(error)})"
            raise UserError("run", str(self.config_path), problem, restore) from None
        if found != RUN_FORMAT:
            raise UserError(
                "run",
                str(self.path),
                f"has format {found}, and kerasmeta {__version__} reads {RUN_FORMAT}",
                "use the kerasmeta that wrote it "
                f"({data.get('kerasmeta', 'unknown')}) or train again",
            )
        return data

    def read_config(self) -> RunConfig:
        """The run's configuration."""
        return validate(RunConfig, self.read().get("run"), str(self.config_path))

    def change_steps(self, steps: int) -> None:
        """Notes in config.json that the run now ends after another number of steps."""
        data = self.read()
        data["run"]["steps"] = steps
        write_atomically(self.config_path, to_json(data))

    def read_metrics(self) -> list[dict[str, Any]]:
        """The rows of metrics.jsonl; a last line cut short is left out.

        Raises:
            UserError: A line is damaged.
        """
        if not self.metrics_path.exists():
            return []
        with open(self.metrics_path, "rb") as lines:
            return [
                self._parse_row(line, number)
                for number, line in enumerate(lines, start=1)
                if line.endswith(b"\n")
            ]

    def _parse_row(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            row = json.loads(line)
            if all(isinstance(row[key], int) for key in ("iteration", "steps")):
                return row
            problem = "has no whole number of iterations and steps"
        except (ValueError, KeyError, TypeError) as error:
            problem = f"cannot be read ({_reason(error)})"
        raise UserError(
            "run",
            str(self.metrics_path),
            f"line {number} {problem}",
            "restore the file or train again",
        )

    def keep_metrics_until(self, iteration: int) -> list[dict[str, Any]]:
        """Drops the rows beyond an iteration; returns those that stay."""
        rows = [row for row in self.read_metrics() if row["iteration"] <= iteration]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        write_atomically(self.metrics_path, text)
        return rows


def _reason(error: Exception) -> str:
    """An exception as the end of a sentence."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, KeyError):
        return f"it has no {error}"
    return "it is not the JSON that was written"


def to_json(data: Any) -> str:
    """JSON as this project writes it to files."""
    return json.dumps(data, indent=2, sort_keys=True, allow_nan=False) + "\n"


def write_atomically(path: Path, text: str) -> None:
    """Writes a text file by renaming a finished temporary one."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that replaces it when the block succeeds."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
