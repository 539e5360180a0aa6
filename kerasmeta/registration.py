"""Registers every task family with Gymnasium; `import kerasmeta` does it.

`gymnasium.make("kerasmeta/TwoStep-v0")` makes one lifetime at a time,
`gymnasium.make_vec("kerasmeta/TwoStep-v0", num_envs=64)` 64 of them in one graph call.
TensorFlow is imported when the first environment is made, not here.
"""

from __future__ import annotations

import gymnasium

from kerasmeta import tasks

NAMESPACE = "kerasmeta"
VERSION = 0

_MODULE = "kerasmeta.environments.gymnasium"


def gymnasium_id(family: str) -> str:
    """The Gymnasium id of a task family: `two_step` -> `kerasmeta/TwoStep-v0`."""
    words = "".join(word.capitalize() for word in family.split("_"))
    return f"{NAMESPACE}/{words}-v{VERSION}"


def register_families() -> None:
    """Adds the families that Gymnasium does not know yet to its registry."""
    for family in tasks.names():
        if gymnasium_id(family) not in gymnasium.registry:
            gymnasium.register(
                id=gymnasium_id(family),
                entry_point=f"{_MODULE}:TaskEnv",
                vector_entry_point=f"{_MODULE}:TaskVectorEnv",
                kwargs={"family": family},
            )
