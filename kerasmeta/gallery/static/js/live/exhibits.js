// How each family is shown: charts, scene, words, keys.

import { BarcodeExhibit } from "./barcode_exhibit.js";
import { HarlowExhibit } from "./harlow_exhibit.js";
import { TwoStepExhibit } from "./two_step_exhibit.js";

const EXHIBITS = {
  barcode_bandit: BarcodeExhibit,
  episodic_harlow: HarlowExhibit,
  episodic_two_step: TwoStepExhibit,
  harlow: HarlowExhibit,
  two_step: TwoStepExhibit,
};

export function makeExhibit(family, parameters) {
  return new EXHIBITS[family](family, parameters);
}
