"""A replay buffer for on-policy training: the lifetimes of one iteration."""

from __future__ import annotations

from typing import Any

from tf_agents.replay_buffers import replay_buffer

from kerasmeta._keras import tf


class LifetimeBuffer(replay_buffer.ReplayBuffer):
    """Holds one batched trajectory `[B, T, ...]` until the next one replaces it.

    TF-Agents' `TFUniformReplayBuffer` takes one time step at a time; this takes what
    `FusedEpisodeDriver` hands over, whole lifetimes at once.

    Args:
        data_spec: A nest of specs of one time step, without batch and time.
        batch_size: B.
        max_length: T.
    """

    def __init__(self, data_spec: Any, batch_size: int, max_length: int) -> None:
        super().__init__(data_spec, capacity=batch_size * max_length)
        self._stored = tf.nest.map_structure(
            lambda spec: tf.Variable(
                tf.zeros([batch_size, max_length, *spec.shape], spec.dtype),
                trainable=False,
            ),
            data_spec,
        )
        self._frames = tf.Variable(0, dtype=tf.int64, trainable=False)

    def _num_frames(self) -> Any:
        return self._frames

    def _add_batch(self, items: Any) -> None:
        """Takes a batched trajectory `[B, T, ...]` in place of the one held."""
        self._frames.assign(self._capacity)
        tf.nest.map_structure(lambda held, new: held.assign(new), self._stored, items)

    def _gather_all(self) -> Any:
        held = [tf.identity(leaf) for leaf in tf.nest.flatten(self._stored)]
        return tf.nest.pack_sequence_as(self._data_spec, held)

    def _clear(self) -> None:
        self._frames.assign(0)

    def _get_next(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("on-policy training takes all lifetimes: gather_all")

    def _as_dataset(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("on-policy training takes all lifetimes: gather_all")
