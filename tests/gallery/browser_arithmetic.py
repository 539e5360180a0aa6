"""The gallery's scripts, run by a JavaScript engine without a browser.

Playwright's wheel carries node, so that no other has to be installed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kerasmeta.gallery.playing import STATIC

HERE = Path(__file__).parent


def node() -> str:
    """Playwright's node, else the system's; skips the test where there is none."""
    try:
        import playwright
    except ImportError:
        found = None
    else:
        driver = Path(playwright.__file__).parent / "driver" / "node"
        found = str(driver) if driver.exists() else None
    found = found or shutil.which("node")
    if found is None:
        pytest.skip("node is not installed: the gallery's scripts are not checked")
    return found


def call(name: str, data: Any) -> Any:
    """Calls a function of `replay.mjs`."""
    done = subprocess.run(
        [node(), str(HERE / "replay.mjs"), str(STATIC / "js")],
        input=json.dumps({"call": name, "data": data}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def plain(value: Any) -> Any:
    """Tensors and arrays as JSON has them."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def observation_at(observation: dict[str, Any], row: int) -> dict[str, Any]:
    """One lifetime's part of a batch of observations."""
    return {name: plain(value[row]) for name, value in observation.items()}
