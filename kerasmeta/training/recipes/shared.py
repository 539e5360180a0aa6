"""Settings that several recipes have."""

from __future__ import annotations

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
