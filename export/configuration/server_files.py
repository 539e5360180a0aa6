"""All files of a server, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kerasmeta.errors import UserError

from . import manifests, models
from .models import ServedModel

# The release that the client and the tests' protocol server follow.
IMAGE = "tensorflow/serving:2.20.0"


class ServerFiles(NamedTuple):
    """What to write, by the name of the file."""

    config: dict[str, str]  # for the server itself
    manifests: dict[str, str]  # for what starts it


def server_files(
    served: Sequence[ServedModel], image: str = IMAGE, threads: int = 2
) -> ServerFiles:
    """The files of a server of several agents.

    Args:
        served: The agents. No two of them have the same name.
        image: The server's container image.
        threads: Batches that it works on at a time: as many as it gets CPUs.

    Raises:
        UserError: Two agents have the same name.
    """
    names = [model.name for model in served]
    for name in names:
        if names.count(name) > 1:
            fix = "name every agent once; both versions of one are served anyway"
            raise UserError("AGENT", name, "is there twice", fix)
    config = {
        "models.config": models.models_config(served),
        "batching.config": models.batching_config(threads),
        "monitoring.config": models.monitoring_config(),
    }
    started = {
        "compose.yaml": manifests.compose(served, image, list(config)),
        "kubernetes.yaml": manifests.kubernetes(image, config, threads),
    }
    return ServerFiles(config, started)
