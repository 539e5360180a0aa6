"""The epLSTM through time, with its derivatives written out by hand.

Reverse-mode differentiation through `tf.while_loop` keeps an accumulator for every
intermediate tensor and, differentiated twice, recompiles under XLA. Here the forward
scan stores what its derivatives need once, and three short loops do the rest:

* `_forward`: hidden and cell states of all steps;
* `_adjoint`: J^T u, the gradient, a scan backwards over the stored activations;
* `_tangent`: J v, the directional derivative, a scan forwards over the same.

The adjoint is linear in u and its derivative with respect to u is the tangent, which is
what a Gauss-Newton (Fisher) product asks for by differentiating J^T u with respect to u
("double vjp"). Second derivatives with respect to anything else are not offered: they
come out as NaN rather than wrong.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kerasmeta._keras import tf
from kerasmeta.layers.ep_lstm import LSTMState, apart, ep_lstm_step, reinstated


class _Stored(NamedTuple):
    """Activations of all steps, `[T, B, ...]`."""

    gates: Any  # [T, B, gates * H], i, f, o, (r,) g after their nonlinearities
    tanh_cell: Any  # [T, B, H]
    hidden_in: Any  # [T, B, H], h_{t-1} after the resets
    cell_in: Any  # [T, B, H], c_{t-1} after the resets
    reinstated: Any  # [T, B, H], tanh(m), or [0] without reinstatement
    keep: Any  # [T, B, 1], 0 where the state is cleared before the step
    recurrent_kernel: Any  # [H, gates * H]


def ep_lstm_scan(
    projected: Any,
    memory: Any,
    reset: Any,
    state: LSTMState,
    recurrent_kernel: Any,
    activation: str = "tanh",
) -> tuple[Any, Any]:
    """Runs the cell over `T` steps.

    Args:
        projected: W x + b, `[T, B, 5H]`, or `[T, B, 4H]` where `memory` is None.
        memory: m, `[T, B, H]`, or None for a plain LSTM. Carries no gradient.
        reset: Bool `[T, B]`: the state is cleared before these steps.
        state: The `LSTMState` before the first step.
        recurrent_kernel: U, `[H, 5H]` or `[H, 4H]`.
        activation: On m: "tanh" or "identity".

    Returns:
        hidden and cell states of all steps, each `[T, B, H]`.
    """
    remembered, keep = _constants(projected, memory, reset, activation)
    return _scan(projected, recurrent_kernel, *state, remembered, keep)


def _constants(
    projected: Any, memory: Any, reset: Any, activation: str
) -> tuple[Any, Any]:
    """What carries no gradient: tanh(m) `[T, B, H]` or `[0]`, and `keep`."""
    keep = 1.0 - tf.cast(reset, projected.dtype)[..., tf.newaxis]  # [T, B, 1]
    if memory is None:
        return tf.zeros([0], projected.dtype), keep
    return tf.stop_gradient(reinstated(memory, activation)), keep


class Recording(NamedTuple):
    """What a forward scan leaves for its derivatives."""

    hiddens: Any  # [T, B, H]
    cells: Any  # [T, B, H]
    stored: _Stored


def record_scan(
    projected: Any,
    memory: Any,
    reset: Any,
    state: LSTMState,
    recurrent_kernel: Any,
    activation: str = "tanh",
) -> Recording:
    """`ep_lstm_scan` that keeps its activations for `replay_scan`."""
    remembered, keep = _constants(projected, memory, reset, activation)
    return Recording(*_forward(projected, recurrent_kernel, *state, remembered, keep))


@tf.custom_gradient
def replay_scan(
    projected: Any, kernel: Any, hidden: Any, cell: Any, *recording: Any
) -> Any:
    """The recorded hidden and cell states, with `ep_lstm_scan`'s derivatives.

    Args:
        projected: As recorded; only derivatives look at it.
        kernel: U.
        hidden: Before the first step.
        cell: The same.
        *recording: The leaves of the `Recording`.
    """
    hiddens, cells, *stored = recording

    def gradient(d_hiddens: Any, d_cells: Any) -> tuple[Any, ...]:
        return (*_adjoint(d_hiddens, d_cells, *stored), *[None] * len(recording))

    return (tf.identity(hiddens), tf.identity(cells)), gradient


def simple_scan(
    projected: Any,
    memory: Any,
    reset: Any,
    state: LSTMState,
    recurrent_kernel: Any,
    activation: str = "tanh",
) -> tuple[Any, Any]:
    """`ep_lstm_scan` by stepping the cell and automatic differentiation: the oracle."""
    hiddens, cells = [], []
    for t in range(projected.shape[0]):
        keep = 1.0 - tf.cast(reset[t], projected.dtype)[:, tf.newaxis]  # [B, 1]
        state = LSTMState(state.hidden * keep, state.cell * keep)
        m = None if memory is None else memory[t]
        state, _ = ep_lstm_step(projected[t], m, state, recurrent_kernel, activation)
        hiddens.append(state.hidden)
        cells.append(state.cell)
    return tf.stack(hiddens), tf.stack(cells)


@tf.custom_gradient
def _scan(
    projected: Any, kernel: Any, hidden: Any, cell: Any, remembered: Any, keep: Any
) -> Any:
    hiddens, cells, stored = _forward(projected, kernel, hidden, cell, remembered, keep)

    def gradient(d_hiddens: Any, d_cells: Any) -> tuple[Any, ...]:
        return (*_adjoint(d_hiddens, d_cells, *stored), None, None)

    return (hiddens, cells), gradient


def _has_reinstatement(stored: _Stored) -> bool:
    return stored.reinstated.shape.rank == 3


def _loop(body: Any, start: Any, state: Any, widths: list[int], like: Any) -> Any:
    """Runs `body(t, h, c, arrays)` once for each step of `like` `[T, B, ...]`.

    Args:
        body: Returns the next t and the two state tensors, and the arrays written to.
        start: The first t; the loop ends when t leaves [0, T).
        state: The two state tensors `[B, H]`.
        widths: The arrays' elements are `[B, width]`.
        like: Tells T, B and the data type.

    Returns:
        The last two state tensors, and the arrays stacked, `[T, B, width]` each.
    """
    steps, batch, units = tf.shape(like)[0], like.shape[1], state[0].shape[-1]
    arrays = [
        tf.TensorArray(like.dtype, steps, element_shape=[batch, w]) for w in widths
    ]
    either = tf.TensorShape([None, units])  # B may be known for one tensor only
    _, h, c, arrays = tf.while_loop(
        lambda t, *_: (t >= 0) & (t < steps),
        body,
        (start, *state, arrays),
        shape_invariants=(
            tf.TensorShape([]),
            either,
            either,
            [tf.TensorShape(None)] * len(arrays),
        ),
        maximum_iterations=steps,
    )
    return h, c, [array.stack() for array in arrays]


def _forward(
    projected: Any, kernel: Any, hidden: Any, cell: Any, remembered: Any, keep: Any
) -> tuple[Any, Any, _Stored]:
    """All states, and the activations the derivatives need."""
    reinstatement = remembered.shape.rank == 3
    units = kernel.shape[0]
    widths = [units, units, kernel.shape[1], units, units, units]

    def body(t: Any, h: Any, c: Any, arrays: list[Any]) -> tuple[Any, ...]:
        h, c = h * keep[t], apart(c) * keep[t]
        z = projected[t] + tf.matmul(h, kernel)  # [B, gates * H]
        gates = tf.sigmoid(z[:, :-units])  # [B, (gates - 1) * H]
        candidate = tf.tanh(z[:, -units:])
        i, f, o = (gates[:, n * units : (n + 1) * units] for n in range(3))
        new_c = i * candidate + f * c
        if reinstatement:
            new_c += gates[:, 3 * units :] * remembered[t]
        tanh_c = tf.tanh(new_c)
        new_h = o * tanh_c
        gates = tf.concat([gates, candidate], axis=1)
        written = (new_h, new_c, gates, tanh_c, h, c)
        arrays = [a.write(t, x) for a, x in zip(arrays, written, strict=True)]
        return t + 1, new_h, new_c, arrays

    _, _, arrays = _loop(body, tf.constant(0), (hidden, cell), widths, projected)
    hiddens, cells, *activations = arrays
    stored = _Stored._make([*activations, remembered, keep, kernel])
    return hiddens, cells, stored


@tf.custom_gradient
def _adjoint(d_hiddens: Any, d_cells: Any, *activations: Any) -> Any:
    """J^T u: gradients for (projected, recurrent_kernel, hidden, cell)."""
    stored = _Stored._make(activations)
    gradients = _backward(d_hiddens, d_cells, stored)

    def gradient(
        projected: Any, kernel: Any, hidden: Any, cell: Any
    ) -> tuple[Any, ...]:
        undefined = [x * float("nan") for x in stored]
        return (*_tangent(projected, kernel, hidden, cell, stored), *undefined)

    return gradients, gradient


def _backward(d_hiddens: Any, d_cells: Any, stored: _Stored) -> tuple[Any, ...]:
    kernel = stored.recurrent_kernel
    units, reinstatement = kernel.shape[0], _has_reinstatement(stored)
    blocks = 5 if reinstatement else 4

    def body(t: Any, dh: Any, dc: Any, arrays: list[Any]) -> tuple[Any, ...]:
        gates, tanh_c = stored.gates[t], stored.tanh_cell[t]
        i, f, o, *_, g = tf.split(gates, blocks, axis=1)
        dh += d_hiddens[t]
        dc = apart(dc) + d_cells[t] + dh * o * (1.0 - tanh_c * tanh_c)
        slopes = [dc * g, dc * stored.cell_in[t], dh * tanh_c]
        if reinstatement:
            slopes.append(dc * stored.reinstated[t])
        squashed = gates[:, :-units]
        dz = tf.concat(slopes, axis=1) * squashed * (1.0 - squashed)
        dz = tf.concat([dz, dc * i * (1.0 - g * g)], axis=1)  # [B, gates * H]
        dh = tf.matmul(dz, kernel, transpose_b=True) * stored.keep[t]
        return t - 1, dh, dc * f * stored.keep[t], [arrays[0].write(t, dz)]

    zeros, last = tf.zeros_like(d_hiddens[0]), tf.shape(d_hiddens)[0] - 1
    dh, dc, [d_projected] = _loop(
        body, last, (zeros, zeros), [blocks * units], d_hiddens
    )
    flat_hidden = tf.reshape(stored.hidden_in, [-1, units])
    flat_slopes = tf.reshape(d_projected, [-1, blocks * units])
    d_kernel = tf.matmul(flat_hidden, flat_slopes, transpose_a=True)
    return d_projected, d_kernel, dh, dc


def _tangent(
    t_projected: Any, t_kernel: Any, t_hidden: Any, t_cell: Any, stored: _Stored
) -> tuple[Any, Any]:
    """J v: how hidden and cell states `[T, B, H]` move with a tangent of the inputs."""
    kernel = stored.recurrent_kernel
    units, reinstatement = kernel.shape[0], _has_reinstatement(stored)
    driven = t_projected + tf.tensordot(stored.hidden_in, t_kernel, axes=1)

    def body(t: Any, th: Any, tc: Any, arrays: list[Any]) -> tuple[Any, ...]:
        th, tc = th * stored.keep[t], apart(tc) * stored.keep[t]
        gates, tanh_c = stored.gates[t], stored.tanh_cell[t]
        squashed, g = gates[:, :-units], gates[:, -units:]
        tz = driven[t] + tf.matmul(th, kernel)  # [B, gates * H]
        t_squashed = squashed * (1.0 - squashed) * tz[:, :-units]
        ti, tf_, to, *tr = tf.split(t_squashed, 4 if reinstatement else 3, axis=1)
        i, f, o, *_ = tf.split(squashed, 4 if reinstatement else 3, axis=1)
        tc = (
            ti * g
            + i * (1.0 - g * g) * tz[:, -units:]
            + tf_ * stored.cell_in[t]
            + f * tc
        )
        if reinstatement:
            tc += tr[0] * stored.reinstated[t]
        th = to * tanh_c + o * (1.0 - tanh_c * tanh_c) * tc
        return (
            t + 1,
            th,
            tc,
            [a.write(t, x) for a, x in zip(arrays, (th, tc), strict=True)],
        )

    _, _, (t_hiddens, t_cells) = _loop(
        body, tf.constant(0), (t_hidden, t_cell), [units, units], t_projected
    )
    return t_hiddens, t_cells
