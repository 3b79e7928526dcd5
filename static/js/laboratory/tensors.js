// The networks' numbers in the page: NumPy files, structures, kernels, and every layer's values for the picture.
//
// Only what the convolutions put out is sent. What follows them (batch normalisation, ReLU, pooling, addition) is derived
// here in float32, each step rounded as ml/explain/trace.py rounds it, so that both have the same digits.

import { ask, askBytes, Problem } from "../http.js";
import { networkNamed } from "./subject.js";

const KEPT_BYTES = 96 * 1024 * 1024;
const MAGIC = "\u0093NUMPY";
const TYPES = {
  "<f4": Float32Array,
  "<f8": Float64Array,
  "|u1": Uint8Array,
  "|i1": Int8Array,
  "<i2": Int16Array,
  "<u2": Uint16Array,
  "<i4": Int32Array,
  "<u4": Uint32Array,
};

const r = Math.fround;

/** Tensors by key, as promises; the ones used longest ago go when there are too many bytes. */
class Store {
  constructor(limit) {
    this.limit = limit;
    this.bytes = 0;
    this.entries = new Map();
  }

  get(key, make) {
    const found = this.entries.get(key);
    if (found) {
      this.entries.delete(key);
      this.entries.set(key, found);
      return found.promise;
    }
    const entry = { promise: make(), bytes: 0 };
    this.entries.set(key, entry);
    entry.promise.then(
      (tensor) => {
        entry.bytes = tensor.data.byteLength;
        this.bytes += entry.bytes;
        this.shrink(key);
      },
      () => this.drop(key),
    );
    return entry.promise;
  }

  drop(key) {
    this.bytes -= this.entries.get(key)?.bytes ?? 0;
    this.entries.delete(key);
  }

  shrink(newest) {
    for (const key of this.entries.keys()) {
      if (this.bytes <= this.limit) return;
      if (key !== newest && this.entries.get(key).bytes) this.drop(key);
    }
  }
}

const files = new Store(KEPT_BYTES);
const structures = new Map();

/** A NumPy file of this site: {data, shape}. Throws a Problem. What it returns is shared: nobody may write into it. */
export function npy(url) {
  return files.get(url, async () => parse(await askBytes(url)));
}

/** What a NumPy file of numbers in C order holds. Throws a Problem for anything else. */
export function parse(buffer) {
  const bytes = new Uint8Array(buffer);
  const text = (from, to) => String.fromCharCode(...bytes.subarray(from, to));
  if (bytes.length < 12 || text(0, 6) !== MAGIC) throw unreadable();
  const view = new DataView(buffer);
  const start = bytes[6] === 1 ? 10 : 12;
  const length = bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const header = text(start, start + length);
  const Type = TYPES[header.match(/'descr': *'([^']+)'/)?.[1]];
  const dimensions = header.match(/'shape': *\(([^)]*)\)/)?.[1];
  if (!Type || dimensions === undefined || !/'fortran_order': *False/.test(header)) throw unreadable();
  const shape = dimensions.split(",").filter((one) => one.trim()).map(Number);
  const count = shape.reduce((product, one) => product * one, 1);
  const from = start + length;
  if (buffer.byteLength < from + count * Type.BYTES_PER_ELEMENT) throw unreadable();
  const aligned = from % Type.BYTES_PER_ELEMENT === 0;
  const data = aligned ? new Type(buffer, from, count) : new Type(buffer.slice(from), 0, count);
  return { data, shape };
}

function unreadable() {
  return new Problem("unreadable", gettext("The site sent numbers that this page cannot read. Reload it."));
}

/** The number at the place (i, j, ...) of a tensor; undefined outside it. */
export function at(tensor, ...place) {
  let offset = 0;
  for (let axis = 0; axis < tensor.shape.length; axis += 1) {
    const i = place[axis];
    if (!(i >= 0 && i < tensor.shape[axis])) return undefined;
    offset = offset * tensor.shape[axis] + i;
  }
  return tensor.data[offset];
}

/** One channel of a (channels, height, width) tensor, to be painted: {data, width, height}. */
export function channelOf({ data, shape }, channel) {
  const [, height, width] = shape;
  const size = height * width;
  return { data: data.subarray(channel * size, (channel + 1) * size), width, height };
}

/** A network as it computes: its layers in order, each with its inputs, shape, kernel, stride and padding. */
export class Structure {
  constructor(values) {
    Object.assign(this, values);
    this.places = new Map(this.layers.map((layer, place) => [layer.name, place]));
  }

  /** The layer of this name, or undefined. */
  layer(name) {
    return this.layers[this.places.get(name)];
  }

  get convolutions() {
    return this.layers.filter((layer) => layer.kind === "convolution");
  }

  /** The layers that read `name` directly. */
  readers(name) {
    return this.layers.filter((layer) => layer.inputs.includes(name));
  }
}

/** The structure of a network, by its name or from an object with `name`. */
export function network(which) {
  const found = networkNamed(which.name ?? which);
  if (!structures.has(found.name)) {
    const promise = ask(found.structure).then((values) => new Structure(values));
    promise.catch(() => structures.delete(found.name));
    structures.set(found.name, promise);
  }
  return structures.get(found.name);
}

function file(which, path) {
  const found = networkNamed(which.name ?? which);
  return npy(`${found.base}${path}.npy?v=${encodeURIComponent(found.version)}`);
}

/** Layer names in addresses and in an explanation's files have dots for slashes. */
export const dotted = (name) => name.replaceAll("/", ".");

/** The kernel that makes one channel of a convolution: (input channels, height, width). */
export const kernel = (which, layer, channel) => file(which, `kernels/${dotted(layer)}/${channel}`);

/** (4, channels): gamma, beta, mean, variance of a batch normalisation. Its epsilon stands in the structure. */
export const normalisation = (which, layer) => file(which, `normalisations/${dotted(layer)}`);

/** (classes, k + 1): the weights of the last layer, and in the last column its bias. */
export const dense = (which) => file(which, "dense");

/** The values of every layer for one picture, without bars ("clean") or with them ("covered"). */
export class Activations {
  constructor(which, explanation, side = "clean") {
    this.network = networkNamed(which.name ?? which);
    this.explanation = explanation;
    this.side = side;
    this.stored = new Set(explanation.files);
    this.values = new Store(KEPT_BYTES);
  }

  /** {data: Float32Array, shape: [channels, height, width]} of any layer. Throws a Problem. Not to be written into. */
  value(name) {
    return this.values.get(name, () => this.make(name));
  }

  async make(name) {
    const member = `${this.side}/${dotted(name)}.npy`;
    if (this.stored.has(member)) return npy(this.explanation.url(member)).then(inThree);
    const structure = await network(this.network);
    const layer = structure.layer(name);
    if (!layer || !(layer.kind in DERIVE || layer.kind === "dense")) {
      throw new Problem("not_there", interpolate(gettext("There is no layer “%(name)s”."), { name }, true));
    }
    if (layer.kind === "dense") return { data: await scores(this), shape: layer.shape };
    const inputs = await Promise.all(layer.inputs.map((one) => this.value(one)));
    return { data: await DERIVE[layer.kind](inputs, layer, this), shape: layer.shape };
  }
}

/** A vector is a map of one cell a channel. */
function inThree(tensor) {
  return tensor.shape.length === 1 ? { data: tensor.data, shape: [tensor.shape[0], 1, 1] } : tensor;
}

const DERIVE = {
  batch_normalisation: async ([input], layer, { network: which }) => normalise(input, await normalisation(which, layer.name), layer.epsilon),
  relu: ([{ data }]) => data.map((one) => (one > 0 ? one : 0)),
  max_pool: ([input], layer) => pooled(input, layer),
  add: ([a, b]) => a.data.map((one, i) => one + b.data[i]),
  average_pool: ([input]) => averaged(input),
};

/** scale * x + shift with the scale gamma / sqrt(variance + epsilon) and the shift beta - scale * mean. */
function normalise({ data, shape }, { data: numbers, shape: [, channels] }, epsilon) {
  const size = shape[1] * shape[2];
  const out = new Float32Array(data.length);
  for (let channel = 0; channel < channels; channel += 1) {
    const [gamma, beta, mean, variance] = [0, 1, 2, 3].map((row) => numbers[row * channels + channel]);
    const scale = r(gamma / r(Math.sqrt(r(variance + r(epsilon)))));
    const shift = r(beta - r(scale * mean));
    for (let i = channel * size; i < (channel + 1) * size; i += 1) out[i] = r(scale * data[i]) + shift;
  }
  return out;
}

/** The largest number of each window; what lies outside the map never wins. */
function pooled({ data, shape: [, height, width] }, layer) {
  const { shape: [channels, rows, columns], kernel: side, stride, padding: [top, left] } = layer;
  const out = new Float32Array(channels * rows * columns);
  let i = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    for (let y = 0; y < rows; y += 1) {
      const [above, below] = [Math.max(0, y * stride - top), Math.min(height, y * stride - top + side)];
      for (let x = 0; x < columns; x += 1, i += 1) {
        const [first, end] = [Math.max(0, x * stride - left), Math.min(width, x * stride - left + side)];
        let largest = -Infinity;
        for (let row = above; row < below; row += 1) {
          const start = (channel * height + row) * width;
          for (let cell = start + first; cell < start + end; cell += 1) if (data[cell] > largest) largest = data[cell];
        }
        out[i] = largest;
      }
    }
  }
  return out;
}

function averaged({ data, shape: [channels, height, width] }) {
  const size = height * width;
  return Float32Array.from({ length: channels }, (_, channel) => total(data, channel * size, size) / size);
}

/** A sum in float32, in the order in which NumPy adds (pairwise, eight at a time). */
function total(data, start, count) {
  if (count > 128) {
    const half = Math.floor(count / 16) * 8;
    return r(total(data, start, half) + total(data, start + half, count - half));
  }
  const [sums, whole] = count < 8 ? [[0], 0] : [Array.from(data.subarray(start, start + 8)), count - (count % 8)];
  for (let i = 8; i < whole; i += 1) sums[i % 8] = r(sums[i % 8] + data[start + i]);
  let sum = sums[0];
  if (whole) {
    const [a, b, c, d] = [0, 2, 4, 6].map((i) => r(sums[i] + sums[i + 1]));
    sum = r(r(a + b) + r(c + d));
  }
  for (let i = whole; i < count; i += 1) sum = r(sum + data[start + i]);
  return sum;
}

/** The logits as the network gave them. */
async function scores({ explanation, side }) {
  const { logits } = await ask(explanation.url("meta.json"));
  return Float32Array.from(logits[side]);
}
