# %% [markdown]
# # Fine-tune
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/kerasmeta/kerasmeta/blob/v0.1.0/colab/03_fine_tune.ipynb)
#
# Go on training from a published agent: on other probabilities, and on an environment of
# your own.

# %% [markdown]
# **Install.** On Colab, and on any machine that lacks the package, this cell installs it;
# elsewhere it does nothing. It must run before anything imports TensorFlow.

# %%
import importlib.util
import subprocess
import sys

SOURCE = "git+https://github.com/kerasmeta/kerasmeta@v0.1.0"
if importlib.util.find_spec("kerasmeta") is None:
    pip = [sys.executable, "-m", "pip", "install", "-q"]
    subprocess.run([*pip, f"kerasmeta @ {SOURCE}"], check=True)
    # tf-agents' own pins are those of an older TensorFlow: without its dependencies.
    late = ["tf-agents==0.19.0", "gym==0.25.2", "gym-notices", "gin-config"]
    subprocess.run([*pip, "--no-deps", *late], check=True)

# %%
# %matplotlib inline
import os

SMALL = os.environ.get("KERASMETA_SMALL") == "1"  # small budgets, for tests
STEPS = 50_000 if SMALL else 400_000
LIFETIMES = 50 if SMALL else 1000

# %% [markdown]
# ## Other probabilities
#
# The published agent learnt where transitions are common with .8 and states pay with .9 and
# .1. Here they are .7, .8 and .2: everything is noisier.

# %%
import tempfile
from pathlib import Path

import zoo
from kerasmeta.training import fine_tuning
from kerasmeta.training.run_directory import RunDirectory

place = Path(tempfile.mkdtemp())
parent = fine_tuning.published(zoo.load("two_step/lstm@1"))
noisier = ["task.common=0.7", "task.high_reward=0.8", "task.low_reward=0.2"]
config = fine_tuning.configuration(parent, changes=[*noisier, f"steps={STEPS}"])
tuned = fine_tuning.fine_tune(parent, config, RunDirectory(place / "tuned"))
print(f"{tuned.steps:,} steps from {parent.name}")

# %%
from kerasmeta.training.evaluation import evaluate, players

known = players(tuned.task, lifetimes=LIFETIMES)
for name, agent in {"as published": parent.agent, "fine-tuned": tuned.agent}.items():
    reward = evaluate(agent, tuned.task, lifetimes=LIFETIMES).metrics[
        "reward_per_trial"
    ]
    low, high = reward.ci95
    print(f"{name}: {reward.mean:.3f} [{low:.3f}, {high:.3f}] a trial")
for name in ("random", "optimal"):
    print(f"{name}: {known[name]['reward_per_trial'].mean:.3f}")

# %% [markdown]
# There was little to gain: whoever has learnt to learn does well where it never was. It is
# another matter where what it has learnt about the task is wrong.
#
# ## Turned round, and some parts only
#
# Here each action leads to the *other* state (.2 instead of .8). Parts have names, as the
# weights in the published file have; what is frozen stays as the parent has it. Is it
# enough to learn new heads, and keep the recurrent cell?

# %%
turned = ["task.common=0.2", f"steps={STEPS}"]
learnt = {}
for name, freeze in {"everything": (), "heads only": ("actor/cell",)}.items():
    config = fine_tuning.configuration(parent, changes=turned, freeze=freeze)
    directory = RunDirectory(place / name.replace(" ", "-"))
    learnt[name] = fine_tuning.fine_tune(parent, config, directory)

task = learnt["everything"].task
agents = {"as published": parent.agent}
agents |= {f"fine-tuned, {name}": result.agent for name, result in learnt.items()}
for name, agent in agents.items():
    reward = evaluate(agent, task, lifetimes=LIFETIMES).metrics["reward_per_trial"]
    print(f"{name}: {reward.mean:.3f} a trial")

# %%
from kerasmeta.analysis import learning_curve

known = players(task, lifetimes=LIFETIMES)
levels = {name: known[name]["reward_per_trial"].mean for name in ("random", "optimal")}
learning_curve({name: [run.rows] for name, run in learnt.items()}, references=levels)

# %% [markdown]
# Both come up slowly, and alike, and at this budget no further than chance. What the cell
# tells, which state is the good one now, is as true as before; it is the confident policy
# above it that must be unlearnt, and a step of TRPO may change it so much and no more. A
# larger `trpo.delta`, or a fresh head (`fresh=["actor/head"]`), is worth a try.

# %% [markdown]
# ## An environment of your own
#
# Any Gymnasium environment with the same spaces will do: three numbers to see, two actions.
# This one pays for the action that it shows.

# %%
import gymnasium
import numpy as np


class Signal(gymnasium.Env):
    """Shows which action pays, twenty times."""

    observation_space = gymnasium.spaces.Box(0.0, 1.0, (3,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.show(), {}

    def step(self, action):
        reward = float(action == self.pays)
        return self.show(), reward, False, False, {}

    def show(self):
        self.pays = self.np_random.integers(2)
        return np.eye(3, dtype=np.float32)[1 + self.pays]


gymnasium.register("Signal-v0", Signal, max_episode_steps=20)
changes = ["lifetimes=16", f"steps={STEPS // 10}", "trpo.delta=0.05"]
config = fine_tuning.configuration(parent, "Signal-v0", changes)
mine = fine_tuning.fine_tune(parent, config, RunDirectory(place / "signal"))
returns = [row["return"] for row in mine.rows]
print(f"return {returns[0]:.1f} at first, {returns[-1]:.1f} at last, of 20")

# %% [markdown]
# Another number of actions needs a fresh head (`fresh=["actor/head"]`). The same from the
# command line: `kerasmeta fine-tune two_step/lstm --set task.common=0.7 --out runs/tuned`.
# A fine-tuned run is evaluated, exported and published as any other; its card names its
# parent.
