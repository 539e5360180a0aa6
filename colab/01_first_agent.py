# %% [markdown]
# # Your first agent
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/kerasmeta/kerasmeta/blob/v0.1.0/colab/01_first_agent.ipynb)
#
# Load a trained agent in two lines and study it as one would an animal: let it act, look
# at its choices, take its memory away. No training, nothing to wait for.

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
LIFETIMES = 50 if SMALL else 1000

# %% [markdown]
# ## Load
#
# `zoo.load` checks every file of the agent against the registry's SHA-256 and rebuilds the
# networks from plain numbers. It needs no network: the package carries its agents.

# %%
import zoo

agent = zoo.load("episodic_two_step/ep_lstm")
print(agent.card.id, "of the training seeds", agent.card.manifest.provenance.seeds)

# %% [markdown]
# The task: two actions lead to two states by chance, one of which pays. In the second half
# of a lifetime a *cue* brings back the context of one earlier trial. An agent that
# remembers that trial knows what to do.

# %% [markdown]
# ## Act
#
# Eight lifetimes side by side. `agent.step` takes what the agent sees and its state, and
# gives its action, its value, its new state, and recordings of what goes on inside.

# %%
from kerasmeta import tasks
from kerasmeta.environments import TaskEnvironment

task = tasks.make("episodic_two_step")
environment = TaskEnvironment(task, batch_size=8)
time_step, state = environment.reset(), agent.initial_state(batch_size=8)
gates, rewards = [], []
while not time_step.is_last().numpy().all():
    output = agent.step(time_step.observation, state)
    state = output.state
    gates.append(output.recordings["reinstatement"].numpy().mean())
    time_step = environment.step(output.action)
    rewards.append(time_step.reward.numpy().mean())
print(f"{len(rewards)} steps, {sum(rewards) / len(rewards):.2f} a step")

# %% [markdown]
# The reinstatement gate decides how much of a memory enters the cell state. It matters
# only where something is retrieved: in the cued half.

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 2.4), layout="constrained")
axes.plot(gates, color="#0072B2")
_ = axes.set(xlabel="step", ylabel="mean openness of gate r")

# %% [markdown]
# ## Measure
#
# Frozen weights, fresh lifetimes, 95 % intervals; beside players that know the rules.

# %%
from kerasmeta.training.evaluation import evaluate, players

intact = evaluate(agent, task, lifetimes=LIFETIMES).metrics
patient = evaluate(agent.lesioned("memory"), task, lifetimes=LIFETIMES).metrics
known = players(task, lifetimes=LIFETIMES)
for name in ("reward_per_trial_uncued", "reward_per_trial_cued", "episodic_contrast"):
    low, high = intact[name].ci95
    print(
        f"{name}: {intact[name].mean:.3f} [{low:.3f}, {high:.3f}], "
        f"memory lesioned {patient[name].mean:.3f}, "
        f"optimal {known['optimal'][name].mean:.3f}"
    )

# %% [markdown]
# Left: what it repeats after its last trial. Right: what it repeats of the trial that the
# cue brings back. Hollow bars: the same agent with nothing retrieved from its memory.

# %%
from kerasmeta.analysis import stay_figure

optimal = {name: estimate.mean for name, estimate in known["optimal"].items()}
stay_figure(intact, agent_name=agent.card.id, lesioned=patient, optimal=optimal)

# %% [markdown]
# `agent.card` shows everything that is known about an agent; `kerasmeta analyse
# episodic_two_step/ep_lstm --out figures` draws all its figures.
