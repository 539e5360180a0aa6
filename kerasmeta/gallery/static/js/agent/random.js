// Random numbers: those that Python draws for actions, bit for bit, and others for tasks.

/** lowbias32 (C. Wellons, 2018), a bijection of 32-bit integers. */
function scramble(x) {
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

function hash(...parts) {
  return parts.reduce((state, part) => scramble(state ^ part), 0x9e3779b9);
}

/**
 * The uniform number in [0, 1) with which a lifetime's action at `step` is drawn
 * (kerasmeta.agents.sampling.uniforms, column 0).
 *
 * @param {number[]} seed  Two 32-bit integers, the lifetime's.
 * @param {number} step
 */
export function actionUniform(seed, step) {
  const bits = scramble(hash(seed[0], seed[1], step) ^ hash(0));
  return (bits >>> 8) * 2 ** -24;
}

/** A function that draws uniform numbers in [0, 1): the same seed, the same numbers. */
export function generator(seed) {
  let state = hash(seed >>> 0, 0x5eed);
  let count = 0;
  return () => {
    count += 1;
    state = scramble((state + count) >>> 0);
    return state / 2 ** 32;
  };
}

/** An integer from 0 to limit - 1. */
export function integer(random, limit) {
  return Math.min(Math.floor(random() * limit), limit - 1);
}

/** A new array with the same items in random order (Fisher & Yates). */
export function shuffled(items, random) {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = integer(random, last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}
