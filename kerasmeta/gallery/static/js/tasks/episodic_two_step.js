// The contextual two-step task (kerasmeta.tasks.two_step.EpisodicTwoStep): uncued trials
// that reveal contexts, a pause, and trials cued by one of them.

import { integer } from "../agent/random.js";
import { distinctCodes, emptyObservation } from "./contexts.js";
import { playTrial } from "./two_step.js";

export const DEFAULTS = {
  uncued_trials: 50,
  cued_trials: 50,
  common: 0.9,
  high_reward: 0.9,
  low_reward: 0.1,
  reversal: 0.1,
  context_size: 20,
};

export class EpisodicTwoStep {
  constructor(parameters = {}) {
    this.parameters = { ...DEFAULTS, ...parameters };
    this.numActions = 2;
  }

  get lifetimeSteps() {
    return this.parameters.uncued_trials + 1 + this.parameters.cued_trials;
  }

  draw(random) {
    const { uncued_trials, context_size } = this.parameters;
    const codes = distinctCodes(uncued_trials, context_size, random);
    return { good: integer(random, 2), codes };
  }

  begin(hidden) {
    this.hidden = { ...hidden };
    this.steps = 0;
    this.past = []; // {action, reached, reward} of every uncued trial
    this.cued = -1; // the uncued trial that is cued now
    return this.observe(-1, -1, 0);
  }

  step(action, random) {
    const { uncued_trials } = this.parameters;
    const isPause = this.steps === uncued_trials;
    const trial = playTrial(this.parameters, this.hidden.good, action, random);
    const toCue = random();
    const reached = isPause ? -1 : trial.reached;
    const past = this.cued >= 0 ? this.past[this.cued] : null;
    let reward = isPause ? 0 : trial.reward;
    if (past && past.reached === reached) reward = past.reward;
    if (!isPause) this.hidden.good = trial.good;
    const event = {
      kind: isPause ? "pause" : "trial",
      ...{ action, reached, reward, past, common: reached === action },
    };
    if (this.steps < uncued_trials) this.past.push({ action, reached, reward });
    this.steps += 1;
    this.cued = this.drawCue(toCue);
    const done = this.steps >= this.lifetimeSteps;
    return { observation: this.observe(reached, action, reward), reward, done, event };
  }

  /** The trial that is cued next: of the first half, then of the second. */
  drawCue(draw) {
    const { uncued_trials, cued_trials } = this.parameters;
    const done = this.steps - (uncued_trials + 1);
    if (done < 0 || done >= cued_trials) return -1;
    const half = Math.floor(uncued_trials / 2);
    const isFirst = done < Math.floor(cued_trials / 2);
    const [lowest, count] = isFirst ? [0, half] : [half, uncued_trials - half];
    return lowest + Math.floor(Math.fround(draw * count));
  }

  observe(reached, action, reward) {
    const { uncued_trials, context_size } = this.parameters;
    const observation = emptyObservation(4, context_size);
    const isFresh = this.steps >= 1 && this.steps <= uncued_trials;
    observation.stimulus[reached + 1] = 1;
    observation.stimulus[3] = this.cued >= 0 ? 1 : 0;
    if (this.cued >= 0) observation.context = this.hidden.codes[this.cued];
    else if (isFresh) observation.context = this.hidden.codes[this.steps - 1];
    observation.store = isFresh;
    observation.episode_start = this.steps === 0;
    return { ...observation, previous_action: action, previous_reward: reward };
  }
}
