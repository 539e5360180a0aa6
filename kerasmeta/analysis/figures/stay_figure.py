"""The figure every two-step paper shows: P(stay) by reward and transition."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.families.two_step import TRIAL_TYPES
from kerasmeta.analysis.figures.stay_panel import (
    Drawn,
    Panel,
    Values,
    draw_panel,
    marker,
)
from kerasmeta.analysis.figures.style import GREY, INK, legend_above, styled
from kerasmeta.errors import UserError

_STAY = Panel(
    "stay", "Incremental control", "P(repeat last action)", "outcome of the last trial"
)
_EPISODIC = Panel(
    "episodic_repeat",
    "Episodic control",
    "P(repeat cued trial's action)",
    "outcome of the cued past trial",
)


def stay_figure(
    agent: Mapping[str, Estimate],
    *,
    agent_name: str = "agent",
    lesioned: Mapping[str, Estimate] | None = None,
    lesioned_name: str = "memory lesioned",
    optimal: Values | None = None,
    optimal_name: str = "optimal",
    published: Mapping[str, Values] | None = None,
) -> Figure:
    """Bars of an agent's repeat probabilities with 95% intervals, and references.

    Two-step metrics give one panel; episodic two-step metrics give two, incremental
    (uncued trials) and episodic (cued trials).

    Args:
        agent: What `metrics` gave for the agent.
        agent_name: Its name in the legend.
        lesioned: The same with a part switched off, drawn as hollow bars.
        lesioned_name: Its name in the legend.
        optimal: An optimal player's metrics, drawn as a line across the bars.
        optimal_name: Its name in the legend.
        published: Values by label ("Wang et al. 2018"), drawn as markers beside the
          bars. Metrics that a source lacks are left out, and so is a source that has
          none of them.

    Raises:
        UserError: `agent` has no stay probabilities.
    """
    panels = [p for p in (_STAY, _EPISODIC) if f"{p.prefix}_common_rewarded" in agent]
    if not panels:
        raise UserError(
            "agent",
            sorted(agent),
            "these metrics have no stay probabilities",
            "pass the metrics of two_step or episodic_two_step",
        )
    agents: list[tuple[str, Values]] = [(agent_name, agent)]
    if lesioned is not None:
        agents.append((lesioned_name, lesioned))
    shown = {f"{p.prefix}_{name}" for p in panels for name in TRIAL_TYPES}
    sources = {k: v for k, v in (published or {}).items() if shown & set(v)}
    return _draw(panels, Drawn(agents, optimal, sources, optimal_name))


def _draw(panels: list[Panel], drawn: Drawn) -> Figure:
    with styled():
        layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06, wspace=0.06)
        width = 6.0 if len(panels) == 1 else 9.0
        figure = Figure(figsize=(width, 3.7), layout=layout)
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for ax, panel in zip(axes, panels, strict=True):
            draw_panel(ax, panel, drawn)
        if len(panels) == 1:
            axes[0].set_title("")
        _draw_legend(figure, drawn)
    return figure


def _draw_legend(figure: Figure, drawn: Drawn) -> None:
    handles: list[Patch | Line2D] = []
    for i, (name, _) in enumerate(drawn.agents):
        face = GREY if i == 0 else "white"
        handles.append(Patch(facecolor=face, edgecolor=GREY, linewidth=1.3, label=name))
    if drawn.optimal is not None:
        handles.append(Line2D([], [], color=INK, linewidth=2, label=drawn.optimal_name))
    handles += [
        Line2D([], [], **marker(i), label=label)
        for i, label in enumerate(drawn.published)
    ]
    legend_above(figure, handles)
