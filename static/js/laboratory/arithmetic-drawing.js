// The drawings of the arithmetic figure: a map with a mark, the magnifier, and the small grids of values, weights and
// products. Every one draws what it was last given; who calls does so once a frame.

import { number } from "../numbers.js";
import { css, hatch, inkOn, paint, signed, weight } from "./colours.js";

const SVG = "http://www.w3.org/2000/svg";
const HATCH = "url(#arithmetic-hatch)";
const HATCHED = "#767676"; // on padding, light or dark, as the hatching itself
const SEEN = 9; // rows and columns in the magnifier
const LEGIBLE = 27; // CSS pixels that a cell needs for a number

/** A square canvas as fine as the screen. `changed` is called when it must be drawn again. */
class Surface {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.fine = 1;
    new ResizeObserver(([{ contentRect }]) => {
      this.fine = window.devicePixelRatio || 1;
      const side = Math.round(contentRect.width * this.fine);
      if (!side || side === canvas.width) return;
      canvas.width = side;
      canvas.height = side;
      changed();
    }).observe(canvas);
  }

  /** Visible on every colour: white within black. */
  outline(x, y, width, height, { dashed = false, thick = 2 } = {}) {
    const { pen, fine } = this;
    pen.save();
    if (dashed) pen.setLineDash([4 * fine, 3 * fine]);
    pen.lineJoin = "round";
    for (const [colour, size] of [["#000000", thick + 2], ["#ffffff", thick]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = size * fine;
      pen.strokeRect(x, y, width, height);
    }
    pen.restore();
  }
}

/** One channel as a map, with a mark on it and, where a convolution pads, its padding around it. */
export class MapView extends Surface {
  constructor(canvas, changed) {
    super(canvas, changed);
    this.base = document.createElement("canvas");
    this.map = null;
    this.margin = 0;
  }

  /** `map`: {data, width, height}; `margin`: rows and columns of padding to be seen around it. */
  set(map, scale, margin = 0) {
    this.map = map;
    this.margin = margin;
    paint(this.base, map, scale, signed);
  }

  get unit() {
    return this.canvas.width / (Math.max(this.map.width, this.map.height) + 2 * this.margin);
  }

  /** Marks a square: {top, left, side} in cells of the map. */
  draw({ top, left, side }) {
    if (!this.map || !this.canvas.width) return;
    const { pen, canvas, unit, margin, map } = this;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (margin) hatch(pen, 0, 0, canvas.width, canvas.height, { apart: 5 * this.fine });
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.base, margin * unit, margin * unit, map.width * unit, map.height * unit);
    this.outline((left + margin) * unit, (top + margin) * unit, side * unit, side * unit);
  }

  /** The cell [y, x] under a pointer, the nearest one when it is beside the map. */
  cellAt(event) {
    const unit = this.unit / this.fine;
    const within = (place, count) => Math.min(count - 1, Math.max(0, Math.floor(place / unit - this.margin)));
    return [within(event.offsetY, this.map.height), within(event.offsetX, this.map.width)];
  }
}

/** Nine by nine cells around a window, large enough to be read. */
export class Magnifier extends Surface {
  /**
   * `layer` reads the map {data, width, height} through `where`, {top, left, side}. Cells that no window of the layer ever
   * reads are pale; a dashed line is the next cell's window where that is further than one step away.
   */
  draw(map, scale, layer, where) {
    if (!this.canvas.width) return;
    const { pen, canvas } = this;
    const unit = canvas.width / SEEN;
    const middle = (where.side - 1) >> 1;
    const [top, left] = [where.top + middle - (SEEN >> 1), where.left + middle - (SEEN >> 1)];
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.font = `${Math.round(unit * 0.32)}px ui-monospace, "Liberation Mono", monospace`;
    for (let row = 0; row < SEEN; row++) {
      for (let column = 0; column < SEEN; column++) {
        this.cell(map, scale, layer, [top + row, left + column], [column * unit, row * unit, unit]);
      }
    }
    const place = [(where.left - left) * unit, (where.top - top) * unit, where.side * unit, where.side * unit];
    if (layer.stride > 1) this.outline(place[0] + layer.stride * unit, ...place.slice(1), { dashed: true, thick: 1 });
    this.outline(...place, { thick: 3 });
  }

  cell({ data, width, height }, scale, layer, [y, x], [left, top, unit]) {
    const { pen } = this;
    if (y >= 0 && x >= 0 && y < height && x < width) {
      const value = data[y * width + x];
      const colour = signed(value, scale);
      pen.fillStyle = "#ffffff";
      pen.fillRect(left, top, unit + 1, unit + 1);
      pen.globalAlpha = isRead(layer, y, x) ? 1 : 0.35;
      pen.fillStyle = css(colour);
      pen.fillRect(left, top, unit + 1, unit + 1);
      if (unit / this.fine >= LEGIBLE) this.write(number(value, 2), colour, left + unit / 2, top + unit / 2);
      pen.globalAlpha = 1;
    } else if (isPadding(layer, y, x, height, width)) {
      hatch(pen, left, top, unit, unit, { apart: 5 * this.fine });
      this.write("0", null, left + unit / 2, top + unit / 2);
    }
  }

  write(text, colour, x, y) {
    const { pen } = this;
    pen.fillStyle = colour ? inkOn(colour) : HATCHED;
    pen.fillText(text, x, y);
  }
}

/** Whether any window of the layer covers a cell: a 1 x 1 window that moves by two passes over three of four. */
function isRead(layer, y, x) {
  if (layer.kernel >= layer.stride) return true;
  const along = (place, padding) => (((place + padding) % layer.stride) + layer.stride) % layer.stride < layer.kernel;
  return along(y, layer.padding[0]) && along(x, layer.padding[1]);
}

function isPadding(layer, y, x, height, width) {
  const [top, left, bottom, right] = layer.padding;
  return y >= -top && x >= -left && y < height + bottom && x < width + right;
}

// Grids of values, weights and products ---------------------------------------------------------------------------------

function make(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

/** `count` squares in rows of `across`, `size` units each, with a number in each where `written` says so. */
class Grid {
  constructor(parent, { count, across, size, left = 0, top = 0, written = false }) {
    this.cells = Array.from({ length: count }, (_, index) => {
      const x = left + (index % across) * size;
      const y = top + Math.floor(index / across) * size;
      const rect = make("rect", { x, y, width: size, height: size }, parent);
      const text = written && make("text", { x: x + size / 2, y: y + size / 2 }, parent);
      const note = written && make("text", { x: x + size / 2, y: y + size - 6, class: "note" }, parent);
      return { rect, text, note, fill: "" };
    });
  }

  /** `colours` says how a value is coloured; `text`, what is written; `padded`, which of them are padding. */
  set(values, colours, scale, { text = null, padded = null, marked = -1 } = {}) {
    this.cells.forEach((cell, index) => {
      const empty = padded?.[index];
      const colour = colours(values[index], scale);
      const fill = empty ? HATCH : css(colour);
      if (fill !== cell.fill) cell.rect.setAttribute("fill", fill);
      cell.fill = fill;
      if (marked >= 0) cell.rect.classList.toggle("marked", index === marked);
      if (!text) return;
      const ink = empty ? "currentcolor" : inkOn(colour);
      if (cell.ink !== ink) cell.text.setAttribute("fill", ink);
      cell.ink = ink;
      put(cell.text, text(values[index]));
      put(cell.note, empty ? gettext("padding") : "");
    });
  }
}

/** Writes only what changes: a page that is told the same again would be laid out again. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function assign(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** A table row's drawing: the values, the weights and the products of one input channel, thirty units high. */
export class Strip {
  constructor(svg, side) {
    svg.replaceChildren();
    svg.setAttribute("viewBox", "0 0 122 30");
    const [count, across, size] = [side * side, side, 30 / side];
    const at = (left) => new Grid(svg, { count, across, size, left });
    [this.values, this.weights, this.products] = [at(0), at(46), at(92)];
    for (const [x, sign] of [[38, "×"], [84, "="]]) make("text", { x, y: 15, class: "sign" }, svg).textContent = sign;
  }

  set(cells, { values, weights, products }) {
    const padded = cells.map((one) => one.padding);
    this.values.set(cells.map((one) => one.value), signed, values, { padded });
    this.weights.set(cells.map((one) => one.weight), weight, weights);
    this.products.set(cells.map((one) => one.product), signed, products, { padded });
  }
}

const SIDE = 168;

/** One large grid with its numbers written in it. */
export class Panel {
  constructor(svg, across, count = across * across) {
    const size = SIDE / across;
    const rows = Math.ceil(count / across);
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${SIDE} ${rows * size}`);
    this.svg = svg;
    this.grid = new Grid(svg, { count, across, size, written: true });
  }

  set(values, colours, scale, digits, options = {}) {
    assign(this.svg, "data-digits", digits);
    this.grid.set(values, colours, scale, { ...options, text: (value) => number(value, digits) });
  }
}
