# %% [markdown]
# # Train your own
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/kerasmeta/kerasmeta/blob/v0.1.0/colab/02_train_your_own.ipynb)
#
# Train an agent from nothing on the two-step task, watch it learn, and see that it has
# learnt a *model* of the task.

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
STEPS = 100_000 if SMALL else 1_500_000
LIFETIMES = 50 if SMALL else 1000

# %% [markdown]
# ## A recipe and its numbers
#
# A recipe says how a family is trained. Every number of it can be changed, as by `--set` on
# the command line.

# %%
from kerasmeta.training.recipes import recipe

config = recipe("two_step", "lstm").with_overrides([f"steps={STEPS}", "seed=1"])
for key in ("lifetimes", "agent.units", "trpo.delta", "trpo.gamma", "task.name"):
    print(key, config.settings()[key])

# %% [markdown]
# ## Train
#
# The whole iteration - living through 128 lifetimes, and one step of TRPO - is one compiled
# program. Compiling takes some seconds; then it is fast.

# %%
import tempfile
from pathlib import Path

from kerasmeta.training.loop import train
from kerasmeta.training.run_directory import RunDirectory

place = Path(tempfile.mkdtemp())
result = train(config, RunDirectory(place / "run"))
print(f"{result.steps:,} steps")

# %%
from kerasmeta.analysis import learning_curve
from kerasmeta.training.evaluation import evaluate, players

known = players(result.task, lifetimes=LIFETIMES)
levels = {
    name: known[name]["reward_per_trial"].mean
    for name in ("random", "model_free", "optimal")
}
learning_curve({"my agent": [result.rows]}, references=levels)

# %% [markdown]
# ## What it has learnt
#
# A model-free learner repeats whatever was rewarded. One with a model of the task repeats
# an action after a *rare* transition when it was *not* rewarded.

# %%
from kerasmeta.analysis import stay_figure

found = evaluate(result.agent, result.task, lifetimes=LIFETIMES).metrics
optimal = {name: estimate.mean for name, estimate in known["optimal"].items()}
stay_figure(found, agent_name="my agent", optimal=optimal)

# %% [markdown]
# On the command line: `kerasmeta train two_step --agent lstm --out runs/mine`, then
# `kerasmeta evaluate runs/mine`. Training that was stopped goes on with `--resume`.
# `CartPole-v1`, or any other registered Gymnasium environment, is trained the same way.
