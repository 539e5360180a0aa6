// The barcode bandit (kerasmeta.tasks.bandits.BarcodeBandit): episodes of pulls under a
// context that tells which arm is good, if one remembers it.

import { integer, shuffled } from "../agent/random.js";
import { distinctCodes, emptyObservation } from "./contexts.js";

export const DEFAULTS = {
  arms: 10,
  contexts: 10,
  presentations: 10,
  pulls: 10,
  high_reward: 0.9,
  low_reward: 0.1,
  context_size: 20,
};

export class BarcodeBandit {
  constructor(parameters = {}) {
    this.parameters = { ...DEFAULTS, ...parameters };
    this.numActions = this.parameters.arms;
  }

  get lifetimeSteps() {
    const { contexts, presentations, pulls } = this.parameters;
    return contexts * presentations * pulls;
  }

  /** The code and the good arm of every episode. */
  draw(random) {
    const { arms, contexts, presentations, context_size } = this.parameters;
    const codes = distinctCodes(contexts, context_size, random);
    const order = shuffled([...Array(arms).keys()], random);
    const good = codes.map((_, n) => (n < arms ? order[n] : integer(random, arms)));
    const bag = codes.flatMap((_, n) => new Array(presentations).fill(n));
    const episodes = shuffled(bag, random);
    return {
      codes: episodes.map((context) => codes[context]),
      good: episodes.map((context) => good[context]),
    };
  }

  begin(hidden) {
    this.hidden = hidden;
    this.steps = 0;
    this.met = new Map(); // episodes by context
    this.meet();
    return this.observe(-1, 0);
  }

  step(action, random) {
    const { high_reward, low_reward, pulls } = this.parameters;
    const [episode, pull] = [this.episode, this.steps % pulls];
    const good = this.hidden.good[episode];
    const reward = random() < (action === good ? high_reward : low_reward) ? 1 : 0;
    const event = {
      kind: "pull",
      ...{ action, reward, pull, good, correct: action === good },
      exposure: this.met.get(this.hidden.codes[episode].join()),
    };
    this.steps += 1;
    const done = this.steps >= this.lifetimeSteps;
    if (!done && this.steps % pulls === 0) this.meet();
    return { observation: this.observe(action, reward), reward, done, event };
  }

  get episode() {
    return Math.min(
      Math.floor(this.steps / this.parameters.pulls),
      this.hidden.codes.length - 1,
    );
  }

  meet() {
    const key = this.hidden.codes[this.episode].join();
    this.met.set(key, (this.met.get(key) ?? 0) + 1);
  }

  observe(action, reward) {
    const { pulls, context_size } = this.parameters;
    const observation = emptyObservation(1, context_size);
    if (this.steps < this.lifetimeSteps) {
      const pull = this.steps % pulls;
      observation.stimulus[0] = pull === 0 ? 1 : 0;
      observation.context = this.hidden.codes[this.episode];
      observation.episode_start = pull === 0;
      observation.store = pull === pulls - 1;
    }
    return { ...observation, previous_action: action, previous_reward: reward };
  }
}
