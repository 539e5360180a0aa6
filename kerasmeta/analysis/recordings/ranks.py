"""Rank correlations of recorded units, tested against re-paired lifetimes.

Steps of one lifetime are not independent: a unit that remembers is correlated with
itself, and so are rewards and values; and a unit that counts steps goes together with
everything that grows with practice. Tests that count steps find such "nonsense
correlations" significant (Harris 2020). The null hypothesis here is that a unit has
nothing to do with *this* lifetime's variable: unit i of lifetime a goes no better with
the variable in lifetime a than with that in any other lifetime (Harris' session
permutation). It leaves the signals themselves as they are.

With x and y the standardised ranks and C(a, b) = sum over steps of x in lifetime a
times y in lifetime b, Spearman's ρ is the sum of C(a, a) over the number of steps.
Under re-pairings π, all equally likely, the sum of C(a, π(a)) has exactly

    mean = sum C(a, b) / G,   variance = sum d(a, b)² / (G - 1)

with G lifetimes and d the doubly centred C (Hoeffding 1951, theorem 2), and tends to
the normal distribution, so that no re-pairing has to be drawn. What all lifetimes share
at a step makes no difference to it; where lifetimes differ in length it is taken out of
the ranks first, for the overlap of two lifetimes is not the length of one.

Harris (2020). Nonsense correlations in neuroscience. bioRxiv 402719.
Hoeffding (1951). A combinatorial central limit theorem. Ann. Math. Statist. 22:558-566.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr
from scipy.stats import rankdata


class Correlations(NamedTuple):
    """Of `U` units with `V` variables, each `[U, V]`; nan where one does not vary."""

    coefficient: np.ndarray  # Spearman's ρ over all steps
    p_value: np.ndarray  # two-sided, against re-paired lifetimes


def rank_correlations(
    units: np.ndarray, variables: np.ndarray, known: np.ndarray
) -> Correlations:
    """Spearman correlations of units with variables over the steps of lifetimes.

    Args:
        units: `[B, T, U]`.
        variables: `[B, T, V]`.
        known: `[B, T]` bool, the steps that count.
    """
    x, y = standard_ranks(units, known), standard_ranks(variables, known)
    shape = units.shape[2], variables.shape[2]
    coefficient = np.einsum("atu,atv->uv", x, y, optimize=True) / known.sum()
    x, y = _without_step_means(x, known), _without_step_means(y, known)
    p_value = np.empty(shape)
    for u, v in np.ndindex(shape):
        p_value[u, v] = _p_value(x[:, :, u] @ y[:, :, v].T)  # C(a, b), [B, B]
    return Correlations(coefficient, p_value)


def standard_ranks(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Ranks over all known steps, mean 0 and variance 1, `[B, T, columns]`.

    Steps that are not known are 0; a column that does not vary is nan.
    """
    ranks = rankdata(values[known], axis=0)
    ranks -= ranks.mean(axis=0)
    scale = ranks.std(axis=0)
    scale[scale == 0] = np.nan
    found = np.zeros(values.shape)
    found[known] = ranks / scale
    return found


def _without_step_means(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Less the mean over lifetimes at each step; 0 where not known."""
    known = known[:, :, np.newaxis]
    means = values.sum(axis=0) / np.maximum(known.sum(axis=0), 1)  # [T, columns]
    return np.where(known, values - means, 0.0)


def _p_value(products: np.ndarray) -> float:
    """Two-sided p of the sum of C(a, a), from C `[G, G]`."""
    lifetimes = len(products)
    if lifetimes < 2 or np.isnan(products).any():
        return math.nan
    centred = products - products.mean(axis=0) - products.mean(axis=1, keepdims=True)
    centred += products.mean()
    deviation = math.sqrt(np.sum(centred**2) / (lifetimes - 1))
    beyond = np.trace(products) - lifetimes * products.mean()
    if deviation == 0:
        return 1.0 if beyond == 0 else 0.0
    return float(2 * ndtr(-abs(beyond) / deviation))
