"""What false rewards do to choice while the weights are frozen (simulation 6)."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from kerasmeta.analysis.behaviour.metrics import conditions_of
from kerasmeta.analysis.estimates import Estimate, mean_over_lifetimes
from kerasmeta.analysis.families.debriefing import debriefed
from kerasmeta.analysis.families.risky_safe import risky_choices, risky_counts
from kerasmeta.analysis.figures.bar_panel import Panel, bar_figure
from kerasmeta.analysis.over_seeds import statistic
from kerasmeta.analysis.study import Finding, Study
from kerasmeta.lifetimes import Lifetimes

EXPERIMENT = "rpe_perturbation"
CONTROL = "control"
LEVERS = ("favourable", "unfavourable")  # the risky lever
# Of the shift of risky choices, by perturbation (Stopper et al. 2014).
PUBLISHED_SIGNS: Mapping[str, int] = {
    "block_risky_reward": -1,
    "block_safe_reward": 1,
    "block_risky_loss": 1,
}


def false_rewards(study: Study) -> Finding:
    """The part of risky choices under each perturbation of the reward that is told.

    Statistics: `rpe_perturbation_shift_<perturbation>`, the change against the same
    lifetimes without, paired lifetime by lifetime, tested against 0, with the sign
    published for rats (Stopper et al. 2014) and for agents (Wang et al. 2018); and
    `risky_choice_<condition>` where the risky lever is the better one and where not.
    """
    conditions = {CONTROL: [subject.lifetimes for subject in study.subjects]}
    conditions |= conditions_of(study, EXPERIMENT)
    statistics = {
        f"rpe_perturbation_shift_{name}": statistic(
            [
                shift(one, control)
                for one, control in zip(by_seed, conditions[CONTROL], strict=True)
            ],
            null=0.0,
            published_sign=PUBLISHED_SIGNS[name],
        )
        for name, by_seed in conditions.items()
        if name != CONTROL
    }
    found = {
        name: [by_lever(one) for one in by_seed] for name, by_seed in conditions.items()
    }
    for name, by_seed_and_lever in found.items():
        for lever in LEVERS:
            statistics[f"risky_choice_{name}_{lever}"] = statistic(
                [one[lever] for one in by_seed_and_lever]
            )

    def draw() -> Figure:
        bars = {
            name: {lever: [one[lever] for one in by_seed] for lever in LEVERS}
            for name, by_seed in found.items()
        }
        return bar_figure([Panel("Risky choices", "P(risky lever)", bars)])

    return Finding(statistics, figures={"rpe_perturbation": draw})


def shift(perturbed: Lifetimes, control: Lifetimes) -> Estimate:
    """The change in the part of risky choices, lifetime by lifetime."""
    parts = []
    for lifetimes in (perturbed, control):
        chosen = risky_counts(lifetimes)
        parts.append(chosen.successes / chosen.trials)
    return mean_over_lifetimes(parts[0] - parts[1])


def by_lever(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """The part of risky choices, by whether the risky lever is the better one."""
    found = risky_choices(lifetimes, debriefed(lifetimes).condition)
    return {lever: found[f"risky_choice_{lever}"] for lever in LEVERS}
