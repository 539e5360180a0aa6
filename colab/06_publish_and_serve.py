# %% [markdown]
# # Publish and serve
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/kerasmeta/kerasmeta/blob/v0.1.0/colab/06_publish_and_serve.ipynb)
#
# Publish an agent in a registry of your own, load it back, and use it as a program that
# needs none of this library.

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
STEPS = 100_000 if SMALL else 1_000_000
LIFETIMES = 200 if SMALL else 1000

# %% [markdown]
# ## An agent to publish
#
# Two seeds of a short training (published agents have five).

# %%
import tempfile
from pathlib import Path

import zoo
from kerasmeta.training.loop import train
from kerasmeta.training.recipes import recipe
from kerasmeta.training.run_directory import RunDirectory

place = Path(tempfile.mkdtemp())
runs = []
for seed in (0, 1):
    changes = [f"steps={STEPS}", f"seed={seed}"]
    directory = RunDirectory(place / f"seed-{seed}")
    train(recipe("two_step", "lstm").with_overrides(changes), directory)
    runs.append(directory.path)

# %% [markdown]
# ## Publish
#
# Every seed is evaluated afresh; the one with the median reward is the published one, and
# the card shows them all. A registry is a folder: copy it to a web server, a bucket or a
# repository of the Hugging Face Hub as it is.

# %%
from zoo.runs import publish_runs

registry = place / "registry"
published = publish_runs("two_step/mine", runs, registry, lifetimes=LIFETIMES)
print(f"{published.id}@{published.version}")
for file in sorted(published.path.rglob("*")):
    if file.is_file():
        print(f"{file.stat().st_size:>8,}  {file.relative_to(published.path)}")

# %%
agent = zoo.load("two_step/mine", registry)
low, high = agent.card.metrics["reward_per_trial"].ci95
print(f"{agent.card.id}, reward per trial [{low:.3f}, {high:.3f}]")

# %% [markdown]
# ## Serve
#
# The version's directory is in TensorFlow Serving's layout: point the server at its parent
# and it serves the agent. Below the same program is run in this process.
# `zoo.load_saved_model` runs it only after every file had its hash and every operation in
# it was found to be harmless.

# %%
model = zoo.load_saved_model("two_step/mine", registry)
for name, signature in agent.card.manifest.contract.signatures.items():
    print(f"{name}: {len(signature.inputs)} inputs, {len(signature.outputs)} outputs")

# %% [markdown]
# The state is the client's: it goes out with every answer and comes back with the next
# question. The server's action and the local agent's are the same.

# %%
from kerasmeta import tasks
from kerasmeta.environments import TaskEnvironment

environment = TaskEnvironment(tasks.make("two_step"), batch_size=4)
time_step, local = environment.reset(), agent.initial_state(4)
served = model.signatures["initial_state"](seed=local.seed)
print("the state:", ", ".join(sorted(served)))
same = []
while not time_step.is_last().numpy().all():
    output = agent.step(time_step.observation, local)
    answer = model.signatures["step"](**time_step.observation, **served)
    same.append((answer["action"] == output.action).numpy().all())
    local, served = output.state, {name: answer[name] for name in served}
    time_step = environment.step(output.action)
print(f"{len(same)} steps, the same actions: {all(same)}")

# %% [markdown]
# From the command line: `kerasmeta zoo publish two_step/mine RUN RUN --registry my_zoo`,
# `kerasmeta export two_step/lstm --out served`.
