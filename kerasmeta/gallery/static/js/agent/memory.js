// The differentiable neural dictionary (kerasmeta.layers.dnd): keys are contexts,
// values are cell states. A slot written at 0 is empty; the newest of equal keys wins.

const TIE = 1e-6; // cosines closer than this are equal
const KERNEL_DELTA = 1e-3; // Pritzel et al. (2017), equation 5

export class Memory {
  /**
   * @param {object} config  `config.json`'s agent.memory.
   * @param {number} keySize  K.
   * @param {number} units  H, the size of a value.
   */
  constructor(config, keySize, units) {
    Object.assign(this, { config, keySize, units });
    this.clear();
  }

  /** Empties it, as at the beginning of a lifetime. */
  clear() {
    const slots = this.config.capacity;
    this.keys = Array.from({ length: slots }, () => new Float32Array(this.keySize));
    this.values = Array.from({ length: slots }, () => new Float32Array(this.units));
    this.writtenAt = new Int32Array(slots);
    this.usedAt = new Int32Array(slots);
    this.clock = 0;
  }

  /**
   * Looks a context up. A zero context, or an empty memory, finds nothing.
   *
   * @returns {{memory: Float32Array, slot: number, similarity: number}}  What was
   *   retrieved (zeros: nothing), the most similar slot (-1: none) and its cosine.
   */
  read(query) {
    const similarity = this.similarities(query);
    const slot = newestOfTheBest(similarity, this.writtenAt);
    const enough = Math.max(this.config.min_similarity, -1) - TIE;
    if (!query.some((x) => x !== 0) || !(similarity[slot] >= enough)) {
      return this.nothing();
    }
    if (this.config.eviction === "least_recently_used") {
      this.clock += 1;
      this.usedAt[slot] = this.clock;
    }
    const memory = this.weighted(query, similarity, slot);
    return { memory, slot, similarity: similarity[slot] };
  }

  /** What a read that finds nothing returns. */
  nothing() {
    return { memory: new Float32Array(this.units), slot: -1, similarity: 0 };
  }

  /** Stores (context, cell state); returns the slot. */
  write(key, value) {
    const slot = this.place(key);
    this.clock += 1;
    this.keys[slot] = Float32Array.from(key);
    this.values[slot] = Float32Array.from(value);
    this.writtenAt[slot] = this.clock;
    this.usedAt[slot] = this.clock;
    return slot;
  }

  /** How many slots hold something. */
  get occupied() {
    return this.writtenAt.reduce((count, time) => count + (time > 0 ? 1 : 0), 0);
  }

  /** Cosines with every slot; -2 for empty ones. */
  similarities(query) {
    const scale = oneOverLength(query);
    return this.keys.map((key, slot) =>
      this.writtenAt[slot] > 0 ? dot(key, query) * oneOverLength(key) * scale : -2,
    );
  }

  /** The slot that a write of this key takes. */
  place(key) {
    const lru = this.config.eviction === "least_recently_used";
    const first = argmin(lru ? this.usedAt : this.writtenAt);
    if (!this.config.overwrite) return first;
    if (this.config.read === "inverse_distance") return this.equalKey(key) ?? first;
    const similarity = this.similarities(key);
    const slot = newestOfTheBest(similarity, this.writtenAt);
    return similarity[slot] >= 1 - TIE ? slot : first;
  }

  /** The newest slot whose key equals this one, number for number. */
  equalKey(key) {
    let newest = null;
    this.keys.forEach((other, slot) => {
      const written = this.writtenAt[slot];
      if (!written || other.some((x, k) => x !== key[k])) return;
      if (newest === null || written > this.writtenAt[newest]) newest = slot;
    });
    return newest;
  }

  weighted(query, similarity, slot) {
    if (this.config.read === "nearest") return this.values[slot];
    const weights =
      this.config.read === "softmax"
        ? softmaxWeights(similarity, this.writtenAt, this.config.temperature)
        : this.inverseDistances(query);
    const memory = new Float32Array(this.units);
    for (let h = 0; h < this.units; h += 1) {
      let sum = 0;
      weights.forEach((weight, n) => (sum += weight * this.values[n][h]));
      memory[h] = sum;
    }
    return memory;
  }

  /** Pritzel's kernel over the nearest slots, the newest of equally near ones first. */
  inverseDistances(query) {
    const kernel = this.keys.map((key, slot) =>
      this.writtenAt[slot] > 0 ? 1 / (distance(key, query) + KERNEL_DELTA) : 0,
    );
    const order = [...kernel.keys()].sort(
      (a, b) => kernel[b] - kernel[a] || this.writtenAt[b] - this.writtenAt[a],
    );
    const near = new Set(order.slice(0, this.config.num_neighbors));
    const kept = kernel.map((k, slot) => (near.has(slot) ? k : 0));
    return normalised(kept);
  }
}

function softmaxWeights(similarity, writtenAt, temperature) {
  const highest = Math.max(...similarity);
  return normalised(
    similarity.map((s, n) =>
      writtenAt[n] > 0 ? Math.exp((s - highest) / temperature) : 0,
    ),
  );
}

function newestOfTheBest(scores, writtenAt) {
  const best = Math.max(...scores);
  let found = 0;
  let newest = -Infinity;
  scores.forEach((score, slot) => {
    const written = score >= best - TIE ? writtenAt[slot] : -1;
    if (written > newest) [newest, found] = [written, slot];
  });
  return found;
}

const dot = (a, b) => a.reduce((sum, x, k) => sum + x * b[k], 0);
const distance = (a, b) => a.reduce((sum, x, k) => sum + (x - b[k]) ** 2, 0);
const argmin = (values) => values.reduce((best, x, n) => (x < values[best] ? n : best), 0);

function oneOverLength(vector) {
  const squares = dot(vector, vector);
  return squares > 0 ? 1 / Math.sqrt(squares) : 0;
}

function normalised(weights) {
  const sum = weights.reduce((total, w) => total + w, 0);
  return sum > 0 ? weights.map((w) => w / sum) : weights;
}
