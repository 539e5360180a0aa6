"""The pages on publishing, verifying, threats and the gateway: what they print runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness.command_line import STEPS_PER_ITERATION, make_run
from serving.processes import ROOT, Running, free_port

from export.gateway.errors import INTERNAL, REASONS

DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: str) -> list[tuple[str, str]]:
    """The (language, code) of a page's blocks, without commands that take minutes."""
    text = (DOCS / page).read_text(encoding="utf-8")
    slow = re.compile(r"^kerasmeta train .*\n", re.MULTILINE)
    return [(match[1], slow.sub("", match[2])) for match in BLOCK.finditer(text)]


def script(pages: list[str]) -> str:
    """One shell script of all blocks, in order; Python's become one program a page."""
    parts = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for page in pages:
        found = blocks(page)
        programs = [code for language, code in found if language == "python"]
        for language, code in found:
            if language == "sh":
                parts.append(code)
            elif code == programs[-1]:
                parts.append(f"python - <<'PROGRAM'\n{''.join(programs)}PROGRAM")
    return "\n".join(parts)


def run(folder: Path, text: str) -> str:
    """Runs a shell script in a folder, with this environment's programs first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "KERASMETA_CACHE": str(folder / "cache")}
    environment.pop("KERASMETA_REGISTRY", None)
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.slow
def test_publishing_and_verifying(tmp_path: Path) -> None:
    for seed in range(3):
        steps, changes = 2 * STEPS_PER_ITERATION, (f"seed={seed}",)
        make_run(tmp_path / f"runs/mine-{seed}", "lstm", steps, changes=changes)
    pages = ["publishing.md", "verifying.md", "threat-model.md"]
    printed = run(tmp_path, script(pages))
    assert "published two_step/mine@1" in printed
    assert (tmp_path / "registry/two_step/mine/1/model.sig").exists()
    assert "'step'" in printed


@pytest.fixture
def ports() -> dict[str, str]:
    """Free ports, by those that the page names."""
    return {name: str(free_port()) for name in ("8600", "8601")}


@pytest.mark.slow
def test_the_gateway(server: Running, ports: dict[str, str], tmp_path: Path) -> None:
    for program in ("curl", "bash"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")
    text = script(["gateway.md"]).replace("localhost:8500", server.grpc)
    listening = f"gateway --port {ports['8600']} --rest-port {ports['8601']} --serving"
    text = text.replace("gateway --serving", listening)
    for name, port in ports.items():
        text = text.replace(f"localhost:{name}", f"127.0.0.1:{port}")
    # The page waits for seconds; here the gateway may take longer to start.
    text = text.replace("curl --fail", "curl --retry 60 --retry-connrefused --fail")
    printed = run(tmp_path, text)
    assert '"step": 0' in printed


def test_the_table_of_reasons_is_complete() -> None:
    text = (DOCS / "gateway.md").read_text(encoding="utf-8")
    table = text.split("<!-- reasons -->")[1]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\d+) \| (\w+) \|", table, re.MULTILINE)
    assert [(name, code, int(http), kind) for name, code, http, kind in rows] == [
        (*reason, kind.__name__) for kind, reason in REASONS.items()
    ]
    assert f"`{INTERNAL.name}` ({INTERNAL.http})" in text


@pytest.mark.parametrize("page", ["publishing", "verifying", "gateway", "threat-model"])
def test_links_and_tests_named_exist(page: str) -> None:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert (DOCS / target).exists(), target
    for named in re.findall(r"`((?:tests|zoo|export|kerasmeta)/[\w/.-]+\.\w+)`", text):
        assert (ROOT / named).exists(), named
