// Choosing a cell on a map: by pointing at it, by keys, by buttons, or by letting it walk on its own, row by row.

import { calm, onCalm } from "./frame.js";

const EVERY = 250; // ms a cell, when it walks on its own
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/**
 * `view` is a MapView, `pad` the element around it that takes the keys, `buttons` {previous, play, next, pin}.
 * `choice` is what they work on: {get(): {y, x, pinned}, size(): [rows, columns], move(y, x), pin(pinned), soon()}; `size`
 * gives null as long as there is nothing to choose from. A pointer moves more often than anything is drawn: where it is
 * counts from the next `settle()` on, for which `soon` asks.
 */
export class Walker {
  constructor({ view, pad, buttons, choice }) {
    Object.assign(this, { view, pad, buttons, choice });
    this.timer = 0;
    this.byTouch = false;
    this.pointed = null; // the cell under the pointer that is not chosen yet
    const { canvas } = view;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("click", () => this.click());
    pad.addEventListener("keydown", (event) => this.key(event));
    buttons.previous.addEventListener("click", () => this.take(() => this.step(-1)));
    buttons.next.addEventListener("click", () => this.take(() => this.step(1)));
    buttons.play.addEventListener("click", () => (this.walks ? this.stop() : this.walk()));
    buttons.pin.addEventListener("click", () => this.choice.pin(!this.choice.get().pinned));
    onCalm(() => this.label());
    this.label();
  }

  get walks() {
    return this.timer !== 0;
  }

  /** A finger has no way of pointing without pressing: it chooses where it lies, and never pins. */
  press(event) {
    this.byTouch = event.pointerType === "touch";
    if (this.byTouch && this.choice.size() && !this.choice.get().pinned) {
      event.target.setPointerCapture?.(event.pointerId);
      this.point(event);
    }
  }

  point(event) {
    if (!this.choice.size()) return;
    this.stop();
    const { y, x, pinned } = this.choice.get();
    const [row, column] = this.view.cellAt(event);
    if (pinned || (!this.pointed && row === y && column === x)) return;
    this.pointed = [row, column];
    this.choice.soon();
  }

  /** Chooses the cell under the pointer, if that is another one. */
  settle() {
    const { pointed } = this;
    this.pointed = null;
    if (pointed && this.choice.size()) this.choice.move(...pointed);
  }

  click() {
    this.settle();
    if (!this.byTouch && this.choice.size()) this.choice.pin(!this.choice.get().pinned);
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !this.choice.size()) return;
    this.settle();
    const { y, x, pinned } = this.choice.get();
    const [rows, columns] = this.choice.size();
    const to = (row, column) => this.take(() => {
      this.choice.move(Math.min(rows - 1, Math.max(0, row)), Math.min(columns - 1, Math.max(0, column)));
    });
    const step = STEPS[event.key];
    if (step) to(y + step[0], x + step[1]);
    else if (event.key === "Home") to(event.shiftKey ? 0 : y, 0);
    else if (event.key === "End") to(event.shiftKey ? rows - 1 : y, columns - 1);
    else if (event.key === "PageUp") to(0, x);
    else if (event.key === "PageDown") to(rows - 1, x);
    else if (event.key === "Enter") this.choice.pin(true);
    else if (event.key === "Escape" && (pinned || this.walks)) this.letGo();
    else if (event.key === " ") this.space();
    else return;
    event.preventDefault();
  }

  letGo() {
    this.stop();
    this.choice.pin(false);
  }

  space() {
    if (this.walks) this.stop();
    else if (calm()) this.step(1);
    else this.walk();
  }

  /** Whoever moves the cell by hand ends the walk. */
  take(move) {
    this.stop();
    this.settle();
    if (this.choice.size()) move();
  }

  /** `count` cells on in row order; after the last comes the first. */
  step(count) {
    const [rows, columns] = this.choice.size();
    const { y, x } = this.choice.get();
    const place = (y * columns + x + count + rows * columns) % (rows * columns);
    this.choice.move(Math.floor(place / columns), place % columns);
  }

  walk() {
    if (calm() || !this.choice.size()) return;
    this.timer = setInterval(() => {
      if (this.choice.size()) this.step(1);
    }, EVERY);
    this.label();
  }

  stop() {
    if (!this.walks) return;
    clearInterval(this.timer);
    this.timer = 0;
    this.label();
  }

  label() {
    if (calm()) this.stop();
    const { play } = this.buttons;
    play.hidden = calm();
    play.textContent = this.walks ? play.dataset.pause : play.dataset.play;
    this.onWalk?.(this.walks);
  }
}
