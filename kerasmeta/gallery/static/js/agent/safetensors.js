// Reads a safetensors file: eight bytes of length, a JSON header, raw little-endian data.

/**
 * @param {ArrayBuffer} buffer  The whole file.
 * @returns {Map<string, {shape: number[], data: Float32Array}>}  Tensors by name.
 */
export function readSafetensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const text = new TextDecoder().decode(new Uint8Array(buffer, 8, length));
  const tensors = new Map();
  for (const [name, entry] of Object.entries(JSON.parse(text))) {
    if (name === "__metadata__") continue;
    if (entry.dtype !== "F32") throw new Error(`${name} is ${entry.dtype}, not F32`);
    const [begin, end] = entry.data_offsets;
    // A copy: the header's length need not be a multiple of four.
    const bytes = buffer.slice(8 + length + begin, 8 + length + end);
    tensors.set(name, { shape: entry.shape, data: new Float32Array(bytes) });
  }
  return tensors;
}
