"""The one place that decides which Keras the process uses: Keras 2 (tf-keras).

TF-Agents 0.19 needs Keras 2. TensorFlow chooses at its own import, from
`TF_USE_LEGACY_KERAS`, which `import kerasmeta` sets. Every module of this project takes
`tf` and `keras` from here, where a process that chose otherwise is told so.
"""

from __future__ import annotations

import contextlib
import os
import warnings

from kerasmeta.errors import UserError


def _keras_3_is_chosen() -> UserError:
    return UserError(
        "TF_USE_LEGACY_KERAS",
        os.environ.get("TF_USE_LEGACY_KERAS", ""),
        "this process has already chosen Keras 3, and TF-Agents needs Keras 2",
        "import kerasmeta or zoo before tensorflow, or set TF_USE_LEGACY_KERAS=1 "
        "(in a notebook: restart the runtime first)",
    )


if os.environ.get("TF_USE_LEGACY_KERAS", "").lower() not in ("1", "true"):
    raise _keras_3_is_chosen()
# TensorFlow reports a missing GPU as an error; what fails raises anyway.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TF-Agents compares with `is ()`, which AutoGraph's generated code is warned about.
warnings.filterwarnings("ignore", '"is', SyntaxWarning)

import tensorflow as tf  # noqa: E402

keras = tf.keras
if keras.layers.Layer.__module__.split(".")[0] == "keras":
    raise _keras_3_is_chosen()

# gym (which tf-agents imports) announces its retirement on standard error.
with open(os.devnull, "w") as _nowhere, contextlib.redirect_stderr(_nowhere):
    import tf_agents

tf.get_logger().setLevel("ERROR")  # TF-Agents calls what TensorFlow has deprecated

__all__ = ["keras", "tf", "tf_agents"]
