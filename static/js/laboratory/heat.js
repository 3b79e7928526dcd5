// One map over one picture: colours with an opacity, contour lines or the map's own squares, hatching, bars, and a cell
// that pointer and keys move. Rows and columns count from 0 here; what is said to people counts from 1.

import { signed } from "./colours.js";
import { labelPlace, levels, lines, path, sample } from "./contours.js";

const SVG = "http://www.w3.org/2000/svg";
export const SIDE = 320; // units of the drawing over the picture
const PIXELS = 160; // the smooth map is computed this fine; nobody sees more in four or eight values across
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const ROOM = 34; // units that a cell needs to hold its number
const HALF = 0.5;
const [WIDE, TALL] = [32, 14]; // of a line's label: one that would cover another is left out

/** Luminance: the low end of the scale is black and the high one white. */
export function luminance(value, { low, high }) {
  const share = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : HALF;
  const level = Math.round(255 * share);
  return [level, level, level];
}

/** What colours a value of a scale {low, high, diverging}. */
export const colour = (value, scale) => (scale.diverging ? signed(value, scale.high) : luminance(value, scale));

function make(name, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text) element.textContent = text;
  return element;
}

let patterns = 0;

export class Heat {
  /**
   * `element` is [data-heat] with [data-picture], [data-map] (canvases) and [data-over] (an SVG). `onMove(row, column,
   * stays)` hears which cell is looked at, `stays` unless a pointer only passes, and `onLeave()` that it has passed;
   * `onPick(row, column)` that it was clicked, tapped or entered. `start()` gives the cell that keys begin at.
   */
  constructor(element, { onMove, onLeave, onPick, start }) {
    this.element = element;
    this.onMove = onMove;
    this.onPick = onPick;
    this.start = start;
    this.picture = element.querySelector("[data-picture]");
    this.canvas = element.querySelector("[data-map]");
    this.svg = element.querySelector("[data-over]");
    this.hatch = `hatch-${(patterns += 1)}`;
    this.map = null;
    this.place = null;
    this.pointed = null; // the cell under a pointer, until the next frame is drawn
    this.frame = 0;
    this.marks = [make("rect", { class: "under" }), make("rect")];
    this.svg.setAttribute("viewBox", `0 0 ${SIDE} ${SIDE}`);
    // Bars lie below what is to be read.
    this.svg.replaceChildren(this.pattern(), ...["hatched", "grid", "barred", "contours", "numbers", "cursor"].map((name) =>
      make("g", { class: `heat-${name}`, "data-part": name })));
    this.part("cursor").append(...this.marks);
    this.cursor();
    element.addEventListener("pointermove", (event) => this.pass(event));
    element.addEventListener("pointerleave", () => {
      this.rest();
      onLeave();
    });
    element.addEventListener("click", (event) => this.pick(event));
    element.addEventListener("keydown", (event) => this.key(event));
  }

  part(name) {
    return this.svg.querySelector(`[data-part=${name}]`);
  }

  pattern() {
    const defs = make("defs");
    const tile = make("pattern", { id: this.hatch, width: 7, height: 7, patternUnits: "userSpaceOnUse" });
    tile.append(make("path", { class: "hatch-under", d: "M-1 8L8 -1" }), make("path", { class: "hatch", d: "M-1 8L8 -1" }));
    defs.append(tile);
    return defs;
  }

  /** The part of a picture that the network saw, (x, y, width, height) in fractions of it. */
  see(image, [x, y, width, height]) {
    const side = this.picture.width;
    const context = this.picture.getContext("2d");
    const [across, down] = [image.naturalWidth, image.naturalHeight];
    context.drawImage(image, x * across, y * down, width * across, height * down, 0, 0, side, side);
  }

  opacity(share) {
    this.canvas.style.opacity = String(share);
  }

  /**
   * Draws a `map` {data, width, height} on a `scale` {low, high, diverging}. `coarse`: its own squares instead of a
   * smooth surface. `negligible(value)`: whether a cell is hatched. `write(value)`: the number in a cell or on a line.
   */
  show(map, scale, { coarse, write, negligible = () => false }) {
    this.map = map;
    this.element.dataset.shown = "";
    this.paint(map, scale, coarse);
    this.part("hatched").replaceChildren(...this.cells((value) => negligible(value)).map((at) =>
      make("rect", { ...this.square(at), fill: `url(#${this.hatch})` })));
    this.part("grid").replaceChildren(...(coarse ? [make("path", { d: this.mesh() })] : []));
    this.part("contours").replaceChildren(...(coarse ? [] : this.contours(map, scale, write)));
    this.part("numbers").replaceChildren(...(coarse && SIDE / map.width >= ROOM ? this.numbers(map, write, negligible) : []));
    this.cursor();
  }

  /** Frames where bars are, [x, y, width, height] in shares of the square; what lies outside it is cut off. */
  bars(list) {
    this.part("barred").replaceChildren(...list.map(([x, y, width, height]) => {
      const [left, top] = [Math.max(0, x), Math.max(0, y)];
      const [across, down] = [Math.min(1, x + width) - left, Math.min(1, y + height) - top];
      if (across <= 0 || down <= 0) return "";
      const d = `M${left * SIDE} ${top * SIDE}h${across * SIDE}v${down * SIDE}h${-across * SIDE}z`;
      const group = make("g");
      group.append(make("path", { class: "under", d }), make("path", { d }));
      return group;
    }));
  }

  /** Nothing to show: only the picture stays. */
  clear() {
    this.map = null;
    delete this.element.dataset.shown;
    this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const name of ["hatched", "grid", "contours", "numbers"]) this.part(name).replaceChildren();
    this.cursor();
  }

  paint(map, scale, coarse) {
    const [across, down] = coarse ? [map.width, map.height] : [PIXELS, PIXELS];
    this.canvas.width = across;
    this.canvas.height = down;
    this.canvas.classList.toggle("coarse", coarse);
    const image = new ImageData(across, down);
    for (let y = 0; y < down; y++) {
      for (let x = 0; x < across; x++) {
        const value = coarse ? map.data[y * across + x]
          : sample(map, ((x + HALF) * map.width) / across, ((y + HALF) * map.height) / down);
        image.data.set([...colour(value, scale).slice(0, 3), 255], 4 * (y * across + x));
      }
    }
    this.canvas.getContext("2d").putImageData(image, 0, 0);
  }

  contours(map, scale, write) {
    const drawn = [];
    const labels = [];
    const unit = SIDE / map.width;
    const values = Array.from(map.data);
    for (const level of levels(Math.min(...values), Math.max(...values), 5)) {
      const found = lines(map, level);
      const kind = level < 0 ? "below" : level > 0 ? "above" : "zero";
      for (const line of found) {
        const d = path(line, unit);
        drawn.push(make("path", { class: "under", d }), make("path", { class: kind, d }));
      }
      const longest = found.sort((a, b) => b.length - a.length)[0];
      const place = longest && labelPlace(longest, map)?.map((one) => one * unit);
      if (!place || labels.some(({ at: [x, y] }) => Math.abs(x - place[0]) < WIDE && Math.abs(y - place[1]) < TALL)) continue;
      labels.push({ at: place, text: write(level) });
    }
    return [...drawn, ...labels.map(({ at: [x, y], text }) => make("text", { x: x.toFixed(1), y: (y + 4).toFixed(1) }, text))];
  }

  numbers(map, write, negligible) {
    return this.cells((value) => !negligible(value)).map((at) => {
      const { x, y, width, height } = this.square(at);
      return make("text", { x: x + width / 2, y: y + height / 2 + 4 }, write(map.data[at]));
    });
  }

  /** Indices of the cells for which `wanted(value, index)` holds. */
  cells(wanted) {
    return Array.from(this.map.data, (value, at) => (wanted(value, at) ? at : -1)).filter((at) => at >= 0);
  }

  square(at) {
    const [width, height] = [SIDE / this.map.width, SIDE / this.map.height];
    return { x: (at % this.map.width) * width, y: Math.floor(at / this.map.width) * height, width, height };
  }

  mesh() {
    const { width, height } = this.map;
    let d = "";
    for (let x = 1; x < width; x++) d += `M${(x * SIDE) / width} 0V${SIDE}`;
    for (let y = 1; y < height; y++) d += `M0 ${(y * SIDE) / height}H${SIDE}`;
    return d;
  }

  /** The cell that is looked at; null for none. */
  look(place) {
    this.place = place;
    this.cursor();
  }

  cursor() {
    const inside = this.place && this.map && this.place[0] < this.map.height && this.place[1] < this.map.width;
    const square = inside ? this.square(this.place[0] * this.map.width + this.place[1]) : null;
    for (const mark of this.marks) {
      mark.setAttribute("visibility", square ? "visible" : "hidden");
      for (const [key, value] of Object.entries(square ?? {})) mark.setAttribute(key, String(value));
    }
  }

  /** A pointer passes: it moves more often than a frame is drawn, and only the square where it is then counts. */
  pass(event) {
    const place = this.under(event);
    if (!place) return;
    const [row, column] = this.pointed ?? this.place ?? [];
    if (place[0] === row && place[1] === column) return;
    this.pointed = place;
    this.frame ||= requestAnimationFrame(() => {
      const { pointed, map } = this;
      this.rest();
      if (map && pointed[0] < map.height && pointed[1] < map.width) this.onMove(...pointed, false);
    });
  }

  /** What the pointer did before counts no more. */
  rest() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.pointed = null;
  }

  /** The cell [row, column] under a pointer, or null. */
  under({ clientX, clientY }) {
    if (!this.map) return null;
    const frame = this.svg.getBoundingClientRect();
    const column = Math.floor(((clientX - frame.left) / frame.width) * this.map.width);
    const row = Math.floor(((clientY - frame.top) / frame.height) * this.map.height);
    const inside = row >= 0 && column >= 0 && row < this.map.height && column < this.map.width;
    return inside ? [row, column] : null;
  }

  /** A click or a tap. */
  pick(event) {
    this.rest();
    const place = this.under(event);
    if (!place) return;
    this.onMove(...place, true);
    this.onPick(...place);
  }

  key(event) {
    if (!this.map || event.target !== this.element || event.ctrlKey || event.altKey || event.metaKey) return;
    this.rest();
    const [row, column] = this.place ?? this.start();
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.onPick(row, column);
      return;
    }
    const ends = { Home: [row, 0], End: [row, this.map.width - 1] };
    const step = STEPS[event.key];
    if (!step && !ends[event.key]) return;
    event.preventDefault();
    const [r, c] = ends[event.key] ?? (this.place ? [row + step[0], column + step[1]] : [row, column]);
    if (r >= 0 && c >= 0 && r < this.map.height && c < this.map.width) this.onMove(r, c, true);
  }
}
