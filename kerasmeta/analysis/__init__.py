"""Behaviour of agents: metrics with 95% intervals, published values, figures.

Functions of recorded lifetimes (NumPy arrays). Nothing here imports TensorFlow.
"""

from kerasmeta.analysis import catalogue as catalogue  # registers the analyses
from kerasmeta.analysis.estimates import Estimate
from kerasmeta.analysis.figures.files import save
from kerasmeta.analysis.figures.learning_curve import learning_curve
from kerasmeta.analysis.figures.stay_figure import stay_figure
from kerasmeta.analysis.metrics import metrics, register
from kerasmeta.analysis.published import Published, published
from kerasmeta.analysis.registry import Analysis, analyses, analysis
from kerasmeta.analysis.study import Finding, Recordings, Study, Subject, Table
from kerasmeta.analysis.trials import (
    Trials,
    episodic_two_step_trials,
    two_step_trials,
)

__all__ = [
    "Analysis",
    "Estimate",
    "Finding",
    "Published",
    "Recordings",
    "Study",
    "Subject",
    "Table",
    "Trials",
    "analyses",
    "analysis",
    "episodic_two_step_trials",
    "learning_curve",
    "metrics",
    "published",
    "register",
    "save",
    "stay_figure",
    "two_step_trials",
]
