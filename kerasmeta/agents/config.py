"""TRPO's numbers, as plain data."""

from __future__ import annotations

from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
)


class TRPOConfig(BaseModel):
    """Slow learning. Defaults: delta, damping and CG as in Spinning Up's TRPO; gamma as
    in Wang et al. (2018).

    Attributes:
        delta: The largest mean KL(old ‖ new) of an update, in nats.
        damping: Added to the Fisher matrix's diagonal.
        cg_iterations: Conjugate-gradient steps of an update.
        fisher_fraction: The part of the batch's lifetimes the Fisher products use.
        gamma: Discount per step.
        td_lambda: GAE's λ.
        entropy_bonus: Weight of the mean entropy in the surrogate. A negative one takes
            the exploration away that is left.
        entropy_bonus_to: What the bonus is at the end of a run, which it nears in a
            straight line; None: what `anneal_to` leaves of it.
        baseline: What advantages are taken against: "critic", the agent's own, or
            "informed", another one that the learner throws away in the end, and that is
            told the task's hidden variables besides. No choice changes these, so the
            gradient is the same on average, and what luck they were is not in it: Pinto
            et al. (2018), Asymmetric actor critic for image-based robot learning. RSS.
            Needs a family that tells what is hidden (`Task.hidden_variables`).
        advantages_by_task: Whether advantages have mean 0 and variance 1 in each task
            of a benchmark by itself, not over the batch: the tasks that pay most would
            otherwise drown the others. Needs experience with `policy_info["task"]`.
        anneal_to: What is left of `delta` and `entropy_bonus` at the end of a run, as a
            share of what they began with; they fall in a straight line. Late updates
            are then smaller than the noise of their batch, and nothing keeps a policy
            that knows what to do from doing it.
        backtrack, max_backtracks: Of the line search.
        critic_learning_rate: Adam's.
        critic_passes: Passes over the batch for each fit of the critic.
        critic_minibatches: Adam steps in a pass.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    delta: PositiveFloat = 0.01
    damping: NonNegativeFloat = 0.1
    cg_iterations: PositiveInt = 10
    fisher_fraction: float = Field(1.0, gt=0.0, le=1.0)
    gamma: float = Field(0.9, ge=0.0, le=1.0)
    td_lambda: float = Field(0.95, ge=0.0, le=1.0)
    entropy_bonus: FiniteFloat = 0.0
    entropy_bonus_to: FiniteFloat | None = None
    baseline: Literal["critic", "informed"] = "critic"
    advantages_by_task: bool = False
    anneal_to: float = Field(1.0, gt=0.0, le=1.0)
    backtrack: float = Field(0.8, gt=0.0, lt=1.0)
    max_backtracks: PositiveInt = 10
    critic_learning_rate: PositiveFloat = 1e-3
    critic_passes: PositiveInt = 2
    critic_minibatches: PositiveInt = 2
