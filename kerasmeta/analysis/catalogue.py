"""Every analysis there is, in the order of its report."""

from __future__ import annotations

from kerasmeta.analysis.registry import Analysis, register

_HERE = "kerasmeta.analysis"
_TWO_STEP = ("two_step", "episodic_two_step")

register(
    Analysis(
        name="metrics",
        function=f"{_HERE}.behaviour.metrics:family_metrics",
        summary="the family's metrics, beside reference players and published values",
        needs=("players",),
        uses=("memory_lesion",),
    )
)
register(
    Analysis(
        name="stay",
        function=f"{_HERE}.behaviour.stay:stay_probabilities",
        summary="P(repeat an action) by reward and transition, incremental and cued",
        families=(*_TWO_STEP, "two_step_drift"),
        needs=("players",),
        uses=("memory_lesion",),
    )
)
register(
    Analysis(
        name="learning_curve",
        function=f"{_HERE}.behaviour.training:training_curve",
        summary="reward per trial while training, seed by seed",
        needs=("training",),
        uses=("players",),
    )
)
register(
    Analysis(
        name="recordings",
        function=f"{_HERE}.recordings.export:recordings",
        summary="every unit, gate, retrieval, value and prediction error, as Parquet "
        "and NetCDF files",
        needs=("recordings",),
        on_request=True,
    )
)
