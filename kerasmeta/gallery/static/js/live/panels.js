// The two sides of the arena: the agent, and the visitor. Each owns its elements.

import { drawChart, drawTrace, fillTable } from "./charts.js";
import { AgentLife, Life, Tally } from "./session.js";
import { drawMemory, drawPolicy, memoryLine, progressLine } from "./views.js";

/** A panel's charts: an SVG and a table of numbers for each. */
class Charts {
  constructor(panel, exhibit, marks) {
    const template = panel.querySelector("template.chart");
    this.marks = marks;
    this.drawn = exhibit.charts.map((chart) => {
      const part = template.content.cloneNode(true);
      part.querySelector(".chart-title").textContent = chart.title;
      part.querySelector(".chart-axis").textContent = chart.yLabel;
      const [element, body] = [part.querySelector("svg"), part.querySelector("tbody")];
      element.dataset.chart = chart.id;
      template.parentNode.append(part);
      return { chart, element, body };
    });
  }

  draw(series) {
    for (const { chart, element, body } of this.drawn) {
      drawChart(element, chart, series, this.marks);
      fillTable(body, chart, series);
    }
  }
}

export class AgentPanel {
  constructor(root, exhibit, agent, { gamma, marks }) {
    const panel = root.querySelector("#agent-panel");
    const find = (name) => root.querySelector(`#agent-${name}`);
    this.parts = Object.fromEntries(
      ["scene", "status", "policy", "trace", "memory", "memory-line"].map((n) => [n, find(n)]),
    );
    Object.assign(this, { exhibit, agent, gamma });
    this.charts = new Charts(panel, exhibit, marks);
    this.seed = 0;
    this.lesioned = false;
  }

  /** Forgets what was counted: the task is another one. */
  start(task) {
    this.tallies = { intact: new Tally(), lesioned: new Tally() };
    this.life = new AgentLife(task, this.exhibit, this.agent, this.gamma);
    this.next();
  }

  /** The next lifetime. */
  next() {
    this.seed += 1;
    this.life.lesion = { memory: this.lesioned };
    this.life.tally = this.tallies[this.lesioned ? "lesioned" : "intact"];
    this.life.begin(this.seed);
    this.draw();
  }

  /** One step, without drawing; the event. */
  step() {
    if (this.life.done) this.next();
    return this.life.step();
  }

  draw() {
    const { life, parts, agent } = this;
    this.exhibit.draw(parts.scene, life);
    parts.status.textContent = progressLine(life);
    drawPolicy(parts.policy, this.exhibit.actions, life.output);
    drawTrace(parts.trace, life.trace);
    if (agent.memory) {
      drawMemory(parts.memory, agent, life.output);
      const line = memoryLine(agent, life.output, this.lesioned);
      parts["memory-line"].textContent = line;
    }
    this.charts.draw(this.series);
  }

  get series() {
    const intact = { name: "agent", tally: this.tallies.intact, hollow: false };
    if (!agentHasLesion(this)) return [intact];
    return [intact, { name: "memory lesioned", tally: this.tallies.lesioned, hollow: true }];
  }
}

const agentHasLesion = ({ agent }) => agent.hasMemory;

export class PersonPanel {
  constructor(root, exhibit, say) {
    this.panel = root.querySelector("#person-panel");
    this.parts = Object.fromEntries(
      ["scene", "status", "actions", "said"].map((n) => [n, root.querySelector(`#person-${n}`)]),
    );
    Object.assign(this, { exhibit, say });
    this.charts = new Charts(this.panel, exhibit, {});
    this.addActions();
    root.querySelector("#person-again").addEventListener("click", () => this.next());
  }

  addActions() {
    const buttons = this.exhibit.actions.map(({ label, name, keys }, action) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      if (name !== label) button.setAttribute("aria-label", name);
      button.setAttribute("aria-keyshortcuts", keys[0]);
      button.addEventListener("click", () => this.act(action));
      return button;
    });
    this.parts.actions.append(...buttons);
    this.panel.addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const action = this.exhibit.actions.findIndex(({ keys }) => keys.includes(event.key));
    if (action < 0 || action >= this.exhibit.actions.length) return;
    event.preventDefault();
    this.act(action);
  }

  start(task) {
    this.life = new Life(task, this.exhibit);
    this.seed = 0;
    this.next();
  }

  /** The lifetime that the agent had as its n-th is the visitor's n-th. */
  next() {
    this.seed += 1;
    this.life.begin(this.seed);
    this.draw();
  }

  act(action) {
    if (this.life.done) {
      this.next();
      this.say("A new lifetime begins.");
      return;
    }
    const event = this.life.act(action);
    this.draw();
    const over = this.life.done ? " The lifetime is over; the next choice begins another." : "";
    const scene = this.exhibit.describeScene?.(this.life) ?? "";
    const told = `${this.exhibit.describe(event)} ${scene}${over}`;
    this.parts.said.textContent = told;
    this.say(told);
  }

  draw() {
    this.exhibit.draw(this.parts.scene, this.life);
    this.parts.status.textContent = progressLine(this.life);
    this.charts.draw([{ name: "you", tally: this.life.tally, hollow: false }]);
  }
}
