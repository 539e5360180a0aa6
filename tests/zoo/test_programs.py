"""SavedModels: nothing is run that does more than arithmetic on its own variables."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness.watching import confined_to, within_a_gibibyte
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zoo
from kerasmeta._keras import tf
from kerasmeta.errors import UserError
from zoo import files, programs
from zoo.operations import ALLOWED, OWN_FILES

EMBEDDED = Path(zoo.__file__).parent / "agents"
SHIPPED = sorted(EMBEDDED.glob("*/*/*/saved_model.pb"))
X = tf.TensorSpec([None], tf.float32)


def save(directory: Path, function: Callable[[Any], Any]) -> Path:
    """A SavedModel whose `step` is a function of one tensor."""
    module = tf.Module()
    module.weight = tf.Variable([2.0])
    module.step = tf.function(
        lambda x: function(x) * module.weight, input_signature=[X], autograph=False
    )
    tf.saved_model.save(module, str(directory), signatures={"step": module.step})
    return directory


def _with(op: Callable[[], Any]) -> Callable[[Any], Any]:
    """A function that has an operation done besides."""

    def function(x: Any) -> Any:
        with tf.control_dependencies([op()]):
            return tf.identity(x)

    return function


def _python() -> Any:
    return tf.py_function(lambda: 1.0, [], tf.float32)


HARMFUL: dict[str, Callable[[], Any]] = {
    "EagerPyFunc": _python,
    "PyFunc": lambda: tf.numpy_function(lambda: np.float32(1), [], tf.float32),
    "ReadFile": lambda: tf.io.read_file("x"),
    "WriteFile": lambda: tf.io.write_file("x", "y"),
    "MatchingFiles": lambda: tf.io.matching_files("*"),
    "StringFormat": lambda: tf.print("hello"),
    "SaveV2": lambda: tf.raw_ops.SaveV2(
        prefix="x", tensor_names=["a"], shape_and_slices=[""], tensors=[1.0]
    ),
    "RestoreV2": lambda: tf.raw_ops.RestoreV2(
        prefix="x", tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32]
    )[0],
    "StringJoin": lambda: tf.strings.join(["a", "b"]),
    "RandomUniform": lambda: tf.random.uniform([]),
}


@pytest.mark.parametrize("op", HARMFUL)
def test_harmful_operations_are_refused(op: str, tmp_path: Path) -> None:
    directory = save(tmp_path / "model", _with(HARMFUL[op]))
    with pytest.raises(UserError, match=f"holds the operation {op}"):
        programs.check(directory)


def test_they_are_found_inside_branches_and_loops(tmp_path: Path) -> None:
    def looped(x: Any) -> Any:
        def body(i: Any, y: Any) -> Any:
            return i + 1, tf.cond(i > 1, lambda: _with(_python)(y), lambda: y)

        return tf.while_loop(lambda i, y: i < 3, body, [0, x])[1]

    with pytest.raises(UserError, match="holds the operation EagerPyFunc"):
        programs.check(save(tmp_path / "model", looped))
    assert "EagerPyFunc" not in ALLOWED


def test_texts_that_may_be_paths_are_refused(tmp_path: Path) -> None:
    def function(x: Any) -> Any:
        return x + tf.cast(tf.size(tf.constant(["/etc/passwd"])), tf.float32)

    with pytest.raises(UserError, match="/etc/passwd"):
        programs.check(save(tmp_path / "model", function))


def test_arithmetic_is_allowed(tmp_path: Path) -> None:
    def function(x: Any) -> Any:
        return tf.scan(lambda a, b: tf.tanh(a + b), tf.stack([x, x]))[-1]

    programs.check(save(tmp_path / "model", function))


def test_a_function_may_not_stand_in_for_an_operation(tmp_path: Path) -> None:
    directory = save(tmp_path / "model", _with(_python))
    path = directory / "saved_model.pb"
    model = programs._saved_model().FromString(path.read_bytes())
    model.meta_graphs[0].graph.library.function.add().signature.name = "EagerPyFunc"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="EagerPyFunc"):
        programs.check(directory)


@pytest.mark.parametrize("name", programs.OTHER_FORMS)
def test_another_form_beside_the_checked_one(name: str, tmp_path: Path) -> None:
    directory = save(tmp_path / "model", tf.identity)
    (directory / name).write_bytes(b"")
    with pytest.raises(UserError, match="is another SavedModel"):
        programs.check(directory)


@pytest.mark.parametrize(
    "data",
    # The last: one operation, whose name is not UTF-8.
    [b"", b"\xff" * 9, b"saved_model.pb", b"\x12\x08\x12\x06\x0a\x04\x12\x02\xff\x80"],
)
def test_what_is_no_saved_model(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(data)
    with pytest.raises(UserError, match=r"saved_model\.pb") as said:
        programs.check(tmp_path)
    assert "\n" not in str(said.value)
    with pytest.raises(UserError, match="cannot be read"):
        programs.check(tmp_path / "none")


def test_the_list_is_of_operations_that_exist() -> None:
    """A misspelt name would allow nothing, and hide that."""
    unknown = {op for op in ALLOWED | OWN_FILES if not hasattr(tf.raw_ops, op)}
    assert not unknown
    assert not ALLOWED & OWN_FILES


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.parent)[-24:])
def test_every_shipped_agent_is_allowed(path: Path) -> None:
    programs.check(path.parent)


def test_a_shipped_saved_model_can_be_run() -> None:
    model = zoo.load_saved_model("two_step/lstm", EMBEDDED)
    begun = model.signatures["initial_state"](seed=tf.constant([[1, 2]]))
    assert begun["state_actor_hidden"].shape[0] == 1


def test_reading_operations_needs_no_tensorflow() -> None:
    code = (
        "import sys; from pathlib import Path; from zoo import programs\n"
        f"programs.check(Path({str(SHIPPED[0].parent)!r}))\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    with within_a_gibibyte():
        yield


def _mutated(place: float, new: bytes, cut: int) -> bytes:
    """A shipped SavedModel with a few bytes of it replaced."""
    good = SHIPPED[0].read_bytes()
    at = int(place * len(good))
    return good[:at] + new + good[at + cut :]


MUTATION = given(
    place=st.floats(0, 1), new=st.binary(max_size=6), cut=st.integers(0, 6)
)


@settings(
    suppress_health_check=list(HealthCheck),
    max_examples=int(os.environ.get("KERASMETA_TEST_MUTATIONS", "200")),
)
@MUTATION
def test_a_mutated_saved_model_is_judged_in_one_line(
    place: float, new: bytes, cut: int
) -> None:
    said = ""
    try:
        with confined_to(Path("nothing")):
            programs.check_bytes(_mutated(place, new, cut), SHIPPED[0])
    except UserError as error:
        said = str(error)
    assert said.isprintable()


@pytest.fixture
def sealed(tmp_path: Path) -> Callable[[bytes], zoo.Registry]:
    """Makes a registry with another SavedModel in it, whose every hash fits."""
    source = SHIPPED[0].parent
    directory = tmp_path / "zoo" / source.relative_to(EMBEDDED)
    shutil.copytree(source, directory)

    def seal(saved_model: bytes) -> zoo.Registry:
        (directory / SHIPPED[0].name).write_bytes(saved_model)
        manifest = json.loads((directory / files.MANIFEST).read_text())
        manifest["files"] = [one.model_dump() for one in files.entries(directory)]
        (directory / files.MANIFEST).write_text(json.dumps(manifest))
        registry = zoo.Registry(tmp_path / "zoo")
        registry.rebuild_index()
        return registry

    return seal


@pytest.mark.slow
@settings(
    suppress_health_check=list(HealthCheck),
    max_examples=int(os.environ.get("KERASMETA_TEST_MUTATIONS", "200")) // 10,
)
@MUTATION
def test_a_mutated_saved_model_whose_hash_fits_is_loaded_or_refused(
    sealed: Callable[[bytes], zoo.Registry], place: float, new: bytes, cut: int
) -> None:
    """TensorFlow's own reader gets what is on the list, however odd it is."""
    registry, said = sealed(_mutated(place, new, cut)), ""
    try:
        with confined_to(Path("nothing")):
            zoo.load_saved_model(
                str(SHIPPED[0].parents[1].relative_to(EMBEDDED)), registry
            )
    except UserError as error:
        said = str(error)
    assert said.isprintable()


def test_what_tensorflow_cannot_load_is_one_line(
    sealed: Callable[[bytes], zoo.Registry],
) -> None:
    model = programs._saved_model().FromString(SHIPPED[0].read_bytes())
    registry = sealed(model.SerializeToString())
    name = str(SHIPPED[0].parents[1].relative_to(EMBEDDED))
    assert zoo.load_saved_model(name, registry).signatures
    for node in model.meta_graphs[0].graph.library.function[0].node:
        del node.attr[:]
    registry = sealed(model.SerializeToString())
    with pytest.raises(UserError, match=r"cannot be loaded \(\w+: ") as said:
        zoo.load_saved_model(name, registry)
    assert "\n" not in str(said.value)
