"""Which workers there are and which of them this one is. No TensorFlow until asked."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import time
from collections.abc import Mapping
from typing import Any

from kerasmeta.errors import UserError

PATIENCE = 600.0  # seconds until a worker that does not answer is given up
MOST_TASKS = 1024  # on a machine
SLURM_PORT = 8888  # of the first worker on each machine


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The addresses of all workers, `host:port`, and this one's number."""

    addresses: tuple[str, ...]
    index: int

    @property
    def size(self) -> int:
        """How many workers there are."""
        return len(self.addresses)

    @property
    def mine(self) -> str:
        """This worker's address."""
        return self.addresses[self.index]

    def resolver(self) -> Any:
        """As TensorFlow wants to be told."""
        from kerasmeta._keras import tf

        return tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec({"worker": list(self.addresses)}),
            task_type="worker",
            task_id=self.index,
            rpc_layer="grpc",
        )


ALONE = Cluster(("localhost:0",), 0)


def find_cluster(
    workers: str | None = None,
    worker: int | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Cluster:
    """The cluster that options, SLURM or TF_CONFIG describe; one worker by default.

    Args:
        workers: `host:port,host:port,...`, the chief first, or `slurm`: the tasks of
            the job step this process belongs to.
        worker: This worker's number; not needed where one address alone is this
            machine's.
        environment: Where TF_CONFIG and SLURM's variables are.

    Raises:
        UserError: An address or TF_CONFIG is malformed, or this worker's number is
            missing or out of range.
    """
    if workers == "slurm":
        return _from_slurm()
    if workers is not None:
        addresses = tuple(part.strip() for part in workers.split(","))
        for address in addresses:
            _check_address("--workers", address)
        _check_distinct("--workers", addresses)
        return Cluster(addresses, _number("--worker", worker, addresses))
    if worker is not None:
        raise UserError(
            "--worker", worker, "has no --workers to count", "give --workers as well"
        )
    if "TF_CONFIG" in environment:
        return _from_tf_config(environment["TF_CONFIG"])
    return ALONE


def _from_tf_config(text: str) -> Cluster:
    """TensorFlow's own description: the chief, if it is named, is worker 0."""
    fix = 'write {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker"'
    fix += ', "index": 0}}, or unset it'
    try:
        data = json.loads(text)
        jobs = {job: list(hosts) for job, hosts in data.get("cluster", {}).items()}
        task = data.get("task", {})
        kind, number = task.get("type", "worker"), int(task.get("index", 0))
    except (ValueError, AttributeError, TypeError):
        raise UserError("TF_CONFIG", text, "is not a cluster in JSON", fix) from None
    if odd := sorted(set(jobs) - {"chief", "worker"}):
        problem = f"names {odd[0]}, and all workers do the same here"
        raise UserError("TF_CONFIG", text, problem, fix)
    if not jobs:
        return ALONE
    chiefs, workers = jobs.get("chief", []), jobs.get("worker", [])
    addresses = tuple(map(str, [*chiefs, *workers]))
    for address in addresses:
        _check_address("TF_CONFIG", address)
    _check_distinct("TF_CONFIG", addresses)
    place = number + (len(chiefs) if kind == "worker" else 0)
    if kind not in jobs or not 0 <= number < len(jobs[kind]):
        raise UserError("TF_CONFIG", text, f"has no {kind} {number}", fix)
    return Cluster(addresses, place)


def _from_slurm() -> Cluster:
    """The tasks of a SLURM job step, from the variables that srun sets."""
    from kerasmeta._keras import tf

    try:
        found = tf.distribute.cluster_resolver.SlurmClusterResolver(
            port_base=SLURM_PORT,
            # SLURM has dealt the GPUs out; TensorFlow is not to ask for them again.
            gpus_per_node=MOST_TASKS,
            gpus_per_task=1,
            auto_set_gpu=False,
        )
        addresses = tuple(found.cluster_spec().as_dict()["worker"])
        _, index = found.get_task_info()
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            "--workers",
            "slurm",
            f"finds no job step of SLURM ({error})",
            "start the workers with srun",
        ) from None
    return Cluster(addresses, index)


def _check_address(argument: str, address: str) -> None:
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 2**16):
        raise UserError(argument, address, "is not host:port", "write host:port")


def _check_distinct(argument: str, addresses: tuple[str, ...]) -> None:
    for address in addresses:
        if addresses.count(address) > 1:
            raise UserError(
                argument, address, "is named twice", "give each worker its own port"
            )


def _number(argument: str, worker: int | None, addresses: tuple[str, ...]) -> int:
    """This worker's number, as given or as its host tells."""
    if worker is not None:
        if not 0 <= worker < len(addresses):
            problem = f"is none of the {len(addresses)} workers"
            raise UserError(argument, worker, problem, f"use 0 to {len(addresses) - 1}")
        return worker
    names = {socket.gethostname(), socket.getfqdn()}
    mine = [n for n, a in enumerate(addresses) if a.rpartition(":")[0] in names]
    if len(addresses) == 1:
        return 0
    if len(mine) != 1:
        raise UserError(
            "--workers",
            ",".join(addresses),
            f"names this machine ({socket.gethostname()}) {len(mine)} times",
            f"say which worker this is: --worker 0 to {len(addresses) - 1}",
        )
    return mine[0]


def wait_for_others(cluster: Cluster, patience: float = PATIENCE) -> None:
    """Waits until every other worker's port answers.

    Raises:
        UserError: One did not for `patience` seconds.
    """
    deadline = time.monotonic() + patience
    for number, address in enumerate(cluster.addresses):
        if number == cluster.index:
            continue
        while not _answers(address):
            if time.monotonic() > deadline:
                raise UserError(
                    "--workers",
                    address,
                    f"has not answered for {patience:.0f} s",
                    f"start worker {number} there, or correct the address",
                )
            time.sleep(0.2)


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=5.0):
            return True
    except OSError:
        return False
