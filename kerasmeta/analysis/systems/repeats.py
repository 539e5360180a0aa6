"""Every choice as a repetition or not, and what might have made the agent repeat.

An incremental system repeats the last trial's action or not, an episodic one that of a
past trial which a cue brings back. Of each past trial it matters whether it was
rewarded, R, whether its transition was common, T, and the product R T, all +-1: a
model-free system goes by R, a model-based one by R T (Daw et al. 2011; Vikbladh et al.
2017; Ritter et al. 2018).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasmeta.analysis.trials import NO_TRIAL, Trials

EFFECTS = ("repeat", "model_free", "transition", "model_based")  # of 1, R, T, R T


class Repeats(NamedTuple):
    """`M` choices of all lifetimes."""

    repeated: np.ndarray  # [M] bool, the trial's action was chosen again
    # [M, P], +-1: `P` predictors, as `names` has them. The first column is ones.
    predictors: np.ndarray
    names: tuple[str, ...]
    lifetime: np.ndarray  # [M] int, which lifetime a choice is from
    weight: np.ndarray  # [M], 1 on average; see `balanced`


class _Past(NamedTuple):
    """The past trials that `M` choices are compared with."""

    side: np.ndarray  # [M], the action, +-1
    effects: np.ndarray  # [M, 4], 1, R, T, R T


def incremental(trials: Trials) -> Repeats:
    """Uncued choices after uncued trials: is the last trial's action repeated?

    Predictors: `incremental_*` for the last trial, and `side`, a liking for action 1.
    """
    last, now = trials.columns(slice(None, -1)), trials.columns(slice(1, None))
    counted = last.visible & ~last.cued & now.valid & ~now.cued  # [B, T - 1]
    past = _past(last, counted)
    return Repeats(
        repeated=_side(now.action[counted]) == past.side,
        predictors=np.column_stack([past.effects, past.side]),
        names=(*_named("incremental"), "side"),
        lifetime=np.nonzero(counted)[0],
        weight=balanced(past.effects),
    )


def cued(trials: Trials) -> Repeats:
    """Cued choices after cued trials: is the cued past trial's action repeated?

    Predictors: `episodic_*` for the cued trial, `incremental_cued_*` for the last one
    (towards the cued trial's action where both had the same one, away from it where
    not), so that neither system is taken for the other; and `side`.
    """
    last, now = trials.columns(slice(None, -1)), trials.columns(slice(1, None))
    known = now.valid & now.cued & (now.cued_trial != NO_TRIAL)  # [B, T - 1]
    column = np.where(known, now.cued_trial, 0)
    brought = Trials(*(np.take_along_axis(field, column, axis=1) for field in trials))
    counted = known & brought.visible & last.visible & last.cued
    past, latest = _past(brought, counted), _past(last, counted)
    towards = (past.side * latest.side)[:, np.newaxis]  # [M, 1]
    return Repeats(
        repeated=_side(now.action[counted]) == past.side,
        predictors=np.column_stack([past.effects, towards * latest.effects, past.side]),
        names=(*_named("episodic"), *_named("incremental_cued"), "side"),
        lifetime=np.nonzero(counted)[0],
        weight=balanced(past.effects) * balanced(latest.effects),
    )


def balanced(effects: np.ndarray) -> np.ndarray:
    """Weights `[M]` that give each of the four types of trial the same in all.

    Uncommon transitions and their outcomes are rare. Without weights, an agent that
    never errs would seem to care for reward: its log odds are as large as the number
    of trials allows, which differs between the types.
    """
    kind = (effects[:, 1] > 0) * 2 + (effects[:, 2] > 0)  # [M]
    size = np.bincount(kind, minlength=4)
    return len(kind) / (np.count_nonzero(size) * size[kind])


def _past(trials: Trials, which: np.ndarray) -> _Past:
    reward = np.where(trials.rewarded[which], 1.0, -1.0)
    transition = np.where(trials.common[which], 1.0, -1.0)
    ones = np.ones_like(reward)
    return _Past(
        side=_side(trials.action[which]),
        effects=np.stack([ones, reward, transition, reward * transition], axis=1),
    )


def _side(action: np.ndarray) -> np.ndarray:
    """Action 0 as -1, action 1 as 1."""
    return 2.0 * action - 1


def _named(system: str) -> tuple[str, ...]:
    return tuple(f"{system}_{effect}" for effect in EFFECTS)
