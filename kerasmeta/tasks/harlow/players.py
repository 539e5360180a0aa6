"""Reference players of the fixation tasks: one that learns, and an oracle.

Both scan without a detour, 2 * `distance` steps a trial: to the cross by the shorter
way, to the object they want, never back.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from kerasmeta._keras import tf
from kerasmeta.tasks import seeds
from kerasmeta.tasks.base import Player


class Strip(Protocol):
    """The numbers of a fixation task that a player who knows the task knows."""

    @property
    def field(self) -> int: ...
    @property
    def distance(self) -> int: ...
    @property
    def num_features(self) -> int: ...


class StripWithRewardedSide(Strip, Protocol):
    """A fixation task whose hidden state an oracle can ask."""

    def rewarded_is_right(self, state: Any) -> Any: ...


class View(NamedTuple):
    """What a player makes of the stimulus; `F` numbers describe an object."""

    cross_left: Any  # [B] bool, the cross is in view, left of the middle
    cross_right: Any  # [B] bool
    pair: Any  # [B] bool, both objects are in view, at the same distance
    left: Any  # [B, F], the left object where `pair`
    right: Any  # [B, F]


class Knowledge(NamedTuple):
    """What a player carries through the trials of an episode."""

    left: Any  # [B, F], the objects of this trial, zeros before they appeared
    right: Any  # [B, F]
    rewarded: Any  # [B, F], the object that pays, zeros while unknown


def look(observation: dict[str, Any], strip: Strip) -> View:
    """Reads the stimulus."""
    shape = [-1, strip.field, strip.num_features]
    cells = tf.reshape(observation["stimulus"], shape)
    is_cross = tf.equal(cells[:, :, 0], 1.0)  # [B, field]
    is_object = tf.reduce_any(cells != 0, axis=-1) & ~is_cross
    middle = strip.field // 2
    left, right = middle - strip.distance, middle + strip.distance
    return View(
        cross_left=tf.reduce_any(is_cross[:, :middle], axis=-1),
        cross_right=tf.reduce_any(is_cross[:, middle + 1 :], axis=-1),
        pair=is_object[:, left] & is_object[:, right],
        left=cells[:, left],
        right=cells[:, right],
    )


def head(view: View, wants_right: Any, observation: dict[str, Any]) -> Any:
    """The next movement, int32 `[B]`: to the cross, to the object, or straight on."""
    straight_on = observation["previous_action"] > 0
    go_right = tf.where(view.pair, wants_right, straight_on)
    go_right = tf.where(view.cross_left, False, view.cross_right | go_right)
    return tf.cast(go_right, tf.int32)


def nothing_known(batch_size: int, num_features: int) -> Knowledge:
    """The knowledge at the beginning of an episode."""
    empty = tf.zeros([batch_size, num_features])
    return Knowledge(empty, empty, empty)


def update(knowledge: Knowledge, view: View, observation: dict[str, Any]) -> Knowledge:
    """Adds what an observation tells: the last choice's outcome, or a trial's objects.

    Where the object chosen paid -1, it is the other one that pays.
    """
    outcome = observation["previous_reward"]
    took_right = observation["previous_action"] > 0
    right_pays = tf.equal(took_right, outcome > 0)[:, None]
    is_choice = tf.equal(tf.abs(outcome), 1.0)[:, None]
    pays = tf.where(right_pays, knowledge.right, knowledge.left)
    pair = view.pair[:, None]
    return Knowledge(
        left=tf.where(pair, view.left, knowledge.left),
        right=tf.where(pair, view.right, knowledge.right),
        rewarded=tf.where(is_choice, pays, knowledge.rewarded),
    )


def is_known(rewarded: Any) -> Any:
    """Whether the object that pays is known, bool `[B]`."""
    return tf.reduce_any(rewarded != 0, axis=-1)


def wants_right(view: View, rewarded: Any, seed: Any) -> Any:
    """Whether to go for the right object, bool `[B]`; a coin decides the unknown."""
    coin = seeds.uniform([rewarded.shape[0]], seed) < 0.5
    is_right = tf.reduce_all(tf.equal(view.right, rewarded), axis=-1)
    return tf.where(is_known(rewarded), is_right, coin)


class LearningPlayer(Player):
    """Guesses once, then chooses the object that pays; forgets at every episode.

    It recognises objects, wherever they appear: win-stay, lose-shift by object. No
    player without a memory of other episodes earns more.
    """

    def __init__(self, strip: Strip) -> None:
        self.strip = strip

    def initial_state(self, batch_size: int) -> Knowledge:
        return nothing_known(batch_size, self.strip.num_features)

    def act(
        self,
        state: Knowledge,
        observation: dict[str, Any],
        task_state: Any,
        seed: Any,
    ) -> tuple[Any, Knowledge]:
        view = look(observation, self.strip)
        known = update(state, view, observation)
        start = observation["episode_start"][:, None]
        known = known._replace(rewarded=tf.where(start, 0.0, known.rewarded))
        goal = wants_right(view, known.rewarded, seed)
        return head(view, goal, observation), known


class OraclePlayer(Player):
    """Looks at the hidden side of the rewarded object."""

    def __init__(self, task: StripWithRewardedSide) -> None:
        self.task = task

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def act(
        self, state: Any, observation: dict[str, Any], task_state: Any, seed: Any
    ) -> tuple[Any, Any]:
        view = look(observation, self.task)
        return head(view, self.task.rewarded_is_right(task_state), observation), state
