"""The differentiable neural dictionary (DND): episodic memory of cell states.

Keys are contexts, values are cell states; both are stored detached, so that memory
content carries no gradient (Ritter et al. 2018; every published implementation). The
state goes in and comes out as a NamedTuple; nothing mutable lives on the layer.

Sources: Pritzel et al. (2017). Neural Episodic Control. ICML (inverse-distance kernel,
least-recently-used eviction); Ritter et al. (2018). Been there, done that. ICML
(nearest neighbour by cosine, keyed by the task's context).
"""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import keras, tf
from kerasmeta.errors import UserError
from kerasmeta.layers.dnd_reads import (
    TIE,
    cosine_similarity,
    first_of_the_lowest,
    inverse_distance_weights,
    nearest_weights,
    newest_of_the_best,
    softmax_weights,
)
from kerasmeta.layers.dnd_state import (
    DNDState,
    Match,
    Retrieval,
    empty,
    note_use,
    put,
)

READS = ("nearest", "inverse_distance", "softmax")
EVICTIONS = ("oldest", "least_recently_used")


@keras.utils.register_keras_serializable(package="kerasmeta")
class DND(keras.layers.Layer):
    """A differentiable neural dictionary with fixed capacity. It has no weights.

    Args:
        capacity: N, the number of slots.
        key_size: K.
        units: H, the size of a value (a cell state).
        read: "nearest" (one slot, by cosine), "inverse_distance" (`num_neighbors`
            slots, Pritzel's kernel) or "softmax" (all slots, by cosine).
        num_neighbors: Of "inverse_distance".
        temperature: Of "softmax".
        min_similarity: A read whose best cosine is below this finds nothing.
        eviction: Which slot a full memory replaces: "oldest" or
            "least_recently_used" (a read slot counts as used).
        overwrite: Whether an equal key's slot is written again instead of a new one.

    An empty memory or a zero query reads zeros. Among equal keys the newest wins.
    `softmax` without `overwrite` averages the values of equal keys.

    As a cell of `tf.keras.layers.RNN` a step reads, then writes: inputs are
    `(query [B, K], value [B, H], store [B, 1])` and a storing step does not read.
    """

    def __init__(
        self,
        capacity: int,
        key_size: int,
        units: int,
        read: str = "nearest",
        num_neighbors: int = 5,
        temperature: float = 0.1,
        min_similarity: float = -1.0,
        eviction: str = "oldest",
        overwrite: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _check_positive(
            capacity=capacity,
            key_size=key_size,
            units=units,
            num_neighbors=num_neighbors,
            temperature=temperature,
        )
        if not -1.0 <= min_similarity <= 1.0:
            raise UserError(
                "min_similarity", min_similarity, "is not a cosine", "give -1 to 1"
            )
        _check_choice("read", read, READS)
        _check_choice("eviction", eviction, EVICTIONS)
        self.capacity = capacity
        self.key_size = key_size
        self.units = units
        self.read_kind = read
        self.num_neighbors = num_neighbors
        self.temperature = temperature
        self.min_similarity = min_similarity
        self.eviction = eviction
        self.overwrite = overwrite

    @property
    def state_size(self) -> DNDState:
        return DNDState(
            keys=tf.TensorShape([self.capacity, self.key_size]),
            scales=tf.TensorShape([self.capacity]),
            values=tf.TensorShape([self.capacity, self.units]),
            written_at=tf.TensorShape([self.capacity]),
            used_at=tf.TensorShape([self.capacity]),
            clock=tf.TensorShape([]),
        )

    @property
    def output_size(self) -> int:
        return self.units

    def get_initial_state(
        self, inputs: Any = None, batch_size: Any = None, dtype: Any = None
    ) -> DNDState:
        """An empty memory for `batch_size` lifetimes."""
        if batch_size is None:
            batch_size = tf.shape(tf.nest.flatten(inputs)[0])[0]
        dtype = dtype or self.compute_dtype
        return empty(batch_size, self.capacity, self.key_size, self.units, dtype)

    def weights_for(self, state: DNDState, query: Any, similarity: Any) -> Any:
        """Read weights `[B, N]`: not negative, of sum 1 where anything is stored."""
        if self.read_kind == "inverse_distance":
            return inverse_distance_weights(
                state.keys, query, state.written_at, self.num_neighbors
            )
        if self.read_kind == "softmax":
            return softmax_weights(similarity, state.written_at > 0, self.temperature)
        return nearest_weights(similarity, state.written_at)

    def match(self, state: DNDState, key: Any, where: Any) -> Match:
        """Looks for a key `[B, K]`; rows where `where` (bool `[B]`) is false may not.

        Only what was found leaves the branches: a memory that passed through a
        conditional would be copied in every step of a compiled loop.
        """
        return tf.cond(
            tf.reduce_any(where),
            lambda: self._match(state, key),
            lambda: Match(*self._no_match(state)),
        )

    def _no_match(self, state: DNDState) -> Match:
        none = tf.zeros_like(state.clock)
        return Match(none, state.scales[:, 0] * 0.0 - 2.0, none)

    def _match(self, state: DNDState, key: Any) -> Match:
        similarity = self._similarity(state, key)
        slot = newest_of_the_best(similarity, state.written_at)
        best = tf.gather(similarity, slot, batch_dims=1)
        return Match(slot, best, self._place(state, key, slot, best))

    def _place(self, state: DNDState, key: Any, slot: Any, best: Any) -> Any:
        """An equal key's slot `[B]`; else an empty one, or the one to be evicted."""
        by_use = self.eviction == "least_recently_used"
        stamps = state.used_at if by_use else state.written_at
        first = first_of_the_lowest(stamps)
        if not self.overwrite:
            return first
        if self.read_kind != "inverse_distance":
            return tf.where(best >= 1.0 - TIE, slot, first)
        # The kernel tells apart what cosines do not.
        equal = tf.reduce_all(state.keys == key[:, tf.newaxis], axis=-1)
        written = tf.where(equal, state.written_at, 0)  # [B, N]
        newest = tf.argmax(written, axis=-1, output_type=tf.int32)
        return tf.where(tf.reduce_any(written > 0, axis=-1), newest, first)

    def _similarity(self, state: DNDState, query: Any) -> Any:
        """Cosines `[B, N]`, and -2 for empty slots."""
        similarity = cosine_similarity(state.keys, state.scales, query)
        nothing_there = tf.constant(-2.0, similarity.dtype)
        return tf.where(state.written_at > 0, similarity, nothing_there)

    def read(
        self, state: DNDState, query: Any, mask: Any = None, match: Match | None = None
    ) -> tuple[Retrieval, DNDState]:
        """Looks a query up.

        Args:
            state: The `DNDState`.
            query: `[B, K]`. A zero vector reads nothing.
            mask: Optional bool `[B]`; false reads nothing.
            match: Of the query in this state, if it is known already.

        Returns:
            The `Retrieval`, and the state with the use of the best slot noted.
        """
        asked = tf.reduce_any(query != 0, axis=-1)  # [B]
        if mask is not None:
            asked &= mask
        if match is None:
            match = self.match(state, query, asked)
        found = asked & (match.similarity >= max(self.min_similarity, -1.0) - TIE)
        if self.read_kind == "nearest":
            memory = tf.gather(state.values, match.slot, batch_dims=1)
        else:
            memory = tf.cond(
                tf.reduce_any(found),
                lambda: self._weigh(state, query),
                lambda: tf.zeros_like(state.values[:, 0]),
            )
        retrieval = Retrieval(
            tf.where(found[:, tf.newaxis], memory, tf.zeros_like(memory)),
            tf.where(found, match.slot, -1),
            tf.where(found, match.similarity, tf.zeros_like(match.similarity)),
        )
        if self.eviction == "least_recently_used":
            state = note_use(state, retrieval.slot)
        return retrieval, state

    def _weigh(self, state: DNDState, query: Any) -> Any:
        weights = self.weights_for(state, query, self._similarity(state, query))
        return tf.einsum("bn,bnh->bh", weights, state.values)

    def write(
        self, state: DNDState, key: Any, value: Any, mask: Any, match: Any = None
    ) -> DNDState:
        """Stores `(key [B, K], value [B, H])` where `mask` (bool `[B]`) is true.

        `match` is the key's in this state, if it is known already. To a read by cosine
        keys are equal where they point the same way.
        """
        key, value = tf.stop_gradient(key), tf.stop_gradient(value)
        if match is None:
            match = self.match(state, key, mask)
        return put(state, match.place, key, value, mask)

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        query, value, store = inputs
        state = DNDState(*tf.nest.flatten(states))
        store = tf.reshape(tf.cast(store, tf.bool), [-1])
        match = self.match(state, query, tf.ones_like(store))
        retrieval, state = self.read(state, query, tf.logical_not(store), match)
        return retrieval.memory, self.write(state, query, value, store, match)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "capacity": self.capacity,
            "key_size": self.key_size,
            "units": self.units,
            "read": self.read_kind,
            "num_neighbors": self.num_neighbors,
            "temperature": self.temperature,
            "min_similarity": self.min_similarity,
            "eviction": self.eviction,
            "overwrite": self.overwrite,
        }


def _check_positive(**arguments: float) -> None:
    for name, value in arguments.items():
        if not value > 0:
            raise UserError(name, value, "is not positive", "give a positive number")


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(name, value, "is not known", f"use one of {', '.join(known)}")
