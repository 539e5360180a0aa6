"""The page on serving: its commands and programs run against the protocol server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from serving.processes import Running
from serving.test_documents import DOCS, ROOT, run, script

from export import errors
from export.batching import ALLOWED_BATCH_SIZES


@pytest.mark.slow
def test_the_page_runs(server: Running, tmp_path: Path) -> None:
    text = script(["serving.md"]).replace("localhost:8500", server.grpc)
    printed = run(tmp_path, text)
    assert "the loss fell: True" in printed
    assert (tmp_path / "served" / "models.config").exists()
    assert (tmp_path / "exported" / "1" / "saved_model.pb").exists()


def test_links_and_files_named_exist() -> None:
    text = (DOCS / "serving.md").read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)\)", prose):
        assert (DOCS / target).exists(), target
    for named in re.findall(r"`((?:tests|export)/[\w/.-]+)`", text):
        assert (ROOT / named).exists(), named
    *some, last = map(str, ALLOWED_BATCH_SIZES)
    assert f"batches of {', '.join(some)} and {last}" in " ".join(text.split())
    assert "`export/errors.py`" in text
    assert errors.__doc__
