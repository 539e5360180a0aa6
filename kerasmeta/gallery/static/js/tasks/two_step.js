// The two-step task (kerasmeta.tasks.two_step.TwoStep). States: 0 is S1, 1 is S2, -1
// is none. Action 0 commonly leads to S1 and action 1 to S2.

import { integer } from "../agent/random.js";
import { emptyObservation } from "./contexts.js";

export const DEFAULTS = {
  trials: 100,
  common: 0.8,
  high_reward: 0.9,
  low_reward: 0.1,
  reversal: 0.025,
};

export class TwoStep {
  /** @param {object} parameters  Those that differ from the defaults. */
  constructor(parameters = {}) {
    this.parameters = { ...DEFAULTS, ...parameters };
    this.numActions = 2;
  }

  get lifetimeSteps() {
    return this.parameters.trials;
  }

  /** What is hidden when a lifetime begins. */
  draw(random) {
    return { good: integer(random, 2) };
  }

  /** Begins a lifetime; returns the first observation. */
  begin(hidden) {
    this.hidden = { ...hidden };
    this.steps = 0;
    return this.observe(-1, -1, 0);
  }

  /** Carries out an action: {observation, reward, done, event}. */
  step(action, random) {
    const trial = playTrial(this.parameters, this.hidden.good, action, random);
    const { reached, reward, good } = trial;
    const event = { kind: "trial", action, reached, reward, common: reached === action };
    this.hidden.good = good;
    this.steps += 1;
    const done = this.steps >= this.lifetimeSteps;
    return { observation: this.observe(reached, action, reward), reward, done, event };
  }

  observe(reached, action, reward) {
    const observation = emptyObservation(3, 1);
    observation.stimulus[reached + 1] = 1;
    observation.episode_start = this.steps === 0;
    return { ...observation, previous_action: action, previous_reward: reward };
  }
}

/** One trial; three draws: for the state, the reward and the reversal. */
export function playTrial(parameters, good, action, random) {
  const [toState, toReward, toReversal] = [random(), random(), random()];
  const reached = toState < parameters.common ? action : 1 - action;
  const chance = reached === good ? parameters.high_reward : parameters.low_reward;
  const reward = toReward < chance ? 1 : 0;
  return { reached, reward, good: toReversal < parameters.reversal ? 1 - good : good };
}
