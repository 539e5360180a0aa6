"""How a DND compares and weighs its slots: pure functions of keys and a query.

Sources: Pritzel et al. (2017). Neural Episodic Control. ICML (inverse distance);
Ritter et al. (2018). Been there, done that. ICML (cosine, nearest neighbour).
"""

from __future__ import annotations

from typing import Any

from kerasmeta._keras import tf

# δ of Pritzel et al. (2017), equation 5: keeps the kernel finite at distance zero.
KERNEL_DELTA = 1e-3

# Cosines closer than this are equal: rounding must not decide which of two equal keys
# is read, nor whether a perfect match passes `min_similarity` 1.
TIE = 1e-6
GRAIN = 2.0**-22  # of 1: a power of 2 rounds nothing, and -2 to 1 fit in 32 bits


def one_over_length(vectors: Any) -> Any:
    """1 / ‖v‖, `[...]`, of vectors `[..., K]`; 0 for a zero vector.

    Holds for lengths of 1e-15 to 1e15.
    """
    squares = tf.reduce_sum(vectors * vectors, axis=-1)
    return tf.where(squares > 0.0, tf.math.rsqrt(tf.maximum(squares, 1e-37)), 0.0)


def cosine_similarity(keys: Any, scales: Any, query: Any) -> Any:
    """cos(k_n, q), `[B, N]`; 0 for a zero vector.

    Args:
        keys: `[B, N, K]`.
        scales: `one_over_length` of the keys, which a memory keeps: a root and a
            division for every slot would cost as much as the products.
        query: `[B, K]`.
    """
    dots = tf.einsum("bnk,bk->bn", keys, query)
    return dots * scales * one_over_length(query)[:, tf.newaxis]


def newest_of_the_best(cosines: Any, written_at: Any) -> Any:
    """The slot `[B]` with the highest of `cosines` `[B, N]`; the newest of equals.

    Compared as whole numbers of `GRAIN`: see `first_of_the_lowest`.
    """
    grains = tf.cast(cosines / GRAIN, tf.int32)
    best = tf.reduce_max(grains, axis=-1, keepdims=True)
    candidates = tf.where(grains >= best - round(TIE / GRAIN), written_at, -1)
    newest = tf.reduce_max(candidates, axis=-1, keepdims=True)
    return _first_where(candidates == newest)


def first_of_the_lowest(stamps: Any) -> Any:
    """The slot `[B]` with the lowest of `stamps`, int32 `[B, N]`; the first of equals.

    `tf.argmin` in two reductions of integers, which a compiler turns into vector code;
    it cannot with an argmin's pairs, nor with floats.
    """
    return _first_where(stamps == tf.reduce_min(stamps, axis=-1, keepdims=True))


def _first_where(mask: Any) -> Any:
    """The first index at which `mask` `[B, N]` is true, int32 `[B]`."""
    slots = mask.shape[1]
    return tf.reduce_min(tf.where(mask, tf.range(slots), slots), axis=-1)


def nearest_weights(similarity: Any, written_at: Any) -> Any:
    """Read weights `[B, N]` of the one most similar slot, newest first."""
    slot = newest_of_the_best(similarity, written_at)
    return tf.one_hot(slot, tf.shape(similarity)[1], dtype=similarity.dtype)


def inverse_distance_weights(
    keys: Any, query: Any, written_at: Any, neighbors: int
) -> Any:
    """w_n = k_n / Σ k, k_n = 1 / (‖q - key_n‖² + δ) over the nearest slots: `[B, N]`.

    Pritzel et al. (2017), equations 2 and 5. Of equally distant slots the newest
    count first; an empty slot (written at 0) has weight 0.
    """
    distances = tf.reduce_sum((keys - query[:, tf.newaxis]) ** 2, axis=-1)  # [B, N]
    occupied = written_at > 0
    kernel = tf.where(occupied, 1.0 / (distances + KERNEL_DELTA), 0.0)
    # top_k prefers low indices among equals: put the newest slots first.
    order = tf.argsort(written_at, direction="DESCENDING", stable=True)
    ranked = tf.gather(kernel, order, batch_dims=1)
    count = min(neighbors, keys.shape[1])
    _, ranks = tf.math.top_k(ranked, k=count)
    slots = tf.gather(order, ranks, batch_dims=1)  # [B, count]
    chosen = tf.reduce_sum(tf.one_hot(slots, keys.shape[1], dtype=kernel.dtype), axis=1)
    kernel *= chosen
    return tf.math.divide_no_nan(kernel, tf.reduce_sum(kernel, -1, keepdims=True))


def softmax_weights(similarity: Any, occupied: Any, temperature: float) -> Any:
    """softmax(cos(k_n, q) / temperature) over the occupied slots: `[B, N]`."""
    logits = tf.where(occupied, similarity / temperature, similarity.dtype.min)
    return tf.nn.softmax(logits) * tf.cast(occupied, similarity.dtype)
