// How the two-step tasks are shown, counted and told.

import { barcode, coin, label, svg } from "./svg.js";

const TYPES = [
  { key: "common_rewarded", label: "common", group: "rewarded", tone: "blue" },
  { key: "uncommon_rewarded", label: "uncommon", group: "rewarded", tone: "vermillion" },
  { key: "common_unrewarded", label: "common", group: "unrewarded", tone: "blue" },
  { key: "uncommon_unrewarded", label: "uncommon", group: "unrewarded", tone: "vermillion" },
];

const typeOf = ({ common, reward }) =>
  `${common ? "common" : "uncommon"}_${reward > 0 ? "rewarded" : "unrewarded"}`;

const chart = (prefix, title, yLabel) => ({
  ...{ id: prefix, kind: "bars", title, yLabel },
  categories: TYPES.map((type) => ({
    ...type,
    key: `${prefix}_${type.key}`,
    metric: `${prefix}_${type.key}`,
    name: `after ${type.label} ${type.group}`,
  })),
});

const STAY = chart("stay", "Repeats its last action", "P(repeat last action)");
const EPISODIC = chart(
  "episodic_repeat",
  "Repeats the cued trial\u2019s action",
  "P(repeat cued trial\u2019s action)",
);

export class TwoStepExhibit {
  constructor(family) {
    this.isEpisodic = family === "episodic_two_step";
    this.charts = this.isEpisodic ? [STAY, EPISODIC] : [STAY];
    this.actions = [
      { label: "A", name: "A, commonly leads to S1", keys: ["ArrowLeft", "a", "1"] },
      { label: "B", name: "B, commonly leads to S2", keys: ["ArrowRight", "b", "2"] },
    ];
    this.sliders = [
      { key: "common", label: "Chance of the common transition", min: 0.5, max: 1 },
      { key: "high_reward", label: "Chance of a reward in the good state", min: 0.5, max: 1 },
      { key: "reversal", label: "Chance that the good state changes", min: 0, max: 0.5 },
    ];
    this.rules =
      "Choose A or B. A usually leads to state S1 and B to S2. One of the two states " +
      "pays more often; which one changes now and then." +
      (this.isEpisodic
        ? " Each trial of the first half leaves a barcode. In the second half an old " +
          "barcode comes back: reach the state it came from, and you are paid what you " +
          "were paid then."
        : "");
  }

  /** Counts a trial: repetitions of the last one\u2019s action, or of the cued one\u2019s. */
  count(tally, event, last) {
    if (event.kind !== "trial") return;
    if (event.past) {
      const repeated = event.action === event.past.action;
      const common = event.past.reached === event.past.action;
      tally.add(`episodic_repeat_${typeOf({ ...event.past, common })}`, repeated);
    } else if (last?.kind === "trial" && !last.past) {
      tally.add(`stay_${typeOf(last)}`, event.action === last.action);
    }
  }

  describe(event) {
    if (event.kind === "pause") return "Pause. Cued trials follow.";
    const paid = event.reward > 0 ? "rewarded" : "not rewarded";
    return `${"AB"[event.action]}, ${event.common ? "common" : "uncommon"} to S${
      event.reached + 1
    }, ${paid}.`;
  }

  /** Barcodes get the number of their trial, so that they can be told apart by ear. */
  describeScene({ observation, task }) {
    if (observation.store) return `It leaves barcode ${task.steps}.`;
    return task.cued >= 0 ? `Cue: barcode ${task.cued + 1}.` : "";
  }

  draw(element, life) {
    const { observation, last } = life;
    element.setAttribute("viewBox", "0 0 320 178");
    element.replaceChildren();
    const [xs, top, bottom] = [[90, 230], 40, 118];
    for (const from of [0, 1]) {
      for (const to of [0, 1]) drawWay(element, [xs[from], bottom], [xs[to], top], from, to, last);
    }
    for (const n of [0, 1]) {
      const reached = last?.reached === n ? " reached" : "";
      const chosen = last?.action === n && last.kind === "trial" ? " reached" : "";
      const box = { x: xs[n] - 26, y: top - 16, width: 52, height: 32, rx: 8 };
      element.append(svg("rect", { ...box, class: `state${reached}` }));
      element.append(label(xs[n], top + 5, `S${n + 1}`, "node"));
      element.append(svg("circle", { cx: xs[n], cy: bottom, r: 16, class: `choice${chosen}` }));
      element.append(label(xs[n], bottom + 5, "AB"[n], "node"));
    }
    if (last?.kind === "trial") element.append(coin(xs[last.reached] + 38, top, last.reward));
    if (observation.context.some((x) => x !== 0)) {
      const cue = observation.store ? "new barcode, stored" : "cue: an old barcode";
      element.append(barcode(observation.context, 60, 146, 200, 14));
      element.append(label(160, 174, cue, "axis"));
    }
  }
}

function drawWay(element, [x1, y1], [x2, y2], from, to, last) {
  const taken = last?.kind === "trial" && last.action === from && last.reached === to;
  const rare = from !== to ? " rare" : "";
  const ends = { x1, y1: y1 - 17, x2, y2: y2 + 17 };
  element.append(svg("line", { ...ends, class: `way${rare}${taken ? " taken" : ""}` }));
}
