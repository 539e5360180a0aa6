"""Makes `saved_model.pb` smaller: what it computes stays, and how it is called.

TensorFlow writes every function as it was traced: with operations whose results nobody
uses, the same constants and shapes many times over, names that repeat the layers they
come from, and shapes that it infers again when it loads. For agents as small as ours
that is half of a version's files.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from kerasmeta._keras import tf

SAVED_MODEL = "saved_model.pb"
FINGERPRINT = "fingerprint.pb"  # of the file that was; TensorFlow does without
# Calls need the shapes that are written beside them: nothing infers theirs.
CALLS = ("PartitionedCall", "If", "While", "Case")


def slim(directory: Path) -> None:
    """Rewrites a SavedModel's file, and makes `serving_default` of `step`."""
    path = directory / SAVED_MODEL
    model = _saved_model().FromString(path.read_bytes())
    [graph] = model.meta_graphs
    stateful = {
        op.name for op in graph.meta_info_def.stripped_op_list.op if op.is_stateful
    }
    for function in graph.graph_def.library.function:
        while _merge(function, stateful) or _prune(function):
            pass
        _strip(function.node_def)
        for argument in function.arg_attr.values():
            argument.attr.pop("_user_specified_name", None)
        _number(function)
    _strip(graph.graph_def.node)
    _name_default(graph)
    path.write_bytes(model.SerializeToString(deterministic=True))
    (directory / FINGERPRINT).unlink(missing_ok=True)


def _prune(function: Any) -> int:
    """Removes the nodes that no result needs; returns how many there were.

    A node with an effect is a result: `control_ret` lists it.
    """
    nodes = {node.name: node for node in function.node_def}
    todo = [*function.ret.values(), *function.control_ret.values()]
    needed: set[str] = set()
    while todo:
        name = _node(todo.pop())
        if name in nodes and name not in needed:
            needed.add(name)
            todo += nodes[name].input
    return _keep(function, lambda node: node.name in needed)


def _merge(function: Any, stateful: set[str]) -> int:
    """Lets one node do what several equal ones did; returns how many were merged."""
    first: dict[bytes, str] = {}
    same: dict[str, str] = {}
    for node in function.node_def:
        if node.op in stateful or node.op.endswith(CALLS) or _controlled(node):
            continue
        described = type(node).FromString(node.SerializeToString())
        described.name = ""
        described.ClearField("experimental_debug_info")
        key = described.SerializeToString(deterministic=True)
        if first.setdefault(key, node.name) != node.name:
            same[node.name] = first[key]
    _rename(function, same)
    return _keep(function, lambda node: node.name not in same)


def _strip(nodes: Iterable[Any]) -> None:
    """Removes what TensorFlow infers, or only shows to people."""
    for node in nodes:
        node.ClearField("experimental_debug_info")
        if not node.op.endswith(CALLS):
            node.attr.pop("_output_shapes", None)


def _number(function: Any) -> None:
    """Gives the nodes of a function short names."""
    taken = {argument.name for argument in function.signature.input_arg}
    free = (name for n in itertools.count() if (name := f"n{n}") not in taken)
    names = {node.name: next(free) for node in function.node_def}
    _rename(function, names)
    for node in function.node_def:
        node.name = names[node.name]


def _name_default(graph: Any) -> None:
    """Adds `serving_default`: `step` under another name, not a second copy of it."""
    graph.signature_def["serving_default"].CopyFrom(graph.signature_def["step"])
    objects = graph.object_graph_def.nodes
    [root] = [c for c in objects[0].children if c.local_name == "signatures"]
    signatures = objects[root.node_id]
    [step] = [c for c in signatures.children if c.local_name == "step"]
    signatures.children.add(node_id=step.node_id, local_name="serving_default")


def _rename(function: Any, names: dict[str, str]) -> None:
    """Changes where inputs and results come from: `^old`, `old:output:0`."""
    for node in function.node_def:
        node.input[:] = [_renamed(text, names) for text in node.input]
    for results in (function.ret, function.control_ret):
        for key in list(results):
            results[key] = _renamed(results[key], names)


def _renamed(text: str, names: dict[str, str]) -> str:
    old = _node(text)
    return text.replace(old, names.get(old, old), 1)


def _node(text: str) -> str:
    """The node that an input names: `^node`, `node:output:0`, `node`."""
    return text.removeprefix("^").partition(":")[0]


def _controlled(node: Any) -> bool:
    return any(text.startswith("^") for text in node.input)


def _keep(function: Any, wanted: Callable[[Any], bool]) -> int:
    """Removes the nodes that are not wanted; returns how many."""
    kept = [node for node in function.node_def if wanted(node)]
    removed = len(function.node_def) - len(kept)
    if removed:
        copies = [type(node).FromString(node.SerializeToString()) for node in kept]
        del function.node_def[:]
        function.node_def.extend(copies)
    return removed


@cache
def _saved_model() -> Any:
    """The class of TensorFlow's message, which has no public name."""
    from google.protobuf import message_factory

    pool = tf.compat.v1.MetaGraphDef.DESCRIPTOR.file.pool
    found = pool.FindMessageTypeByName("tensorflow.SavedModel")
    return message_factory.GetMessageClass(found)
