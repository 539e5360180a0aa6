"""The DND against a Python list that plays the same lifetime, and its limit cases."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from harness.layer_contract import check_cell
from harness.reference import ListMemory
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kerasmeta import UserError
from kerasmeta._keras import keras, tf
from kerasmeta.layers import DND, dnd, dnd_reads, dnd_state

READS, EVICTIONS = dnd.READS, dnd.EVICTIONS
LIFETIMES, STEPS, K, H = 96, 24, 3, 2


def signs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.choice([-1.0, 1.0], shape)


def drawn_from(pool: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Keys of half of the lifetimes, some of them zero. `[LIFETIMES / 2, STEPS, K]`."""
    pool = np.concatenate([pool, np.zeros([1, K])])
    return pool[rng.integers(0, len(pool), [LIFETIMES // 2, STEPS])]


def some_inputs(batch: int, time: int) -> tuple[np.ndarray, ...]:
    """Queries, values and store flags of a DND cell that stores every other step."""
    rng = np.random.default_rng(1)
    store = np.arange(time) % 2 == 0
    return (
        signs(rng, batch, time, K),
        rng.normal(size=(batch, time, H)),
        np.broadcast_to(store[:, None], (batch, time, 1)).astype(float),
    )


@functools.cache
def shared(**settings: Any) -> DND:
    """A memory in float64 for all examples of a test: it has no weights, no state."""
    return DND(dtype="float64", **settings)


@functools.cache
def traced(method: Callable[..., Any]) -> Callable[..., Any]:
    """A memory's method, traced once for all examples."""
    return tf.function(method, autograph=False)


def filled(memory: DND, keys: np.ndarray, values: np.ndarray) -> dnd_state.DNDState:
    """A memory of one lifetime after writing keys `[n, K]` and values `[n, H]`."""
    state = memory.get_initial_state(batch_size=1, dtype=tf.float64)
    write = traced(memory.write)
    for key, value in zip(keys, values, strict=True):
        state = write(state, key[None], value[None], tf.constant([True]))
    return state


@pytest.mark.parametrize("read", READS)
def test_keeps_the_cell_contract(read: str) -> None:
    def make(dtype: str) -> DND:
        return DND(4, K, H, read=read, dtype=dtype, name="memory")

    check_cell(make, some_inputs, weight_shapes={})


def test_config_holds_every_argument() -> None:
    arguments = {
        "capacity": 3,
        "key_size": 4,
        "units": 5,
        "read": "inverse_distance",
        "num_neighbors": 2,
        "temperature": 0.3,
        "min_similarity": 0.25,
        "eviction": "least_recently_used",
        "overwrite": False,
    }
    config = DND(**arguments).get_config()
    assert {name: config[name] for name in arguments} == arguments
    copy = DND.from_config(config)
    assert (copy.read_kind, copy.eviction) == (
        "inverse_distance",
        arguments["eviction"],
    )


@pytest.mark.parametrize(
    ("read", "eviction", "overwrite"),
    list(itertools.product(READS, EVICTIONS, (True, False))),
)
def test_plays_lifetimes_like_a_list(
    read: str, eviction: str, overwrite: bool, rng: np.random.Generator
) -> None:
    """Random writes, reads, zero queries, and a new lifetime in the middle.

    Half of the lifetimes have sign keys of 3 components, which repeat often and tie
    often; the others real keys drawn from six, so that they repeat too.
    """
    settings = {
        "read": read,
        "eviction": eviction,
        "overwrite": overwrite,
        "num_neighbors": 2,
        "temperature": 0.5,
        "min_similarity": -0.4,
    }
    queries = np.concatenate(
        [drawn_from(pool, rng) for pool in (signs(rng, 8, K), rng.normal(size=(6, K)))]
    )
    values = rng.normal(size=(LIFETIMES, STEPS, H))
    store = (rng.random([LIFETIMES, STEPS]) < 0.5) & queries.any(-1)
    cell = DND(4, K, H, dtype="float64", **settings)
    rnn = keras.layers.RNN(
        cell, return_sequences=True, return_state=True, dtype="float64"
    )
    play = tf.function(rnn, autograph=False)
    inputs = (queries, values, store[..., None].astype(float))
    begun = list(cell.get_initial_state(batch_size=LIFETIMES, dtype=tf.float64))
    half, *state = play(tuple(part[:, : STEPS // 2] for part in inputs), begun)
    ended = rng.random(LIFETIMES) < 0.5  # half of the lifetimes begin anew
    state = list(dnd_state.clear(dnd_state.DNDState(*state), tf.constant(ended)))
    rest, *_ = play(tuple(part[:, STEPS // 2 :] for part in inputs), state)
    found = tf.concat([half, rest], axis=1)

    expected = np.zeros_like(values)
    for row in range(LIFETIMES):
        memory = ListMemory(4, H, **settings)
        for t in range(STEPS):
            if t == STEPS // 2 and ended[row]:
                memory = ListMemory(4, H, **settings)
            if store[row, t]:
                memory.write(queries[row, t], values[row, t])
            else:
                expected[row, t] = memory.read(queries[row, t])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


vectors = hnp.arrays(
    np.float64, 4, elements=st.floats(-10, 10).filter(lambda x: abs(x) > 1e-3)
)


@given(keys=st.lists(vectors, min_size=1, max_size=5), query=vectors)
@pytest.mark.parametrize("read", READS)
def test_weights_are_a_distribution(
    read: str, keys: list[np.ndarray], query: np.ndarray
) -> None:
    memory = shared(capacity=6, key_size=4, units=H, read=read, num_neighbors=3)
    state = filled(memory, np.array(keys), np.ones([len(keys), H]))
    similarity = dnd_reads.cosine_similarity(state.keys, state.scales, query[None])
    similarity = tf.where(state.written_at > 0, similarity, -2.0)
    weights = memory.weights_for(state, query[None], similarity).numpy()[0]
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1.0, abs=1e-9)
    assert not weights[state.written_at.numpy()[0] == 0].any()


@given(
    keys=hnp.arrays(np.int8, (5, 6), elements=st.sampled_from([-1, 1]), unique=False),
    place=st.integers(0, 4),
)
@pytest.mark.parametrize("read", READS)
def test_a_planted_key_is_retrieved(read: str, keys: np.ndarray, place: int) -> None:
    """Sharp settings make every kind of read return the newest equal key's value."""
    sharp = {"num_neighbors": 1, "temperature": 1e-3}
    memory = shared(capacity=8, key_size=6, units=1, read=read, **sharp)
    keys = keys.astype(float)
    state = filled(memory, keys, np.arange(5.0)[:, None])
    retrieval, _ = traced(memory.read)(state, keys[place : place + 1])
    newest = max(n for n in range(5) if np.array_equal(keys[n], keys[place]))
    assert retrieval.memory.numpy()[0, 0] == pytest.approx(newest, abs=1e-9)
    assert retrieval.similarity.numpy()[0] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("read", ["nearest", "inverse_distance"])
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("slots", [4, 7, 33])
def test_rounding_does_not_break_a_tie(
    read: str, jit: bool, slots: int, rng: np.random.Generator
) -> None:
    """Equal real-valued keys in float32, whose products may be summed in any order."""
    memory = DND(slots, 17, 1, read=read, num_neighbors=1, overwrite=False)
    state = memory.get_initial_state(batch_size=64)
    keys = rng.normal(size=(64, 1, 17)).astype(np.float32)
    written_at = rng.permuted(np.tile(np.arange(1, slots + 1), [64, 1]), axis=1)
    state = state._replace(
        keys=tf.repeat(keys, slots, axis=1),
        scales=tf.repeat(dnd_reads.one_over_length(keys), slots, axis=1),
        values=tf.cast(written_at, tf.float32)[..., None],
        written_at=tf.constant(written_at, tf.int32),
    )
    read_fn = tf.function(memory.read, jit_compile=jit, autograph=False)
    retrieval, _ = read_fn(state, tf.constant(keys[:, 0]))
    np.testing.assert_array_equal(retrieval.memory[:, 0], slots)
    expected = written_at.argmax(axis=1)
    np.testing.assert_array_equal(retrieval.slot, expected)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e3, 1e8])
def test_cosine_does_not_depend_on_length(
    scale: float, rng: np.random.Generator
) -> None:
    keys, query = rng.normal(size=(2, 5, 4)), rng.normal(size=(2, 4))
    stored, asked = (tf.constant(x * scale, tf.float32) for x in (keys, query))
    found = dnd_reads.cosine_similarity(
        stored, dnd_reads.one_over_length(stored), asked
    )
    lengths = np.linalg.norm(keys, axis=-1) * np.linalg.norm(query, axis=-1)[:, None]
    expected = np.einsum("bnk,bk->bn", keys, query) / lengths
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("key_size", [1, 3, 10, 20, 37])
def test_a_perfect_match_passes_the_highest_threshold(
    key_size: int, rng: np.random.Generator
) -> None:
    memory = DND(2, key_size, 1, min_similarity=1.0)
    keys = rng.normal(size=(256, key_size)).astype(np.float32)
    keys[:, 0] = 1.0
    state = memory.get_initial_state(batch_size=256)
    value, mask = np.ones([256, 1], np.float32), tf.fill([256], True)
    state = memory.write(state, keys, value, mask)
    np.testing.assert_array_equal(memory.read(state, keys)[0].slot, 0)
    other = np.where(np.arange(key_size) == 0, -keys, keys)  # one component differs
    np.testing.assert_array_equal(memory.read(state, other)[0].slot, -1)
    everything = DND(2, key_size, 1, min_similarity=-1.0)
    np.testing.assert_array_equal(everything.read(state, -keys)[0].slot, 0)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("case", ["empty memory", "zero query", "zero key"])
def test_degenerate_reads_are_zero_with_a_finite_gradient(read: str, case: str) -> None:
    memory = DND(3, K, H, read=read)
    state = memory.get_initial_state(batch_size=2)
    query = tf.zeros([2, K]) if case == "zero query" else tf.ones([2, K])
    if case != "empty memory":
        key = tf.zeros([2, K]) if case == "zero key" else tf.ones([2, K])
        state = memory.write(state, key, tf.ones([2, H]), tf.fill([2], True))
    with tf.GradientTape() as tape:
        tape.watch([query, state.keys, state.values])
        retrieval, _ = memory.read(state, query)
        total = tf.reduce_sum(retrieval.memory)
    expected = 1.0 if case == "zero key" else 0.0
    np.testing.assert_allclose(retrieval.memory, expected, atol=1e-6)
    np.testing.assert_array_equal(retrieval.similarity, 0.0)
    gradients = tape.gradient(
        total, [query, state.keys, state.values], unconnected_gradients="zero"
    )
    for gradient in gradients:
        assert np.isfinite(gradient).all()
        assert case == "zero key" or not gradient.numpy().any()


def test_memory_content_carries_no_gradient() -> None:
    memory = DND(3, K, H, read="softmax")
    key, value = tf.ones([1, K]), tf.ones([1, H])
    with tf.GradientTape() as tape:
        tape.watch([key, value])
        state = memory.get_initial_state(batch_size=1)
        state = memory.write(state, key, value, tf.constant([True]))
        retrieval, _ = memory.read(state, tf.ones([1, K]))
    np.testing.assert_allclose(retrieval.memory, 1.0)
    assert tape.gradient(retrieval.memory, [key, value]) == [None, None]


def test_masked_rows_neither_write_nor_read() -> None:
    memory = DND(3, K, H, eviction="least_recently_used")
    before = memory.get_initial_state(batch_size=2)
    mask = tf.constant([True, False])
    after = memory.write(before, tf.ones([2, K]), tf.ones([2, H]), mask)
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old[1], new[1])
        assert (old[0].numpy() != new[0].numpy()).any()
    both = memory.write(before, tf.ones([2, K]), tf.ones([2, H]), tf.fill([2], True))
    retrieval, read = memory.read(both, tf.ones([2, K]), mask=mask)
    np.testing.assert_array_equal(retrieval.memory, [[1, 1], [0, 0]])
    np.testing.assert_array_equal(retrieval.slot, [0, -1])
    for old, new in zip(both, read, strict=True):
        np.testing.assert_array_equal(old[1], new[1])
    np.testing.assert_array_equal(read.used_at[0], [2, 0, 0])


def test_clear_empties_only_the_chosen_lifetimes() -> None:
    memory = DND(3, K, H)
    state = memory.get_initial_state(batch_size=2)
    state = memory.write(state, tf.ones([2, K]), tf.ones([2, H]), tf.fill([2], True))
    cleared = dnd_state.clear(state, tf.constant([True, False]))
    retrieval, _ = memory.read(cleared, tf.ones([2, K]))
    np.testing.assert_array_equal(retrieval.memory, [[0, 0], [1, 1]])
    # A cleared memory fills like a new one: the old content never comes back.
    again = memory.write(cleared, -tf.ones([2, K]), tf.ones([2, H]), tf.fill([2], True))
    retrieval, _ = memory.read(again, tf.ones([2, K]))
    np.testing.assert_allclose(retrieval.similarity, [-1.0, 1.0])


def test_arguments_are_checked() -> None:
    for argument, value in [
        ("capacity", 0),
        ("num_neighbors", 0),
        ("temperature", 0.0),
        ("min_similarity", -3.0),
        ("read", "knn"),
        ("eviction", "random"),
    ]:
        arguments = {"capacity": 3, "key_size": K, "units": H, argument: value}
        with pytest.raises(UserError, match=argument):
            DND(**arguments)
