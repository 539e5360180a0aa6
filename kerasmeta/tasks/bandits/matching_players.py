"""Reference players of the baited bandit: the matching law, a belief, an oracle."""

from __future__ import annotations

from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds
from kerasmeta.tasks.bandits.bandit_players import best_arm
from kerasmeta.tasks.base import Player

POINTS = 60  # base chances that a belief tells apart


def baited_chance(base: Any, waited: Any) -> Any:
    """The chance that an arm holds a bait: 1 - (1 - p)**(n + 1).

    Args:
        base: `p`, chance of a bait in a trial.
        waited: `n`, trials since the arm was chosen.
    """
    return 1.0 - tf.pow(1.0 - base, tf.cast(waited + 1, tf.float32))


def best_stays(base: Any, trials: int) -> Any:
    """How many trials to stay with the richer arm before each visit to the poorer one.

    k stays and a visit are a cycle of k + 1 trials. With the base chances p >= q it
    earns (k - 1) p + (1 - (1 - p)**2) + (1 - (1 - q)**(k + 1)): the first stay finds
    an arm that was left alone for one trial. The k of the largest reward per trial is
    the best of these policies for an endless lifetime. (Exact dynamic programming over
    100 trials earns 0.0006 a trial more, by leaving out visits as the end comes near.)

    Args:
        base: `[..., 2]`.
        trials: Of a lifetime.

    Returns:
        int32 `[...]`, 1 to `trials`; `trials` where no visit is worth its while.
    """
    rich = tf.reduce_max(base, axis=-1)[..., None]
    poor = tf.reduce_min(base, axis=-1)[..., None]
    stays = tf.range(1, trials + 1)  # [K]
    earned = tf.cast(stays - 1, tf.float32) * rich
    earned += baited_chance(rich, 1) + baited_chance(poor, stays)
    per_trial = earned / tf.cast(stays + 1, tf.float32)  # [..., K]
    best = 1 + tf.argmax(per_trial, axis=-1, output_type=tf.int32)
    visits_pay = tf.reduce_max(per_trial, axis=-1) > rich[..., 0]
    return tf.where(visits_pay, best, trials)


def cycle(base: Any, waited: Any, stays: Any) -> Any:
    """The arm `[...]` that the policy of `best_stays` takes, int32.

    Args:
        base: `[..., 2]`.
        waited: `[..., 2]`, trials since each arm was chosen.
        stays: `[...]`.
    """
    rich_is_second = base[..., 1] > base[..., 0]
    poor_waited = tf.where(rich_is_second, waited[..., 0], waited[..., 1])
    takes_second = tf.not_equal(rich_is_second, poor_waited >= stays)
    return tf.cast(takes_second, tf.int32)


class LocalMatchingPlayer(Player):
    """Chooses an arm as often as its share of the recent income says.

    An arm's income is an exponential average of what choosing it paid,
    I <- I + (r - I) / time_constant, where r is 0 for the arm not chosen. The first arm
    is taken with chance I_1 / (I_1 + I_2) (Sugrue, Corrado & Newsome 2004). Short time
    constants forget the poorer arm for good; among 5, 9, 20 and 50, 20 earns most.
    """

    def __init__(
        self, time_constant: float = 20.0, initial_income: float = 0.25
    ) -> None:
        self.time_constant = time_constant
        self.initial_income = initial_income

    def initial_state(self, batch_size: int) -> Any:
        return tf.fill([batch_size, 2], self.initial_income)

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        chosen = tf.one_hot(observation["previous_action"], 2)  # [B, 2]
        paid = chosen * observation["previous_reward"][:, None]
        # Before the first trial nothing was chosen, and nothing is forgotten.
        begun = tf.reduce_sum(chosen, axis=-1, keepdims=True)
        income = state + begun * (paid - state) / self.time_constant
        share = tf.math.divide_no_nan(income[:, 1], tf.reduce_sum(income, axis=-1))
        draw = seeds.uniform([state.shape[0]], seed)
        return tf.cast(draw < share, tf.int32), income


class Belief(NamedTuple):
    """What `BeliefPlayer` knows."""

    log_likelihood: Any  # [B, POINTS] float32, of what was seen so far, by base chance
    waited: Any  # [B, 2] int32, trials since each arm was chosen


class BeliefPlayer(Player):
    """Filters the base chances, and does what most of its belief would do.

    Every pair of base chances (p, 0.5 - p) has its best cycle (`best_stays`). The
    posterior over p, exact for a uniform prior on [0, 0.5], weighs the arms that these
    cycles take now. In simulations of 4,000 lifetimes it earned more than taking the
    arm with the larger expected chance, or than the cycle of the mean p, and 0.005 to
    0.008 a trial less than an oracle. Nothing better is known here; an optimum would
    have to plan over beliefs.
    """

    def __init__(self, trials: int) -> None:
        self.trials = trials

    def initial_state(self, batch_size: int) -> Belief:
        return Belief(
            log_likelihood=tf.zeros([batch_size, POINTS]),
            waited=tf.zeros([batch_size, 2], tf.int32),
        )

    def act(
        self, state: Belief, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Belief]:
        first = (tf.range(POINTS, dtype=tf.float32) + 0.5) * (0.5 / POINTS)
        base = tf.stack([first, 0.5 - first], axis=-1)  # [POINTS, 2]
        state = _updated(state, observation, base)
        belief = tf.nn.softmax(state.log_likelihood)  # [B, POINTS]
        stays = best_stays(base, self.trials)
        second = cycle(base[None], state.waited[:, None, :], stays[None])  # [B, POINTS]
        votes = tf.reduce_sum(belief * tf.cast(second, tf.float32), axis=-1)
        return best_arm(tf.stack([1.0 - votes, votes], axis=-1), seed), state


def _updated(state: Belief, observation: dict[str, Any], base: Any) -> Belief:
    """The belief after the last trial's outcome, if there was one."""
    action = observation["previous_action"]  # [B], -1 before the first trial
    arm = tf.maximum(action, 0)
    waited = tf.gather(state.waited, arm, batch_dims=1)[:, None]  # [B, 1]
    empty = tf.math.log1p(-tf.gather(base, arm, axis=1))  # [POINTS, B], log(1 - p)
    empty = tf.cast(waited + 1, tf.float32) * tf.transpose(empty)  # [B, POINTS]
    rewarded = observation["previous_reward"][:, None] > 0
    seen = tf.where(rewarded, tf.math.log(-tf.math.expm1(empty)), empty)
    begun = action[:, None] >= 0
    chosen = tf.one_hot(action, 2, dtype=tf.int32)
    return Belief(
        log_likelihood=state.log_likelihood + tf.where(begun, seen, 0.0),
        waited=(state.waited + tf.cast(begun, tf.int32)) * (1 - chosen),
    )


class OraclePlayer(Player):
    """Looks at the hidden base chances, and follows the best cycle for them."""

    def __init__(self, trials: int) -> None:
        self.trials = trials

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        stays = best_stays(task_state.base, self.trials)
        return cycle(task_state.base, task_state.waited, stays), state
