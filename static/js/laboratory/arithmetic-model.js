// Everything that the arithmetic of one channel needs, loaded once: from then on a cell is a matter of a millisecond.

import { before, chain, convolution, digitsFor, follow, pooling, sources, terms, windowOf } from "./arithmetic-cells.js";
import { reach } from "./colours.js";
import { Activations, at, channelOf, kernel, network as structureOf, normalisation } from "./tensors.js";

const runs = new Map(); // explanation -> {clean, covered} Activations, so that going back and forth loads nothing again

function activations(network, explanation, run) {
  if (!runs.has(explanation)) runs.set(explanation, {});
  const known = runs.get(explanation);
  known[run] ??= new Activations(network, explanation, run);
  return known[run];
}

/**
 * A layer's channel on one run of the picture: `network` {name, title}, `choice` {layer, channel, run}. Throws a Problem.
 */
export async function load(network, explanation, { layer: name, channel, run }) {
  const structure = await structureOf(network.name);
  const values = activations(network, explanation, run);
  const layer = structure.layer(name);
  const earlier = before(structure, name);
  const later = follow(structure, name);
  const needed = new Set([name, layer.inputs[0]]);
  // The first thing that the input went through reads something as well.
  if (earlier[0].kind !== "input") needed.add(earlier[0].inputs[0]);
  for (const step of later.steps) {
    if (["add", "max_pool", "average_pool"].includes(step.kind)) for (const one of step.inputs) needed.add(one);
  }
  const norms = [...earlier, ...later.steps].filter((step) => step.kind === "batch_normalisation");
  const [weights, tensors, numbers] = await Promise.all([
    layer.kind === "convolution" ? kernel(network.name, name, channel) : null,
    gather([...needed], (one) => values.value(one)),
    gather(norms.map((step) => step.name), (one) => normalisation(network.name, one)),
  ]);
  return new Model({ network, structure, layer, channel, run, earlier, later, weights, tensors, numbers });
}

async function gather(names, get) {
  const found = await Promise.all(names.map(get));
  return new Map(names.map((name, place) => [name, found[place]]));
}

/** One channel of one layer with all that its cells are computed from. */
class Model {
  constructor(parts) {
    Object.assign(this, parts);
    this.input = this.tensors.get(this.layer.inputs[0]);
    this.output = this.tensors.get(this.layer.name);
    this.map = channelOf(this.output, this.channel);
    this.digits = digitsFor(Math.max(...this.map.data.map(Math.abs)));
    this.scales = {
      input: reach(this.input.data),
      output: reach(this.map.data),
      weights: this.weights ? reach(this.weights.data) : 1,
    };
    this.sums = new Float64Array(this.input.shape[0]);
    this.multiplies = Boolean(this.weights);
    // Of a pooling every output channel reads one input channel, its own.
    this.inputs = this.multiplies ? this.input.shape[0] : 1;
    this.known = {
      value: (name) => this.tensors.get(name),
      normalisation: (layer, channel) => {
        const [gamma, beta, mean, variance] = [0, 1, 2, 3].map((row) => at(this.numbers.get(layer.name), row, channel));
        return { gamma, beta, mean, variance, epsilon: layer.epsilon };
      },
    };
  }

  get ofPicture() {
    return this.structure.layer(this.layer.inputs[0]).kind === "input";
  }

  /** The layer's cell: a convolution's sum or a pooling's window, and the value that the network stored. */
  cell(y, x) {
    const { layer, input, channel } = this;
    const stored = at(this.output, channel, y, x);
    if (this.multiplies) return { ...convolution(layer, input, this.weights, y, x, this.sums), stored };
    const found = pooling(layer, input, channel, y, x);
    return { ...found, y, x, window: windowOf(layer, y, x), total: found.value, stored };
  }

  /** One input channel's values, weights and products under a convolution's cell. */
  terms(cell, channel) {
    return terms(cell, this.input, this.weights, channel);
  }

  inputMap(channel) {
    return channelOf(this.input, channel);
  }

  after(cell) {
    const start = { name: this.layer.name, channel: this.channel, y: cell.y, x: cell.x, value: cell.total };
    return chain(this.later.steps, start, this.known);
  }

  /** What one input cell went through just before: {start: {layer, value}, steps}; for the picture {pixel, ...}. */
  before(channel, y, x) {
    const [first] = this.earlier;
    const value = at(this.input, channel, y, x);
    if (first.kind === "input") {
      const [mean, std] = [this.structure.mean[channel], this.structure.std[channel]];
      const pixel = Math.round((value * std + mean) * 255);
      return { picture: { pixel, fraction: pixel / 255, mean, std, value }, steps: [] };
    }
    if (first.kind === "max_pool") {
      const source = this.tensors.get(first.inputs[0]);
      return { pool: { layer: first, ...pooling(first, source, channel, y, x) }, steps: [] };
    }
    const source = this.structure.layer(first.inputs[0]);
    const start = { name: source.name, channel, y, x, value: at(this.tensors.get(source.name), channel, y, x) };
    return { start: { layer: source, value: start.value }, steps: chain(this.earlier, start, this.known) };
  }

  /** The convolutions that an input channel's numbers come from. */
  get sources() {
    return sources(this.structure, this.layer.inputs[0]).filter((one) => one.kind === "convolution");
  }
}
