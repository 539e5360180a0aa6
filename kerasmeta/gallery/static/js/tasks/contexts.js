// Codes of +-1 that are distinct within a lifetime, and what every observation has.

/** `count` distinct vectors of `size` components, each +1 or -1. */
export function distinctCodes(count, size, random) {
  return distinct(count, () =>
    Array.from({ length: size }, () => (random() < 0.5 ? 1 : -1)),
  );
}

/** `count` results of `make` of which no two are equal. */
export function distinct(count, make) {
  const found = new Map();
  while (found.size < count) {
    const item = make();
    found.set(item.join(), item);
  }
  return [...found.values()];
}

/** Every observation's parts, with nothing shown and nothing done yet. */
export function emptyObservation(stimulusSize, contextSize) {
  return {
    stimulus: new Array(stimulusSize).fill(0),
    context: new Array(contextSize).fill(0),
    episode_start: false,
    store: false,
    previous_action: -1,
    previous_reward: 0,
  };
}
