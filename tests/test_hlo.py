"""Compiled programs run in another runtime and give the same numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SMALL = ("task.uncued_trials=6", "task.cued_trials=6", "agent.units=8")


@pytest.mark.slow
@pytest.mark.parametrize("program", ["collect", "update"])
def test_a_program_runs_in_jaxlib(program: str, tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="the benchmarks' environment has it")
    from benchmarks import hlo

    if program == "collect":
        hlo.write_collection(tmp_path, 16, SMALL)
    else:
        hlo.write_update(tmp_path, 32, rows=16, overrides=SMALL)
    ended = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/hlo_run.py"), str(tmp_path), "2"],
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(ended.stdout.splitlines()[-1])
    assert answer["largest_difference"] < 1e-3
    assert answer["tile"] == (2 if program == "update" else 1)
