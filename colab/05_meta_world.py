# %% [markdown]
# # Meta-World
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/kerasmeta/kerasmeta/blob/v0.1.0/colab/05_meta_world.ipynb)
#
# A simulated arm that must find out where to go. In a lifetime it lives through several
# episodes with the same hidden goal; whoever learns to learn finds the goal in the first
# ones and goes there in the others (RL²; Duan et al. 2016, Wang et al. 2016).

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

# %% [markdown]
# Meta-World itself (and MuJoCo, its simulator) is an extra.

# %%
if importlib.util.find_spec("metaworld") is None:
    words = [sys.executable, "-m", "pip", "install", "-q", "metaworld==3.1.1"]
    subprocess.run(words, check=True)

# %%
# %matplotlib inline
import os

SMALL = os.environ.get("KERASMETA_SMALL") == "1"  # small budgets, for tests
STEPS = 3_200 if SMALL else 240_000
HORIZON = 40 if SMALL else 150
LIFETIMES = 4 if SMALL else 40
GOALS = 1 if SMALL else 20

# %% [markdown]
# ## The task
#
# Any of the 50 tasks (`metaworld_ml1_reach`, `metaworld_ml1_door-open`, ...), `metaworld_ml10`
# and `metaworld_ml45`; each also `..._contextual`, where goals come back and have names, so
# that an episodic memory can help. Training and test goals are the benchmark's own. Here
# the arm is to push a drawer shut.

# %%
import zoo
from kerasmeta import tasks

FAMILY = "metaworld_ml1_drawer-close"
task = tasks.make(FAMILY, episodes=2, horizon=HORIZON)
print(f"{len(task.goals().tasks)} task, {task.episodes} episodes of {HORIZON} steps")
print("what the agent sees:", task.observation_spec["stimulus"].shape)
mine = [
    m.id for m in zoo.default_registry().list() if m.task.name.startswith("metaworld")
]
print("published agents:", ", ".join(mine) or "none in this version")

# %% [markdown]
# ## Train
#
# A tenth of the recipe's steps, enough for this task. Simulators run in processes beside
# this one, and take most of the time.

# %%
import tempfile
from pathlib import Path

from kerasmeta.training.loop import train
from kerasmeta.training.recipes import recipe
from kerasmeta.training.run_directory import RunDirectory

changes = [f"task.horizon={HORIZON}", "task.episodes=2", f"steps={STEPS}"]
changes += ["lifetimes=8"] if SMALL else []
config = recipe(FAMILY, "lstm").with_overrides(changes)
place = Path(tempfile.mkdtemp())
result = train(config, RunDirectory(place / "run"))
print(f"{result.steps:,} steps")

# %%
from kerasmeta.analysis import learning_curve

learning_curve({"my agent": [result.rows]}, y="return")

# %% [markdown]
# ## Watch
#
# Lifetimes with goals that training never showed. What does the arm earn in each step of
# its first episode, and of its last?

# %%
import matplotlib.pyplot as plt

from kerasmeta.training.evaluation import record

lifetimes = record(result.agent, result.task, LIFETIMES, seed=0)
paid = lifetimes.reward.mean(axis=0)
figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
axes.plot(paid[:HORIZON], color="#0072B2", label="first episode")
axes.plot(paid[HORIZON : 2 * HORIZON], color="#D55E00", label="last episode")
axes.set(xlabel="step of the episode", ylabel="reward, 0 to 10")
_ = axes.legend()

# %% [markdown]
# `success_rate` is that of the last episode of a lifetime, `success_rate_first_episode` that
# of the first. Their difference is what the agent learns within a lifetime: here little,
# for the drawer can be seen. In `reach` the goal cannot, and it is much harder.

# %%
from kerasmeta.analysis import metrics

for name, estimate in metrics(FAMILY, lifetimes).items():
    low, high = estimate.ci95
    print(f"{name}: {estimate.mean:.2f} [{low:.2f}, {high:.2f}]")

# %% [markdown]
# ## Evaluate
#
# By Meta-World's own protocol, on test goals: ten episodes of 500 steps to adapt to a goal,
# and three that count. An episode ends when the task is solved, so that its return is
# small. `evaluate` calls the function that comes with Meta-World.

# %%
from kerasmeta.training.evaluation import evaluate

for name, estimate in evaluate(result.agent, result.task, GOALS).metrics.items():
    low, high = estimate.ci95
    print(f"{name}: {estimate.mean:.2f} [{low:.2f}, {high:.2f}]")

# %% [markdown]
# From the command line: `kerasmeta train metaworld_ml1_drawer-close`, and `kerasmeta
# evaluate` of the run; with `--render arm.gif` it draws what the arm does.
