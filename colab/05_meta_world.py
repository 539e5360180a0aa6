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
STEPS = 3_200 if SMALL else 80_000
HORIZON = 40 if SMALL else 100
LIFETIMES = 4 if SMALL else 20

# %% [markdown]
# ## The task
#
# Any of the 50 tasks (`metaworld_ml1_reach`, `metaworld_ml1_door-open`, ...), `metaworld_ml10`
# and `metaworld_ml45`; each also `..._contextual`, where goals come back and have names, so
# that an episodic memory can help. Training and test goals are the benchmark's own.

# %%
import zoo
from kerasmeta import tasks

task = tasks.make("metaworld_ml1_reach", episodes=2, horizon=HORIZON)
print(f"{len(task.goals().tasks)} training goals")
print(f"{len(task.held_out().goals().tasks)} test goals")
print("what the agent sees:", task.observation_spec["stimulus"].shape)
mine = [
    m.id for m in zoo.default_registry().list() if m.task.name.startswith("metaworld")
]
print("published agents:", ", ".join(mine) or "none in this version")

# %% [markdown]
# ## Train
#
# A short training: enough to see the arm begin to approach its goals, not enough to solve
# the task (the recipe takes millions of steps). Simulators run in processes beside this one.

# %%
import tempfile
from pathlib import Path

from kerasmeta.training.loop import train
from kerasmeta.training.recipes import recipe
from kerasmeta.training.run_directory import RunDirectory

changes = [f"task.horizon={HORIZON}", "task.episodes=2", f"steps={STEPS}"]
changes += ["lifetimes=8"] if SMALL else []
config = recipe("metaworld_ml1_reach", "lstm").with_overrides(changes)
place = Path(tempfile.mkdtemp())
result = train(config, RunDirectory(place / "run"))
print(f"{result.steps:,} steps")

# %%
from kerasmeta.analysis import learning_curve

learning_curve({"my agent": [result.rows]}, y="return")

# %% [markdown]
# ## Evaluate
#
# On goals that training never showed. `success_rate` is that of the last episode of a
# lifetime, `success_rate_first_episode` that of the first: the difference is what the agent
# learns within a lifetime.

# %%
from kerasmeta.training.evaluation import evaluate

found = evaluate(result.agent, result.task, lifetimes=LIFETIMES).metrics
for name in ("success_rate_first_episode", "success_rate", "return"):
    low, high = found[name].ci95
    print(f"{name}: {found[name].mean:.2f} [{low:.2f}, {high:.2f}]")

# %% [markdown]
# From the command line: `kerasmeta train metaworld_ml1_reach --agent lstm`, and
# `kerasmeta evaluate` of the run.
