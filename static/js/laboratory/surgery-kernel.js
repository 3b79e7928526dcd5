// The nine numbers of a kernel: typed, stepped by the arrow keys, or dragged sideways, each on the colour of its size.

import { css, inkOn, legend, weight } from "./colours.js";

const STEP = 0.01;
const PIXELS = 4; // of a drag sideways that are one step
const STARTS = 4; // pixels before a press becomes a drag
const SHOWN = 4; // digits behind the point

/** Kernels for 3 x 3, row by row; each is scaled to the size of the one that it replaces. */
const SHAPES = {
  zero: [0, 0, 0, 0, 0, 0, 0, 0, 0],
  horizontal: [1, 2, 1, 0, 0, 0, -1, -2, -1],
  vertical: [1, 0, -1, 2, 0, -2, 1, 0, -1],
  blur: [1, 2, 1, 2, 4, 2, 1, 2, 1],
};

/** What a preset puts in the place of a kernel: of the same size in all (the sum of squares), so that it is still heard. */
export function preset(name, kernel, trained) {
  if (name === "trained") return [...trained];
  if (name === "flip") return kernel.map((one) => (one ? -one : 0));
  if (name === "zero" || kernel.length !== 9) return kernel.map(() => 0);
  const size = (values) => Math.hypot(...values);
  const factor = size(trained) / size(SHAPES[name]) || STEP;
  return SHAPES[name].map((one) => one * factor);
}

export class KernelEditor {
  /** `onChange(kernel, cell)` hears a whole kernel; `largest` bounds its numbers; `wrong` is where a sentence stands. */
  constructor(fieldset, { wrong, legendPlace, largest, onChange }) {
    this.fieldset = fieldset;
    this.wrong = wrong;
    this.legendPlace = legendPlace;
    this.largest = largest;
    this.onChange = onChange;
    this.kernel = [];
    this.inputs = [];
  }

  /** Shows a kernel of `side` x `side` numbers on the scale `scale`. What is invalid stays as it was typed. */
  show(kernel, side, scale) {
    if (this.inputs.length !== kernel.length) this.build(side);
    this.kernel = [...kernel];
    this.scale = scale;
    this.inputs.forEach((input, i) => {
      const typing = document.activeElement === input && Number(input.value) === kernel[i];
      if (!input.hasAttribute("aria-invalid") && !typing) input.value = String(Number(kernel[i].toFixed(SHOWN)));
      this.colour(input, kernel[i]);
    });
    legend(this.legendPlace, scale, weight, { title: gettext("Weight"), digits: 2 });
  }

  /** Another kernel takes their place: nothing typed is left of the one before. */
  clear() {
    for (const input of this.inputs) input.removeAttribute("aria-invalid");
    this.object("");
  }

  build(side) {
    this.fieldset.style.setProperty("--side", side);
    this.inputs = Array.from({ length: side * side }, (_, i) => this.cell(i, side));
    this.fieldset.replaceChildren(this.fieldset.querySelector("legend"), ...this.inputs);
  }

  cell(i, side) {
    const input = document.createElement("input");
    input.type = "number";
    input.step = "any";
    input.inputMode = "decimal";
    input.setAttribute("aria-describedby", "surgery-wrong");
    input.setAttribute("aria-label", interpolate(gettext("row %(row)s, column %(column)s"),
      { row: Math.floor(i / side) + 1, column: (i % side) + 1 }, true));
    input.addEventListener("input", () => this.typed(i));
    input.addEventListener("blur", () => this.left(i));
    input.addEventListener("keydown", (event) => this.key(event, i));
    input.addEventListener("pointerdown", (event) => this.press(event, i));
    return input;
  }

  colour(input, value) {
    const colour = weight(value, this.scale);
    input.style.backgroundColor = css(colour);
    input.style.color = inkOn(colour);
  }

  object(sentence, input = null) {
    this.wrong.textContent = sentence;
    this.wrong.hidden = !sentence;
    if (input && sentence) input.setAttribute("aria-invalid", "true");
  }

  typed(i) {
    const input = this.inputs[i];
    const value = Number(input.value);
    if (input.validity.badInput || input.value.trim() === "" || !Number.isFinite(value)) {
      return this.object(gettext("This is no number yet. The kernel stays as it was until it is one."), input);
    }
    if (Math.abs(value) > this.largest) {
      return this.object(interpolate(gettext("Weights go from −%(most)s to %(most)s here. The kernel stays as it was."),
        { most: this.largest }, true), input);
    }
    this.accept(i, value);
  }

  accept(i, value) {
    this.inputs[i].removeAttribute("aria-invalid");
    if (!this.inputs.some((input) => input.hasAttribute("aria-invalid"))) this.object("");
    const kernel = [...this.kernel];
    kernel[i] = value;
    this.onChange(kernel, i);
  }

  /** A number that is right is written as all are; a wrong one stays to be mended. */
  left(i) {
    const input = this.inputs[i];
    if (!input.hasAttribute("aria-invalid")) input.value = String(Number(this.kernel[i].toFixed(SHOWN)));
  }

  step(i, steps) {
    const value = Math.min(this.largest, Math.max(-this.largest, this.kernel[i] + steps * STEP));
    this.accept(i, Number(value.toFixed(6)));
    this.inputs[i].value = String(Number(this.kernel[i].toFixed(SHOWN)));
  }

  key(event, i) {
    const up = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (!up || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.step(i, event.shiftKey && Math.abs(up) === 1 ? 10 * up : up);
  }

  press(event, i) {
    if (event.button !== 0) return;
    const input = this.inputs[i];
    const from = event.clientX;
    const before = this.kernel[i];
    let dragging = false;
    const move = (now) => {
      const moved = now.clientX - from;
      if (!dragging && Math.abs(moved) < STARTS) return;
      if (!dragging) {
        dragging = true;
        input.setPointerCapture(event.pointerId);
        input.classList.add("dragged");
      }
      now.preventDefault();
      const steps = Math.round(moved / PIXELS) * (now.shiftKey ? 10 : 1);
      const target = Math.min(this.largest, Math.max(-this.largest, before + steps * STEP));
      if (target !== this.kernel[i]) {
        this.accept(i, Number(target.toFixed(6)));
        input.value = String(Number(this.kernel[i].toFixed(SHOWN)));
      }
    };
    const end = () => {
      input.classList.remove("dragged");
      input.removeEventListener("pointermove", move);
      input.removeEventListener("pointerup", end);
      input.removeEventListener("pointercancel", end);
    };
    input.addEventListener("pointermove", move);
    input.addEventListener("pointerup", end);
    input.addEventListener("pointercancel", end);
  }
}
