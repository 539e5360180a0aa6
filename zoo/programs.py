"""What a SavedModel would do: its operations, read without running any of it.

A SavedModel is a program. One from a registry is run only where every operation in it
is on the list below: arithmetic on tensors, control flow and the model's own variables,
but no Python, no network, and no files besides the model's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from kerasmeta.errors import UserError

from .operations import ALLOWED, OWN_FILES, OWN_TEXTS

SAVED_MODEL = "saved_model.pb"
# TensorFlow also reads these, and prefers the first to the file that is checked here.
OTHER_FORMS = ("saved_model.cpb", "saved_model.pbtxt")

# The few fields of TensorFlow's messages that matter: (name, number, type, repeated).
_MESSAGES: dict[str, list[tuple[str, int, str, bool]]] = {
    "SavedModel": [("meta_graphs", 2, "MetaGraph", True)],
    "MetaGraph": [("graph", 2, "Graph", False)],
    "Graph": [("node", 1, "Node", True), ("library", 2, "Library", False)],
    "Library": [("function", 1, "Function", True)],
    "Function": [("signature", 1, "Signature", False), ("node", 3, "Node", True)],
    "Signature": [("name", 1, "string", False)],
    "Node": [
        ("name", 1, "string", False),
        ("op", 2, "string", False),
        ("attr", 5, "Attribute", True),
    ],
    "Attribute": [("key", 1, "string", False), ("value", 2, "Value", False)],
    "Value": [("text", 2, "bytes", False), ("tensor", 8, "Tensor", False)],
    "Tensor": [
        ("dtype", 1, "int32", False),
        ("content", 4, "bytes", False),
        ("text", 8, "bytes", True),
    ],
}
_STRING = 7  # DT_STRING
_SAVING = "__inference__traced_"  # how TensorFlow calls what saves and restores
_VARIABLE = re.compile(rb"\w+(/[\w.-]*\w)*/\.ATTRIBUTES/VARIABLE_VALUE")  # by its path


class Operation(NamedTuple):
    """One node: what it does, the function it is in, and the texts it holds."""

    op: str
    function: str  # "" in the graph itself
    texts: tuple[bytes, ...]


def check(directory: Path) -> None:
    """Refuses a SavedModel with an operation that is not on the list.

    Args:
        directory: A version's directory, whose files have their hashes.

    Raises:
        UserError: The file is damaged, or an operation is not allowed.
    """
    for name in OTHER_FORMS:
        if (directory / name).exists():
            raise _refused(directory / name, "is another SavedModel, unchecked")
    path = directory / SAVED_MODEL
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})") from None
    check_bytes(data, path)


def check_bytes(data: bytes, path: Path) -> None:
    """The same for the content of `saved_model.pb`; `path` names it in errors."""
    found = list(operations(data, path))
    functions = {operation.function for operation in found}
    if not found:
        raise _refused(path, "holds no operations")
    problems = (_objection(operation, functions) for operation in found)
    texts = (_doubtful_text(operation) for operation in found)
    for problem in (*problems, *texts):
        if problem:
            raise _refused(path, problem)


def operations(data: bytes, path: Path) -> Iterator[Operation]:
    """Every operation of a SavedModel, in its graphs and in their functions."""
    from google.protobuf.message import DecodeError

    try:
        model = _saved_model().FromString(data)
    except DecodeError:
        raise _refused(path, "is no SavedModel") from None
    for meta in model.meta_graphs:
        yield from (_operation(node, "") for node in meta.graph.node)
        for function in meta.graph.library.function:
            name = function.signature.name
            yield from (_operation(node, name) for node in function.node)


def _operation(node: Any, function: str) -> Operation:
    values = [attribute.value for attribute in node.attr]
    strings = [v.tensor for v in values if v.tensor.dtype == _STRING]
    texts = [text for tensor in strings for text in (*tensor.text, tensor.content)]
    if node.op == "StringJoin":
        texts += [value.text for value in values]  # its separator
    return Operation(node.op, function, tuple(text for text in texts if text))


def _objection(operation: Operation, functions: set[str]) -> str | None:
    """What is wrong with an operation, if anything."""
    op = _printable(operation.op)
    if operation.op in OWN_FILES:
        # Where the model's own variables are read and written, and nowhere else.
        if not operation.function.startswith(_SAVING):
            return f"holds the operation {op} outside of its own saving and restoring"
    elif operation.op not in ALLOWED and not _is_call(operation.op, functions):
        return f"holds the operation {op}, which is not allowed"
    return None


def _doubtful_text(operation: Operation) -> str | None:
    """A text that is neither TensorFlow's own nor a variable's name, if any."""
    for text in operation.texts:
        named = _VARIABLE.fullmatch(text) or _is_object_graph(operation, text)
        if text not in OWN_TEXTS and not named:
            return f"holds the text {_printable(repr(text))}, which may be a path"
    return None


def _is_call(op: str, functions: set[str]) -> bool:
    """Whether an operation is a function of the model, under a name of that kind only.

    A function that is called PyFunc may not stand in for the operation.
    """
    return op in functions and op.startswith(("__inference_", "__forward_"))


def _is_object_graph(operation: Operation, text: bytes) -> bool:
    """Whether a text is the list of variables that a checkpoint carries.

    As a path it would be relative, below a directory whose name begins with a newline.
    """
    outside = operation.function == "" and operation.op == "Const"
    return outside and text.startswith(b"\n") and b"VARIABLE_VALUE" in text


def _printable(text: str, limit: int = 80) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:limit]


def _refused(path: Path, problem: str) -> UserError:
    fix = "do not run it; load the agent with zoo.load, which runs nothing of it"
    return UserError(SAVED_MODEL, str(path), problem, fix)


@cache
def _saved_model() -> Any:
    """A class that reads SavedModels, made from `_MESSAGES`: no TensorFlow."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds: Any = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="zoo.proto", package="zoo")
    file.syntax = "proto3"  # as TensorFlow's are: a text that is not UTF-8 is refused
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, number, kind, repeated in fields:
            field = described.field.add(name=name, number=number)
            field.label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            if kind in _MESSAGES:
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".zoo.{kind}"
            else:
                field.type = getattr(kinds, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName("zoo.SavedModel")
    return message_factory.GetMessageClass(found)
