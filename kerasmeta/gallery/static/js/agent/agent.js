// The published agent, rebuilt from config.json and weights.safetensors: the same
// arithmetic as kerasmeta.agents.EpisodicAgent, for one lifetime at a time.

import { Memory } from "./memory.js";
import { Network } from "./networks.js";
import { actionUniform } from "./random.js";

export class Agent {
  /**
   * @param {object} config  The published config.json.
   * @param {Map} tensors  What `readSafetensors` gives.
   */
  constructor(config, tensors) {
    const { kind, units, critic_units, reinstate_activation } = config.agent;
    this.config = config.agent;
    this.numActions = config.action.maximum + 1;
    this.hasMemory = kind === "ep_lstm";
    this.units = units;
    this.actor = new Network(tensors, "actor", {
      units,
      reinstatement: this.hasMemory,
      activation: reinstate_activation,
    });
    this.critic = new Network(tensors, "critic", {
      units: critic_units,
      reinstatement: false,
    });
    this.memory = this.hasMemory
      ? new Memory(config.agent.memory, config.observation.context.shape[0], units)
      : null;
    this.begin([0, 0]);
  }

  /** Begins a lifetime. `seed`, two 32-bit integers, fixes every action drawn in it. */
  begin(seed) {
    this.actor.clear();
    this.critic.clear();
    this.memory?.clear();
    this.seed = seed;
    this.count = 0;
  }

  /**
   * Acts on one observation (keys as in config.json).
   *
   * @param {object} observation
   * @param {{memory?: boolean}} lesion  `memory`: nothing is retrieved.
   */
  step(observation, lesion = {}) {
    if (this.config.clear_lstm_at_episode && observation.episode_start) {
      this.actor.clear();
      this.critic.clear();
    }
    const retrieval = this.retrieve(observation, lesion);
    const { memory } = retrieval;
    const actor = this.actor.step(
      this.actor.features(observation, this.numActions),
      memory,
    );
    const value = this.value(observation, memory);
    let stored = -1;
    if (this.memory && observation.store) {
      stored = this.memory.write(observation.context, this.actor.cell);
    }
    const probabilities = softmax(actor.output);
    const action = draw(probabilities, actionUniform(this.seed, this.count));
    this.count += 1;
    const gate = actor.reinstatement;
    return { logits: actor.output, probabilities, action, value, retrieval, stored, gate };
  }

  retrieve(observation, lesion) {
    if (!this.memory) return { memory: null, slot: -1, similarity: 0 };
    // A storing step does not read.
    if (lesion.memory || observation.store) return this.memory.nothing();
    return this.memory.read(observation.context);
  }

  /** The critic's estimate of the return; it reads tanh(m) as a feature. */
  value(observation, memory) {
    const seen = this.critic.features(observation, this.numActions);
    const features = memory
      ? Float32Array.from([...seen, ...memory.map(Math.tanh)])
      : seen;
    return this.critic.step(features, null).output[0];
  }
}

function softmax(logits) {
  const highest = Math.max(...logits);
  const powers = Array.from(logits, (x) => Math.exp(x - highest));
  const sum = powers.reduce((total, x) => total + x, 0);
  return powers.map((x) => x / sum);
}

/** The action whose part of [0, 1) holds the uniform number. */
function draw(probabilities, uniform) {
  let cumulative = 0;
  for (let action = 0; action < probabilities.length - 1; action += 1) {
    cumulative += probabilities[action];
    if (uniform < cumulative) return action;
  }
  return probabilities.length - 1;
}
