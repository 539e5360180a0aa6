"""Reference players of the barcode bandit: Bayes without and with a memory, oracle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds
from kerasmeta.tasks.bandits.bandit_players import best_arm
from kerasmeta.tasks.base import Player
from kerasmeta.tasks.contexts import code_of, find_or_add

if TYPE_CHECKING:
    from kerasmeta.tasks.bandits.barcode_bandit import BarcodeBandit

TIE = 1e-3  # evidence (in nats) closer than this is equal: the arm is drawn
SMALLEST = 1e-30  # stands for a chance of 0, whose logarithm is not finite


def drawn_from(evidence: Any, seed: Any) -> Any:
    """An arm, int32 `[B]`, with the chances softmax(`evidence`) (the Gumbel trick).

    `tf.random.stateless_categorical` draws others where there are other processors.
    """
    noise = -tf.math.log(-tf.math.log(seeds.uniform(evidence.shape, seed)))
    return tf.argmax(evidence + noise, axis=-1, output_type=tf.int32)


def evidence_of(observation: dict[str, Any], task: BarcodeBandit) -> Any:
    """What the last outcome says for each arm `[B, arms]`, in nats.

    Only the arm pulled gains or loses, by the log likelihood ratio of its being good:
    log(high / low) for a reward, log((1 - high) / (1 - low)) for none. The posterior
    chance that an arm is good is the softmax of the summed evidence, exactly.
    """
    gain = _log_ratio(task.high_reward, task.low_reward)
    loss = _log_ratio(1.0 - task.high_reward, 1.0 - task.low_reward)
    change = tf.where(observation["previous_reward"] > 0, gain, loss)  # [B]
    pulled = tf.one_hot(observation["previous_action"], task.arms)  # none: all zeros
    return pulled * change[:, None]


def _log_ratio(one: float, other: float) -> float:
    return math.log(max(one, SMALLEST) / max(other, SMALLEST))


class IncrementalBayesPlayer(Player):
    """Infers the good arm from this episode's outcomes alone, exactly.

    It takes the most probable arm, or with `samples` draws an arm with its chance of
    being the good one (Thompson). With the chances 0.9 and 0.1 the most probable arm is
    the optimal choice: dynamic programming over all courses of a 10-armed, 10-pull
    episode gives the same 0.4436 a pull. An agent that is cleared at every episode and
    has no memory cannot earn more.
    """

    def __init__(self, task: BarcodeBandit, samples: bool = False) -> None:
        self.task = task
        self.samples = samples

    def initial_state(self, batch_size: int) -> Any:
        return tf.zeros([batch_size, self.task.arms])

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        evidence = state + evidence_of(observation, self.task)
        starts = observation["episode_start"][:, None]
        evidence = tf.where(starts, 0.0, evidence)
        if self.samples:
            return drawn_from(evidence, seed), evidence
        return best_arm(evidence, seed, TIE), evidence


class RememberingState(NamedTuple):
    """The evidence for each arm by context; `C` is the number of contexts."""

    codes: Any  # [B, C] int64, -1 where empty
    evidence: Any  # [B, C, arms] float32, nats
    slot: Any  # [B] int32, where the last pull's context is


class EpisodicBayesPlayer(Player):
    """Keeps the evidence of every context and takes the most probable arm.

    This is the best that can be done in a context by what was seen under it, with a
    perfect memory: by default 0.444, 0.815, 0.883 and from then on 0.90 a pull on
    exposures 1, 2, 3 and later, 0.844 on average. The first pull of exposure 2 earns
    0.733. An agent that stores at an episode's last pull has not seen that one's
    outcome, without which it would be 0.701.

    It takes contexts as independent. Where no arm is good in two of them, one could
    also rule out the arms known from other contexts: simulated with the exact posterior
    over assignments, that earns 0.64 and 0.88 on exposures 1 and 2, 0.87 on average.
    """

    def __init__(self, task: BarcodeBandit) -> None:
        self.task = task

    def initial_state(self, batch_size: int) -> RememberingState:
        slots = [batch_size, self.task.contexts]
        return RememberingState(
            codes=tf.fill(slots, tf.constant(-1, tf.int64)),
            evidence=tf.zeros([*slots, self.task.arms]),
            slot=tf.zeros([batch_size], tf.int32),
        )

    def act(
        self,
        state: RememberingState,
        observation: dict[str, Any],
        task_state: Any,
        seed: Any,
    ) -> tuple[Any, RememberingState]:
        last = tf.one_hot(state.slot, self.task.contexts)[:, :, None]  # [B, C, 1]
        change = evidence_of(observation, self.task)[:, None, :]  # [B, 1, arms]
        evidence = state.evidence + last * change
        codes, slot = find_or_add(state.codes, code_of(observation["context"]))
        action = best_arm(tf.gather(evidence, slot, batch_dims=1), seed, TIE)
        return action, RememberingState(codes, evidence, slot)


class OraclePlayer(Player):
    """Looks at the hidden good arm."""

    def __init__(self, task: BarcodeBandit) -> None:
        self.task = task

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        return self.task.good_arm(task_state), state
