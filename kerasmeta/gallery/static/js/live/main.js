// The live part of an agent's page: loads the published weights and wires it up.

import { Agent } from "../agent/agent.js";
import { readSafetensors } from "../agent/safetensors.js";
import { makeTask } from "../tasks/index.js";
import { makeExhibit } from "./exhibits.js";
import { AgentPanel, PersonPanel } from "./panels.js";

const FRAME_MS = 12; // how long the fastest speed works before it draws

class Arena {
  constructor(root, data, agent) {
    Object.assign(this, { root, data, playing: false });
    this.parameters = { ...data.parameters };
    const exhibit = makeExhibit(data.family, this.parameters);
    this.exhibit = exhibit;
    this.find("rules").textContent = exhibit.rules;
    this.agentPanel = new AgentPanel(root, exhibit, agent, data);
    this.personPanel = new PersonPanel(root, exhibit, (text) => this.say(text));
    this.addSliders();
    this.addControls(agent);
    this.start();
    root.dataset.state = "ready";
    performance.mark("first chart");
  }

  find(id) {
    return this.root.querySelector(`#${id}`);
  }

  /** Tells screen readers. */
  say(text) {
    this.find("live-said").textContent = text;
  }

  /** Both sides begin anew, with the parameters as they are now. */
  start() {
    this.agentPanel.start(makeTask(this.data.family, this.parameters));
    this.personPanel.start(makeTask(this.data.family, this.parameters));
  }

  addControls(agent) {
    const on = (id, type, listener) => this.find(id)?.addEventListener(type, listener);
    on("play", "click", () => this.toggle());
    on("step", "click", () => this.stepOnce());
    on("lifetime", "click", () => this.runLifetime());
    on("again", "click", () => this.start());
    if (!agent.hasMemory) return;
    on("lesion", "change", ({ target }) => {
      this.agentPanel.lesioned = target.checked;
      this.agentPanel.next();
      this.say(target.checked ? "The memory is lesioned." : "The memory works again.");
    });
  }

  addSliders() {
    const template = this.find("slider-template");
    for (const slider of this.exhibit.sliders) {
      const part = template.content.cloneNode(true);
      const [input, output] = [part.querySelector("input"), part.querySelector("output")];
      part.querySelector(".slider-label").textContent = slider.label;
      Object.assign(input, { min: slider.min, max: slider.max, step: 0.025 });
      const initial = this.parameters[slider.key] ?? this.agentDefault(slider.key);
      input.value = initial;
      input.dataset.parameter = slider.key;
      output.textContent = Number(input.value).toFixed(3);
      input.addEventListener("input", () => {
        output.textContent = Number(input.value).toFixed(3);
        this.parameters[slider.key] = Number(input.value);
        this.start();
      });
      template.parentNode.append(part);
    }
  }

  agentDefault(key) {
    return makeTask(this.data.family, {}).parameters[key];
  }

  stepOnce() {
    this.pause();
    const event = this.agentPanel.step();
    this.agentPanel.draw();
    this.say(`The agent: ${this.exhibit.describe(event)}`);
  }

  /** To the end of the lifetime, at once. */
  runLifetime() {
    this.pause();
    do this.agentPanel.step();
    while (!this.agentPanel.life.done);
    this.agentPanel.draw();
    const { lifetimes, earned } = this.agentPanel.life;
    this.say(`Lifetime ${lifetimes} is over, earned ${earned.toFixed(1)}.`);
  }

  toggle() {
    if (this.playing) return this.pause();
    this.playing = true;
    this.find("play").textContent = "Pause";
    this.tick();
  }

  pause() {
    this.playing = false;
    clearTimeout(this.timer);
    this.find("play").textContent = "Play";
  }

  tick() {
    if (!this.playing) return;
    const delay = Number(this.find("speed").value);
    const end = performance.now() + (delay ? 0 : FRAME_MS);
    do this.agentPanel.step();
    while (performance.now() < end);
    this.agentPanel.draw();
    this.timer = setTimeout(() => this.tick(), delay);
  }
}

async function begin() {
  const root = document.querySelector("#live");
  const data = JSON.parse(document.querySelector("#live-data").textContent);
  try {
    const answer = await fetch(data.weights);
    if (!answer.ok) throw new Error(`${data.weights}: ${answer.status}`);
    const agent = new Agent(data.config, readSafetensors(await answer.arrayBuffer()));
    globalThis.arena = new Arena(root, data, agent); // for tests and the curious
  } catch (error) {
    root.dataset.state = "failed";
    root.querySelector("#live-problem").hidden = false;
    root.querySelector("#live-problem-detail").textContent = String(error);
  }
}

begin();
