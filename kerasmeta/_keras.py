"""The one place that decides which Keras the process uses: Keras 2 (tf-keras).

TF-Agents 0.19 needs Keras 2. TensorFlow chooses at its own import, from
`TF_USE_LEGACY_KERAS`; every module of this project takes `tf` and `keras` from here,
so that the choice is made before TensorFlow is imported.
"""

from __future__ import annotations

import os
import sys
import warnings

from kerasmeta.errors import UserError


def _choose_keras_2() -> None:
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    if os.environ.get("TF_USE_LEGACY_KERAS", "").lower() not in ("1", "true"):
        raise UserError(
            "TF_USE_LEGACY_KERAS",
            os.environ.get("TF_USE_LEGACY_KERAS", ""),
            "this process has already chosen Keras 3, and TF-Agents needs Keras 2",
            "import kerasmeta or zoo before tensorflow, or set TF_USE_LEGACY_KERAS=1 "
            "(in a notebook: restart the runtime first)",
        )


_choose_keras_2()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf  # noqa: E402

keras = tf.keras
if keras.layers.Layer.__module__.split(".")[0] == "keras":
    raise UserError(
        "tf.keras",
        "Keras 3",
        "this process has already chosen Keras 3, and TF-Agents needs Keras 2",
        "import kerasmeta or zoo before tensorflow, or set TF_USE_LEGACY_KERAS=1 "
        "(in a notebook: restart the runtime first)",
    )

with warnings.catch_warnings():
    # gym (which tf-agents imports) announces its retirement on standard error.
    warnings.simplefilter("ignore")
    _stderr, sys.stderr = sys.stderr, open(os.devnull, "w")  # noqa: SIM115
    try:
        import tf_agents  # noqa: F401
    finally:
        sys.stderr.close()
        sys.stderr = _stderr

__all__ = ["keras", "tf"]
