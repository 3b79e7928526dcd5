// One network's half of the figure: its map, what the map says, and the tests of the map.

import { number, signed } from "../numbers.js";
import { sentenceOf } from "../trouble.js";
import { Heat } from "./heat.js";
import { surveyed } from "./looked-maps.js";
import { cellInWords, inWords, sumInWords, trustInWords, warningInWords } from "./looked-words.js";

const NEGLIGIBLE = 1 / 20; // of the largest change

export class Panel {
  /** `element` is [data-panel]. What is heard of a `Heat` is heard of this panel: `onMove(panel, row, column, stays)`. */
  constructor(element, network, { onMove, onLeave, onPick }) {
    this.element = element;
    this.network = network;
    this.find = (name) => element.querySelector(`[data-${name}]`);
    this.heat = new Heat(this.find("heat"), {
      onMove: (row, column, stays) => onMove(this, row, column, stays),
      onLeave,
      onPick: (row, column) => onPick(this, row, column),
      start: () => this.strongest(),
    });
    this.source = null;
    this.map = null;
    this.pending = false; // Another map is waited for.
    this.testing = ""; // Of what its tests are, as `looked.js` names it.
    this.timer = 0;
  }

  /** The map that was waited for. */
  adopt(source) {
    this.pending = false;
    this.source = source;
    this.forgetTests();
  }

  /** A sentence over the picture instead of a map: what is waited for, or why there is none. */
  state(sentence, again = null) {
    const place = this.find("state");
    const parts = sentence ? [Object.assign(document.createElement("span"), { textContent: sentence })] : [];
    if (again) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button secondary small";
      button.textContent = gettext("Try again");
      button.addEventListener("click", again);
      parts.push(button);
    }
    place.replaceChildren(...parts);
    place.hidden = !parts.length;
  }

  /** There is no map (any more), and why. */
  empty(sentence, again = null) {
    this.source = null;
    this.map = null;
    this.heat.clear();
    for (const name of ["words", "sum", "cell"]) this.find(name).textContent = "";
    this.forgetTests();
    this.state(sentence, again);
  }

  failed(problem, again) {
    this.empty(sentenceOf(problem), again);
  }

  /** The map of a class, or of a class against `other`; -1 for none. Nothing is drawn yet. */
  survey(index, other) {
    this.map = this.source && index >= 0 ? surveyed(this.source, index, other) : null;
    return this.map;
  }

  /** Draws what was surveyed. `about`: {index, other (its index), label, against (its label), scale, digits, coarse}. */
  draw({ index, other, label, against, scale, digits, coarse }) {
    const { map, source } = this;
    const { probability } = source;
    // In a square or on a line there is room for a rounded number only.
    const write = (value) => {
      const rounded = Number(value.toFixed(digits));
      return scale.diverging ? signed(rounded, digits) : number(rounded, digits);
    };
    const least = NEGLIGIBLE * scale.high;
    this.about = { label, other: against, digits, index, probability };
    this.state("");
    this.heat.show(map, scale, {
      coarse: coarse || Boolean(probability),
      write,
      negligible: (value) => Boolean(probability) && Math.abs(value) < least,
    });
    this.find("words").textContent = inWords(map, this.about);
    this.find("tests-title").textContent = against
      ? interpolate(gettext("Two tests of the map of %(label)s alone"), { label }, true)
      : gettext("Two tests of this map");
    this.find("sum").textContent = source.sum ? sumInWords(source.sum(index, other), map.data.length, this.about) : "";
    if (source.about) this.find("sum").textContent = this.tried(source.about);
  }

  tried({ channels, of, energy }) {
    const values = { channels, of, energy: number(100 * energy, 0) };
    return channels === of
      ? interpolate(gettext("Each of the %(of)s channels was set to zero once."), values, true)
      : interpolate(gettext("The %(channels)s strongest of %(of)s channels were set to zero one by one; they hold %(energy)s% of the layer’s energy."), values, true);
  }

  /** Looks at a cell, or at none; what it says. */
  look(place) {
    this.heat.look(place);
    const text = place && this.map ? cellInWords(place[0] * this.map.width + place[1], this.map, this.about) : "";
    const cell = this.find("cell");
    // Into the text that is there: that is laid out in less time than a new one.
    if (cell.firstChild && text) cell.firstChild.data = text;
    else cell.textContent = text;
    return text;
  }

  /** The cell of this map that lies where the middle of a cell of another map does. */
  same([row, column], map) {
    const { width, height } = this.map;
    return [Math.floor(((row + 0.5) / map.height) * height), Math.floor(((column + 0.5) / map.width) * width)];
  }

  /** The cell that matters most. */
  strongest() {
    const cell = this.source.probability ? this.map.least : this.map.most;
    return [Math.floor(cell / this.map.width), cell % this.map.width];
  }

  forgetTests(sentence = "") {
    this.find("tests").replaceChildren();
    this.find("warning").hidden = true;
    this.find("tests-state").textContent = sentence;
    this.testing = "";
    delete this.element.dataset.tested;
  }

  untested(problem) {
    this.forgetTests(interpolate(gettext("Its tests are not known: %(why)s"), { why: sentenceOf(problem) }, true));
  }

  /** The result of the kind `trust`, and what is to be said of how it was tested. */
  tested(result, note = "") {
    this.find("tests-state").textContent = note;
    this.find("tests").replaceChildren(...trustInWords(result).map(({ title, state, verdict, text }) => {
      const item = document.createElement("li");
      const head = document.createElement("p");
      const badge = document.createElement("span");
      badge.className = `badge ${{ passed: "success", failed: "warning" }[state] ?? ""}`;
      badge.textContent = verdict;
      head.append(title, " ", badge);
      const words = document.createElement("p");
      words.className = "small muted";
      words.textContent = text;
      item.append(head, words);
      return item;
    }));
    const warning = warningInWords(result);
    this.find("warning").textContent = warning;
    this.find("warning").hidden = !warning;
    this.element.dataset.tested = "";
  }
}
