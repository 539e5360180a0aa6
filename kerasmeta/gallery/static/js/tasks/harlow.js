// The Harlow task (kerasmeta.tasks.harlow.Harlow): two new objects, one of which pays.

import { shuffled } from "../agent/random.js";
import { emptyObservation } from "./contexts.js";
import * as strip from "./strip.js";

export const DEFAULTS = {
  trials: 6,
  max_steps: 60,
  fixation_reward: 0.2,
  objects: "train",
  cells: 17,
  field: 9,
  distance: 3,
  object_bits: 8,
  object_code: "bits",
};

export class Harlow {
  constructor(parameters = {}) {
    this.parameters = { ...DEFAULTS, ...parameters };
    this.numActions = 2;
  }

  get lifetimeSteps() {
    return this.parameters.max_steps;
  }

  draw(random) {
    const [rewarded, distractor] = strip.drawObjects(2, this.parameters, random);
    const sides = drawSides(this.parameters.trials, random);
    return { rewarded, distractor, sides, gazeRight: random() < 0.5 };
  }

  begin(hidden) {
    this.hidden = hidden;
    this.gaze = strip.firstGaze(hidden.gazeRight, this.parameters);
    this.trial = 0;
    this.steps = 0;
    return this.observe(-1, 0);
  }

  step(action) {
    const { trials, max_steps, fixation_reward } = this.parameters;
    const { gaze, outcome } = strip.move(this.gaze, action, this.parameters);
    const isRight = this.hidden.sides[Math.min(this.trial, trials - 1)];
    const reward = strip.rewardOf(outcome, isRight, fixation_reward);
    const event = {
      kind: outcome.chose ? "choice" : outcome.fixated ? "fixation" : "move",
      ...{ action, reward, trial: this.trial, correct: reward > 0, exposure: 1 },
    };
    this.gaze = gaze;
    this.trial += outcome.chose ? 1 : 0;
    this.steps += 1;
    const done = this.trial >= trials || this.steps >= max_steps;
    return { observation: this.observe(action, reward), reward, done, event };
  }

  /** What is in view, for people. */
  get scene() {
    const isRight = this.hidden.sides[Math.min(this.trial, this.parameters.trials - 1)];
    const { rewarded, distractor } = this.hidden;
    return {
      seen: strip.view(this.gaze, this.parameters),
      left: isRight ? distractor : rewarded,
      right: isRight ? rewarded : distractor,
    };
  }

  observe(action, reward) {
    const { seen, left, right } = this.scene;
    const stimulus = strip.stimulus(seen, left, right, this.parameters);
    return {
      ...emptyObservation(0, 1),
      stimulus,
      episode_start: this.steps === 0,
      previous_action: action,
      previous_reward: reward,
    };
  }
}

/** Whether the rewarded object is the right one: in half of the trials. */
export function drawSides(trials, random) {
  return shuffled([...Array(trials).keys()], random).map((rank) => rank < trials / 2);
}
