// Black bars over a picture, drawn by mouse, finger or keyboard. Bars are [x, y, width, height], fractions of the
// picture, kept to a tenth of a percent, so that what stands in the list is what is sent.

import { inPercent } from "./numbers.js";

export const MOST = 32;
const SVG = "http://www.w3.org/2000/svg";
const SMALLEST = 0.005;
const STEP = 0.01;
const DRAWN = 0.012; // a drag shorter than this is a tap
const HANDLE = 7;
const HANDLE_HIT = 16;

const round = (value) => Math.round(value * 1000) / 1000;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A bar inside the picture with some area, its numbers rounded. */
export function tidy([x, y, width, height]) {
  const wide = clamp(round(width), SMALLEST, 1);
  const high = clamp(round(height), SMALLEST, 1);
  return [round(clamp(round(x), 0, 1 - wide)), round(clamp(round(y), 0, 1 - high)), wide, high];
}

export function describe(bar, number) {
  const [left, top, width, height] = bar.map(inPercent);
  return interpolate(
    gettext("Bar %(number)s: %(left)s% from the left, %(top)s% from the top, %(width)s% wide, %(height)s% high"),
    { number, left, top, width, height },
    true,
  );
}

/**
 * The bars of one picture; `svg` lies over it. `onChange(bars)` is called after each change, also in the middle of a
 * drag, `onSay(text)` to tell, and `onStep(bars, merge)` when something was done that can be undone: what comes
 * with the same `merge` belongs to one step.
 */
export class BarEditor {
  constructor(svg, { onChange, onSay, onFull, onStep = () => {} }) {
    this.svg = svg;
    this.onChange = onChange;
    this.onSay = onSay;
    this.onFull = onFull;
    this.onStep = onStep;
    this.presses = 0;
    this.bars = [];
    this.selected = -1;
    this.drag = null;
    this.enabled = true;
    svg.addEventListener("pointerdown", (event) => this.press(event));
    svg.addEventListener("pointermove", (event) => this.move(event));
    svg.addEventListener("pointerup", (event) => this.release(event));
    svg.addEventListener("pointercancel", () => this.abandon());
    svg.addEventListener("keydown", (event) => this.key(event));
    svg.addEventListener("focusin", (event) => this.select(this.indexOf(event.target)));
    svg.addEventListener("focusout", (event) => {
      if (!svg.contains(event.relatedTarget) && !this.drag) this.select(-1);
    });
  }

  /** Whether the bars can be taken hold of, or only seen. */
  enable(on) {
    this.enabled = on;
    if (!on) {
      this.abandon();
      this.select(-1);
    }
    for (const shape of this.shapes()) shape.setAttribute("tabindex", on ? "0" : "-1");
  }

  /** A picture of this size, with exactly these bars: stored ones may be finer than what can be drawn here. */
  reset(width, height, bars = []) {
    this.width = width;
    this.height = height;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.drag = null;
    this.put(bars);
  }

  /** These bars instead of those that are there, as one step. */
  replace(bars) {
    this.put(bars);
    this.onStep(this.bars, "");
  }

  /** These bars, which is no step of its own. */
  put(bars) {
    this.bars = bars.slice(0, MOST).map((bar) => [...bar]);
    this.selected = -1;
    this.draw();
    this.onChange(this.bars);
  }

  add(bar = this.middle()) {
    if (this.bars.length >= MOST) {
      this.onFull(gettext("There may be at most 32 bars. Remove one first."));
      return -1;
    }
    this.bars.push(tidy(bar));
    this.changed();
    return this.bars.length - 1;
  }

  /** A place in the middle where no other bar was put a moment ago. */
  middle() {
    const aside = (this.bars.length % 6) * 0.04;
    return [0.35 + aside, 0.35 + aside, 0.3, 0.3];
  }

  set(index, bar, merge = "") {
    this.bars[index] = tidy(bar);
    this.changed(merge);
  }

  remove(index) {
    this.bars.splice(index, 1);
    this.selected = -1;
    this.changed();
    this.onSay(interpolate(gettext("Bar %s removed."), [index + 1]));
  }

  clear() {
    this.bars = [];
    this.selected = -1;
    this.changed();
    this.onSay(gettext("All bars removed."));
  }

  focus(index) {
    this.shapes()[index]?.focus({ preventScroll: true });
  }

  // --- drawing what there is --------------------------------------------------------------------------------

  shapes() {
    return [...this.svg.querySelectorAll("rect")];
  }

  indexOf(element) {
    return this.shapes().indexOf(element);
  }

  changed(merge = "") {
    this.draw();
    this.onChange(this.bars);
    // A whole drag is one step, told when it ends.
    if (!this.drag) this.onStep(this.bars, merge);
  }

  draw() {
    const shapes = this.shapes();
    while (shapes.length > this.bars.length) shapes.pop().remove();
    while (shapes.length < this.bars.length) {
      const shape = document.createElementNS(SVG, "rect");
      shape.setAttribute("tabindex", this.enabled ? "0" : "-1");
      shape.setAttribute("role", "img");
      shape.setAttribute("aria-roledescription", gettext("movable bar"));
      shape.setAttribute("class", "bar");
      this.svg.insertBefore(shape, this.svg.querySelector(".handles"));
      shapes.push(shape);
    }
    this.bars.forEach((bar, index) => {
      const names = ["x", "y", "width", "height"];
      names.forEach((name, at) => shapes[index].setAttribute(name, bar[at] * (at % 2 ? this.height : this.width)));
      shapes[index].setAttribute("aria-label", describe(bar, index + 1));
    });
    this.drawHandles();
  }

  drawHandles() {
    this.svg.querySelector(".handles")?.remove();
    const bar = this.bars[this.selected];
    if (!bar) return;
    const scale = this.width / (this.svg.getBoundingClientRect().width || this.width);
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("class", "handles");
    group.setAttribute("aria-hidden", "true");
    for (const [right, bottom] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
      for (const [name, radius] of [["handle-hit", HANDLE_HIT], ["handle", HANDLE]]) {
        const circle = document.createElementNS(SVG, "circle");
        circle.setAttribute("class", name);
        circle.setAttribute("cx", (bar[0] + right * bar[2]) * this.width);
        circle.setAttribute("cy", (bar[1] + bottom * bar[3]) * this.height);
        circle.setAttribute("r", radius * scale);
        circle.dataset.corner = `${right}${bottom}`;
        group.append(circle);
      }
    }
    this.svg.append(group);
  }

  select(index) {
    if (index === this.selected) return;
    this.selected = index;
    this.drawHandles();
  }

  // --- mouse, pen and finger --------------------------------------------------------------------------------

  at(event) {
    const box = this.svg.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width, 0, 1), clamp((event.clientY - box.top) / box.height, 0, 1)];
  }

  press(event) {
    if (event.button !== 0 || this.drag || !this.width) return;
    event.preventDefault();
    const [x, y] = this.at(event);
    const corner = event.target.dataset?.corner;
    const index = corner ? this.selected : this.indexOf(event.target);
    if (index < 0 && this.bars.length >= MOST) return this.onFull(gettext("There may be at most 32 bars. Remove one first."));
    const before = this.bars.map((bar) => [...bar]);
    const kind = corner ? "resize" : index >= 0 ? "move" : "draw";
    this.drag = { kind, index, x, y, before, pointer: event.pointerId };
    if (corner) {
      // The corner across stays where it is.
      const [left, top, width, height] = before[index];
      this.drag.x = corner[0] === "1" ? left : left + width;
      this.drag.y = corner[1] === "1" ? top : top + height;
    }
    this.svg.setPointerCapture(event.pointerId);
    if (index >= 0) this.focus(index);
    else this.select(-1);
  }

  move(event) {
    const drag = this.drag;
    if (!drag || event.pointerId !== drag.pointer) return;
    const [x, y] = this.at(event);
    if (drag.kind === "move") {
      const [left, top, width, height] = drag.before[drag.index];
      this.set(drag.index, [left + x - drag.x, top + y - drag.y, width, height]);
      return;
    }
    if (drag.kind === "draw" && drag.index < 0) {
      if (Math.hypot(x - drag.x, y - drag.y) < DRAWN) return;
      drag.index = this.add([drag.x, drag.y, SMALLEST, SMALLEST]);
      this.selected = drag.index;
    }
    this.set(drag.index, [Math.min(x, drag.x), Math.min(y, drag.y), Math.abs(x - drag.x), Math.abs(y - drag.y)]);
  }

  release(event) {
    const drag = this.drag;
    if (!drag || event.pointerId !== drag.pointer) return;
    this.drag = null;
    if (drag.index < 0) return;
    this.onStep(this.bars, "");
    this.focus(drag.index);
    this.onSay(describe(this.bars[drag.index], drag.index + 1));
  }

  abandon() {
    if (!this.drag) return;
    this.bars = this.drag.before;
    this.drag = null;
    this.selected = -1;
    this.changed();
  }

  // --- keyboard ---------------------------------------------------------------------------------------------

  key(event) {
    if (event.key === "Escape" && this.drag) return this.abandon();
    const index = this.indexOf(event.target);
    if (index < 0 || event.ctrlKey || event.metaKey || event.altKey) return undefined;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.remove(index);
      if (this.bars.length) this.focus(Math.min(index, this.bars.length - 1));
      else this.svg.dispatchEvent(new CustomEvent("emptied", { bubbles: true }));
      return undefined;
    }
    const step = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (!step) return undefined;
    event.preventDefault();
    const [x, y, width, height] = this.bars[index];
    // A key that is held down is one step.
    if (!event.repeat) this.presses += 1;
    const merge = `key ${this.presses}`;
    if (event.shiftKey) {
      // Grows to the right and downwards only, up to the picture's edge.
      const wide = clamp(width + step[0], STEP, 1 - x);
      const high = clamp(height + step[1], STEP, 1 - y);
      this.set(index, [x, y, wide, high], merge);
    } else this.set(index, [x + step[0], y + step[1], width, height], merge);
    this.onSay(describe(this.bars[index], index + 1));
    return undefined;
  }
}
