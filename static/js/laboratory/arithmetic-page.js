// What the arithmetic figure writes and draws of one cell. Called once a frame: it changes only what is another than before.

import { number, whole } from "../numbers.js";
import { rounded } from "./arithmetic-cells.js";
import { Magnifier, MapView } from "./arithmetic-drawing.js";
import { onScheme, Panel, Strip } from "./arithmetic-grids.js";
import { legend, reach, signed, weight } from "./colours.js";

/** Writes only what changes, and into the text that is there: a page that is told the same again would be laid out again. */
function put(element, text) {
  const written = element.firstChild;
  if (written?.data === text) return;
  if (written && text) written.data = text;
  else element.textContent = text;
}

function assign(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

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

/** Digits of the ends of a scale below a small grid, where two numbers stand side by side: four figures have room. */
const ofEnds = (scale, digits) => Math.min(digits, Math.max(0, 3 - Math.floor(Math.log10(scale))));

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
      strip: new Strip(element.querySelector("canvas"), changed),
      sum: element.querySelector("[data-row-sum]"),
      running: element.querySelector("[data-running]"),
      channel: 0,
    }));
    this.panels = ["values", "weights", "products"].map((name) => new Panel(this.find(name), changed));
    this.pool = new Panel(this.find("pool-values"), changed);
    onScheme(() => {
      for (const board of [...this.rows.map((row) => row.strip), ...this.panels, this.pool]) board.read();
      changed();
    });
    for (const row of this.rows) row.button.addEventListener("click", () => choose(row.channel));
    this.list = this.find("product-rows").closest("details");
    // A click comes before it opens, and a browser that finds something in it opens it without one.
    for (const event of ["click", "toggle"]) this.list.addEventListener(event, () => this.table());
    this.before = new Steps(this.find("before"));
    this.after = new Steps(this.find("after"));
  }

  /** Another layer or channel: what stays the same for all its cells. */
  model(model) {
    this.drawnInput = null;
    this.listed = null;
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
    if (!multiplies) return;
    legend(this.find("values-legend"), scales.input, signed, { digits: ofEnds(scales.input, digits) });
    legend(this.find("weights-legend"), scales.weights, weight, { digits: ofEnds(scales.weights, digits) });
    legend(this.find("products-legend"), 1, signed, { digits });
    this.products = Array.from({ length: layer.kernel ** 2 }, productRow);
    this.find("product-rows").replaceChildren(...this.products);
    put(this.find("no-bias"), words.said.no_bias);
  }

  /** `cell` of `model`, and the input channel that is drawn large: all that moves with the cell. */
  cell(model, cell, drawn) {
    const { words } = this;
    // Before anything is written: numbers on a canvas ask the page for its styles, which every written word makes stale.
    const large = this.draw(model, cell, drawn);
    this.caption(model, drawn);
    const total = words.number(cell.total);
    put(this.find("total"), total);
    put(this.find("readout"), words.fill("readout", { row: words.line(cell.y), column: words.line(cell.x), total }));
    if (model.multiplies) this.sum(model, cell, drawn, large);
    else put(this.find("pool-text"), capital(this.pooled(cell)));
  }

  /** What is read rather than seen: sentences, and what comes before and after. Returns the whole figure in words. */
  tell(model, cell, drawn) {
    const { words } = this;
    const { layer, multiplies } = model;
    const stored = words.stored(cell.total, cell.stored);
    put(this.find("stored"), stored);
    put(this.find("window"), words.window(layer, cell.window, model.structure));
    const after = model.after(cell).map((step) => this.step(step));
    this.after.set(after);
    this.came(model, cell, drawn);
    const parts = [multiplies ? words.sum(cell, model.inputs) : this.pooled(cell)];
    parts[0] = `${words.place(layer, { ...cell, channel: model.channel }, model.run === "covered")}: ${parts[0]}`;
    parts.push(stored);
    if (multiplies) parts.push(words.padding(this.listed.terms.filter((one) => one.padding).length, layer.kernel ** 2));
    parts.push(...after.map(({ title, text }) => `${title}: ${text}`));
    return parts.filter(Boolean).join(" ");
  }

  step(step) {
    return { title: capital(this.words.layer(step.layer.name)), ...this.words.step(step) };
  }

  /** All canvases. Returns what the large one shows of a convolution: {terms, products: their scale}. */
  draw(model, cell, drawn) {
    const { layer, scales, multiplies } = model;
    const { digits } = this.words;
    const map = model.inputMap(drawn);
    if (this.drawnInput !== drawn) this.inputMap.set(map, scales.input, layer.padding.some(Boolean) ? 1 : 0);
    this.output.draw({ top: cell.y, left: cell.x, side: 1 });
    this.inputMap.draw(cell.window);
    this.magnifier.draw(map, scales.input, layer, cell.window);
    if (!multiplies) {
      this.pool.draw(cell.cells.map((one) => one.value), signed, scales.input, digits, { marked: cell.winner });
      return null;
    }
    const each = cell.largest.map((channel) => model.terms(cell, channel));
    const terms = model.terms(cell, drawn);
    const products = reach([...each, terms].flatMap((one) => one.map(({ product }) => product)));
    const scale = { values: scales.input, weights: scales.weights, products };
    const furthest = Math.abs(cell.sums[cell.largest[0]]) || 1;
    each.forEach((one, place) => this.rows[place].strip.draw(one, scale, cell.sums[cell.largest[place]] / furthest));
    const padded = terms.map((one) => one.padding);
    const [values, weights, results] = this.panels;
    values.draw(terms.map((one) => one.value), signed, scale.values, digits, { padded });
    weights.draw(terms.map((one) => one.weight), weight, scale.weights, digits);
    results.draw(terms.map((one) => one.product), signed, scale.products, digits, { padded });
    return { terms, products };
  }

  /** Which input channel is drawn. */
  caption(model, drawn) {
    if (this.drawnInput === drawn) return;
    this.drawnInput = drawn;
    const caption = `${capital(this.words.layer(model.layer.inputs[0]))}, ${this.words.input(drawn, model.ofPicture)}`;
    put(this.find("input-caption"), caption);
    this.inputMap.canvas.setAttribute("aria-label", caption);
  }

  /** The table of the sum and the numbers beside the large drawing. */
  sum(model, cell, drawn, large) {
    const { words, rows } = this;
    let running = 0;
    rows.forEach((row, place) => {
      const channel = cell.largest[place];
      row.element.hidden = channel === undefined;
      if (row.element.hidden) return;
      const sum = cell.sums[channel];
      running += rounded(sum, words.digits);
      row.channel = channel;
      put(row.button, words.short(channel, model.ofPicture));
      assign(row.button, "aria-pressed", channel === drawn);
      put(row.sum, words.signed(sum));
      put(row.running, words.number(running));
    });
    this.footer(cell, running);
    put(this.find("share"), words.shares(cell, model.inputs));
    this.large(model, cell, drawn, large);
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

  large(model, cell, drawn, { terms, products }) {
    const { words } = this;
    put(this.find("drawn"), words.input(drawn, model.ofPicture));
    this.ends(products);
    put(this.find("drawn-sum"), words.signed(cell.sums[drawn]));
    const over = words.over(terms.map((one) => one.product), cell.sums[drawn]);
    put(this.find("drawn-rounding"), words.signed(over));
    this.listed = { terms, over, sum: cell.sums[drawn] };
    if (this.list.open) this.table();
  }

  /** The same as a table; nobody waits for it while it is closed. */
  table() {
    if (!this.listed) return;
    const { words, products, listed: { terms, over, sum } } = this;
    products.forEach(({ cells }, place) => {
      const { value, weight: by, product } = terms[place];
      const texts = [words.at(terms[place]), words.number(value), words.number(by), words.signed(product)];
      texts.forEach((text, column) => put(cells[column], text));
    });
    put(this.find("products-rounding"), words.signed(over));
    put(this.find("products-sum"), words.signed(sum));
  }

  /** The scale of the products is another one for each cell; only its numbers are written anew. */
  ends(scale) {
    const written = this.find("products-legend").querySelectorAll(".legend-ends > span");
    const digits = ofEnds(scale, this.words.digits);
    [-scale, 0, scale].forEach((end, place) => put(written[place], number(end, digits)));
  }

  /** A pooling's window in words. */
  pooled(cell) {
    const { words } = this;
    const total = words.number(cell.total);
    if (cell.winner < 0) return words.fill("average_sum", { count: whole(cell.cells.length), total });
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
    put(this.find("before-place"), averaged ? "" : words.fill("at", { channel: drawn, row: words.line(y), column: words.line(x) }));
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
