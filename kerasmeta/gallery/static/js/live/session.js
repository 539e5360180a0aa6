// An agent (or a person) living lifetimes of a task, and what is counted of them. No
// page is needed: this is what tests run too.

import { generator } from "../agent/random.js";

/** Successes and trials by category. */
export class Tally {
  constructor() {
    this.counts = new Map();
  }

  add(category, success) {
    const [successes, trials] = this.counts.get(category) ?? [0, 0];
    this.counts.set(category, [successes + Number(success), trials + 1]);
  }

  /** {mean, trials}; the mean is NaN where nothing was counted. */
  of(category) {
    const [successes, trials] = this.counts.get(category) ?? [0, 0];
    return { mean: successes / trials, trials };
  }
}

/** One player's way through a task: the world, without anyone who chooses. */
export class Life {
  /**
   * @param {object} task
   * @param {object} exhibit  Whose `count` turns events into counts.
   */
  constructor(task, exhibit) {
    Object.assign(this, { task, exhibit });
    this.tally = new Tally();
    this.lifetimes = 0;
  }

  /** Begins the lifetime that `seed` stands for: the same for agents and people. */
  begin(seed) {
    this.random = generator(seed);
    this.observation = this.task.begin(this.task.draw(this.random));
    this.last = null;
    this.earned = 0;
    this.steps = 0;
    this.done = false;
  }

  /** Carries out an action; returns the event. */
  act(action) {
    const { observation, reward, done, event } = this.task.step(action, this.random);
    this.exhibit.count(this.tally, event, this.last);
    Object.assign(this, { observation, done, last: event });
    this.earned += reward;
    this.steps += 1;
    if (done) this.lifetimes += 1;
    return event;
  }
}

/** An agent that lives: choices, values, prediction errors. */
export class AgentLife extends Life {
  constructor(task, exhibit, agent, gamma) {
    super(task, exhibit);
    Object.assign(this, { agent, gamma, lesion: {} });
  }

  begin(seed) {
    super.begin(seed);
    this.agent.begin([seed, 0]);
    this.trace = []; // {value, reward, error}; the last error is not known yet
    this.output = null;
  }

  /** One step. The error of a step is known when the next value is. */
  step() {
    const output = this.agent.step(this.observation, this.lesion);
    this.settle(this.gamma * output.value);
    const event = this.act(output.action);
    this.trace.push({ value: output.value, reward: event.reward, error: null });
    if (this.done) this.settle(0);
    this.output = output;
    return event;
  }

  /** delta = r + gamma V' - V of the step before. */
  settle(discounted) {
    const before = this.trace.at(-1);
    if (before) before.error = before.reward + discounted - before.value;
  }
}
