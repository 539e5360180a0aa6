"""Settings that several recipes have."""

from __future__ import annotations

from typing import Any

# A critic that keeps up with the policy.
FAST_CRITIC = {
    "fisher_fraction": 0.25,
    "critic_learning_rate": 3e-3,
    "critic_passes": 4,
}

# Where iterations are of some ten thousand steps: each is to count.
SMALL_BATCH = {
    "damping": 0.02,
    "fisher_fraction": 0.25,
    "critic_learning_rate": 3e-3,
    "critic_passes": 3,
}

# Of agents in tasks of ten contexts. Only what is stored under the same context comes
# back; without the LSTM's own memory, nothing else can.
TEN_CONTEXTS: dict[str, Any] = {
    "clear_lstm_at_episode": True,
    "memory": {"capacity": 10, "min_similarity": 0.95},
}
