// The eye of the Harlow tasks (kerasmeta.tasks.harlow.strip): a circular strip of cells,
// of which the agent sees some. Cell 0 is where the cross appears; the two objects are
// `distance` cells to its left and right.

import { distinct } from "./contexts.js";

/** Numbers a cell of the stimulus has. */
export function numFeatures({ object_code, object_bits }) {
  return object_code === "scalar" ? 1 : 1 + object_bits;
}

/**
 * Distinct objects, each as what its cell shows. Objects with an even number of 1s are
 * for training, the others are held out.
 */
export function drawObjects(count, parameters, random) {
  const { object_bits, object_code, objects } = parameters;
  const parity = objects === "held_out" ? 1 : 0;
  const found = distinct(count, () => {
    const bits = Array.from({ length: object_bits - 1 }, () => (random() < 0.5 ? 1 : 0));
    const ones = bits.reduce((sum, bit) => sum + bit, 0);
    return [(ones + parity) % 2, ...bits]; // the lowest bit first
  });
  return found.map((bits) => objectFeatures(bits, object_code));
}

function objectFeatures(bits, coding) {
  if (coding !== "scalar") return [0, ...bits.map((bit) => 2 * bit - 1)];
  const code = bits.reduce((sum, bit, place) => sum + bit * 2 ** place, 0);
  return [(code + 1) / (2 ** bits.length + 1)];
}

/** The gaze at the beginning of an episode. */
export function firstGaze(isRight, { cells, distance }) {
  return { cell: isRight ? distance : cells - distance, onPair: false };
}

/** Moves the gaze one cell left (0) or right (1). */
export function move(gaze, action, { cells, distance }) {
  const cell = (gaze.cell + 2 * action - 1 + cells) % cells;
  const fixated = !gaze.onPair && cell === 0;
  const choseRight = gaze.onPair && cell === distance;
  const chose = choseRight || (gaze.onPair && cell === cells - distance);
  const onPair = (gaze.onPair || fixated) && !chose;
  return { gaze: { cell, onPair }, outcome: { fixated, chose, choseRight } };
}

/** What a movement pays. */
export function rewardOf(outcome, rewardedRight, fixationReward) {
  if (outcome.chose) return outcome.choseRight === rewardedRight ? 1 : -1;
  return outcome.fixated ? fixationReward : 0;
}

/**
 * What is in view, cell by cell: "cross", "left", "right" or "".
 * The gazed cell is in the middle.
 */
export function view(gaze, { cells, field, distance }) {
  return Array.from({ length: field }, (_, n) => {
    const cell = (gaze.cell + n - Math.floor(field / 2) + 2 * cells) % cells;
    if (!gaze.onPair) return cell === 0 ? "cross" : "";
    if (cell === distance) return "right";
    return cell === cells - distance ? "left" : "";
  });
}

/** The view as the numbers that the agent sees. */
export function stimulus(seen, left, right, parameters) {
  const size = numFeatures(parameters);
  const cross = [1, ...new Array(size - 1).fill(0)];
  const nothing = new Array(size).fill(0);
  const shown = { cross, left, right, "": nothing };
  return seen.flatMap((what) => shown[what]);
}
