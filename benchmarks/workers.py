"""Steps a second of several workers of one run on this machine, for docs/scaling.md.

    python -m benchmarks.workers 1 2 4 --family episodic_two_step --agent ep_lstm

Every worker is a process of its own; the batch is the same, each has its part of it.
The first iterations, which compile, do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

WARM_UP = 3  # iterations


def main() -> None:
    arguments = _arguments()
    if arguments.index is not None:
        print(json.dumps(work(arguments)))
        return
    for count in arguments.counts:
        print(json.dumps(measure(count, sys.argv[1:])), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="+", type=int, help="numbers of workers")
    parser.add_argument("--family", default="episodic_two_step")
    parser.add_argument("--agent", default="ep_lstm")
    parser.add_argument("--seconds", type=float, default=15.0, help="of measuring")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--hold", type=Path, help="measure when this file is there")
    parser.add_argument("--index", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--addresses", help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(count: int, words: list[str]) -> dict[str, Any]:
    """What the chief of `count` workers found."""
    addresses = ",".join(f"localhost:{port}" for port in free_ports(count))
    command = [sys.executable, "-m", "benchmarks.workers", *words]
    workers = [
        subprocess.Popen(
            [*command, "--index", str(index), "--addresses", addresses],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for index in range(count)
    ]
    answers = [worker.communicate()[0] for worker in workers]
    return json.loads(answers[0].splitlines()[-1])


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody has."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def work(arguments: argparse.Namespace) -> dict[str, Any]:
    """One worker's part; the chief says how fast all of them were."""
    import kerasmeta.training.workers as training_workers
    from kerasmeta.training.loop import Trainer
    from kerasmeta.training.recipes import recipe

    cluster = training_workers.find_cluster(arguments.addresses, arguments.index)
    workers = training_workers.join(cluster)
    config = recipe(arguments.family, arguments.agent).with_overrides(arguments.set)
    trainer = Trainer(config, workers)
    workers.follow_chief(config, trainer.variables)
    started = time.perf_counter()
    for _ in range(WARM_UP):
        trainer.row(*trainer.iterate())
    compiled = time.perf_counter() - started
    if workers.is_chief and arguments.hold:
        arguments.hold.with_suffix(".ready").touch()
        while not arguments.hold.exists():
            time.sleep(0.05)
    done, start, going = 0, time.perf_counter(), 1.0
    while going:
        trainer.row(*trainer.iterate())
        done += 1
        left = time.perf_counter() - start < arguments.seconds
        going = float(workers.total_of(float(left and workers.is_chief)))
    elapsed = time.perf_counter() - start
    return {
        "workers": workers.count,
        "steps_per_second": done * trainer.steps_per_iteration / elapsed,
        "iterations": done,
        "milliseconds": 1e3 * elapsed / done,
        "compiling_seconds": compiled,
        "lifetimes": config.lifetimes,
        **sent(trainer),
        "cores": len(os.sched_getaffinity(0)),
    }


def sent(trainer: Any) -> dict[str, int]:
    """How many numbers the large sums of an update have: policy's and critic's."""
    learner = trainer.learner
    policy, critic = (
        sum(variable.shape.num_elements() for variable in variables)
        for variables in (learner.actor_variables, learner.critic_variables)
    )
    config = learner.trpo
    fits = config.critic_passes * config.critic_minibatches
    numbers = (config.cg_iterations + 2) * policy + fits * critic
    return {"policy": policy, "critic": critic, "bytes": 4 * numbers}


if __name__ == "__main__":
    main()
