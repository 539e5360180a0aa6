"""What all tests share: reproducible random numbers and the hypothesis profile."""

from __future__ import annotations

import gc
import os

import numpy as np
import pytest
from hypothesis import settings

# What commands write is tested as users see it, whatever level the caller's shell asks.
os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)

# TensorFlow's modules live as long as the process: no collection looks through them.
gc.disable()
gc.set_threshold(50_000, 20, 100)


def pytest_collection_finish() -> None:
    """Everything is imported."""
    gc.freeze()
    gc.enable()


# Tests give the same answer on every run: examples are derived from the test itself.
settings.register_profile(
    "kerasmeta", deadline=None, derandomize=True, database=None, max_examples=30
)
settings.load_profile("kerasmeta")


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run of a test."""
    return np.random.default_rng(20180726)
