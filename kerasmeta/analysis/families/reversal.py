"""What the reversal task measures: choices, and values before they were met again.

An outcome tells which target is good: the one looked at if it paid, the other one if
not. A saccade past the only target shown tells nothing. From trial to trial these tell
where a reversal was, as far as an observer can know.

After a reversal that was met at one target, the other one's value can only have changed
by inference, until it is met itself. Its first cue since the reversal is therefore the
test (Bromberg-Martin et al. 2010, J Neurophysiol 104:1068; Wang et al. 2018).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasmeta.analysis.estimates import Counts, Estimate, proportion, ratio
from kerasmeta.errors import UserError
from kerasmeta.lifetimes import Lifetimes

BOTH = 2  # shown: the left target is 0, the right one 1
UNKNOWN_TARGET = -1


class CueTrials(NamedTuple):
    """The `K` trials of `B` lifetimes, `[B, K]`; the cue is the second step of each."""

    shown: np.ndarray  # int, 0, 1 or BOTH
    action: np.ndarray  # int, where the saccade went
    reward: np.ndarray  # float
    good: np.ndarray  # int, the target that pays, or UNKNOWN_TARGET


class Probes(NamedTuple):
    """`N` cues of a target that was not met since a reversal met at the other one."""

    lifetime: np.ndarray  # [N] int
    trial: np.ndarray  # [N] int
    target: np.ndarray  # [N] int, the target not met; of a choice too
    rises: np.ndarray  # [N] bool, it became the good one
    is_choice: np.ndarray  # [N] bool, both targets were shown
    # [N] int, trial of its last cue alone before the reversal; NO_TRIAL if its value
    # was not known then, from an earlier trial with no reversal in between.
    before: np.ndarray
    after: np.ndarray  # [N] int, trial of its next cue alone, or NO_TRIAL

    def where(self, which: np.ndarray) -> Probes:
        """Some of them. which: `[N]` bool."""
        return Probes(*(field[which] for field in self))


NO_TRIAL = -1


def reversal_metrics(lifetimes: Lifetimes) -> dict[str, Estimate]:
    """`reward_per_trial`, `saccade_accuracy`, `choice_accuracy`, `inferred_choice`.

    `saccade_accuracy` counts trials with one target: was it looked at?
    `choice_accuracy` counts those with two: was the good one chosen? `inferred_choice`
    is the same for the first choice after a reversal that was met at one target only:
    1 for who infers, hardly more than 0.5 for who learns of a target by its outcomes
    alone. Choices with yet another reversal right before them are left out.

    Raises:
        UserError: The lifetimes are of another task.
    """
    trials = cue_trials(lifetimes)
    is_choice = trials.shown == BOTH
    chose_good = trials.reward > 0
    looked = trials.action == trials.shown
    return {
        "reward_per_trial": ratio(
            trials.reward.sum(axis=1), np.full(len(looked), looked.shape[1])
        ),
        "saccade_accuracy": _proportion(looked, ~is_choice),
        "choice_accuracy": _proportion(chose_good, is_choice),
        "inferred_choice": inferred_choice(trials),
    }


def cue_trials(lifetimes: Lifetimes) -> CueTrials:
    """The trials of every lifetime, from what the agent itself saw.

    Raises:
        UserError: The lifetimes are of another task.
    """
    stimulus = lifetimes.observation["stimulus"]
    steps = lifetimes.valid.shape[1] // 2 * 2
    at_cue = slice(1, steps, 2)
    if (
        stimulus.ndim != 3
        or stimulus.shape[2] != 3
        or stimulus[:, at_cue, 0].any()
        or not lifetimes.valid[:, :steps].all()
    ):
        raise UserError(
            "stimulus",
            stimulus.shape,
            "the reversal task shows fixation and cues [B, T, 3] in turn",
            "pass the lifetimes together with the task they were recorded on",
        )
    left, right = np.moveaxis(stimulus[:, at_cue, 1:] > 0.5, 2, 0)
    shown = np.where(left & right, BOTH, right.astype(int))
    action, reward = lifetimes.action[:, at_cue], lifetimes.reward[:, at_cue]
    good = np.where(reward > 0, action, 1 - action)
    tells = (shown == BOTH) | (shown == action)
    return CueTrials(shown, action, reward, np.where(tells, good, UNKNOWN_TARGET))


def probes(trials: CueTrials) -> Probes:
    """Every first cue of a target that was not met since the last reversal.

    The reversal was seen (the trials before and after it both tell the good target),
    every trial since tells the same one, and all of them were at the other target. A
    choice is a probe too, whatever is chosen, and ends the search: the target was seen.
    """
    found = []
    for b in range(len(trials.shown)):
        found += [(b, *probe) for probe in _probes_of_lifetime(trials, b)]
    columns = np.array(found, int).reshape(-1, len(Probes._fields)).T
    lifetime, trial, target, rises, is_choice, before, after = columns
    return Probes(lifetime, trial, target, rises > 0, is_choice > 0, before, after)


def inferred_choice(trials: CueTrials) -> Estimate:
    """P(choose the good target) at probes that are choices."""
    choices = probes(trials)
    choices = choices.where(choices.is_choice)
    cue = choices.lifetime, choices.trial
    now_good = np.where(choices.rises, choices.target, 1 - choices.target)
    same = trials.good[cue] == now_good
    right = trials.action[cue] == now_good
    batch_size = len(trials.shown)
    return proportion(
        Counts(
            np.bincount(choices.lifetime[same & right], minlength=batch_size),
            np.bincount(choices.lifetime[same], minlength=batch_size),
        )
    )


def _probes_of_lifetime(trials: CueTrials, b: int) -> list[tuple[int, ...]]:
    """(trial, target, rises, is_choice, before, after) of one lifetime's probes."""
    shown, action, good = trials.shown[b], trials.action[b], trials.good[b]
    found: list[tuple[int, ...]] = []
    for start in np.flatnonzero(
        (good[1:] != good[:-1])
        & (good[1:] != UNKNOWN_TARGET)
        & (good[:-1] != UNKNOWN_TARGET)
    ):
        reversal = int(start) + 1
        if shown[reversal] == BOTH:
            continue  # both were seen at once
        met = action[reversal]
        other = 1 - met
        for trial in range(reversal + 1, len(shown)):
            if shown[trial] == met and good[trial] == good[reversal]:
                continue  # the same target again, and nothing new
            if shown[trial] != met:
                before = _last_known(trials, b, reversal, int(other))
                after = _next_met(shown, good, trial, int(good[reversal]))
                rises = int(good[reversal] == other)
                is_choice = int(shown[trial] == BOTH)
                found.append((trial, other, rises, is_choice, before, after))
            break
    return found


def _last_known(trials: CueTrials, b: int, reversal: int, target: int) -> int:
    """The last cue alone of a target before a reversal, if it had been met before.

    NO_TRIAL if not, or if any trial since it was met does not show the same good target
    as the last one before the reversal.
    """
    shown, action, good = trials.shown[b], trials.action[b], trials.good[b]
    cue = NO_TRIAL
    for trial in range(reversal - 1, -1, -1):
        if good[trial] != good[reversal - 1]:
            return NO_TRIAL
        if cue != NO_TRIAL and action[trial] == target:
            return cue
        if cue == NO_TRIAL and shown[trial] == target:
            cue = trial
    return NO_TRIAL


def _next_met(shown: np.ndarray, good: np.ndarray, probe: int, still: int) -> int:
    """The next cue alone of a target that was met at the probe.

    NO_TRIAL if it was not met there, or if any trial until then did not show that
    `still` is the good target.
    """
    for trial in range(probe, len(shown)):
        if trial > probe and shown[trial] == shown[probe]:
            return trial
        if good[trial] != still:
            return NO_TRIAL
    return NO_TRIAL


def _proportion(successes: np.ndarray, which: np.ndarray) -> Estimate:
    return proportion(Counts((successes & which).sum(axis=1), which.sum(axis=1)))
