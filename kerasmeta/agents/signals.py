"""What an electrode would pick up in an agent: the signals of one step, by name.

`kerasmeta.analysis.recordings.signals` says what each is and in which unit.
"""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf
from kerasmeta.agents.episodic_agent import AgentOutput, EpisodicAgent

# By the name in `AgentOutput.recordings`; the gates are called gates here.
_UNITS = {
    "hidden": "hidden",
    "cell": "cell",
    "input": "input_gate",
    "forget": "forget_gate",
    "output": "output_gate",
    "candidate": "candidate",
}
_MEMORY = {
    "reinstatement": "reinstatement_gate",
    "memory": "retrieved_cell",
    "slot": "slot",
    "similarity": "similarity",
}


def signals(agent: EpisodicAgent, output: AgentOutput) -> dict[str, Any]:
    """The signals of a step, each `[B]` or `[B, units]`.

    Agents without memory have no gate of reinstatement and no retrieval.
    """
    chosen = {**_UNITS, **(_MEMORY if agent.config.has_memory else {})}
    found = {name: output.recordings[key] for key, name in chosen.items()}
    critic = output.state.critic
    return {
        **found,
        "action_parameters": agent.parameters(output),
        "critic_hidden": critic.hidden,
        "critic_cell": critic.cell,
        "value": output.value,
    }


def signals_spec(agent: EpisodicAgent) -> dict[str, Any]:
    """`TensorSpec`s of `signals`, without the batch."""
    observation = {
        key: tf.zeros([1, *spec.shape], spec.dtype)
        for key, spec in agent.observation_spec.items()
    }
    output = agent.forward(observation, agent.initial_state())
    return {
        name: tf.TensorSpec(value.shape[1:], value.dtype)
        for name, value in signals(agent, output).items()
    }
