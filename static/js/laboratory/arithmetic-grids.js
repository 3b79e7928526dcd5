// The small grids of values, weights and products, one canvas for three of them in a row or for a large one alone: as
// hundreds of elements they would be styled and laid out anew in every frame. Each draws what it is given.

import { number } from "../numbers.js";
import { Surface } from "./arithmetic-drawing.js";
import { hatch, signed, weight } from "./colours.js";

const LINE = "#7b8781"; // --line-strong, light and dark
const HATCHING = "rgb(123 135 129 / 60%)";

/** A surface that is drawn in units: `across` of them are as wide as the canvas. */
class Board extends Surface {
  constructor(canvas, changed, across) {
    super(canvas, changed);
    this.across = across;
    this.read();
  }

  /** What the style sheets say of colours and type; read again when light or dark is chosen, never while drawing. */
  read() {
    const { color, fontFamily } = getComputedStyle(this.canvas);
    this.ink = color;
    this.fonts = { numbers: fontFamily, words: getComputedStyle(document.body).fontFamily };
  }

  /** A colour of tokens.css as a canvas takes it. */
  token(name) {
    const { style } = this.canvas;
    style.color = `var(${name})`;
    const { color } = getComputedStyle(this.canvas);
    style.color = "";
    return color;
  }

  get unit() {
    return this.canvas.width / this.across;
  }

  clear() {
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /**
   * Squares in `side` rows and columns, `size` units each, with their upper left corner at (left, 0). What is `padded` has
   * no colour but hatching; `line` is how many units the lines between them are wide.
   */
  squares({ values, colours, scale, padded = null }, { side, size, left = 0, line }) {
    const { pen, unit } = this;
    const [from, step, all] = [left * unit, size * unit, side * size * unit];
    if (padded?.includes(true)) hatch(pen, from, 0, all, all, { colour: HATCHING, apart: 7 * unit });
    for (let at = 0; at < side * side; at++) {
      if (padded?.[at]) continue;
      pen.fillStyle = colours.style(values[at], scale);
      pen.fillRect(from + (at % side) * step, Math.floor(at / side) * step, step, step);
    }
    pen.strokeStyle = LINE;
    pen.lineWidth = line * unit;
    pen.beginPath();
    for (let at = 0; at <= side; at++) {
      pen.moveTo(from + at * step, 0);
      pen.lineTo(from + at * step, all);
      pen.moveTo(from, at * step);
      pen.lineTo(from + all, at * step);
    }
    pen.stroke();
  }

  /** `texts`: [text, its ink, the middle's x and y], all in one font of so many units. */
  write(texts, font, size) {
    const { pen, unit } = this;
    pen.font = `${size * unit}px ${font}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (const [text, ink, x, y] of texts) {
      pen.fillStyle = ink;
      pen.fillText(text, x * unit, y * unit);
    }
  }
}

const [HIGH, APART, WIDE] = [30, 46, 122];
const BAR = { top: 32, height: 3 };

/**
 * A table row's drawing: the values, the weights and the products of one input channel, thirty units high, and below them
 * what they add or take away as a length to the right or to the left of the middle.
 */
export class Strip extends Board {
  constructor(canvas, changed) {
    super(canvas, changed, WIDE);
  }

  read() {
    super.read();
    [this.above, this.below] = [this.token("--signed-high"), this.token("--signed-low")];
  }

  /** `terms`: of one input channel; `scales`: {values, weights, products}; `share`: the length, -1 to 1. */
  draw(terms, { values, weights, products }, share) {
    if (!this.shown) return;
    this.clear();
    const side = Math.sqrt(terms.length);
    const place = (left) => ({ side, size: HIGH / side, left, line: 0.25 });
    const padded = terms.map((one) => one.padding);
    this.squares({ values: terms.map((one) => one.value), colours: signed, scale: values, padded }, place(0));
    this.squares({ values: terms.map((one) => one.weight), colours: weight, scale: weights }, place(APART));
    this.squares({ values: terms.map((one) => one.product), colours: signed, scale: products, padded }, place(2 * APART));
    this.write([["×", this.ink, 38, HIGH / 2], ["=", this.ink, 84, HIGH / 2]], this.fonts.words, 11);
    const { pen, unit } = this;
    pen.fillStyle = share < 0 ? this.below : this.above;
    pen.fillRect((WIDE / 2) * unit, BAR.top * unit, (WIDE / 2) * share * unit, BAR.height * unit);
  }
}

const SIDE = 168;
const LEGIBLE = 4; // cells across; in a larger window there is no room for numbers
const LARGEST = 12; // of a number's letters
const BESIDE = 3; // between a number and the lines of its cell

/** One large grid with its numbers written in it. */
export class Panel extends Board {
  constructor(canvas, changed) {
    super(canvas, changed, SIDE);
  }

  /** `digits` behind the point of each number; `marked`: the one of them that counts. */
  draw(values, colours, scale, digits, { padded = null, marked = -1 } = {}) {
    if (!this.shown) return;
    this.clear();
    const side = Math.sqrt(values.length);
    const size = SIDE / side;
    this.squares({ values, colours, scale, padded }, { side, size, line: 0.5 });
    if (marked >= 0) this.mark(marked, side, size * this.unit);
    if (side > LEGIBLE) return;
    const middle = (at) => [((at % side) + 0.5) * size, (Math.floor(at / side) + 0.5) * size];
    const ink = (value, at) => (padded?.[at] ? this.ink : colours.ink(value, scale));
    const texts = values.map((value, at) => [number(value, digits), ink(value, at), ...middle(at)]);
    this.write(texts, this.fonts.numbers, this.fitting(texts, size - 2 * BESIDE));
    if (!padded?.includes(true)) return;
    const below = size / 2 - 6;
    const notes = values.map((_, at) => [gettext("padding"), this.ink, middle(at)[0], middle(at)[1] + below]);
    this.write(notes.filter((_, at) => padded[at]), this.fonts.words, 9.5);
  }

  /** The size at which the longest of the texts, in letters of one width, has room: one for all, as they are of one kind. */
  fitting(texts, room) {
    const { pen } = this;
    pen.font = `${LARGEST}px ${this.fonts.numbers}`;
    const [longest] = texts.reduce((most, one) => (one[0].length > most[0].length ? one : most));
    return Math.min(LARGEST, (LARGEST * room) / pen.measureText(longest).width);
  }

  mark(at, side, step) {
    this.outline((at % side) * step, Math.floor(at / side) * step, step, step, { thick: 3 });
  }
}

const schemes = matchMedia("(prefers-color-scheme: dark)");

/** Calls `listener` when the page turns light or dark: by the system, or by the switch in the footer. */
export function onScheme(listener) {
  schemes.addEventListener("change", listener);
  new MutationObserver(listener).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
}
