// How the barcode bandit is shown, counted and told.

import { barcode, coin, label, svg } from "./svg.js";

const EXPOSURES = [
  { test: (n) => n === 1, tone: "blue", group: "first time" },
  { test: (n) => n === 2, tone: "vermillion", group: "second time" },
  { test: (n) => n > 2, tone: "green", group: "later" },
];

export class BarcodeExhibit {
  constructor(family, parameters) {
    const pulls = parameters.pulls ?? 10;
    const arms = parameters.arms ?? 10;
    const categories = EXPOSURES.flatMap(({ tone, group }, exposure) =>
      [...Array(pulls).keys()].map((pull) => ({
        ...{ key: `${pull}_${exposure}`, label: String(pull + 1), group, tone },
        metric: pull === 0 && exposure < 2 ? `first_pull_exposure_${exposure + 1}` : undefined,
        name: `pull ${pull + 1}, barcode met the ${group}`,
      })),
    );
    this.charts = [
      {
        ...{ id: "reward", kind: "lines", categories },
        title: "Reward by pull, by how often the barcode was met",
        yLabel: "P(reward)",
        xLabel: "pull of an episode",
      },
    ];
    this.actions = [...Array(arms).keys()].map((arm) => ({
      label: String((arm + 1) % 10),
      name: `arm ${arm + 1}`,
      keys: [String((arm + 1) % 10)],
    }));
    this.sliders = [
      { key: "high_reward", label: "Chance that the good arm pays", min: 0.5, max: 1 },
      { key: "low_reward", label: "Chance that another arm pays", min: 0, max: 0.5 },
    ];
    this.rules =
      "One arm pays often, the others seldom. The barcode tells which episode this is: " +
      "when it comes back, the same arm is good.";
  }

  count(tally, { pull, exposure, reward }) {
    const group = EXPOSURES.findIndex(({ test }) => test(exposure));
    tally.add(`${pull}_${group}`, reward > 0);
  }

  describe(event) {
    return `Arm ${event.action + 1}, ${event.reward > 0 ? "rewarded" : "not rewarded"}.`;
  }

  /** Barcodes get a number in the order in which they were met. */
  describeScene(life) {
    const { task } = life;
    const code = task.hidden.codes[task.episode].join();
    const number = [...task.met.keys()].indexOf(code) + 1;
    const pull = (task.steps % task.parameters.pulls) + 1;
    return `Barcode number ${number}, pull ${pull}.`;
  }

  draw(element, life) {
    const { observation, last, task } = life;
    element.setAttribute("viewBox", "0 0 320 120");
    element.replaceChildren();
    if (observation.context.some((x) => x !== 0)) {
      element.append(barcode(observation.context, 60, 6, 200, 14));
    }
    const arms = task.numActions;
    const step = 304 / arms;
    for (let arm = 0; arm < arms; arm += 1) {
      const x = 8 + (arm + 0.5) * step;
      const chosen = last?.action === arm ? " reached" : "";
      const radius = Math.min(13, step / 2 - 1);
      element.append(svg("circle", { cx: x, cy: 66, r: radius, class: `choice${chosen}` }));
      element.append(label(x, 71, String((arm + 1) % 10), "node"));
      if (chosen) element.append(coin(x, 100, last.reward));
    }
  }
}
