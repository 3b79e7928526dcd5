// What a lesson may ask about the cell that is looked at: plain numbers and names, the same keys for every kind of layer.

import { chain, patch, windowOf } from "./arithmetic-cells.js";

/**
 * Facts of `cell` of `model` (arithmetic-model.js). What a kind of layer does not have is null.
 *
 * Of a convolution: `inputs`, how many channels it reads; `adds` and `takes`, how many of them add and take away; `first`, the
 * share of all that is added or taken away that the largest alone makes up (0..1); `added`, `normalised` and `relu`, what an
 * addition, a batch normalisation and a ReLU make of the sum before it is multiplied again; `pooled`, what a max pooling
 * behind them keeps at this place; and `rivals` {values, own}: the cells of that pooling's window as they go into the ReLU,
 * and which of them this one is. Of a pooling: `values`, what it reads, row by row, and `largest`, which of them a max
 * pooling keeps. `sum` is what the layer itself gives.
 */
export function factsOf(model, cell) {
  const { network, run, layer, channel } = model;
  return {
    network: network.name,
    run,
    layer: layer.name,
    kind: layer.kind,
    channel,
    y: cell.y,
    x: cell.x,
    sum: cell.total,
    ...(model.multiplies ? ofSum(model, cell) : NO_SUM),
    ...(model.multiplies ? NO_WINDOW : ofWindow(cell)),
  };
}

const NO_SUM = { inputs: null, adds: null, takes: null, first: null, added: null, normalised: null, relu: null, pooled: null, rivals: null };
const NO_WINDOW = { values: null, largest: null };

function ofSum(model, cell) {
  const steps = model.after(cell);
  const after = (kind) => steps.find(({ layer }) => layer.kind === kind)?.value ?? null;
  return {
    inputs: model.inputs,
    adds: cell.adds,
    takes: cell.takes,
    first: cell.first,
    added: after("add"),
    normalised: after("batch_normalisation"),
    relu: after("relu"),
    pooled: after("max_pool"),
    rivals: rivals(model, cell),
  };
}

const ofWindow = ({ cells, winner }) => ({ values: cells.map(({ value }) => value), largest: winner < 0 ? null : winner });

/** The cells among which a max pooling behind this convolution chooses; null where none reads this one. */
function rivals({ later: { steps }, output, layer: { name }, channel, known }, { y, x }) {
  const pool = steps.find(({ kind }) => kind === "max_pool");
  if (!pool) return null;
  const [row, column] = [Math.floor(y / pool.stride), Math.floor(x / pool.stride)];
  if (row >= pool.shape[1] || column >= pool.shape[2]) return null;
  const before = steps.slice(0, steps.indexOf(pool)).filter(({ kind }) => kind !== "relu");
  const cells = patch(output, channel, windowOf(pool, row, column)).filter(({ padding }) => !padding);
  return {
    values: cells.map((one) => chain(before, { ...one, name, channel }, known).at(-1)?.value ?? one.value),
    own: cells.findIndex((one) => one.y === y && one.x === x),
  };
}
