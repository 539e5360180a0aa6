# %% [markdown]
# # Lesions and recordings
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/kerasmeta/kerasmeta/blob/v0.1.0/colab/04_lesions_and_recordings.ipynb)
#
# What in the agent does the work? Switch parts off, and look inside while it works.

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
LIFETIMES = 40 if SMALL else 500
RECORDED = 10 if SMALL else 100

# %%
import zoo
from kerasmeta import tasks
from kerasmeta.training.evaluation import evaluate

agent = zoo.load("episodic_two_step/ep_lstm")
task = tasks.make("episodic_two_step")

# %% [markdown]
# ## Lesions
#
# `memory`: nothing is retrieved. `gate`: the reinstatement gate stays shut. `units:0,1,2`:
# these units are silent.

# %%
metrics = {}
for lesion in (None, "memory", "gate", "units:0,1,2,3,4,5"):
    found = evaluate(agent.lesioned(lesion), task, lifetimes=LIFETIMES).metrics
    metrics[lesion] = found
    print(
        f"{lesion or 'intact':<20} uncued {found['reward_per_trial_uncued'].mean:.3f}  "
        f"cued {found['reward_per_trial_cued'].mean:.3f}  "
        f"contrast {found['episodic_contrast'].mean:.2f}"
    )

# %% [markdown]
# Memory and gate do the same damage, and only where a cue is shown: planning with what was
# just seen needs neither.

# %%
from kerasmeta.analysis import stay_figure

stay_figure(metrics[None], agent_name="intact", lesioned=metrics["memory"])

# %% [markdown]
# ## Recordings
#
# Every unit, gate, retrieval, value and prediction error, and the task's hidden variables,
# which the agent is not told.

# %%
from kerasmeta.training import recordings

recorded = recordings.record(agent, task, lifetimes=RECORDED)
for name, signal in recorded.signals.items():
    print(f"{name:<24} {signal.shape}")
print("hidden variables:", ", ".join(recorded.hidden_variables))

# %% [markdown]
# Does the state of the network tell which second-stage state is the good one? A linear
# readout, fitted on half of the lifetimes and tested on the other half.

# %%
import numpy as np

valid = recorded.lifetimes.valid
good = next(v for k, v in recorded.hidden_variables.items() if "good" in k)
half = RECORDED // 2


def rows(signal, lifetimes):
    return signal[lifetimes][valid[lifetimes]]


def readout(signal):
    """Correlation between the good state and what a linear readout says of it."""
    train, test = slice(0, half), slice(half, None)
    x, y = rows(signal, train), rows(good, train).astype(float)
    x = np.column_stack([x, np.ones(len(x))])
    weights = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ y)
    tested = rows(signal, test)
    said = np.column_stack([tested, np.ones(len(tested))]) @ weights
    return np.corrcoef(said, rows(good, test))[0, 1]


for name in ("hidden", "cell"):
    print(f"{name}: r = {readout(recorded.signals[name]):.2f}")

# %%
import matplotlib.pyplot as plt

steps = 40
figure, (above, below) = plt.subplots(
    2, 1, figsize=(7, 4), sharex=True, layout="constrained"
)
above.imshow(
    recorded.signals["hidden"][0, :steps].T, aspect="auto", cmap="RdBu", vmin=-1, vmax=1
)
above.set(ylabel="unit of h")
below.plot(recorded.signals["value"][0, :steps], color="#0072B2", label="value")
below.step(
    range(steps), good[0, :steps], color="#D55E00", where="mid", label="good state"
)
below.set(xlabel="step")
_ = below.legend()

# %% [markdown]
# Ready-made analyses over all seeds: `kerasmeta analyse --list`, and `kerasmeta analyse
# episodic_two_step/ep_lstm --out figures`.
