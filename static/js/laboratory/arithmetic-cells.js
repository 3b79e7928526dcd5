// What one cell of a layer is made of, computed in double precision from the network's own float32 numbers.
// Nothing here touches the page. Maps and kernels are tensors as tensors.js gives them: {data, shape: [channels,
// height, width]}. Rows, columns and channels count from 0; `layer` is one of the structure's: {name, kind, inputs,
// shape, kernel, stride, padding: [top, left, bottom, right]}.

export const SHOWN = 8;

/** The square of the input that an output cell reads; rows and columns before 0 or after the last are padding. */
export function windowOf(layer, y, x) {
  const [top, left] = layer.padding;
  return { top: y * layer.stride - top, left: x * layer.stride - left, side: layer.kernel };
}

/** One input channel under a window, row by row: {y, x, value, padding}. */
export function patch({ data, shape: [, height, width] }, channel, { top, left, side }) {
  const cells = [];
  for (let y = top; y < top + side; y++) {
    for (let x = left; x < left + side; x++) {
      const padding = y < 0 || x < 0 || y >= height || x >= width;
      cells.push({ y, x, padding, value: padding ? 0 : data[(channel * height + y) * width + x] });
    }
  }
  return cells;
}

/** What each input channel adds to an output cell: Float64Array (input channels), in the input's order. */
export function contributions(input, kernel, { top, left, side }, sums = new Float64Array(input.shape[0])) {
  const [channels, height, width] = input.shape;
  const [y0, y1] = [Math.max(top, 0), Math.min(top + side, height)];
  const [x0, x1] = [Math.max(left, 0), Math.min(left + side, width)];
  for (let channel = 0; channel < channels; channel++) {
    let sum = 0;
    for (let y = y0; y < y1; y++) {
      const row = (channel * height + y) * width;
      const weights = (channel * side + y - top) * side - left;
      for (let x = x0; x < x1; x++) sum += input.data[row + x] * kernel.data[weights + x];
    }
    sums[channel] = sum;
  }
  return sums;
}

/** Indices of the `count` values furthest from zero, the furthest first; among equals the lower index. */
export function furthest(values, count = SHOWN) {
  const best = [];
  for (let index = 0; index < values.length; index++) {
    const size = Math.abs(values[index]);
    if (best.length === count && !(size > Math.abs(values[best[count - 1]]))) continue;
    let place = best.length;
    while (place > 0 && size > Math.abs(values[best[place - 1]])) place--;
    best.splice(place, 0, index);
    if (best.length > count) best.pop();
  }
  return best;
}

/**
 * A convolution's cell: the sum, what each input channel adds to it, the eight that add or take away most, and all
 * others together. `kernel` is the output channel's own: (input channels, side, side).
 */
export function convolution(layer, input, kernel, y, x, sums = undefined) {
  const where = windowOf(layer, y, x);
  const added = contributions(input, kernel, where, sums);
  const largest = furthest(added);
  let total = 0;
  let moved = 0;
  let adds = 0;
  let takes = 0;
  for (const sum of added) {
    total += sum;
    moved += Math.abs(sum);
    if (sum > 0) adds += 1;
    else if (sum < 0) takes += 1;
  }
  let shown = 0;
  let shownMoved = 0;
  for (const channel of largest) {
    shown += added[channel];
    shownMoved += Math.abs(added[channel]);
  }
  return {
    y,
    x,
    window: where,
    products: input.shape[0] * layer.kernel ** 2,
    sums: added,
    largest,
    others: { count: input.shape[0] - largest.length, sum: total - shown },
    // Of all that is added or taken away, how much the drawn channels add or take away.
    share: moved ? shownMoved / moved : 1,
    first: moved ? Math.abs(added[largest[0]]) / moved : 0, // the same of the first of them alone
    // How many input channels do the one and the other; what has nothing under the window does neither.
    adds,
    takes,
    total,
  };
}

/** One input channel's part of a convolution's cell: the nine (or one) values, weights and products. */
export function terms(cell, input, kernel, channel) {
  const { side } = cell.window;
  const weights = kernel.data.subarray(channel * side * side, (channel + 1) * side * side);
  return patch(input, channel, cell.window).map((one, index) => ({
    ...one,
    weight: weights[index],
    product: one.value * weights[index],
  }));
}

/** Batch normalisation of one value, written as a scale and a shift (Ioffe and Szegedy, 2015, section 3.1). */
export function normalised(value, { gamma, beta, mean, variance, epsilon }) {
  const scale = gamma / Math.sqrt(variance + epsilon);
  const shift = beta - mean * scale;
  return { value: value * scale + shift, scale, shift, scaled: value * scale, gamma, beta, mean, variance, epsilon };
}

/** A pooling cell: what it reads and, for the largest, which of them wins (the first among equals). */
export function pooling(layer, input, channel, y, x) {
  const cells = patch(input, channel, windowOf(layer, y, x)).filter((one) => !one.padding);
  if (layer.kind === "average_pool") {
    return { cells, winner: -1, value: cells.reduce((sum, one) => sum + one.value, 0) / cells.length };
  }
  const winner = largestOf(cells);
  return { cells, winner, value: cells[winner].value };
}

function largestOf(cells) {
  return cells.reduce((best, one, index) => (one.value > cells[best].value ? index : best), 0);
}

const NEXT = { convolution: ["add", "batch_normalisation", "relu", "max_pool", "average_pool"] };
const OTHERWISE = ["batch_normalisation", "relu", "max_pool", "average_pool", "add"];

/**
 * What becomes of a layer's cell, in the network's own order, up to whatever multiplies it again:
 * {steps: layers, ends: the layers that read the last of them}.
 */
export function follow(structure, name) {
  const steps = [];
  let layer = structure.layer(name);
  for (;;) {
    const all = structure.readers(layer.name);
    const kinds = NEXT[layer.kind] ?? OTHERWISE;
    const kind = kinds.find((one) => all.some((reader) => reader.kind === one));
    const multiplied = all.filter((reader) => reader.kind === "convolution" || reader.kind === "dense");
    if (!kind || (multiplied.length && layer.kind === "relu")) return { steps, ends: multiplied };
    layer = all.find((reader) => reader.kind === kind);
    steps.push(layer);
  }
}

/** What a convolution's input went through just before, the earliest first: [..., relu], [max_pool] or [input]. */
export function before(structure, name) {
  const steps = [];
  let layer = structure.layer(structure.layer(name).inputs[0]);
  while (["relu", "batch_normalisation"].includes(layer.kind)) {
    steps.unshift(layer);
    layer = structure.layer(layer.inputs[0]);
  }
  if (!steps.length) steps.push(layer);
  return steps;
}

/**
 * One cell's value through the layers `steps`, each step with what it did: {layer, from, value, ...}. `known.value(name)` is a
 * layer's map and `known.normalisation(layer, channel)` its numbers for one channel.
 */
export function chain(steps, { name, channel, y, x, value }, known) {
  const done = [];
  let here = { name, y, x, value };
  for (const layer of steps) {
    const step = STEP[layer.kind](layer, here, channel, known);
    done.push({ layer, from: here.value, ...step });
    if (step.value === undefined) break;
    here = { name: layer.name, y: step.y ?? here.y, x: step.x ?? here.x, value: step.value };
  }
  return done;
}

const STEP = {
  batch_normalisation: (layer, { value }, channel, known) => normalised(value, known.normalisation(layer, channel)),
  relu: (_, { value }) => ({ value: Math.max(value, 0) }),
  add(layer, { name, y, x, value }, channel, known) {
    const beside = layer.inputs.find((one) => one !== name);
    const { data, shape: [, height, width] } = known.value(beside);
    const other = data[(channel * height + y) * width + x];
    return { beside, other, value: value + other };
  },
  max_pool(layer, { name, y, x, value }, channel, known) {
    const [row, column] = [Math.floor(y / layer.stride), Math.floor(x / layer.stride)];
    if (row >= layer.shape[1] || column >= layer.shape[2]) return { value: undefined };
    const { cells } = pooling(layer, known.value(name), channel, row, column);
    const own = cells.findIndex((one) => one.y === y && one.x === x);
    // Its own value in double precision, as the steps before gave it.
    if (own >= 0) cells[own].value = value;
    const winner = largestOf(cells);
    return { cells, own, winner, value: cells[winner].value, y: row, x: column };
  },
  average_pool(layer, { name }, channel, known) {
    const { cells, value } = pooling(layer, known.value(name), channel, 0, 0);
    return { count: cells.length, value, y: 0, x: 0 };
  },
};

/** The convolutions that a layer's values come from: one, or those of the addition nearest before it, or the input. */
export function sources(structure, name) {
  let layer = structure.layer(name);
  while (!["convolution", "input", "add"].includes(layer.kind)) layer = structure.layer(layer.inputs[0]);
  if (layer.kind !== "add") return [layer];
  return layer.inputs.map((one) => structure.layer(one)).filter((one) => one.kind === "convolution");
}

// Digits that add up ------------------------------------------------------------------------------------------------

/** Digits behind the point with which a map of this largest value is written: four, more for the smallest maps. */
export function digitsFor(largest) {
  if (!(largest > 0) || !Number.isFinite(largest)) return 4;
  return Math.min(8, Math.max(4, 3 - Math.floor(Math.log10(largest))));
}

export const rounded = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits || 0;

/** What rounding leaves over: the written total minus the written terms, itself exact in those digits. */
export function remainder(values, total, digits) {
  const unit = 10 ** digits;
  const units = values.reduce((left, value) => left - Math.round(value * unit), Math.round(total * unit));
  return units / unit || 0;
}

/** What rounding leaves over where a written product is part of the sum: value x scale + shift. */
export function remainderOfLine(value, factor, shift, total, digits, factorDigits) {
  return rounded(
    rounded(total, digits) - rounded(value, digits) * rounded(factor, factorDigits) - rounded(shift, digits), digits);
}
