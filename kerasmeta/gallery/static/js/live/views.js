// What is drawn of an agent while it lives: policy, memory, state of play.

import { short, svg } from "./svg.js";

/** The probabilities of the actions as bars, the chosen one marked. */
export function drawPolicy(element, actions, output) {
  const rows = actions.map(({ label: text }, n) => {
    const row = document.createElement("li");
    const p = output ? output.probabilities[n] : 0;
    row.className = output?.action === n ? "chosen" : "";
    const name = document.createElement("span");
    name.textContent = text;
    const bar = document.createElement("span");
    bar.className = "fill";
    bar.style.setProperty("--p", p);
    const number = document.createElement("span");
    number.textContent = output ? short(p) : "";
    row.append(name, bar, number);
    return row;
  });
  element.replaceChildren(...rows);
}

const COLUMNS = 16;
const CELL = 20;

/** Every slot of the memory: empty, filled, just written or just read. */
export function drawMemory(element, agent, output) {
  const { capacity } = agent.memory.config;
  const rows = Math.ceil(capacity / COLUMNS);
  element.setAttribute("viewBox", `0 0 ${COLUMNS * CELL} ${rows * CELL}`);
  element.replaceChildren();
  for (let slot = 0; slot < capacity; slot += 1) {
    const x = (slot % COLUMNS) * CELL + 2;
    const y = Math.floor(slot / COLUMNS) * CELL + 2;
    const place = { x, y, width: CELL - 4, height: CELL - 4, rx: 3 };
    element.append(svg("rect", { ...place, class: slotLook(agent, output, slot) }));
  }
}

function slotLook(agent, output, slot) {
  if (output?.retrieval.slot === slot) return "slot read";
  if (output?.stored === slot) return "slot written";
  return agent.memory.writtenAt[slot] > 0 ? "slot filled" : "slot";
}

/** What the memory did in this step, in one line. */
export function memoryLine(agent, output, lesioned) {
  const held = `${agent.memory.occupied} of ${agent.memory.config.capacity} slots hold something.`;
  if (lesioned) return `Lesioned: nothing is retrieved. ${held}`;
  if (output?.stored >= 0) return `Stores its cell state in slot ${output.stored + 1}. ${held}`;
  if (!output || output.retrieval.slot < 0) return `No read. ${held}`;
  const gate = output.gate.reduce((sum, r) => sum + r, 0) / output.gate.length;
  const { slot, similarity } = output.retrieval;
  return (
    `Reads slot ${slot + 1} (cosine ${similarity.toFixed(2)}); ` +
    `reinstatement gate open to ${(100 * gate).toFixed(0)} % on average. ${held}`
  );
}

/** "Lifetime 3, step 12 of 100, earned 8". */
export function progressLine(life) {
  const earned = Math.round(life.earned * 100) / 100;
  const number = life.lifetimes + (life.done ? 0 : 1);
  const { steps, task } = life;
  return `Lifetime ${number}, step ${steps} of at most ${task.lifetimeSteps}, earned ${earned}`;
}
