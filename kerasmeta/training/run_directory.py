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
        self.checkpoints_path = self.path / "checkpoints"
        self.events_path = self.path / "events"

    def exists(self) -> bool:
        """Whether a run has begun here."""
        return self.config_path.exists()

    def create(self, config: RunConfig, description: dict[str, Any]) -> None:
        """Begins a run: makes the directory and writes config.json.

        Raises:
            UserError: The directory holds something, or cannot be written.
        """
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise UserError(
                "--out",
                str(self.path),
                "exists and is not empty",
                "add --resume to go on with it, or choose another directory",
            )
        data = {
            "format": RUN_FORMAT,
            "kerasmeta": __version__,
            "run": config.model_dump(mode="json"),
            "provenance": provenance(),
            **description,
        }
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_atomically(self.config_path, to_json(data))
        except OSError as error:
            raise UserError(
                "--out",
                str(self.path),
                f"cannot be written ({error.strerror})",
                "choose a directory you may write to",
            ) from None

    def read(self) -> dict[str, Any]:
        """config.json as a dict.

        Raises:
            UserError: There is none, it is damaged, or it is of another format.
        """
        try:
            data = json.loads(self.config_path.read_text(encoding="utf-8"))
            found = data["format"]
        except FileNotFoundError:
            raise UserError(
                "run",
                str(self.path),
                "is not a run directory (it has no config.json)",
                "give a directory that kerasmeta train wrote, or a zoo id",
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                "run",
                str(self.config_path),
                f"cannot be read ({type(error).__name__})",
                "restore the file or train again",
            ) from None
        if found != RUN_FORMAT:
            raise UserError(
                "run",
                str(self.path),
                f"has format {found}, kerasmeta {__version__} reads {RUN_FORMAT}",
                "use the kerasmeta that wrote it "
                f"({data.get('kerasmeta', 'unknown')}) or train again",
            )
        return data

    def read_config(self) -> RunConfig:
        """The run's configuration."""
        return validate(RunConfig, self.read().get("run"), str(self.config_path))

    def read_metrics(self) -> list[dict[str, Any]]:
        """The rows of metrics.jsonl; a last line cut short is left out."""
        if not self.metrics_path.exists():
            return []
        rows = []
        with open(self.metrics_path, encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    rows.append(json.loads(line))
        return rows

    def keep_metrics_until(self, iteration: int) -> list[dict[str, Any]]:
        """Drops the rows beyond an iteration; returns those that stay."""
        rows = [row for row in self.read_metrics() if row["iteration"] <= iteration]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        write_atomically(self.metrics_path, text)
        return rows


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
