"""Stay probabilities of an agent over its seeds, and their figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from kerasmeta.analysis.behaviour.metrics import conditions_of, published_values
from kerasmeta.analysis.estimates import Estimate, proportion
from kerasmeta.analysis.families.two_step import episodic_repeat_counts, stay_counts
from kerasmeta.analysis.figures.stay_figure import stay_figure
from kerasmeta.analysis.over_seeds import over_seeds, statistic
from kerasmeta.analysis.published import published
from kerasmeta.analysis.study import Finding, Study
from kerasmeta.analysis.trials import (
    drifting_two_step_trials,
    episodic_two_step_trials,
    two_step_trials,
)
from kerasmeta.lifetimes import Lifetimes


def stay_probabilities(study: Study) -> Finding:
    """P(repeat an action) by that trial's reward and transition (Daw et al. 2011).

    Statistics: `stay_*`, after an uncued trial; where the family has cues,
    `episodic_repeat_*`, of the cued past trial. The figure shows the memory-lesioned
    twin, the optimal player (where nobody knows it, the model-based one) and published
    values beside the agent.
    """
    by_seed = [repeats(study.task, subject.lifetimes) for subject in study.subjects]
    lesioned = conditions_of(study, "memory_lesion")
    best = "optimal" if "optimal" in study.players else "model_based"
    optimal = repeats(study.task, study.players[best])
    sources = published_values(study)
    statistics = {
        metric: statistic(
            [estimates[metric] for estimates in by_seed],
            published={k: v[metric] for k, v in sources.items() if metric in v},
            **{best: optimal[metric].mean},
        )
        for metric in by_seed[0]
    }
    labels = {key: entry.label for key, entry in published(study.task).items()}
    twins = {name: _mean(study.task, rows) for name, rows in lesioned.items()}
    name, twin = next(iter(twins.items()), ("memory lesioned", None))

    def draw_stay() -> Figure:
        return stay_figure(
            {m: over_seeds([e[m] for e in by_seed]) for m in by_seed[0]},
            agent_name=study.agent,
            lesioned=twin,
            lesioned_name=name,
            optimal={metric: estimate.mean for metric, estimate in optimal.items()},
            optimal_name=best.replace("_", "-"),
            published={labels[key]: values for key, values in sources.items()},
        )

    return Finding(statistics, figures={"stay_probabilities": draw_stay})


def repeats(task_name: str, lifetimes: Lifetimes) -> dict[str, Estimate]:
    """`stay_*` and, for the episodic family, `episodic_repeat_*`."""
    if task_name == "two_step":
        counts = {"stay": stay_counts(two_step_trials(lifetimes))}
    elif task_name == "two_step_drift":
        counts = {"stay": stay_counts(drifting_two_step_trials(lifetimes))}
    else:
        trials = episodic_two_step_trials(lifetimes)
        counts = {
            "stay": stay_counts(trials),
            "episodic_repeat": episodic_repeat_counts(trials),
        }
    return {
        f"{prefix}_{trial_type}": proportion(count)
        for prefix, by_type in counts.items()
        for trial_type, count in by_type.items()
    }


def _mean(task_name: str, by_seed: Sequence[Lifetimes]) -> Mapping[str, Estimate]:
    found = [repeats(task_name, lifetimes) for lifetimes in by_seed]
    return {metric: over_seeds([f[metric] for f in found]) for metric in found[0]}
