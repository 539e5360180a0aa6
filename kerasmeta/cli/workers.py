"""`train --workers`: joining the others, and what is said when one is lost."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from kerasmeta.cli.quiet import start_tensorflow, unheard

Workers = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT,...",
        help="Train with several workers, started with the same command on each host; "
        "the first keeps the run. Or slurm, in a job step; or set TF_CONFIG.",
    ),
]
Worker = Annotated[
    int | None,
    typer.Option(
        min=0, help="Which of --workers this is, from 0; by default the host tells."
    ),
]

LOST = 1  # the exit status


def together(workers: str | None) -> bool:
    """Whether this process is to train with others."""
    return workers is not None or "TF_CONFIG" in os.environ


def join_workers(config: Any, workers: str | None, worker: int | None) -> Any:
    """This worker of a run, when all others are there.

    TensorFlow must be imported, and must not have computed anything.
    """
    from kerasmeta.training.workers import find_cluster, join
    from kerasmeta.training.workers.sharing import check_shared

    cluster = find_cluster(workers, worker)
    check_shared(config, cluster.size)
    with unheard():  # the address that TensorFlow serves from
        joined = join(cluster)
    start_tensorflow()
    return joined


def worker_words(workers: str | None, worker: int | None) -> list[str]:
    """The options, as they are typed."""
    words = ["--workers", workers] if workers is not None else []
    return words + (["--worker", str(worker)] if worker is not None else [])
