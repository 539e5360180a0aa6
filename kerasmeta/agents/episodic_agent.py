"""The frozen, runnable agent: networks, configuration, `initial_state` and `step`."""

from __future__ import annotations

import functools
import numbers
from typing import Any, NamedTuple

from kerasmeta._keras import tf, tf_agents
from kerasmeta.agents.checking import check_observation, check_specs, check_state
from kerasmeta.agents.lesioned_actor import checked, kept_units, lesioned_step
from kerasmeta.agents.sampling import lifetime_seeds, uniforms
from kerasmeta.errors import UserError
from kerasmeta.layers import DND, DNDState, LSTMState, Match, Retrieval
from kerasmeta.layers.dnd_state import nothing
from kerasmeta.lesions import Lesion
from kerasmeta.networks import (
    ActorNetwork,
    AgentConfig,
    CriticNetwork,
    DiagonalGaussian,
    ready,
)
from kerasmeta.networks.recurrent import clear_lstm


class AgentState(NamedTuple):
    """Everything an agent carries through a lifetime. Every leaf is batch-first."""

    actor: LSTMState
    critic: LSTMState
    memory: DNDState | tuple[()]  # () for an agent without episodic memory
    seed: Any  # [B, 2] int32, of this lifetime's action draws
    step: Any  # [B] int32, counts them


class AgentOutput(NamedTuple):
    """What one step of an agent gives."""

    action: Any  # [B] int32 or [B, A] float32; drawn, or the mode where `greedy`
    greedy_action: Any  # the same shape, the mode
    logits: Any  # [B, A], discrete actions; else None
    mean: Any  # [B, A], continuous actions; else None
    scale: Any  # [B, A], standard deviations, continuous actions; else None
    value: Any  # [B], the critic's estimate of the return from here
    state: AgentState
    recordings: dict[str, Any]  # gates, hidden and cell states, what memory returned


class EpisodicAgent:
    """An agent whose weights no longer change here.

    Args:
        observation_spec: `tf.TensorSpec`s of the observation dict, without the batch.
        action_spec: TF-Agents `BoundedTensorSpec`.
        config: The `AgentConfig`.
        lesion: What is switched off, a `Lesion` or its text (`memory`); None: nothing.
        networks: `(actor, critic)` to share with another agent; new ones by default.
    """

    def __init__(
        self,
        observation_spec: dict[str, Any],
        action_spec: Any,
        config: AgentConfig,
        lesion: Lesion | str | None = None,
        networks: tuple[ActorNetwork, CriticNetwork] | None = None,
    ) -> None:
        lesion = checked(lesion, config)
        check_specs(observation_spec, action_spec)
        self.observation_spec = observation_spec
        self.action_spec = action_spec
        self.config = config
        self.lesion = lesion or None
        self.card: Any = None  # a zoo's record of a published agent
        if networks is None:
            networks = _build_networks(observation_spec, action_spec, config)
        self.actor, self.critic = networks
        self.distribution = self.actor.distribution
        self.dnd = (
            _build_memory(observation_spec, config) if config.has_memory else None
        )

    @property
    def networks(self) -> tuple[ActorNetwork, CriticNetwork]:
        """The trainable Keras networks: actor and critic."""
        return self.actor, self.critic

    @functools.cached_property
    def policy(self) -> Any:
        """A TF-Agents policy for drivers; it draws its actions, as `step` does."""
        from kerasmeta.agents.policy import EpisodicPolicy  # which knows this class

        spec = tf_agents.trajectories.time_step.time_step_spec(self.observation_spec)
        return EpisodicPolicy(self, spec, with_value=True)

    @property
    def kept_units(self) -> Any:
        """What multiplies h and c of the actor's units, `[H]`; None: nothing does."""
        return kept_units(self.lesion, self.config.units)

    @property
    def variables(self) -> list[Any]:
        """The weights of actor and critic."""
        return [*self.actor.variables, *self.critic.variables]

    def named_weights(self) -> dict[str, Any]:
        """The variables by name: `actor/cell/kernel`, ..., `critic/head/bias`."""
        parts = {"actor": self.actor, "critic": self.critic}
        return {
            f"{part}/{name}": variable
            for part, network in parts.items()
            for name, variable in network.named_weights().items()
        }

    def lesioned(self, lesion: Lesion | str | None) -> EpisodicAgent:
        """The same weights with something switched off: `memory`, `gate`, `units:3,7`.

        See `Lesion` for what each does. None switches everything on again.

        Raises:
            UserError: No such lesion, or not of this agent.
        """
        return EpisodicAgent(
            self.observation_spec, self.action_spec, self.config, lesion, self.networks
        )

    def initial_state(self, batch_size: int = 1, seed: int = 0) -> AgentState:
        """The state at the beginning of `batch_size` lifetimes.

        `seed`, a 32-bit integer, fixes every action drawn in them.
        """
        if not isinstance(batch_size, numbers.Integral) or batch_size < 1:
            raise UserError(
                "batch_size", batch_size, "is not a positive integer", "give 1 or more"
            )
        if not isinstance(seed, numbers.Integral) or not -(2**31) <= seed < 2**31:
            raise UserError(
                "seed", seed, "is not a 32-bit integer", "give 0 to 2147483647"
            )
        return self.state_from_seeds(lifetime_seeds(seed, batch_size))

    def state_from_seeds(self, seeds: Any) -> AgentState:
        """The state where lifetimes with these seeds (int32 `[B, 2]`) begin."""
        batch_size = tf.shape(seeds)[0]
        return AgentState(
            actor=self.actor.zero_state(batch_size),
            critic=self.critic.zero_state(batch_size),
            memory=self.dnd.get_initial_state(batch_size=batch_size)
            if self.dnd
            else (),
            seed=seeds,
            step=tf.zeros([batch_size], tf.int32),
        )

    def step(
        self, observation: dict[str, Any], state: AgentState, greedy: bool = False
    ) -> AgentOutput:
        """Acts on a batch of observations.

        Args:
            observation: The task's observation dict; every leaf is batch-first. NumPy
                arrays and tensors will do.
            state: The state this agent returned last.
            greedy: Take the most probable action instead of drawing one.

        Raises:
            UserError: A key is missing, a shape is wrong, a value is not finite, or
                the state is another agent's.
        """
        check_state(state, AgentState, self.config.has_memory)
        batch_size = state.step.shape[0]
        observation = check_observation(observation, self.observation_spec, batch_size)
        return self._compiled(observation, state, greedy)

    @functools.cached_property
    def _compiled(self) -> Any:
        return tf.function(self.forward, reduce_retracing=True, autograph=False)

    def forward(
        self,
        observation: dict[str, Any],
        state: AgentState,
        greedy: bool = False,
        with_value: bool = True,
    ) -> AgentOutput:
        """`step` as a pure graph function, without checks.

        `with_value=False` leaves the critic out (its state stays, the value is 0).
        """
        if self.config.clear_lstm_at_episode:
            start = observation["episode_start"]
            state = state._replace(
                actor=clear_lstm(state.actor, start),
                critic=clear_lstm(state.critic, start),
            )
        match = self._match(observation, state.memory)
        retrieval, memory = self._retrieve(observation, state.memory, match)
        inputs = {**observation, "memory": retrieval.memory}
        actor = lesioned_step(
            self.actor, inputs, state.actor, self.lesion, self.kept_units
        )
        if with_value:
            value, critic_state, _ = self.critic.step(inputs, state.critic)
        else:
            value, critic_state = tf.zeros_like(retrieval.similarity), state.critic
        if self.dnd:
            context, store = observation["context"], observation["store"]
            memory = self.dnd.write(memory, context, actor.state.cell, store, match)
        noise = uniforms(state.seed, state.step, self.distribution.uniforms)
        mode = self.distribution.mode(actor.output)
        action = mode if greedy else self.distribution.sample(actor.output, noise)
        state = AgentState(
            actor.state, critic_state, memory, state.seed, state.step + 1
        )
        recordings = {
            **{k: v for k, v in actor.gates._asdict().items() if v is not None},
            **actor.state._asdict(),
            **retrieval._asdict(),
        }
        return AgentOutput(
            action, mode, *self._named(actor.output), value, state, recordings
        )

    def parameters(self, output: AgentOutput) -> Any:
        """The distribution parameters `[B, P]` of an output."""
        if output.logits is not None:
            return output.logits
        return tf.concat([output.mean, tf.math.log(output.scale)], axis=-1)

    def _named(self, parameters: Any) -> tuple[Any, Any, Any]:
        if isinstance(self.distribution, DiagonalGaussian):
            mean, log_scale = self.distribution.split(parameters)
            return None, mean, tf.exp(log_scale)
        return parameters, None, None

    def _match(self, observation: dict[str, Any], memory: Any) -> Match | None:
        """Looks the context up, for a read or for a write."""
        if not self.dnd:
            return None
        context = observation["context"]
        shown = tf.reduce_any(context != 0, axis=-1)  # [B]
        return self.dnd.match(memory, context, shown | observation["store"])

    def _retrieve(
        self, observation: dict[str, Any], memory: Any, match: Match | None
    ) -> tuple[Retrieval, Any]:
        """What the context brings back; a storing step does not read."""
        if self.dnd and not (self.lesion and self.lesion.memory):
            asked = tf.logical_not(observation["store"])
            return self.dnd.read(memory, observation["context"], asked, match)
        dtype = observation["previous_reward"].dtype
        found = nothing(observation["store"], self.config.units, dtype)
        return found, memory


def _build_networks(
    observation_spec: dict[str, Any], action_spec: Any, config: AgentConfig
) -> tuple[ActorNetwork, CriticNetwork]:
    networks = (
        ActorNetwork(observation_spec, action_spec, config),
        CriticNetwork(observation_spec, action_spec, config),
    )
    for network in networks:
        ready(network)
    return networks


def _build_memory(observation_spec: dict[str, Any], config: AgentConfig) -> DND:
    arguments = config.memory.model_dump()
    key_size = int(observation_spec["context"].shape[0])
    return DND(key_size=key_size, units=config.units, name="memory", **arguments)
