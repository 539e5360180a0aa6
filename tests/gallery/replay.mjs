// Runs the gallery's scripts on what Python recorded: reads JSON from standard input,
// writes JSON to standard output. tests/gallery/browser_arithmetic.py calls it.

import { pathToFileURL } from "node:url";

const [scripts] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${scripts}/${path}`).href);

const { Agent } = await load("agent/agent.js");
const { Memory } = await load("agent/memory.js");
const { readSafetensors } = await load("agent/safetensors.js");
const { actionUniform } = await load("agent/random.js");
const { makeTask } = await load("tasks/index.js");

/** The agent's answers to lifetimes of recorded observations. */
function agent({ config, weights, lifetimes, lesion }) {
  const bytes = Buffer.from(weights, "base64");
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const made = new Agent(config, readSafetensors(buffer));
  return lifetimes.map(({ seed, observations }) => {
    made.begin(seed);
    return observations.map((observation) => {
      const { logits, value, action, retrieval } = made.step(observation, lesion);
      return { logits: [...logits], value, action, slot: retrieval.slot };
    });
  });
}

/** What a task answers, given what Python's hid and the uniform numbers it drew. */
function task({ family, parameters, hidden, actions, draws }) {
  const made = makeTask(family, parameters);
  const steps = [{ observation: made.begin(hidden), reward: 0, done: false }];
  for (const [n, action] of actions.entries()) {
    const queue = [...draws[n]];
    steps.push(made.step(action, () => queue.shift()));
  }
  return steps.map(({ observation, reward, done }) => ({ observation, reward, done }));
}

/** Reads and writes of a memory, one after the other. */
function memory({ config, keySize, units, operations }) {
  const made = new Memory(config, keySize, units);
  return operations.map(({ key, value }) => {
    if (value) return made.write(key, value);
    const { memory: found, slot, similarity } = made.read(key);
    return { found: [...found], slot, similarity };
  });
}

const tasks = (lives) => lives.map(task);

const uniforms = ({ seeds, steps }) =>
  seeds.map((seed) => steps.map((step) => actionUniform(seed, step)));

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { call, data } = JSON.parse(text);
process.stdout.write(JSON.stringify({ agent, tasks, memory, uniforms }[call](data)));
