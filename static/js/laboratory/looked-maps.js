// The three kinds of map: how each is asked for, and what it says of one class or of one class against another.
//
// A source is {width, height, of(index), against(index, other), ...}: maps as Float64Array, larger where the picture
// speaks for the class; of a covering, smaller, for it is the change of the log-odds that is shown.

import { explain } from "./jobs.js";
import { npy } from "./tensors.js";

const cells = (tensor, index) => {
  const [, height, width] = tensor.shape;
  return Float64Array.from(tensor.data.subarray(index * height * width, (index + 1) * height * width));
};

const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;
const minus = (a, b) => a.map((one, i) => one - b[i]);

/** log p where the log-odds are `odds`, without leaving the numbers' range. */
const logOf = (odds) => (odds > 0 ? -Math.log1p(Math.exp(-odds)) : odds - Math.log1p(Math.exp(odds)));

/** Maps whose values are logits: of two classes they are subtracted. */
function inLogits(maps, more) {
  const [, height, width] = maps.shape;
  return {
    width,
    height,
    diverging: false,
    of: (index) => cells(maps, index),
    against: (index, other) => minus(cells(maps, index), cells(maps, other)),
    ...more,
  };
}

async function activation(network, _, options) {
  const found = await explain("class_map", network, {}, options);
  const [maps, numbers] = await Promise.all([npy(found.url("maps.npy")), npy(found.url("logits.npy"))]);
  const classes = numbers.shape[1];
  const parts = (index) => ({
    mean: mean(cells(maps, index)),
    bias: numbers.data[index],
    logit: numbers.data[classes + index],
  });
  return inLogits(maps, {
    sum(index, other) {
      const own = parts(index);
      if (other < 0) return own;
      const its = parts(other);
      return { mean: own.mean - its.mean, bias: own.bias - its.bias, logit: own.logit - its.logit };
    },
  });
}

async function atLayer(network, { layer }, options) {
  const found = await explain("layer_map", network, { layer }, options);
  return inLogits(await npy(found.url("maps.npy")), { about: found.result });
}

async function covering(network, { grid }, options) {
  const found = await explain("occlusion", network, { grid }, options);
  const [changes, before] = await Promise.all([npy(found.url("changes.npy")), npy(found.url("log_odds.npy"))]);
  const [height, width, classes] = changes.shape;
  const count = height * width;
  const change = (cell, index) => changes.data[cell * classes + index];
  const ratio = (cell, index, other) => {
    const odds = (one) => before.data[one] + (cell < 0 ? 0 : change(cell, one));
    return logOf(odds(index)) - logOf(odds(other));
  };
  return {
    width,
    height,
    diverging: true,
    of: (index) => Float64Array.from({ length: count }, (_, cell) => change(cell, index)),
    against: (index, other) => Float64Array.from({ length: count }, (_, cell) =>
      ratio(cell, index, other) - ratio(-1, index, other)),
    /** How probable the class is, with a cell covered or (-1) without. */
    probability: (index, cell) => Math.exp(logOf(before.data[index] + (cell < 0 ? 0 : change(cell, index)))),
  };
}

const LOAD = { class: activation, layer: atLayer, cover: covering };

/** The map that a state {map, layer, grid} asks for. `options` are those of `explain`. Throws a Problem. */
export const load = (network, state, options) => LOAD[state.map](network, state, options);

/** What the test of a map is asked with. */
export function trustOf(network, { map, layer, grid }, index, options) {
  const which = {
    class: { map: "class_activation" },
    layer: { map: "ablation", layer },
    cover: { map: "occlusion", grid },
  }[map];
  return explain("trust", network, { ...which, class: index }, options);
}

/** A map with its extremes: {data, width, height, low, high, most: cell, least: cell, flat}. */
export function surveyed(source, index, other = -1) {
  const data = other < 0 ? source.of(index) : source.against(index, other);
  let [most, least] = [0, 0];
  data.forEach((value, cell) => {
    if (value > data[most]) most = cell;
    if (value < data[least]) least = cell;
  });
  const [low, high] = [data[least], data[most]];
  // What a network computes twice differs by less than this.
  const flat = high - low <= 1e-5 * Math.max(1, Math.abs(high), Math.abs(low));
  return { data, width: source.width, height: source.height, low, high, most, least, flat };
}

/** One scale for all maps that stand side by side: from black to white, or both ways from zero. */
export function scaleOf(maps, diverging) {
  const low = Math.min(...maps.map((one) => one.low));
  const high = Math.max(...maps.map((one) => one.high));
  if (!diverging) return { low, high, diverging };
  const reach = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return { low: -reach, high: reach, diverging };
}
