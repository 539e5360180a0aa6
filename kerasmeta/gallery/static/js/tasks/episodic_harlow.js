// The Harlow task with pairs that come back (kerasmeta.tasks.harlow.EpisodicHarlow).

import { shuffled } from "../agent/random.js";
import { distinctCodes, emptyObservation } from "./contexts.js";
import { DEFAULTS as ONE_PAIR, drawSides } from "./harlow.js";
import * as strip from "./strip.js";

export const DEFAULTS = {
  ...ONE_PAIR,
  pairs: 10,
  exposures: 2,
  variant: "easy",
  context_size: 20,
};

export class EpisodicHarlow {
  constructor(parameters = {}) {
    this.parameters = { ...DEFAULTS, ...parameters };
    this.numActions = 2;
  }

  get episodes() {
    return this.parameters.pairs * this.parameters.exposures;
  }

  get lifetimeSteps() {
    return this.episodes * (this.parameters.max_steps + 1) - 1;
  }

  /** For every episode: its pair, objects, code, sides and first gaze. */
  draw(random) {
    const { pairs, exposures, trials, variant, context_size } = this.parameters;
    const numbers = [...Array(pairs).keys()];
    const order = Array.from({ length: exposures }, () => shuffled(numbers, random));
    const isHard = variant === "hard";
    const count = pairs + (isHard ? this.episodes : pairs);
    const objects = strip.drawObjects(count, this.parameters, random);
    const codes = distinctCodes(pairs, context_size, random);
    const schedule = order.flat().map((pair, episode) => ({
      pair,
      rewarded: objects[pair],
      distractor: objects[pairs + (isHard ? episode : pair)],
      code: codes[pair],
      sides: drawSides(trials, random),
      gazeRight: random() < 0.5,
    }));
    return { schedule };
  }

  begin(hidden) {
    this.hidden = hidden;
    this.stored = new Set();
    this.met = new Map(); // episodes with a choice, by pair
    this.beginEpisode(0);
    return this.observe(-1, 0);
  }

  beginEpisode(episode) {
    this.episode = episode;
    this.now = this.hidden.schedule[Math.min(episode, this.episodes - 1)];
    this.gaze = strip.firstGaze(this.now.gazeRight, this.parameters);
    this.inPause = false;
    this.trial = 0;
    this.steps = 0;
  }

  step(action) {
    if (this.inPause) return this.stepOverPause(action);
    const { trials, max_steps, fixation_reward } = this.parameters;
    const { gaze, outcome } = strip.move(this.gaze, action, this.parameters);
    const isRight = this.now.sides[Math.min(this.trial, trials - 1)];
    const reward = strip.rewardOf(outcome, isRight, fixation_reward);
    if (outcome.chose && this.trial === 0) {
      this.met.set(this.now.pair, (this.met.get(this.now.pair) ?? 0) + 1);
    }
    const event = {
      kind: outcome.chose ? "choice" : outcome.fixated ? "fixation" : "move",
      ...{ action, reward, trial: this.trial, correct: reward > 0 },
      exposure: this.met.get(this.now.pair) ?? 1,
    };
    this.gaze = gaze;
    this.trial += outcome.chose ? 1 : 0;
    this.steps += 1;
    this.inPause = this.trial >= trials || this.steps >= max_steps;
    const done = this.inPause && this.episode >= this.episodes - 1;
    return { observation: this.observe(action, reward), reward, done, event };
  }

  /** The pause after an episode, whose action has no effect. */
  stepOverPause(action) {
    if (this.isStoring) this.stored.add(this.now.pair);
    this.beginEpisode(this.episode + 1);
    const event = { kind: "pause", action, reward: 0 };
    const observation = this.observe(action, 0);
    return { observation, reward: 0, done: false, event };
  }

  get isStoring() {
    return this.inPause && this.trial > 0 && !this.stored.has(this.now.pair);
  }

  get scene() {
    const { sides, rewarded, distractor } = this.now;
    const isRight = sides[Math.min(this.trial, this.parameters.trials - 1)];
    const nothing = new Array(this.parameters.field).fill("");
    return {
      seen: this.inPause ? nothing : strip.view(this.gaze, this.parameters),
      left: isRight ? distractor : rewarded,
      right: isRight ? rewarded : distractor,
    };
  }

  observe(action, reward) {
    const { seen, left, right } = this.scene;
    const atCross = this.gaze.onPair && this.gaze.cell === 0 && !this.inPause;
    const store = this.isStoring;
    const nothing = new Array(this.parameters.context_size).fill(0);
    return {
      ...emptyObservation(0, 0),
      stimulus: strip.stimulus(seen, left, right, this.parameters),
      context: store || atCross ? this.now.code : nothing,
      episode_start: this.steps === 0,
      store,
      previous_action: action,
      previous_reward: reward,
    };
  }
}
