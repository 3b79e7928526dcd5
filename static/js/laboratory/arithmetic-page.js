// What the arithmetic figure writes and draws of one cell. Called once a frame: it changes only what is another than before.

import { whole } from "../numbers.js";
import { rounded } from "./arithmetic-cells.js";
import { assign, Magnifier, MapView, Panel, put, Strip } from "./arithmetic-drawing.js";
import { legend, reach, signed, weight } from "./colours.js";

const LEGIBLE = 4; // cells across; in a larger window there is no room for numbers

/** A list of steps, each a layer's name, what it did, and where its numbers come from. */
class Steps {
  constructor(list) {
    this.list = list;
    this.rows = [];
  }

  /** `steps`: [{title, text, note}]. */
  set(steps) {
    while (this.rows.length < steps.length) this.rows.push(this.row());
    this.rows.forEach(({ item, title, text, note }, place) => {
      const step = steps[place];
      item.hidden = !step;
      if (!step) return;
      put(title, step.title);
      put(text, step.text);
      put(note, step.note ?? "");
    });
    this.list.hidden = !steps.length;
  }

  row() {
    const item = document.createElement("li");
    const [title, text, note] = ["strong", "span", "small"].map((name) => document.createElement(name));
    item.append(title, " ", text, " ", note);
    this.list.append(item);
    return { item, title, text, note };
  }
}

function productRow() {
  const row = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  row.append(name);
  for (let column = 0; column < 3; column++) row.insertCell().className = "numeric";
  return row;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export class Page {
  /** `root`: the figure; `words`: Words; `changed`: called when a canvas has another size; `choose(input channel)`. */
  constructor(root, words, changed, choose) {
    this.words = words;
    const found = new Map();
    this.find = (name) => {
      if (!found.has(name)) found.set(name, root.querySelector(`[data-${name}]`));
      return found.get(name);
    };
    this.output = new MapView(this.find("output"), changed);
    this.inputMap = new MapView(this.find("input-map"), changed);
    this.magnifier = new Magnifier(this.find("magnifier"), changed);
    this.rows = [...root.querySelectorAll("[data-row]")].map((element) => ({
      element,
      button: element.querySelector("button"),
      drawing: element.querySelector("svg"),
      bar: element.querySelector("[data-bar]"),
      sum: element.querySelector("[data-row-sum]"),
      running: element.querySelector("[data-running]"),
      channel: 0,
    }));
    for (const row of this.rows) row.button.addEventListener("click", () => choose(row.channel));
    this.before = new Steps(this.find("before"));
    this.after = new Steps(this.find("after"));
  }

  /** Another layer or channel: what stays the same for all its cells. */
  model(model) {
    this.drawnInput = null;
    const { words } = this;
    const { layer, channel, scales, digits, multiplies } = model;
    words.of(model.network, digits);
    this.output.set(model.map, scales.output);
    put(this.find("output-caption"), `${capital(words.layer(layer.name))}, ${words.fill("channel_of", { channel })}`);
    legend(this.find("output-legend"), scales.output, signed, { title: this.find("output-legend").dataset.title });
    legend(this.find("input-legend"), scales.input, signed, { title: this.find("input-legend").dataset.title });
    this.find("sum").hidden = !multiplies;
    this.find("pool").hidden = multiplies;
    this.find("choose-input").disabled = !multiplies;
    this.find("pad").setAttribute("aria-label", this.find("output-caption").textContent);
    if (!multiplies) {
      const across = layer.kernel;
      this.pool = new Panel(this.find("pool-values"), across, across * across);
      this.find("pool-values").classList.toggle("numberless", across > LEGIBLE);
      return;
    }
    legend(this.find("values-legend"), scales.input, signed, { digits });
    legend(this.find("weights-legend"), scales.weights, weight, { digits });
    legend(this.find("products-legend"), 1, signed, { digits });
    for (const row of this.rows) row.strip = new Strip(row.drawing, layer.kernel);
    this.panels = ["values", "weights", "products"].map((name) => {
      this.find(name).classList.toggle("numberless", layer.kernel > LEGIBLE);
      return new Panel(this.find(name), layer.kernel);
    });
    this.products = Array.from({ length: layer.kernel ** 2 }, productRow);
    this.find("product-rows").replaceChildren(...this.products);
    put(this.find("no-bias"), words.said.no_bias);
  }

  /** `cell` of `model`, and the input channel that is drawn large. Returns the whole figure in words. */
  cell(model, cell, drawn) {
    const { words } = this;
    const { layer, multiplies } = model;
    this.maps(model, cell, drawn);
    put(this.find("total"), words.number(cell.total));
    put(this.find("readout"), words.fill("readout", { row: cell.y, column: cell.x, total: words.number(cell.total) }));
    put(this.find("stored"), words.stored(cell.total, cell.stored));
    put(this.find("window"), words.window(layer, cell.window, model.structure));
    const after = model.after(cell).map((step) => this.step(step));
    this.after.set(after);
    this.came(model, cell, drawn);
    const parts = [multiplies ? this.sum(model, cell, drawn) : this.pooled(model, cell)];
    parts[0] = `${words.place(layer, { ...cell, channel: model.channel }, model.run === "covered")}: ${parts[0]}`;
    parts.push(words.stored(cell.total, cell.stored));
    if (multiplies) parts.push(words.padding(this.padded, layer.kernel ** 2));
    parts.push(...after.map(({ title, text }) => `${title}: ${text}`));
    return parts.filter(Boolean).join(" ");
  }

  step(step) {
    return { title: capital(this.words.layer(step.layer.name)), ...this.words.step(step) };
  }

  maps(model, cell, drawn) {
    const { layer, scales } = model;
    const map = model.inputMap(drawn);
    if (this.drawnInput !== drawn) {
      this.drawnInput = drawn;
      this.inputMap.set(map, scales.input, layer.padding.some(Boolean) ? 1 : 0);
      const name = this.words.input(drawn, model.ofPicture);
      const source = this.words.layer(layer.inputs[0]);
      put(this.find("input-caption"), `${capital(source)}, ${name}`);
      this.inputMap.canvas.setAttribute("aria-label", this.find("input-caption").textContent);
    }
    this.output.draw({ top: cell.y, left: cell.x, side: 1 });
    this.inputMap.draw(cell.window);
    this.magnifier.draw(map, scales.input, layer, cell.window);
  }

  /** The table of the sum and the large drawing of one input channel. Returns the sum in words. */
  sum(model, cell, drawn) {
    const { words, rows } = this;
    const { digits } = words;
    const each = cell.largest.map((channel) => model.terms(cell, channel));
    const chosen = model.terms(cell, drawn);
    const scale = { values: model.scales.input, weights: model.scales.weights };
    scale.products = reach([...each, chosen].flatMap((terms) => terms.map((one) => one.product)));
    const furthest = Math.abs(cell.sums[cell.largest[0]]) || 1;
    let running = 0;
    rows.forEach((row, place) => {
      const channel = cell.largest[place];
      row.element.hidden = channel === undefined;
      if (row.element.hidden) return;
      const sum = cell.sums[channel];
      running += rounded(sum, digits);
      row.channel = channel;
      put(row.button, words.short(channel, model.ofPicture));
      assign(row.button, "aria-pressed", channel === drawn);
      row.strip.set(each[place], scale);
      this.bar(row.bar, sum / furthest);
      put(row.sum, words.signed(sum));
      put(row.running, words.number(running));
    });
    this.footer(cell, running);
    put(this.find("share"), words.fill("share", { share: Math.round(100 * cell.share), count: model.inputs }));
    this.large(model, cell, drawn, chosen, scale);
    return words.sum(cell, model.inputs);
  }

  footer(cell, running) {
    const { words } = this;
    const { count, sum } = cell.others;
    this.find("others").hidden = !count;
    if (count) {
      put(this.find("others-name"), words.fill("others_row", { count: whole(count) }));
      put(this.find("others-sum"), words.signed(sum));
      put(this.find("others-running"), words.number(running + rounded(sum, words.digits)));
    }
    put(this.find("rounding"), words.signed(words.leftOver(cell)));
    put(this.find("total-name"), words.fill("total_row", { products: whole(cell.products) }));
    put(this.find("total-sum"), words.number(cell.total));
  }

  /** A length to the left or to the right of the middle, -1 to 1. */
  bar(rect, share) {
    const length = 50 * Math.abs(share);
    assign(rect, "x", (share < 0 ? 50 - length : 50).toFixed(2));
    assign(rect, "width", length.toFixed(2));
    rect.classList.toggle("below", share < 0);
  }

  large(model, cell, drawn, terms, scale) {
    const { words, products } = this;
    const padded = terms.map((one) => one.padding);
    this.padded = padded.filter(Boolean).length;
    const [values, weights, results] = this.panels;
    values.set(terms.map((one) => one.value), signed, scale.values, words.digits, { padded });
    weights.set(terms.map((one) => one.weight), weight, scale.weights, words.digits);
    results.set(terms.map((one) => one.product), signed, scale.products, words.digits, { padded });
    put(this.find("drawn"), words.input(drawn, model.ofPicture));
    this.ends(scale.products);
    put(this.find("drawn-sum"), words.signed(cell.sums[drawn]));
    const over = words.over(terms.map((one) => one.product), cell.sums[drawn]);
    put(this.find("drawn-rounding"), words.signed(over));
    products.forEach(({ cells }, place) => {
      const { value, weight: by, product } = terms[place];
      const texts = [words.at(terms[place]), words.number(value), words.number(by), words.signed(product)];
      texts.forEach((text, column) => put(cells[column], text));
    });
    put(this.find("products-rounding"), words.signed(over));
    put(this.find("products-sum"), words.signed(cell.sums[drawn]));
  }

  /** The scale of the products is another one for each cell; only its numbers are written anew. */
  ends(scale) {
    const written = this.find("products-legend").querySelectorAll(".legend-ends > span");
    [-scale, 0, scale].forEach((end, place) => put(written[place], this.words.number(end)));
  }

  /** A pooling's window. Returns it in words. */
  pooled(model, cell) {
    const { words } = this;
    const values = cell.cells.map((one) => one.value);
    this.pool.set(values, signed, model.scales.input, words.digits, { marked: cell.winner });
    const sentence = this.poolSentence(cell, values.length);
    put(this.find("pool-text"), capital(sentence));
    return sentence;
  }

  poolSentence(cell, count) {
    const { words } = this;
    const total = words.number(cell.total);
    if (cell.winner < 0) return words.fill("average_sum", { count: whole(count), total });
    const { values, row, column } = words.pool(cell);
    return words.fill("pool_sum", { values, total, row, column });
  }

  /** What the number in the middle of the window went through before. */
  came(model, cell, drawn) {
    const { words } = this;
    const middle = cell.window.side >> 1;
    let [y, x] = [cell.window.top + middle, cell.window.left + middle];
    if (!model.multiplies && cell.winner >= 0) ({ y, x } = cell.cells[cell.winner]);
    this.middle = { channel: drawn, y, x };
    const averaged = model.layer.kind === "average_pool";
    put(this.find("before-place"), averaged ? "" : words.fill("at", { channel: drawn, row: y, column: x }));
    this.before.set(averaged ? [] : this.origin(model.before(drawn, y, x)));
  }

  origin({ picture, pool, start, steps }) {
    const { words } = this;
    const title = (name) => capital(words.layer(name));
    if (picture) return [{ title: title("pictures"), text: words.pixel(picture) }];
    if (pool) {
      this.middle = { ...this.middle, y: pool.cells[pool.winner].y, x: pool.cells[pool.winner].x };
      return [{ title: title(pool.layer.name), text: words.fill("pooled", words.pool(pool)) }];
    }
    const first = { title: title(start.layer.name), text: words.number(start.value) };
    return [first, ...steps.map((step) => this.step(step))];
  }
}
