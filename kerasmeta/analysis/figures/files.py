"""Figures as files: PNG for pages, SVG for papers, the same bytes every time."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from kerasmeta.analysis.figures.style import DPI, styled

# No dates and no program versions in the files.
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


def save(figure: Figure, path_stem: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Writes `<path_stem>.png` and `<path_stem>.svg`; returns both paths.

    Folders are made as needed. A file appears whole or not at all, and the same figure
    gives the same bytes (on one version of matplotlib).
    """
    png, svg = (_write(figure, Path(f"{os.fspath(path_stem)}.{k}")) for k in _METADATA)
    return png, svg


def _write(figure: Figure, path: Path) -> Path:
    kind = path.suffix[1:]
    buffer = io.BytesIO()
    with styled():
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=_METADATA[kind])
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(buffer.getvalue())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
