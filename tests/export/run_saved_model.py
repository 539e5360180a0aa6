"""A client with nothing but TensorFlow: runs exported agents over recorded inputs.

    python run_saved_model.py MODEL...

Each MODEL is a directory with version 1 of a SavedModel and files `in-*.npz`. For each
of those an `out-*.npz` is written, step by step, and an `unroll-*.npz`, at once; for
the last one `session.npz`, the first step as a server runs it, and, where there is a
file `fine-tune`, `losses.npz` of that. Not a test; `test_parity.py` runs it.
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf


def run(model, inputs):
    """Every step's outputs, and the state carried by name from step to step."""
    step = model.signatures["serving_default"]
    state = model.signatures["initial_state"](seed=tf.constant(inputs.pop("seed")))
    steps = next(iter(inputs.values())).shape[0]
    rows = []
    for t in range(steps):
        observation = {key: tf.constant(value[t]) for key, value in inputs.items()}
        out = step(**observation, **state)
        state = {name: out[name] for name in state}
        rows.append({name: value.numpy() for name, value in out.items()})
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def unroll(model, inputs):
    """All steps in one call: `[B, T, ...]` in and out."""
    tensors = {k: np.moveaxis(v, 0, 1) for k, v in inputs.items() if k != "seed"}
    state = model.signatures["initial_state"](seed=tf.constant(inputs["seed"]))
    return model.unroll({**tensors, **state})


def fine_tune(model, inputs, updates=3, rate=0.003):
    """Losses of gradient descent on all that the model lists as trainable."""
    inputs = {k: v if k == "seed" else v[:6] for k, v in inputs.items()}
    losses = []
    for _ in range(updates):
        with tf.GradientTape() as tape:
            out = unroll(model, inputs)
            scores = out["logits"] if "logits" in out else out["mean"] * out["scale"]
            loss = tf.reduce_mean(scores**2) + tf.reduce_mean((out["value"] - 1.0) ** 2)
        gradients = tape.gradient(loss, list(model.trainable_variables))
        assert gradients, "no trainable variables"
        pairs = zip(model.trainable_variables, gradients, strict=True)
        for variable, gradient in pairs:
            assert gradient is not None, variable.name
            variable.assign_sub(rate * gradient)
        losses.append(loss.numpy())
    assert len(model.variables) == len(model.trainable_variables)
    return losses


def first_step_in_session(path, inputs):
    """The first step as TensorFlow Serving runs it: graph, session, tensor names."""
    feed = {key: value[0] for key, value in inputs.items() if key != "seed"}
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        graph = v1.saved_model.load(session, ["serve"], str(path))

        def call(name, arrays):
            signature = graph.signature_def[name]
            fetches = {k: v.name for k, v in signature.outputs.items()}
            names = {signature.inputs[k].name: a for k, a in arrays.items()}
            assert len(names) == len(signature.inputs), name
            return session.run(fetches, names)

        state = call("initial_state", {"seed": inputs["seed"]})
        return call("serving_default", {**feed, **state})


def main():
    for folder in map(pathlib.Path, sys.argv[1:]):
        model = tf.saved_model.load(str(folder / "1"))
        for path in sorted(folder.glob("in-*.npz")):
            inputs = dict(np.load(path))
            outputs = run(model, dict(inputs))
            np.savez(path.with_name(path.name.replace("in-", "out-")), **outputs)
            at_once = {k: v.numpy() for k, v in unroll(model, inputs).items()}
            np.savez(path.with_name(path.name.replace("in-", "unroll-")), **at_once)
        np.savez(folder / "session.npz", **first_step_in_session(folder / "1", inputs))
        if (folder / "fine-tune").exists():
            np.savez(folder / "losses.npz", losses=fine_tune(model, inputs))
    ours = ("kerasmeta", "zoo", "export", "tf_agents", "tensorflow_probability")
    loaded = [name for name in ours if name in sys.modules]
    assert not loaded, f"{loaded} imported"


if __name__ == "__main__":
    main()
