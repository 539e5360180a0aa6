"""TensorBoard event files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter


class EventLog:
    """Writes rows of metrics.jsonl as TensorBoard scalars, by environment steps.

    Args:
        directory: Where the event files go.
        purge_from: The iteration a resumed run goes on from. TensorBoard forgets what
            an earlier process wrote beyond it.
    """

    def __init__(self, directory: Path, purge_from: int) -> None:
        self._writer = EventFileWriter(str(directory))
        start = SessionLog(status=SessionLog.START)
        self._writer.add_event(
            Event(wall_time=time.time(), step=purge_from, session_log=start)
        )

    def write(self, row: dict[str, Any]) -> None:
        """Adds the row's numbers at its iteration."""
        scalars = {k: v for k, v in row.items() if isinstance(v, float)}
        for name, mean in row.get("metrics", {}).items():
            if mean is not None:
                scalars[f"behaviour/{name}"] = mean
        summary = Summary(
            value=[Summary.Value(tag=k, simple_value=v) for k, v in scalars.items()]
        )
        self._writer.add_event(
            Event(wall_time=time.time(), step=row["iteration"], summary=summary)
        )

    def close(self) -> None:
        """Writes out what is left."""
        self._writer.close()
