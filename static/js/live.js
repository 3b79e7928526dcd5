// Live answers: while a bar or the box is moved, the smallest network says again and again what it sees. There is one
// question at a time; while it is on its way only the newest state is remembered, and that is asked about next.

import { ask } from "./http.js";
import { sentenceOf } from "./trouble.js";

const APART = 80; // ms between two questions, about twelve a second
const PATIENCE = 10_000;
const FIRST_PAUSE = 3_000;
const LONGEST_PAUSE = 60_000;
const CALM = 700; // what has stood still for so long is told to those who hear the page
const KEY = "live-answers";
const SVG = "http://www.w3.org/2000/svg";

function remembered() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

function remember(on) {
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // It lasts as long as the page then.
  }
}

/** The live answers in `panel`; `state()` is {draft, bars, crop} as they are sent, or null without a picture. */
export class Live {
  constructor(panel, toggle, { address, state }) {
    this.panel = panel;
    this.toggle = toggle;
    this.address = address;
    this.state = state;
    this.number = 0; // of the newest question
    this.shown = 0; // of the question whose answer stands in the panel
    this.asked = ""; // the state that the newest question was about
    this.flight = null;
    this.timer = 0;
    this.calm = 0;
    this.last = -Infinity;
    this.pause = 0;
    this.resting = false;
    this.gone = false;
    this.find = (name) => panel.querySelector(`[data-live-${name}]`);
    toggle.checked = remembered();
    toggle.addEventListener("change", () => {
      remember(toggle.checked);
      this.reset();
    });
    document.addEventListener("visibilitychange", () => this.changed());
    addEventListener("online", () => this.wake());
  }

  /** Another picture, or none: what was asked about the last one no longer counts. */
  reset() {
    this.flight?.abort();
    this.flight = null;
    clearTimeout(this.timer);
    clearTimeout(this.calm);
    this.timer = 0;
    this.asked = "";
    this.resting = false;
    this.shown = this.number;
    this.say("");
    for (const side of ["clean", "covered"]) this.fill(side, null);
    this.find("network").textContent = "";
    this.panel.dataset.shown = "";
    this.changed();
  }

  /** A picture, its bars or its box may have changed. */
  changed() {
    const state = this.wanted();
    const on = this.toggle.checked && !this.gone;
    this.panel.hidden = !on || !this.state();
    if (!state || this.resting || this.flight || this.timer || document.hidden) return;
    if (state.key === this.asked) return;
    // Never at once: what is set together, as the bars and the box of a picture, is one question.
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (!this.flight && !document.hidden) this.send();
    }, Math.max(0, this.last + APART - performance.now()));
  }

  wanted() {
    const state = this.toggle.checked && !this.gone ? this.state() : null;
    return state?.draft ? { ...state, key: JSON.stringify([state.draft, state.bars, state.crop]) } : null;
  }

  async send() {
    const state = this.wanted();
    if (!state || state.key === this.asked) return;
    const flight = new AbortController();
    const timeout = setTimeout(() => flight.abort(new DOMException("", "TimeoutError")), PATIENCE);
    this.flight = flight;
    this.asked = state.key;
    this.last = performance.now();
    this.number += 1;
    const body = new FormData();
    for (const name of ["draft", "bars", "crop"]) body.append(name, state[name]);
    body.append("n", this.number);
    let problem = null;
    try {
      const answer = await ask(this.address, body, { signal: flight.signal });
      if (this.flight === flight) this.show(answer);
    } catch (error) {
      problem = error;
    }
    clearTimeout(timeout);
    // Another picture has come since, whose own question may be on its way.
    if (this.flight !== flight) return;
    this.flight = null;
    if (problem) this.failed(problem);
    else this.changed();
  }

  show(answer) {
    // An answer that was overtaken on the way never replaces a newer one.
    if (!(answer.n > this.shown) || answer.n > this.number) return;
    this.shown = answer.n;
    this.pause = 0;
    this.say(answer.outside ? gettext("Unlike what the network learned from.") : "");
    this.fill("clean", answer.clean);
    this.fill("covered", answer.covered);
    this.find("network").textContent = answer.network;
    this.panel.dataset.shown = String(answer.n);
    clearTimeout(this.calm);
    this.calm = setTimeout(() => this.tell(answer), CALM);
  }

  failed(problem) {
    if (problem.code === "live_unavailable") {
      this.gone = true;
      this.toggle.closest("[data-live-choice]").hidden = true;
      return this.changed();
    }
    this.say(sentenceOf(problem), true);
    // Asking the same again helps only where nothing answered or too much was asked; else the next change asks.
    if (problem.status !== 0 && problem.status !== 429 && problem.status < 500) return undefined;
    this.asked = "";
    this.resting = true;
    this.pause = Math.min(LONGEST_PAUSE, Math.max(problem.wait * 1000, this.pause * 2, FIRST_PAUSE));
    this.timer = setTimeout(() => this.wake(), this.pause);
    return undefined;
  }

  /** The pause is over, or the line is back. */
  wake() {
    if (!this.resting) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.resting = false;
    this.changed();
  }

  say(text, wrong = false) {
    const line = this.find("line");
    line.textContent = text;
    line.classList.toggle("wrong", wrong);
  }

  tell(answer) {
    const first = (rows) => `${rows[0].name}, ${rows[0].percent}`;
    const words = answer.covered ? gettext("Without bars: %s. With bars: %s.") : gettext("Without bars: %s.");
    this.find("says").textContent = interpolate(words, [answer.clean, answer.covered].filter(Boolean).map(first));
  }

  /** Fills one side; the rows are made once, so that nothing moves while the numbers change. */
  fill(side, rows) {
    const list = this.find(side);
    this.find(`${side}-none`)?.toggleAttribute("hidden", Boolean(rows));
    list.hidden = !rows && Boolean(this.find(`${side}-none`));
    while (list.children.length < (rows?.length ?? 0)) list.append(row());
    [...list.children].forEach((item, at) => {
      const one = rows?.[at];
      item.querySelector(".answer-label").textContent = one?.name ?? "";
      item.querySelector(".answer-value").textContent = one?.percent ?? "";
      item.querySelector("rect").setAttribute("width", String(100 * (one?.probability ?? 0)));
    });
  }
}

function row() {
  const item = document.createElement("li");
  const [label, value] = ["answer-label", "answer-value"].map((name) => {
    const part = document.createElement("span");
    part.className = name;
    return part;
  });
  const bar = document.createElementNS(SVG, "svg");
  for (const [name, text] of Object.entries({
    class: "answer-bar",
    viewBox: "0 0 100 1",
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  })) bar.setAttribute(name, text);
  const length = document.createElementNS(SVG, "rect");
  length.setAttribute("height", "1");
  bar.append(length);
  item.append(label, bar, value);
  return item;
}
