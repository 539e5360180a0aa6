"""Several workers that train one agent: N compute what one would with the whole batch.

Every worker collects its own rows of the batch and adds what they add to the update's
sums; all then hold the same weights. docs/scaling.md says how to start them.
"""

from kerasmeta.training.workers.cluster import Cluster, find_cluster
from kerasmeta.training.workers.many import LostWorkerError, ManyWorkers, join
from kerasmeta.training.workers.one import OneWorker

__all__ = [
    "Cluster",
    "LostWorkerError",
    "ManyWorkers",
    "OneWorker",
    "find_cluster",
    "join",
]
