"""Task families: pure, batched, in-graph rules with reference players.

Importing this package does not import TensorFlow; `make` does, when it makes a task.
"""

from kerasmeta.tasks.registry import (
    TaskEntry,
    check,
    entry,
    is_gymnasium,
    is_metaworld,
    make,
    names,
    register,
    shows_contexts,
)

__all__ = [
    "TaskEntry",
    "check",
    "entry",
    "is_gymnasium",
    "is_metaworld",
    "make",
    "names",
    "register",
    "shows_contexts",
]

register(
    TaskEntry(
        name="two_step",
        module="kerasmeta.tasks.two_step.two_step",
        class_name="TwoStep",
        summary="two-stage choice whose reward contingency reverses",
        paper="Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 4.",
    )
)
register(
    TaskEntry(
        name="two_step_drift",
        module="kerasmeta.tasks.two_step.drifting",
        class_name="DriftingTwoStep",
        summary="two choices a trial, the second between arms whose chances drift",
        paper="Daw et al. (2011). Model-based influences on humans' choices and "
        "striatal prediction errors. Neuron 69:1204-1215.",
    )
)
register(
    TaskEntry(
        name="episodic_two_step",
        module="kerasmeta.tasks.two_step.episodic",
        class_name="EpisodicTwoStep",
        summary="two-step task in which a cue brings back the outcome of a past trial",
        paper="Ritter et al. (2018). Episodic control as meta-reinforcement learning. "
        "bioRxiv 360537.",
    )
)
register(
    TaskEntry(
        name="bandit",
        module="kerasmeta.tasks.bandits.bandit",
        class_name="Bandit",
        summary="arms with hidden chances of a reward, new in every lifetime",
        paper="Wang et al. (2016). Learning to reinforcement learn. arXiv:1611.05763. "
        "Section 3.1.",
    )
)
register(
    TaskEntry(
        name="barcode_bandit",
        module="kerasmeta.tasks.bandits.barcode_bandit",
        class_name="BarcodeBandit",
        summary="bandits that come back, told by a context that brings back the arm",
        paper="Ritter et al. (2018). Been There, Done That: Meta-Learning with "
        "Episodic Recall. ICML, PMLR 80:4354-4363.",
    )
)
register(
    TaskEntry(
        name="matching",
        module="kerasmeta.tasks.bandits.matching",
        class_name="Matching",
        summary="two arms whose rewards wait to be collected, at hidden rates",
        paper="Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 1.",
    )
)
register(
    TaskEntry(
        name="volatile_bandit",
        module="kerasmeta.tasks.bandits.volatile_bandit",
        class_name="VolatileBandit",
        summary="two arms, stable in one half and reversing in the other",
        paper="Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 2.",
    )
)
register(
    TaskEntry(
        name="reversal",
        module="kerasmeta.tasks.bandits.reversal",
        class_name="Reversal",
        summary="two targets whose values reverse together",
        paper="Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 3.",
    )
)
register(
    TaskEntry(
        name="risky_safe",
        module="kerasmeta.tasks.bandits.risky_safe",
        class_name="RiskySafe",
        summary="a lever that pays for sure, and one that pays more or nothing",
        paper="Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 6.",
    )
)
register(
    TaskEntry(
        name="harlow",
        module="kerasmeta.tasks.harlow.harlow",
        class_name="Harlow",
        summary="six choices between two new objects, found by moving the gaze",
        paper="Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 5.",
    )
)
register(
    TaskEntry(
        name="episodic_harlow",
        module="kerasmeta.tasks.harlow.episodic",
        class_name="EpisodicHarlow",
        summary="pairs of objects that come back, named by a context",
        paper="AlKhamissi, ElNokrashy & Spranger (2021). The emergence of abstract and "
        "episodic neurons in episodic meta-RL. arXiv:2104.02959.",
    )
)
register(
    TaskEntry(
        name="visual_harlow",
        module="kerasmeta.tasks.harlow.visual",
        class_name="VisualHarlow",
        summary="six choices between two new images, seen as pixels, by saccades",
        paper="Wang et al. (2018). Prefrontal cortex as a meta-reinforcement learning "
        "system. Nature Neuroscience 21:860-868. Simulation 5.",
    )
)
register(
    TaskEntry(
        name="episodic_visual_harlow",
        module="kerasmeta.tasks.harlow.episodic_visual",
        class_name="EpisodicVisualHarlow",
        summary="pairs of images that come back, named by a context",
        paper="AlKhamissi, ElNokrashy & Spranger (2021). The emergence of abstract and "
        "episodic neurons in episodic meta-RL. arXiv:2104.02959.",
    )
)
register(
    TaskEntry(
        name="water_maze",
        module="kerasmeta.tasks.navigation.water_maze",
        class_name="WaterMaze",
        summary="a hidden platform in a pool that comes back, told by a context",
        paper="Ritter et al. (2018). Been There, Done That: Meta-Learning with "
        "Episodic Recall. ICML, PMLR 80:4354-4363.",
    )
)
