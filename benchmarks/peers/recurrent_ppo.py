"""sb3-contrib's RecurrentPPO on two-step: the usual way to train a recurrent agent."""

from __future__ import annotations

import os

import torch
from sb3_contrib import RecurrentPPO
from stable_baselines3.common.vec_env import DummyVecEnv

from benchmarks.peers.gymnasium_two_step import TwoStepEnv
from benchmarks.worker import Prepared, seconds_of


def train(environments: int, steps: int, units: int) -> Prepared:
    """Rollout of whole lifetimes and the library's default ten epochs of updates.

    Large minibatches (four an epoch) and environments in the same process, because
    both are faster here than the defaults; and one thread or all of them, whichever is
    faster, because so small a network may lose more by waiting than it gains.
    """
    model = RecurrentPPO(
        "MlpLstmPolicy",
        DummyVecEnv([lambda: TwoStepEnv(steps)] * environments),
        n_steps=steps,
        batch_size=environments * steps // 4,
        gamma=0.9,
        policy_kwargs={"lstm_hidden_size": units, "net_arch": []},
        device="cpu",
        seed=0,
    )
    work = environments * steps

    def call() -> None:
        model.learn(work, reset_num_timesteps=False)

    def seconds_with(threads: int) -> float:
        torch.set_num_threads(threads)
        return seconds_of(call, repeats=1)

    call()
    candidates = {1, len(os.sched_getaffinity(0))}
    torch.set_num_threads(min(candidates, key=seconds_with))
    return Prepared(call, work)
