"""`make golden`: writes the golden files that are missing, and never another one.

A golden file that fails is not to be written anew: the published agent would act
differently from what people have recorded of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from harness import golden  # noqa: E402

from zoo.registry import Registry  # noqa: E402


def main() -> None:
    registry = Registry(golden.EMBEDDED)
    missing = [id for id in golden.shipped() if not golden.path_of(id).exists()]
    for id in missing:
        print(f"wrote {golden.write(id, registry)}")
    if not missing:
        print("every shipped agent has its golden file; none is ever overwritten")


if __name__ == "__main__":
    main()
