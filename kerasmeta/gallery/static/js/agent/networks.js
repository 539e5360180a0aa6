// An actor or a critic: encoder, epLSTM cell (kerasmeta.layers.ep_lstm), linear head.

const EPSILON = 1e-6; // added to the variances of a normaliser
const LIMIT = 10; // in standard deviations

export class Network {
  /**
   * @param {Map} tensors  All weights by name.
   * @param {string} part  "actor" or "critic".
   * @param {{units: number, reinstatement: boolean, activation: string}} shape
   */
  constructor(tensors, part, { units, reinstatement, activation }) {
    const take = (name) => tensors.get(`${part}/${name}`)?.data;
    Object.assign(this, { units, reinstatement, activation });
    this.kernel = take("cell/kernel");
    this.recurrentKernel = take("cell/recurrent_kernel");
    this.bias = take("cell/bias");
    this.headKernel = take("head/kernel");
    this.headBias = take("head/bias");
    this.layers = [];
    for (let n = 0; take(`encoder/${n}/kernel`); n += 1) {
      const [kernel, bias] = [`${n}/kernel`, `${n}/bias`].map((w) => take(`encoder/${w}`));
      this.layers.push({ kernel, bias });
    }
    this.moments = {};
    for (const key of ["stimulus", "previous_reward"]) {
      const [mean, variance] = ["mean", "variance"].map((w) =>
        take(`encoder/normalizer/${key}/${w}`),
      );
      if (mean) this.moments[key] = { mean, variance };
    }
    const scale = ["mean", "deviation"].map((w) => take(`value_scale/${w}`)?.[0]);
    this.valueScale = scale[0] === undefined ? null : scale;
    this.clear();
  }

  /** Zeros the working memory. */
  clear() {
    this.hidden = new Float32Array(this.units);
    this.cell = new Float32Array(this.units);
  }

  /** What the LSTM sees: stimulus, one-hot previous action, previous reward. */
  features(observation, numActions) {
    const action = new Float32Array(numActions);
    if (observation.previous_action >= 0) action[observation.previous_action] = 1;
    let features = Float32Array.from([
      ...this.normalised("stimulus", observation.stimulus),
      ...action,
      ...this.normalised("previous_reward", [observation.previous_reward]),
    ]);
    for (const { kernel, bias } of this.layers) {
      features = affine(features, kernel, bias).map(Math.tanh);
    }
    return features;
  }

  normalised(key, values) {
    const moments = this.moments[key];
    if (!moments) return values;
    return Array.from(values, (x, k) => {
      const scaled = (x - moments.mean[k]) / Math.sqrt(moments.variance[k] + EPSILON);
      return Math.max(-LIMIT, Math.min(LIMIT, scaled));
    });
  }

  /**
   * One step: i, f, o, r = s(Wx + Uh + b), g = tanh(...),
   * c' = i g + f c + r tanh(m), h' = o tanh(c').
   *
   * @returns {{output: Float32Array, reinstatement: Float32Array | null}}
   */
  step(features, memory) {
    const { units } = this;
    const sums = affine(features, this.kernel, this.bias);
    addProduct(sums, this.hidden, this.recurrentKernel);
    const block = (n) => sums.subarray(n * units, (n + 1) * units);
    const [i, f, o] = [0, 1, 2].map((n) => block(n).map(sigmoid));
    const r = this.reinstatement ? block(3).map(sigmoid) : null;
    const g = block(r ? 4 : 3).map(Math.tanh);
    const hidden = new Float32Array(units);
    const cell = new Float32Array(units);
    for (let u = 0; u < units; u += 1) {
      let c = i[u] * g[u] + f[u] * this.cell[u];
      if (r) c += r[u] * (this.activation === "tanh" ? Math.tanh(memory[u]) : memory[u]);
      cell[u] = c;
      hidden[u] = o[u] * Math.tanh(c);
    }
    [this.hidden, this.cell] = [hidden, cell];
    return { output: this.head(), reinstatement: r };
  }

  head() {
    const output = affine(this.hidden, this.headKernel, this.headBias);
    if (this.valueScale) output[0] = this.valueScale[0] + this.valueScale[1] * output[0];
    return output;
  }
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** x W + b. */
function affine(x, kernel, bias) {
  const sums = Float32Array.from(bias);
  addProduct(sums, x, kernel);
  return sums;
}

/** sums += x W, with W [x.length, sums.length] row by row. */
function addProduct(sums, x, kernel) {
  const columns = sums.length;
  for (let row = 0; row < x.length; row += 1) {
    const weight = x[row];
    if (weight === 0) continue;
    const offset = row * columns;
    for (let k = 0; k < columns; k += 1) sums[k] += weight * kernel[offset + k];
  }
}
