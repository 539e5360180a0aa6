"""Every analysis there is, in the order of its report."""

from __future__ import annotations

from kerasmeta.analysis.registry import Analysis, register

_HERE = "kerasmeta.analysis"
_TWO_STEP = ("two_step", "episodic_two_step")
_HARLOW = ("harlow", "episodic_harlow", "visual_harlow", "episodic_visual_harlow")

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
        name="by_trial",
        function=f"{_HERE}.behaviour.by_trial:by_trial",
        summary="accuracy (or reward) by trial of an episode, for each exposure",
        families=(*_HARLOW, "barcode_bandit"),
        needs=("players",),
    )
)
register(
    Analysis(
        name="learning_to_learn",
        function=f"{_HERE}.behaviour.by_trial:learning_to_learn",
        summary="accuracy by trial in each fifth of training (Harlow's curve)",
        families=_HARLOW,
        needs=("training",),
        on_request=True,  # a short run has not logged enough for it
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
        name="exposure",
        function=f"{_HERE}.behaviour.exposure:by_exposure",
        summary="what the agent does by how often it has met the context",
        families=(
            *("barcode_bandit", "water_maze"),
            *("episodic_harlow", "episodic_visual_harlow"),
        ),
        needs=("players",),
        uses=("memory_lesion",),
    )
)
register(
    Analysis(
        name="four_systems",
        function=f"{_HERE}.systems.four_systems:four_systems",
        summary="model-free and model-based control, incremental and episodic, with "
        "p-values",
        families=(*_TWO_STEP, "two_step_drift"),
        needs=("players",),
    )
)
register(
    Analysis(
        name="matching_law",
        function=f"{_HERE}.bandits.matching_law:matching_law",
        summary="the ratio of choices against that of rewards, and weights of the past",
        families=("matching",),
        needs=("players",),
    )
)
register(
    Analysis(
        name="volatility",
        function=f"{_HERE}.bandits.volatility:volatility",
        summary="learning rates where the world is stable and where it is volatile",
        families=("volatile_bandit",),
        needs=("players",),
    )
)
register(
    Analysis(
        name="inferred_value",
        function=f"{_HERE}.bandits.inferred_value:inferred_value",
        summary="values and prediction errors that changed before they were met again",
        families=("reversal",),
        needs=("recordings",),
    )
)
register(
    Analysis(
        name="rpe_perturbation",
        function=f"{_HERE}.bandits.false_rewards:false_rewards",
        summary="choices of the risky lever while false rewards are told",
        families=("risky_safe",),
        needs=("rpe_perturbation",),
    )
)
register(
    Analysis(
        name="hybrid",
        function=f"{_HERE}.hybrid.weights:hybrid_weights",
        summary="how much it plans: the hybrid model fitted to every lifetime",
        families=("two_step", "two_step_drift"),
        needs=("players",),
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
        name="unit_coding",
        function=f"{_HERE}.recordings.unit_coding:unit_coding",
        summary="fraction of units that code last action, reward, both, and value",
        families=(
            *("two_step", "episodic_two_step", "bandit"),
            *("matching", "volatile_bandit", "risky_safe"),
        ),
        needs=("recordings",),
    )
)
register(
    Analysis(
        name="decoding",
        function=f"{_HERE}.recordings.decoding:decoding",
        summary="how well the task's hidden variables can be read from the units",
        needs=("recordings", "hidden_variables"),
    )
)
register(
    Analysis(
        name="prediction_errors",
        function=f"{_HERE}.recordings.prediction_errors:prediction_errors",
        summary="whose prediction errors the agent has: a model-based or a model-free "
        "learner's",
        families=("two_step", "two_step_drift"),
        needs=("recordings",),
    )
)
register(
    Analysis(
        name="dose_response",
        function=f"{_HERE}.lesions.dose_response:dose_response",
        summary="performance by the fraction of silenced units, in random order and "
        "from the most open gates on",
        needs=("dose_response",),
        uses=("players",),
        on_request=True,
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
