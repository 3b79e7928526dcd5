// The square of the picture that goes in, placed by mouse, finger or keyboard. It is kept in whole pixels of the
// picture on the page and told as [x, y, width, height], fractions of it; [0, 0, 1, 1] is the whole picture.

import { inPercent } from "./numbers.js";

const STEP = 0.01; // of the shorter side
const FURTHER = 10;
const SMALLEST = 0.05;
const CORNERS = ["00", "10", "01", "11"];

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const grid = (value) => Math.round(value * 1e6) / 1e6;

/** The largest square in the middle of a picture, in pixels. */
export function centred(width, height) {
  const side = Math.min(width, height);
  return { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), side };
}

/** The box on one picture; `onChange(editor)` is called after each change, `onSay(text)` to tell. */
export class CropEditor {
  constructor(frame, { onChange, onSay }) {
    this.onChange = onChange;
    this.onSay = onSay;
    this.box = null; // {left, top, side}; null for the whole of a picture that is not square
    this.drag = null;
    this.layer = document.createElement("div");
    this.layer.className = "crop-layer";
    this.layer.setAttribute("role", "application");
    this.layer.setAttribute("aria-label", gettext("Box on the picture"));
    this.layer.innerHTML = `<div class="crop-shade"><div class="crop-hole"></div></div><div class="crop-box" role="img"></div>`;
    this.hole = this.layer.querySelector(".crop-hole");
    this.shape = this.layer.querySelector(".crop-box");
    this.shape.setAttribute("aria-roledescription", gettext("movable box"));
    this.shape.setAttribute("aria-describedby", "crop-help");
    for (const corner of CORNERS) {
      const handle = document.createElement("span");
      handle.className = "crop-corner";
      handle.dataset.corner = corner;
      this.shape.append(handle);
    }
    frame.append(this.layer);
    this.enable(false);
    this.shape.addEventListener("pointerdown", (event) => this.press(event));
    this.shape.addEventListener("pointermove", (event) => this.move(event));
    this.shape.addEventListener("pointerup", (event) => this.release(event));
    this.shape.addEventListener("pointercancel", () => this.abandon());
    this.shape.addEventListener("keydown", (event) => this.key(event));
  }

  /** Whether the box can be taken hold of, or only seen. */
  enable(on) {
    this.layer.classList.toggle("is-active", on);
    this.shape.tabIndex = on ? 0 : -1;
    if (!on) this.abandon();
  }

  /** A picture of this size; its box is set next. */
  start(width, height) {
    this.width = width;
    this.height = height;
    this.short = Math.min(width, height);
    this.smallest = Math.max(1, Math.ceil(this.short * SMALLEST));
    this.drag = null;
  }

  /** {left, top, side}, or null for all of the picture. */
  set(box) {
    this.box = box && this.tidy(box);
    // All of a square picture is a box that can be made smaller.
    if (!box && this.width === this.height) this.box = { left: 0, top: 0, side: this.width };
    this.draw();
    this.onChange(this);
  }

  /** In whole pixels, inside the picture and not too small to take hold of. */
  tidy({ left, top, side }) {
    const length = Math.round(clamp(side, this.smallest, this.short));
    return {
      left: Math.round(clamp(left, 0, this.width - length)),
      top: Math.round(clamp(top, 0, this.height - length)),
      side: length,
    };
  }

  get whole() {
    return !this.box || (this.box.side === this.width && this.box.side === this.height);
  }

  /** The box in fractions of the picture. */
  get fractions() {
    if (this.whole) return [0, 0, 1, 1];
    const { left, top, side } = this.box;
    return [left / this.width, top / this.height, side / this.width, side / this.height].map(grid);
  }

  /** The same from fractions; what is the whole picture, or no square on it, becomes the whole picture. */
  fromFractions([x, y, width, height]) {
    const [across, down] = [width * this.width, height * this.height];
    if ((width === 1 && height === 1) || Math.abs(across - down) > Math.max(2, 0.02 * Math.max(across, down))) return null;
    return { left: x * this.width, top: y * this.height, side: (across + down) / 2 };
  }

  focus() {
    this.shape.focus({ preventScroll: true });
  }

  describe() {
    if (this.whole) return gettext("The whole picture goes in.");
    const { left, top, side } = this.box;
    return interpolate(
      gettext("Box: %(left)s% from the left, %(top)s% from the top, %(size)s% of the shorter side"),
      { left: inPercent(left / this.width), top: inPercent(top / this.height), size: inPercent(side / this.short) },
      true,
    );
  }

  draw() {
    this.layer.hidden = !this.box;
    if (!this.box) return;
    const [x, y, width, height] = this.whole ? [0, 0, 1, 1] : this.fractions;
    for (const part of [this.hole, this.shape]) {
      Object.entries({ left: x, top: y, width, height }).forEach(([name, share]) => {
        part.style[name] = `${share * 100}%`;
      });
    }
    this.shape.setAttribute("aria-label", this.describe());
  }

  // --- mouse, pen and finger --------------------------------------------------------------------------------

  /** Where the pointer is, in pixels of the picture. */
  at(event) {
    const frame = this.layer.getBoundingClientRect();
    return [
      ((event.clientX - frame.left) / frame.width) * this.width,
      ((event.clientY - frame.top) / frame.height) * this.height,
    ];
  }

  press(event) {
    if (event.button !== 0 || this.drag) return;
    event.preventDefault();
    const [x, y] = this.at(event);
    this.drag = { corner: event.target.dataset.corner, x, y, before: { ...this.box }, pointer: event.pointerId };
    this.shape.setPointerCapture(event.pointerId);
    this.focus();
  }

  move(event) {
    const drag = this.drag;
    if (!drag || event.pointerId !== drag.pointer) return;
    const [x, y] = this.at(event);
    const { left, top, side } = drag.before;
    if (drag.corner) this.set(this.pulled(drag, x - drag.x, y - drag.y));
    else this.set({ left: left + x - drag.x, top: top + y - drag.y, side });
  }

  /** The box with one corner pulled; the corner across from it stays where it is. */
  pulled({ corner, before }, dx, dy) {
    const right = corner[0] === "1";
    const bottom = corner[1] === "1";
    const anchorX = right ? before.left : before.left + before.side;
    const anchorY = bottom ? before.top : before.top + before.side;
    const room = Math.min(right ? this.width - anchorX : anchorX, bottom ? this.height - anchorY : anchorY);
    // Whichever way the hand went further decides.
    const [across, down] = [right ? dx : -dx, bottom ? dy : -dy];
    const grown = Math.abs(across) > Math.abs(down) ? across : down;
    const side = Math.round(clamp(before.side + grown, Math.min(this.smallest, room), room));
    return { left: right ? anchorX : anchorX - side, top: bottom ? anchorY : anchorY - side, side };
  }

  release(event) {
    if (!this.drag || event.pointerId !== this.drag.pointer) return;
    this.drag = null;
    this.onSay(this.describe());
  }

  abandon() {
    if (!this.drag) return;
    const { before } = this.drag;
    this.drag = null;
    this.set(before);
  }

  // --- keyboard ---------------------------------------------------------------------------------------------

  key(event) {
    if (event.key === "Escape" && this.drag) return this.abandon();
    if (event.ctrlKey || event.metaKey || event.altKey || !this.box) return undefined;
    const step = Math.max(1, Math.round(this.short * STEP)) * (event.shiftKey ? FURTHER : 1);
    const { left, top, side } = this.box;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    // With Shift, + is the only way to type a plus on many keyboards, so it is no larger step there.
    const grow = { "+": 2, "=": 2, "-": -2, _: -2 }[event.key];
    if (!way && !grow) return undefined;
    event.preventDefault();
    if (way) this.set({ left: left + way[0] * step, top: top + way[1] * step, side });
    else this.resize(side + grow * Math.max(1, Math.round(this.short * STEP)));
    this.onSay(this.describe());
    return undefined;
  }

  /** Another size about the same middle. */
  resize(wanted) {
    const { left, top, side } = this.box;
    const length = clamp(wanted, this.smallest, this.short);
    this.set({ left: left + (side - length) / 2, top: top + (side - length) / 2, side: length });
  }
}
