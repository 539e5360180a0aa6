// The task families that can be played here, by name.

import { BarcodeBandit } from "./barcode_bandit.js";
import { EpisodicHarlow } from "./episodic_harlow.js";
import { EpisodicTwoStep } from "./episodic_two_step.js";
import { Harlow } from "./harlow.js";
import { TwoStep } from "./two_step.js";

const FAMILIES = {
  barcode_bandit: BarcodeBandit,
  episodic_harlow: EpisodicHarlow,
  episodic_two_step: EpisodicTwoStep,
  harlow: Harlow,
  two_step: TwoStep,
};

/** A task of a family with some parameters changed. */
export function makeTask(family, parameters) {
  return new FAMILIES[family](parameters);
}
