// Squares of the picture that are turned into bars, and what the networks answer with these bars.

import { covered } from "../random-bars.js";
import { sentenceOf } from "../trouble.js";
import { state } from "./address.js";
import { tell } from "./facts.js";
import { explain } from "./jobs.js";
import { percent } from "./percent.js";
import { subject } from "./subject.js";

const MOST = 32;
const SAME = 2e-6; // bars stand on a grid of millionths

const round = (value) => Math.round(value * 1e6) / 1e6;
const fill = (text, values) => interpolate(text, values, true);

/** The square that the networks see, in fractions of the picture. */
const box = () => subject.crop ?? [0, 0, 1, 1];

/** A cell as a bar on the whole picture. */
function barOf(row, column, { width, height }) {
  const [x, y, across, down] = box();
  const left = round(x + (across * column) / width);
  const top = round(y + (down * row) / height);
  return [left, top, round(x + (across * (column + 1)) / width - left), round(y + (down * (row + 1)) / height - top)];
}

/** A bar in shares of the square. */
function inSquare([left, top, wide, high]) {
  const [x, y, across, down] = box();
  return [(left - x) / across, (top - y) / down, wide / across, high / down];
}

/** Which share of the square the bars of the picture cover; what lies outside it is cut off. */
function shareCovered() {
  const edge = (value) => Math.min(1, Math.max(0, value));
  return covered(subject.bars.map((bar) => {
    const [left, top, wide, high] = inSquare(bar);
    return [edge(left), edge(top), edge(left + wide) - edge(left), edge(top + high) - edge(top)];
  }));
}

const same = (one, other) => one.every((value, i) => Math.abs(value - other[i]) <= SAME);

export class Covering {
  /** `element` is [data-covering]; `onChange(list)` hears where the bars are, in shares of the square. */
  constructor(element, { onChange }) {
    this.element = element;
    this.onChange = onChange;
    this.find = (name) => element.querySelector(`[data-covering-${name}]`);
    this.ending = new AbortController();
    this.address = state({ bars: "" });
    this.text = this.address.get().bars;
    this.own = this.text === ""; // The bars are those that came with the picture.
    // Back undoes what was chosen, and leaves the bars as they are.
    this.address.onChange(({ bars }) => {
      if (bars !== this.text) this.address.set({ bars: this.text });
    });
    this.find("clear").addEventListener("click", () => this.set([]));
  }

  start() {
    this.onChange(subject.bars.map(inSquare));
    this.ask();
  }

  /** Turns a cell of a map into a bar, or back. The bars that came with the picture make room for the first one. */
  toggle(row, column, map) {
    const bar = barOf(row, column, map);
    const bars = this.own ? [] : subject.bars;
    const there = bars.filter((one) => !same(one, bar));
    if (there.length === bars.length && bars.length >= MOST) {
      this.say(gettext("There may be at most 32 bars. Remove one first."));
      return;
    }
    this.set(there.length === bars.length ? [...bars, bar] : there);
  }

  set(bars) {
    this.own = false;
    subject.bars = bars;
    subject.covered = bars.length > 0;
    this.text = JSON.stringify(bars);
    this.address.set({ bars: this.text });
    this.onChange(bars.map(inSquare));
    this.ask();
  }

  say(text) {
    this.find("says").textContent = text;
  }

  /** What the networks answer with these bars. */
  async ask() {
    this.ending.abort();
    this.ending = new AbortController();
    const { signal } = this.ending;
    const count = subject.bars.length;
    this.find("clear").hidden = !count;
    // What is covered is not told before the networks have said what they make of it.
    tell({ complete: !count, failed: false, share: 0, own: this.own, changed: {} });
    if (!count) {
      this.say(gettext("No square is a bar. Click one, or press Enter on it, to cover it."));
      return;
    }
    this.element.dataset.asking = "";
    try {
      const told = await Promise.all(subject.networks.map((network) => this.answer(network, signal)));
      if (signal.aborted) return;
      const share = shareCovered();
      this.say([this.counted(count, share), ...told.map(({ text }) => text)].join(" "));
      const changed = subject.networks.map(({ name }, place) => [name, told[place].changed]);
      tell({ complete: true, share, changed: Object.fromEntries(changed) });
    } catch (problem) {
      if (signal.aborted || problem.code === "aborted") return;
      this.say(`${this.counted(count, shareCovered())} ${sentenceOf(problem)}`);
      tell({ failed: true });
    } finally {
      if (!signal.aborted) delete this.element.dataset.asking;
    }
  }

  counted(count, share) {
    return fill(ngettext("With %(count)s bar, %(share)s covered:", "With %(count)s bars, %(share)s covered:", count), {
      count, share: percent(share),
    });
  }

  async answer(network, signal) {
    const { result } = await explain("answers", network, {}, { signal });
    const [index, probability] = (result.covered ?? result.clean)[0];
    const [before, sure] = result.clean[0];
    const text = index === before
      ? gettext("%(network)s says %(label)s as before, %(percent)s instead of %(sure)s.")
      : gettext("%(network)s says %(label)s, %(percent)s, instead of %(before)s, %(sure)s.");
    const values = {
      network: network.title,
      label: network.labels[index],
      percent: percent(probability),
      before: network.labels[before],
      sure: percent(sure),
    };
    return { text: fill(text, values), changed: index !== before };
  }
}
