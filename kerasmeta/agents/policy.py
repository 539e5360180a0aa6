"""The agent as a TF-Agents policy, for drivers."""

from __future__ import annotations

from typing import Any

from tf_agents.policies import tf_policy
from tf_agents.trajectories import policy_step

from kerasmeta._keras import tf
from kerasmeta.agents.episodic_agent import AgentState, EpisodicAgent
from kerasmeta.agents.signals import signals, signals_spec
from kerasmeta.layers import dnd_state
from kerasmeta.networks.recurrent import clear_lstm


class EpisodicPolicy(tf_policy.TFPolicy):
    """Runs an `EpisodicAgent`; its policy state is the agent's `AgentState`.

    Where a time step is FIRST, working and episodic memory are cleared; the draw
    counter goes on, so that consecutive lifetimes of a row differ.

    `info` carries what training needs: the distribution's `parameters` `[B, P]` and,
    for agents with memory, the retrieved cell state `memory` `[B, H]`. With `record` it
    carries `signals` too, everything that `kerasmeta.agents.signals` picks up.
    """

    def __init__(
        self,
        agent: EpisodicAgent,
        time_step_spec: Any,
        greedy: bool = False,
        with_value: bool = False,
        record: bool = False,
    ) -> None:
        self.agent = agent
        self.networks = agent.networks  # tf.Module finds the policy's variables here
        self.greedy = greedy
        self.with_value = with_value or record
        self.record = record
        info_spec: dict[str, Any] = {
            "parameters": tf.TensorSpec([agent.distribution.parameter_size], tf.float32)
        }
        if agent.config.has_memory:
            info_spec["memory"] = tf.TensorSpec([agent.config.units], tf.float32)
        if record:
            info_spec["signals"] = signals_spec(agent)
        super().__init__(
            time_step_spec,
            agent.action_spec,
            policy_state_spec=state_spec(agent),
            info_spec=info_spec,
            # TF-Agents would put back the draw counter and its seed as well.
            automatic_state_reset=False,
            # A Gaussian knows no bounds: what is learnt from must be what was drawn.
            clip=False,
            name="episodic_policy",
        )

    def _variables(self) -> list[Any]:
        return self.agent.variables

    def _get_initial_state(self, batch_size: Any) -> AgentState:
        rows = 1 if batch_size is None else batch_size
        seeds = tf.stack([tf.zeros([rows], tf.int32), tf.range(rows)], axis=1)
        return self.agent.state_from_seeds(seeds)

    def _action(self, time_step: Any, policy_state: Any, seed: Any) -> Any:
        state = reset_rows(AgentState(*policy_state), time_step.is_first())
        output = self.agent.forward(
            time_step.observation, state, self.greedy, self.with_value
        )
        info: dict[str, Any] = {"parameters": self.agent.parameters(output)}
        if self.agent.config.has_memory:
            info["memory"] = output.recordings["memory"]
        if self.record:
            info["signals"] = signals(self.agent, output)
        return policy_step.PolicyStep(output.action, output.state, info)

    def _distribution(self, time_step: Any, policy_state: Any) -> Any:
        raise NotImplementedError("the parameters of the distribution are in info")


def state_spec(agent: EpisodicAgent) -> AgentState:
    """Specs of an agent's state, without the batch dimension."""
    state = agent.initial_state(batch_size=1)
    return tf.nest.map_structure(
        lambda leaf: tf.TensorSpec(leaf.shape[1:], leaf.dtype), state
    )


def reset_rows(state: AgentState, first: Any) -> AgentState:
    """Clears working and episodic memory of the rows where `first` (bool `[B]`)."""
    memory = state.memory
    if memory != ():
        memory = dnd_state.clear(dnd_state.DNDState(*memory), first)
    return state._replace(
        actor=clear_lstm(state.actor, first),
        critic=clear_lstm(state.critic, first),
        memory=memory,
    )
