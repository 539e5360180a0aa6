"""Collection for tests whose lifetimes are few and short."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest

from kerasmeta.training import evaluation
from kerasmeta.training.fused_driver import FusedEpisodeDriver


@pytest.fixture(scope="module", autouse=True)
def collected_eagerly() -> Iterator[None]:
    """Of a module that imports it, evaluations collect without a graph and without XLA.

    Compiling a program costs seconds, running it once does not. That all of them are
    the same lifetimes is tested in `test_fused_driver`.
    """
    begun = mock.patch.object(evaluation, "collecting", lambda made: made.collect)
    without_xla = mock.patch.object(
        FusedEpisodeDriver.__init__, "__defaults__", (False,)
    )
    with begun, without_xla:
        yield
