"""Keeping standard error for what users should read."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator


def start_tensorflow(compiles: bool = True) -> None:
    """Imports TensorFlow and compiles something small where nobody hears it.

    Some versions write to the standard error of every process when they are imported,
    and XLA does at its first compilation, whatever the log level.

    Args:
        compiles: False where the process has yet to join other workers, which it must
            before TensorFlow computes anything.

    Raises:
        UserError: The process has chosen Keras 3.
    """
    with unheard(), uncollected():
        from kerasmeta._keras import tf

        if compiles:
            tf.function(lambda: tf.zeros([]) + 1.0, jit_compile=True)()


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Imports without garbage collection, which then leaves what they made alone.

    TensorFlow's modules are 400,000 objects that live as long as the process; each full
    collection would look through all of them. Without that, `evaluate` of 10 lifetimes
    takes 4.8 s of processor time and not 6.7, a short training 13.0 and not 15.4.
    """
    if "tensorflow" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Sends what is written to descriptor 2, by C++ as well, nowhere."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
