"""Which workers there are: from options, TF_CONFIG and SLURM; refusals in one line."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from kerasmeta import UserError
from kerasmeta.training.workers import Cluster, find_cluster
from kerasmeta.training.workers.cluster import ALONE, wait_for_others

HERE = socket.gethostname()
TWO = ("a:1", "b:2")


def tf_config(cluster: Any, kind: str = "worker", index: int = 0) -> dict[str, str]:
    task = {"type": kind, "index": index}
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


@pytest.mark.parametrize(
    ("workers", "worker", "environment", "expected"),
    [
        (None, None, {}, ALONE),
        ("a:1,b:2", 1, {}, Cluster(TWO, 1)),
        (" a:1, b:2 ", 0, {}, Cluster(TWO, 0)),
        (f"a:1,{HERE}:2,b:3", None, {}, Cluster(("a:1", f"{HERE}:2", "b:3"), 1)),
        ("localhost:1", None, {}, Cluster(("localhost:1",), 0)),
        ("[::1]:1,[::1]:2", 1, {}, Cluster(("[::1]:1", "[::1]:2"), 1)),
        (None, None, tf_config({"worker": list(TWO)}, index=1), Cluster(TWO, 1)),
        (None, None, tf_config({"chief": ["a:1"], "worker": ["b:2"]}), Cluster(TWO, 1)),
        (
            None,
            None,
            tf_config({"chief": ["a:1"], "worker": ["b:2"]}, "chief"),
            Cluster(TWO, 0),
        ),
        (None, None, {"TF_CONFIG": "{}"}, ALONE),
        # What is typed goes before what is set.
        ("a:1,b:2", 0, tf_config({"worker": ["c:3", "d:4"]}), Cluster(TWO, 0)),
    ],
)
def test_found(
    workers: str | None, worker: int | None, environment: dict, expected: Cluster
) -> None:
    assert find_cluster(workers, worker, environment) == expected


@pytest.mark.parametrize(
    ("workers", "worker", "environment", "words"),
    [
        ("a:1,b", 0, {}, ("--workers 'b'", "host:port")),
        ("a:1,b:x", 0, {}, ("--workers 'b:x'", "host:port")),
        ("a:1,:2", 0, {}, ("--workers ':2'", "host:port")),
        ("a:1,b:70000", 0, {}, ("'b:70000'",)),
        ("a:1,a:1", 0, {}, ("'a:1'", "named twice")),
        ("a:1,b:2", 2, {}, ("--worker 2", "2 workers", "use 0 to 1")),
        ("a:1,b:2", None, {}, ("--workers", "0 times", "--worker 0 to 1")),
        (f"{HERE}:1,{HERE}:2", None, {}, ("2 times", "--worker")),
        (None, 1, {}, ("--worker 1", "give --workers")),
        (None, None, {"TF_CONFIG": "{"}, ("TF_CONFIG '{'", "JSON")),
        (None, None, {"TF_CONFIG": "[1]"}, ("TF_CONFIG", "JSON")),
        (None, None, tf_config({"worker": ["a:1"]}, index=1), ("has no worker 1",)),
        (None, None, tf_config({"worker": ["a:1"], "ps": ["b:2"]}), ("names ps",)),
        (None, None, tf_config({"worker": ["a"]}), ("TF_CONFIG 'a'", "host:port")),
    ],
)
def test_refused(
    workers: str | None, worker: int | None, environment: dict, words: tuple[str, ...]
) -> None:
    with pytest.raises(UserError) as refusal:
        find_cluster(workers, worker, environment)
    for word in words:
        assert word in str(refusal.value)


def test_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines with two tasks on the first and one on the second."""
    set_by_srun = {
        "SLURM_STEP_NUM_TASKS": "3",
        "SLURM_STEP_NODELIST": "n[1-2]",
        "SLURM_STEP_TASKS_PER_NODE": "2,1",
        "SLURM_PROCID": "2",
    }
    for name, value in set_by_srun.items():
        monkeypatch.setenv(name, value)
    assert find_cluster("slurm") == Cluster(("n1:8888", "n1:8889", "n2:8888"), 2)
    for name in set_by_srun:
        monkeypatch.delenv(name)
    with pytest.raises(UserError, match="srun"):
        find_cluster("slurm")


def test_others_are_waited_for() -> None:
    with socket.socket() as here, socket.socket() as nobody:
        here.bind(("localhost", 0))
        here.listen()
        nobody.bind(("localhost", 0))  # and does not listen
        ports = [one.getsockname()[1] for one in (here, nobody)]
        answering, silent = (f"localhost:{port}" for port in ports)
        wait_for_others(Cluster((answering, silent), 1), patience=5.0)
        with pytest.raises(UserError, match=f"{silent}.*has not answered") as refusal:
            wait_for_others(Cluster((answering, silent), 0), patience=0.0)
        assert "start worker 1" in str(refusal.value)
