"""The lagged choice regression of Miller, Botvinick and Brody (2017).

Choice in the two-step task is predicted from the last five trials. For trial t and
each lag l, the choice c (+1 for action 1, -1 for action 0) enters by trial type:

    logit P(c_t = 1) = bias + sum_l  b_CR(l) CR(t-l) + b_UR(l) UR(t-l)
                                   + b_CU(l) CU(t-l) + b_UU(l) UU(t-l)

where CR(t) = c_t if trial t was common and rewarded, else 0, and so on (first letter
common or uncommon, second rewarded or unrewarded). Summed over lags,

    model-based index = CR - UR - CU + UU
    model-free index  = CR + UR - CU - UU

Trained agents are nearly deterministic, and where choices can be predicted without
error the maximum-likelihood coefficients are infinite. A small penalty on the mean
squared logit of the predictions, 0.5 * RIDGE * mean(logit^2) = 0.5 * RIDGE * b'X'Xb / M
beside the mean log loss, keeps them finite; it is a Gaussian prior whose precision is
that of the design (the g-prior of Zellner 1986; Sabanes Bove & Held 2011 for logistic
models). Being relative to the mean, it does not change with the number of lifetimes:
the index estimated from 20 or from 2,000 lifetimes is the same quantity. It shrinks the
indices of a player that lapses in a tenth of its choices by three percent; a choice
that never fails gets a logit of at most 5.2. For an agent that never errs it decides
how large the indices are, so compare such agents by sign and order.

Why not a penalty on the coefficients, 0.5 * ridge * |b|^2: it shrinks those of rare
trial types more than those of frequent ones, CR against UU and CU against UR, and so
finds a model-free part in a player that has none (3.15 for the optimal player, whose
choices know rewards by the belief alone). Loss and penalty here are convex functions of
the logit. Given choice and evidence (CR and UU speak for what was chosen, CU and UR
against it), which of the two types a trial had is chance; so by Jensen's inequality a
player that goes by the evidence is fitted best with CR = UU and CU = UR, and its
model-free index is 0, however often it errs.

The interval is the cluster-robust one (White 1982; lifetimes are the clusters): with H
the Hessian and s_i a lifetime's part of the gradient, an index a'b has the influences
u_i = a' H^-1 s_i, which are treated like any other linearised estimate. In 100
simulations each of random, model-free, lapsing and optimal choosers it covered 91 to
98% with 100 lifetimes, and 92 to 97% with 20.

Kevin J. Miller, Matthew M. Botvinick, Carlos D. Brody (2017). Dorsal hippocampus
contributes to model-based planning. Nature Neuroscience 20, 1269-1276.

Arnold Zellner (1986). On assessing prior distributions and Bayesian regression analysis
with g-prior distributions. In: Bayesian Inference and Decision Techniques, 233-243.

Daniel Sabanes Bove, Leonhard Held (2011). Hyper-g priors for generalized linear models.
Bayesian Analysis 6, 387-410.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array, diags_array
from scipy.special import expit

from kerasmeta.analysis.estimates import (
    UNKNOWN,
    Estimate,
    standard_error,
    t_quantile,
)
from kerasmeta.analysis.trials import Trials

LAGS = 5
RIDGE = 1e-3

# Of |b|^2: decides what no choice of the data can, as where two predictors are one.
_TINY = 1e-10

# Signs of CR, UR, CU, UU in the two indices.
_MODEL_BASED = (1, -1, -1, 1)
_MODEL_FREE = (1, 1, -1, -1)


class ChoiceData(NamedTuple):
    """`M` predictable choices pooled over lifetimes."""

    # CSR [M, 4 * LAGS + 1]: lag by lag (CR, UR, CU, UU), then the bias. Six entries a
    # row; sparse products are also free of the thread storms of small dense ones.
    predictors: Any
    choice: np.ndarray  # [M] float, 1 for action 1, 0 for action 0
    lifetime: np.ndarray  # [M] int, which lifetime a choice is from


def choice_indices(trials: Trials, ridge: float = RIDGE) -> dict[str, Estimate]:
    """`model_based_index` and `model_free_index`; nan without predictable choices."""
    data = choice_data(trials)
    if not len(data.choice):
        return {"model_based_index": UNKNOWN, "model_free_index": UNKNOWN}
    coefficients = fit(data, ridge)
    by_lifetime = influence(data, coefficients, ridge)  # [G, P]
    return {
        "model_based_index": _index(_MODEL_BASED, coefficients, by_lifetime),
        "model_free_index": _index(_MODEL_FREE, coefficients, by_lifetime),
    }


def choice_data(trials: Trials) -> ChoiceData:
    """Uncued choices that follow `LAGS` trials with visible outcomes."""
    usable = trials.visible & ~trials.cued  # [B, T]
    trial_type = 2 * ~trials.rewarded + ~trials.common  # [B, T], 0 CR 1 UR 2 CU 3 UU
    num_steps = trials.valid.shape[1]
    lags = [slice(LAGS - lag, max(num_steps - lag, 0)) for lag in range(1, LAGS + 1)]
    predicted = trials.valid[:, LAGS:] & ~trials.cued[:, LAGS:]  # [B, T - LAGS]
    for lag in lags:
        predicted = predicted & usable[:, lag]
    direction = [2.0 * trials.action[:, lag][predicted] - 1 for lag in lags]
    column = [4 * i + trial_type[:, lag][predicted] for i, lag in enumerate(lags)]
    num_choices = int(predicted.sum())
    entries = np.stack([*direction, np.ones(num_choices)], axis=1)  # [M, LAGS + 1]
    columns = np.stack([*column, np.full(num_choices, 4 * LAGS)], axis=1)
    row_ends = np.arange(num_choices + 1) * (LAGS + 1)
    return ChoiceData(
        predictors=csr_array(
            (entries.ravel(), columns.ravel(), row_ends),
            shape=(num_choices, 4 * LAGS + 1),
        ),
        choice=trials.action[:, LAGS:][predicted].astype(np.float64),
        lifetime=np.nonzero(predicted)[0],
    )


def fit(data: ChoiceData, ridge: float) -> np.ndarray:
    """Minimises mean log loss + 0.5 * ridge * mean logit^2. Returns b, `[P]`."""
    X, y = data.predictors, data.choice
    penalty = _penalty(X, ridge)

    def loss(b: np.ndarray) -> float:
        logit = X @ b
        return float(np.mean(np.logaddexp(0, logit) - y * logit) + b @ penalty @ b / 2)

    def gradient(b: np.ndarray) -> np.ndarray:
        return X.T @ (expit(X @ b) - y) / len(y) + penalty @ b

    return minimize(
        loss,
        x0=np.zeros(X.shape[1]),
        jac=gradient,
        hess=lambda b: _hessian(X, b) + penalty,
        method="trust-exact",
        options={"gtol": 1e-8, "initial_trust_radius": 10.0, "max_trust_radius": 1e3},
    ).x


def _penalty(X: Any, ridge: float) -> np.ndarray:
    """The matrix of the penalty `0.5 * b' penalty b`, `[P, P]`."""
    return ridge * (X.T @ X).toarray() / X.shape[0] + _TINY * np.eye(X.shape[1])


def _hessian(X: Any, coefficients: np.ndarray) -> np.ndarray:
    chance = expit(X @ coefficients)
    weight = diags_array(chance * (1 - chance) / X.shape[0])
    return (X.T @ (weight @ X)).toarray()


def influence(data: ChoiceData, coefficients: np.ndarray, ridge: float) -> np.ndarray:
    """Influence on the coefficients of each lifetime that has a choice, `[G, P]`."""
    X, y, lifetime = data
    logit = X @ coefficients
    error = y - expit(logit) - ridge * logit  # [M]
    _, group, size = np.unique(lifetime, return_inverse=True, return_counts=True)
    by_lifetime = csr_array((error, (group, np.arange(len(y)))), (len(size), len(y)))
    score = (by_lifetime @ X).toarray() / len(y)  # [G, P], sums to zero but for _TINY
    hessian = _hessian(X, coefficients) + _penalty(X, ridge)
    return np.linalg.solve(hessian, score.T).T


def _index(
    signs: tuple[int, ...], coefficients: np.ndarray, by_lifetime: np.ndarray
) -> Estimate:
    weights = np.append(np.tile(signs, LAGS), 0)  # [P], the bias is in no index
    mean = float(weights @ coefficients)
    num_lifetimes = len(by_lifetime)
    error = standard_error(by_lifetime @ weights, num_lifetimes)
    half = t_quantile(num_lifetimes) * error
    return Estimate(mean, (mean - half, mean + half))
