// The arithmetic figure in words. The sentences come with the page (learn/figures/cell_words.py); here numbers are put in.

import { number, signed as withSign, whole } from "../numbers.js";
import { remainder, remainderOfLine, rounded } from "./arithmetic-cells.js";

/** Sentences for one network's cell, all numbers with the same digits behind the point. */
export class Words {
  /** `said`: the sentences by name; `names`: layers as a sentence names them, by network. */
  constructor(said, names) {
    this.said = said;
    this.names = names;
    this.digits = 4;
    this.network = null;
  }

  /** What is spoken of: a network {name, title} and the digits of its map. */
  of(network, digits) {
    this.network = network;
    this.digits = digits;
  }

  fill(name, values = {}) {
    return interpolate(this.said[name], values, true).replaceAll("%%", "%");
  }

  number(value, digits = this.digits) {
    return number(rounded(value, digits), digits);
  }

  signed(value) {
    return withSign(rounded(value, this.digits), this.digits);
  }

  /** With its sign as an operator, to stand behind another number: "− 0.3430". */
  term(value) {
    const text = this.number(Math.abs(value));
    return rounded(value, this.digits) < 0 ? `− ${text}` : `+ ${text}`;
  }

  /** A row or a column as people count them, from 1; padding before the first is 0 and less. */
  line(at) {
    return whole(at + 1);
  }

  layer(name) {
    return this.names[this.network.name]?.[name] ?? name;
  }

  /** "input channel 17"; those of the picture have colours. */
  input(channel, isPicture) {
    if (!isPicture || channel > 2) return this.fill("channel", { channel });
    return this.fill("colour", { channel, colour: this.said[["red", "green", "blue"][channel]] });
  }

  /** The same in a table whose column says what it is: "17". */
  short(channel, isPicture) {
    if (!isPicture || channel > 2) return String(channel);
    return this.fill("colour_short", { channel, colour: this.said[["red", "green", "blue"][channel]] });
  }

  place(layer, { channel, y, x }, covered) {
    const values = { network: this.network.title, layer: this.layer(layer.name), channel, row: this.line(y), column: this.line(x) };
    const place = this.fill("place", values);
    return covered ? `${place}, ${this.said.covered}` : place;
  }

  // The sum -------------------------------------------------------------------------------------------------------

  /** What rounding the drawn terms and the others leaves over. */
  leftOver(cell) {
    const shown = cell.largest.map((channel) => cell.sums[channel]);
    return this.over(cell.others.count ? [...shown, cell.others.sum] : shown, cell.total);
  }

  over(terms, total) {
    return remainder(terms, total, this.digits);
  }

  /** Where a value of the window lies. */
  at({ y, x, padding }) {
    return this.fill(padding ? "cell_padding" : "cell", { row: this.line(y), column: this.line(x) });
  }

  pixel({ pixel, fraction, mean, std, value }) {
    const values = { fraction, mean, std, result: value };
    const written = Object.entries(values).map(([name, one]) => [name, this.number(one)]);
    return this.fill("pixel", { pixel, ...Object.fromEntries(written) });
  }

  sum(cell, channels) {
    const parts = [this.fill("sum", { products: whole(cell.products), total: this.number(cell.total) })];
    const list = cell.largest
      .map((channel) => this.fill("item", { channel, sum: this.signed(cell.sums[channel]) })).join(", ");
    if (cell.others.count) {
      parts.push(this.fill("largest", { count: whole(channels), list }));
      parts.push(this.fill("others", { count: whole(cell.others.count), sum: this.signed(cell.others.sum) }));
    } else {
      parts.push(this.fill("every", { list }));
    }
    parts.push(this.fill("rounding", { sum: this.signed(this.leftOver(cell)) }));
    return parts.join(" ");
  }

  /** Whose sum it is: how much the drawn channels move, and how many of all pull which way. */
  shares({ share, first, adds, takes }, channels) {
    const percent = (part) => Math.round(100 * part);
    const drawn = this.fill("share", { share: percent(share), count: channels });
    return `${drawn} ${this.fill("sides", { first: percent(first), adds: whole(adds), takes: whole(takes) })}`;
  }

  padding(count, all) {
    return count ? this.fill("padding", { count, all }) : "";
  }

  stored(total, stored) {
    const difference = Math.abs(stored - total);
    const values = { stored: number(stored, this.digits + 4), difference: number(difference, this.digits) };
    return this.fill(difference ? "stored" : "exact", values);
  }

  // What comes before and after ------------------------------------------------------------------------------------

  /** One step of a chain as {text, note}. */
  step(step) {
    return this[step.layer.kind](step);
  }

  batch_normalisation({ from, scale, shift, value, gamma, beta, mean, variance, epsilon }) {
    const over = remainderOfLine(from, scale, shift, value, this.digits, this.digits);
    const values = {
      value: this.number(from),
      scale: this.number(scale),
      shift: this.term(shift),
      result: this.number(value),
      rounding: this.signed(over),
    };
    const note = this.fill("scale", {
      gamma: this.number(gamma),
      beta: this.number(beta),
      mean: this.number(mean),
      variance: this.number(variance),
      epsilon: number(epsilon, 5),
    });
    return { text: this.fill(over ? "normalised_rounded" : "normalised", values), note };
  }

  relu({ from }) {
    return { text: this.fill(from > 0 ? "passes" : "stopped", { value: this.number(from) }) };
  }

  add({ from, other, value, ...step }) {
    const over = this.over([from, other], value);
    const values = {
      value: this.number(from),
      other: this.term(other),
      layer: this.layer(step.beside),
      result: this.number(value),
      rounding: this.signed(over),
    };
    return { text: this.fill(over ? "added_rounded" : "added", values) };
  }

  max_pool({ from, cells, own, winner, y, x }) {
    if (!cells) return { text: this.fill("pool_beyond") };
    const values = { ...this.pool({ cells, winner }), value: this.number(from) };
    if (own === winner) return { text: this.fill("pool_wins", { ...values, row: this.line(y), column: this.line(x) }) };
    return { text: this.fill("pool_loses", values) };
  }

  average_pool({ count, value }) {
    return { text: this.fill("averaged", { count: whole(count), result: this.number(value) }) };
  }

  /** The values of a pooling's window, the largest of them, and where that one lies. */
  pool({ cells, winner }) {
    const { value, y, x } = cells[winner];
    const values = this.list(cells.map((one) => one.value));
    return { values, largest: this.number(value), row: this.line(y), column: this.line(x) };
  }

  list(values) {
    const written = values.map((value) => this.number(value));
    if (written.length < 2) return written.join("");
    return this.fill("list", { first: written.slice(0, -1).join(", "), last: written.at(-1) });
  }

  // Where the window stands -------------------------------------------------------------------------------------------

  window(layer, { top, left, side }, structure) {
    const parts = [];
    const edges = { top, left, bottom: top + side - 1, right: left + side - 1 };
    const written = Object.fromEntries(Object.entries(edges).map(([name, edge]) => [name, this.line(edge)]));
    if (layer.kind === "average_pool") return this.fill("window_all");
    parts.push(this.fill(side === 1 ? "window_one" : "window", written));
    if (layer.stride > 1) {
      const [, rows, columns] = structure.layer(layer.inputs[0]).shape;
      const [, height, width] = layer.shape;
      // With padding a map keeps its size, without it the window loses what it cannot reach.
      const lost = layer.padding.some(Boolean) ? 0 : side - 1;
      const values = { stride: layer.stride, height, width, more: rows - lost, wide: columns - lost };
      parts.push(this.fill("stride", values));
      if (side < layer.stride) parts.push(this.fill("skipped"));
    } else {
      parts.push(this.fill("stride_one"));
    }
    const sides = ["top", "left", "bottom", "right"].map((name, place) => [name, layer.padding[place]]);
    const padded = sides.filter(([, count]) => count);
    if (padded.length) {
      const list = padded.map(([name, count]) => this.fill("pad_side", { count, side: this.said[name] })).join(", ");
      parts.push(this.fill("pad_same", { sides: list }));
    }
    return parts.join(" ");
  }
}
