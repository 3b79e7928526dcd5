// One network's X-ray in the page: its numbers, and its maps as they are asked for.

import { ask } from "../http.js";
import { explain } from "./jobs.js";
import { cut, indices } from "./xray-sheet.js";
import { Activations, dotted, network, npy } from "./tensors.js";

export const VIEWS = ["clean", "covered", "difference"];

export class Scan {
  /** Asks for the X-ray of a network of the subject. Throws a Problem. */
  static async load(info, options) {
    const [explanation, structure] = await Promise.all([explain("xray", info.name, {}, options), network(info)]);
    const meta = await ask(explanation.url("meta.json"));
    return new Scan(info, explanation, structure, meta);
  }

  constructor(info, explanation, structure, meta) {
    this.info = info;
    this.explanation = explanation;
    this.structure = structure;
    this.meta = meta;
    this.layers = new Map(meta.layers.map((layer) => [layer.name, layer]));
    this.views = meta.covered ? VIEWS : ["clean"];
    this.runs = {
      clean: new Activations(info, explanation, "clean"),
      covered: meta.covered ? new Activations(info, explanation, "covered") : null,
    };
    this.kept = new Map();
  }

  layer(name) {
    return this.layers.get(name);
  }

  /** The same promise for the same key; what failed is asked for again. */
  once(key, make) {
    if (!this.kept.has(key)) {
      const promise = make();
      this.kept.set(key, promise);
      promise.catch(() => this.kept.delete(key));
    }
    return this.kept.get(key);
  }

  file(member) {
    return this.explanation.url(member);
  }

  /** The strongest maps of a layer by view: {clean: maps, covered: maps, ...}; maps have `channels`, their numbers. */
  strip(name) {
    return this.once(`strip ${name}`, async () => {
      const layer = this.layer(name);
      const sheet = await indices(this.file(`strips/${dotted(name)}.png`));
      return this.rows(sheet, layer, this.views.map((view) => [view]));
    });
  }

  /** An addition's strongest maps: {clean: {terms: [maps, maps], sum: maps}, ...}, all on the sum's scale. */
  addition(name) {
    return this.once(`addition ${name}`, async () => {
      const layer = this.layer(name);
      const sheet = await indices(this.file(`additions/${dotted(name)}.png`));
      const rows = this.rows(sheet, layer, this.views.flatMap((view) => [0, 1, "sum"].map((term) => [view, term])));
      return Object.fromEntries(this.views.map((view) => [view, {
        terms: [rows[`${view},0`], rows[`${view},1`]],
        sum: rows[`${view},sum`],
      }]));
    });
  }

  rows(sheet, layer, keys) {
    const [, height, width] = layer.shape;
    const channels = layer.strongest.map(([channel]) => channel);
    const count = channels.length;
    return Object.fromEntries(keys.map((key, row) => {
      const place = { columns: count, count, first: row * count, width, height, scale: layer.scale };
      return [key.join(), { ...cut(sheet, place), channels }];
    }));
  }

  /** A layer's channels: {order: by falling energy, energy, moved}, the last two by channel. */
  channels(name) {
    return this.once(`channels ${name}`, async () => {
      const { data, shape: [, count] } = await npy(this.file(`channels/${dotted(name)}.npy`));
      return {
        order: [...data.subarray(0, count)],
        energy: data.subarray(count, 2 * count),
        moved: data.subarray(2 * count),
      };
    });
  }

  /** All maps of a layer by falling energy, from its sheet; null for a layer that has none. */
  async sheet(name, view) {
    const layer = this.layer(name);
    if (!layer.sheets) return null;
    const { order } = await this.channels(name);
    return this.once(`sheet ${view} ${name}`, async () => {
      const [count, height, width] = layer.shape;
      const sheet = await indices(this.file(`sheets/${dotted(name)}.${view}.png`));
      const columns = Math.min(this.meta.columns, count);
      return { ...cut(sheet, { columns, count, width, height, scale: layer.scale }), channels: order };
    });
  }

  /** The exact values of a layer, float32 (channels, height, width): {data, shape}. */
  async values(name, view) {
    if (view !== "difference") return this.runs[view].value(name);
    const [clean, covered] = await Promise.all([this.runs.clean.value(name), this.runs.covered.value(name)]);
    return { data: covered.data.map((one, i) => one - clean.data[i]), shape: clean.shape };
  }

  /** All maps of a layer by falling energy, from their exact values. */
  async maps(name, view) {
    const [{ data, shape: [count, height, width] }, { order }] = await Promise.all(
      [this.values(name, view), this.channels(name)],
    );
    const size = height * width;
    const sorted = new Float32Array(data.length);
    order.forEach((channel, place) => sorted.set(data.subarray(channel * size, (channel + 1) * size), place * size));
    return { data: sorted, count, width, height, channels: order };
  }

  /** The layers of the block that a layer belongs to, as meta.json has them. */
  block(name) {
    return this.meta.blocks.find((block) => block.name === name || block.layers.includes(name));
  }
}

/** The values of one channel in all views that there are: [[view, Float32Array], ...]. */
export async function channelViews(scan, name, channel) {
  const tensors = await Promise.all(scan.views.map((view) => scan.values(name, view)));
  return scan.views.map((view, i) => {
    const { data, shape: [, height, width] } = tensors[i];
    return [view, data.subarray(channel * height * width, (channel + 1) * height * width)];
  });
}

/** Extremes, mean, standard deviation and share of zeros of some values, summed as ml/explain/statistics.py does. */
export function statistics(values) {
  let [minimum, maximum, sum, zeros] = [Infinity, -Infinity, 0, 0];
  for (const one of values) {
    minimum = Math.min(minimum, one);
    maximum = Math.max(maximum, one);
    sum += one;
    zeros += Number(one === 0);
  }
  const mean = sum / values.length;
  let squares = 0;
  for (const one of values) squares += (one - mean) ** 2;
  return { minimum, maximum, mean, deviation: Math.sqrt(squares / values.length), zeros: zeros / values.length };
}

/** The size of the difference as a share of the clean map's size; NaN where the clean one is zero and the other is not. */
export function relativeChange(clean, difference) {
  const size = Math.hypot(...clean);
  const moved = Math.hypot(...difference);
  if (size) return moved / size;
  return moved ? Number.NaN : 0;
}

/** What part of the picture a cell of a layer can depend on: {top, left, bottom, right} in pixels, ends excluded. */
export function receptive(structure, name, y, x) {
  const seen = new Map();
  const visit = (layerName, box) => {
    const layer = structure.layer(layerName);
    if (!layer) return;
    if (layer.kind === "input") {
      seen.set("box", seen.has("box") ? union(seen.get("box"), box) : box);
      return;
    }
    const before = structure.layer(layer.inputs[0]);
    const wide = layer.kind === "average_pool" || layer.kind === "dense";
    const [, rows, columns] = before.shape;
    const [top, left] = layer.padding;
    const next = wide ? { top: 0, left: 0, bottom: rows, right: columns } : {
      top: Math.max(0, box.top * layer.stride - top),
      left: Math.max(0, box.left * layer.stride - left),
      bottom: Math.min(rows, (box.bottom - 1) * layer.stride - top + layer.kernel),
      right: Math.min(columns, (box.right - 1) * layer.stride - left + layer.kernel),
    };
    for (const input of layer.inputs) {
      const key = `${input} ${Object.values(next)}`;
      if (!seen.has(key)) {
        seen.set(key, true);
        visit(input, next);
      }
    }
  };
  visit(name, { top: y, left: x, bottom: y + 1, right: x + 1 });
  return seen.get("box");
}

function union(a, b) {
  return {
    top: Math.min(a.top, b.top),
    left: Math.min(a.left, b.left),
    bottom: Math.max(a.bottom, b.bottom),
    right: Math.max(a.right, b.right),
  };
}
