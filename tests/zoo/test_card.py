"""Cards and the table: rendered from manifests alone."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import zoo
from kerasmeta.errors import UserError
from zoo.card import render
from zoo.markdown import interval, table
from zoo.table import MARKER, agents_table, replace_table


@pytest.fixture
def manifest(registry: zoo.Registry) -> zoo.Manifest:
    return registry.show("two_step/ep_lstm")


def _front_matter(card: str) -> dict[str, Any]:
    """Each `key: value` of the front matter; the values are JSON, a part of YAML."""
    match = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    assert match
    entries = re.split(r"\n(?=\S)", match[1])
    pairs = (entry.split(": ", 1) for entry in entries)
    return {key: json.loads(value) for key, value in pairs}


def test_the_published_card_is_rendered_from_the_manifest(
    registry: zoo.Registry, manifest: zoo.Manifest
) -> None:
    text = (registry.directory("two_step/ep_lstm") / "README.md").read_text("utf-8")
    assert text == render(manifest)
    assert text == zoo.Card(manifest).markdown


def test_front_matter(manifest: zoo.Manifest) -> None:
    found = _front_matter(render(manifest))
    assert found["license"] == "apache-2.0"
    (entry,) = found["model-index"]
    assert entry["name"] == "two_step/ep_lstm"
    (result,) = entry["results"]
    assert result["dataset"]["type"] == "two_step"
    assert [(m["type"], m["value"]) for m in result["metrics"]] == [
        ("reward_per_trial", 0.71),
        ("stay", 0.9),
    ]
    assert result["metrics"][0]["args"] == {"ci95": [0.7, 0.72]}


def test_front_matter_has_no_number_that_yaml_reads_as_text(
    manifest: zoo.Manifest,
) -> None:
    """YAML 1.1 takes 1e-05 for a string."""
    tiny = zoo.Estimate(mean=1e-5, ci95=(-1e-7, 2e-5))
    evaluation = manifest.evaluation.model_copy(
        update={"metrics": {**manifest.evaluation.metrics, "stay": tiny}}
    )
    card = render(manifest.model_copy(update={"evaluation": evaluation}))
    assert not re.search(r"\d[eE][-+]?\d", card.split("---\n")[1])


def test_tables_of_a_card(manifest: zoo.Manifest) -> None:
    lines = render(manifest).splitlines()
    assert "| metric | this agent | memory lesioned | random | optimal |" in lines
    reward = (
        "| `reward_per_trial` | 0.710 [0.700, 0.720] | 0.650 [0.640, 0.660] "
        "| 0.500 | 0.750 |"
    )
    assert reward in lines
    assert "| metric | seed 3 (published) | seed 4 |" in lines
    assert "- Wang, figure 3" in lines
    assert 'agent = zoo.load("two_step/ep_lstm@1")' in lines


def test_a_truncated_budget_is_named_so(manifest: zoo.Manifest) -> None:
    record = manifest.provenance
    assert "truncated" not in render(manifest)
    cut = record.model_copy(update={"full_steps": 10 * record.steps})
    card = render(manifest.model_copy(update={"provenance": cut}))
    words = f"{record.steps:,}, a truncated budget: the recipe has {cut.full_steps:,}"
    assert words in card


def test_a_card_shown_in_a_notebook_has_no_front_matter(manifest: zoo.Manifest) -> None:
    card = zoo.Card(manifest)
    assert card._repr_markdown_().startswith("# two_step/ep_lstm, version 1")
    assert card.id == "two_step/ep_lstm@1"
    assert card.metrics["stay"].mean == 0.9


def test_the_readme_table(manifest: zoo.Manifest) -> None:
    text = agents_table([manifest, manifest])
    assert len(text.splitlines()) == 4
    row = text.splitlines()[2]
    assert "`two_step/ep_lstm`" in row
    assert "memory: `reward_per_trial` 0.650 [0.640, 0.660]" in row
    assert "`stay`" not in row
    assert row.endswith("| 2 |")


def test_replacing_the_table_touches_nothing_else(manifest: zoo.Manifest) -> None:
    readme = f"# Title\n\n{MARKER}\nold\n{MARKER}\n\nend\n"
    once = replace_table(readme, [manifest])
    assert once == readme.replace("old", agents_table([manifest]))
    assert replace_table(once, [manifest]) == once
    for broken in ("no marker", f"{MARKER} one", MARKER * 3):
        with pytest.raises(UserError, match="zoo-table"):
            replace_table(broken, [manifest])


def test_cells_cannot_break_a_table() -> None:
    assert table(["a"], [["x | y\nz"]]).splitlines()[2] == "| x \\| y z |"


def test_numbers() -> None:
    assert interval(0.5, (0.4, 0.6)) == "0.500 [0.400, 0.600]"
    assert interval(4812.345, (4800.0, 99.0)) == "4812.3 [4800.0, 99.000]"


def test_the_hub_reads_the_card(manifest: zoo.Manifest) -> None:
    """By the Hub's own parser, which renders the metrics on an agent's page."""
    from huggingface_hub import ModelCard

    data = ModelCard(render(manifest)).data
    assert data.license == "apache-2.0"
    assert data.library_name == "kerasmeta"
    assert data.model_name == manifest.id
    assert "two_step" in data.tags
    results = {result.metric_type: result for result in data.eval_results}
    assert set(results) == set(manifest.evaluation.metrics)
    reward = results["reward_per_trial"]
    assert (reward.metric_value, reward.dataset_type) == (0.71, "two_step")
    assert reward.task_type == "reinforcement-learning"
