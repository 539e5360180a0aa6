// How the Harlow tasks are shown, counted and told.

import { label, svg } from "./svg.js";

const TONES = ["blue", "vermillion", "green"];
const TRIALS = 6;

export class HarlowExhibit {
  constructor(family, parameters) {
    this.isEpisodic = family === "episodic_harlow";
    const exposures = this.isEpisodic ? (parameters.exposures ?? 2) : 1;
    const numbers = [...Array(exposures).keys()];
    const categories = numbers.flatMap((n) =>
      [...Array(TRIALS).keys()].map((trial) => category(trial, n, this.isEpisodic)),
    );
    const told = this.isEpisodic ? ", by exposure to the pair" : "";
    this.charts = [
      {
        ...{ id: "accuracy", kind: "lines", categories },
        title: `Right choices by trial${told}`,
        yLabel: "P(right object)",
        xLabel: "trial of an episode",
      },
    ];
    this.actions = [
      { label: "\u2190 look left", name: "look left", keys: ["ArrowLeft", "a", "1"] },
      { label: "look right \u2192", name: "look right", keys: ["ArrowRight", "d", "2"] },
    ];
    this.sliders = [
      { key: "fixation_reward", label: "Reward for the cross", min: 0, max: 0.9 },
    ];
    this.rules =
      "Move the gaze to the cross in the middle; two objects appear beside it. Look at " +
      "one of them: one pays +1, the other \u22121, and they stay for six trials. The " +
      "first trial is a guess." +
      (this.isEpisodic ? " Every pair comes back once: then memory helps." : "");
  }

  count(tally, event) {
    if (event.kind !== "choice" || event.trial >= TRIALS) return;
    tally.add(`${event.trial}_${event.exposure - 1}`, event.correct);
  }

  describe(event) {
    if (event.kind === "choice") {
      return `Trial ${event.trial + 1}: ${event.correct ? "right, plus 1" : "wrong, minus 1"}.`;
    }
    if (event.kind === "fixation") return "On the cross. Two objects appear.";
    if (event.kind === "pause") return "A new episode begins.";
    return event.action === 1 ? "Looked right." : "Looked left.";
  }

  /** What is seen, in words: the visitor who cannot see plays by it. */
  describeScene(life) {
    const { seen } = life.task.scene;
    const middle = Math.floor(seen.length / 2);
    const found = seen
      .map((what, n) => [what, n - middle])
      .filter(([what]) => what)
      .map(([what, shift]) => `${nameOf(what, life)} ${placeOf(shift)}`);
    return found.length ? `You see: ${found.join(", ")}.` : "Nothing is in view.";
  }

  draw(element, life) {
    const { seen, left, right } = life.task.scene;
    element.setAttribute("viewBox", "0 0 320 100");
    element.replaceChildren();
    const size = 312 / seen.length;
    seen.forEach((what, n) => {
      const x = 4 + n * size;
      const middle = n === Math.floor(seen.length / 2) ? " gazed" : "";
      const box = { x: x + 1, y: 26, width: size - 2, height: size - 2, rx: 3 };
      element.append(svg("rect", { ...box, class: `cell${middle}` }));
      if (what === "cross") element.append(label(x + size / 2, 26 + size * 0.72, "+", "cross"));
      else if (what) drawObject(element, what === "left" ? left : right, x + 5, 30, size - 10);
    });
    const { last } = life;
    const paid = last?.kind === "choice" ? (last.correct ? "+1" : "\u22121") : "";
    element.append(label(160, 84, paid, last?.correct ? "paid-text" : "lost-text"));
    element.append(label(160, 16, "what is in view; the gaze is in the middle", "axis"));
  }
}

function category(trial, exposure, isEpisodic) {
  const first = isEpisodic && trial === 0 ? `accuracy_trial_1_exposure_${exposure + 1}` : null;
  const plain = isEpisodic ? undefined : `accuracy_trial_${trial + 1}`;
  return {
    key: `${trial}_${exposure}`,
    label: String(trial + 1),
    group: `exposure ${exposure + 1}`,
    tone: TONES[exposure % TONES.length],
    metric: first ?? plain,
    name: `trial ${trial + 1}${isEpisodic ? `, exposure ${exposure + 1}` : ""}`,
  };
}

/** An object's bits as a little pattern of squares. */
function drawObject(element, features, x, y, size) {
  const bits = features.length > 1 ? features.slice(1) : grey(features[0]);
  const step = size / 3;
  bits.forEach((bit, n) => {
    const place = n < 4 ? n : n + 1; // the middle stays free
    const box = { x: x + (place % 3) * step, y: y + Math.floor(place / 3) * step };
    const look = bit > 0 ? "bit on" : "bit";
    element.append(svg("rect", { ...box, width: step - 1, height: step - 1, class: look }));
  });
}

const grey = (x) => Array.from({ length: 8 }, (_, n) => (x * 256) & (1 << n) ? 1 : -1);

/** Objects get names from their bits, so that they can be told apart by ear. */
function nameOf(what, life) {
  if (what === "cross") return "the cross";
  const { left, right } = life.task.scene;
  const bits = (what === "left" ? left : right).slice(1);
  const code = bits.reduce((sum, bit, n) => sum + (bit > 0 ? 2 ** n : 0), 0);
  return `object ${code}`;
}

function placeOf(shift) {
  if (shift === 0) return "in the middle";
  return `${Math.abs(shift)} ${shift < 0 ? "to the left" : "to the right"}`;
}
