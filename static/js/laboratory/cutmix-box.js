// A rectangle of whole pixels over a picture, drawn and moved by mouse, finger or keyboard.

const KEYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export class Frame {
  /** `get()` gives the rectangle [y, x, height, width] on a picture of `size` pixels, `set(box)` changes it. */
  constructor(element, size, { get, set }) {
    Object.assign(this, { element, size, get, set, drag: null, frame: 0 });
    element.addEventListener("pointerdown", (event) => this.press(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      element.addEventListener(name, () => {
        this.drag = null;
      });
    }
    element.addEventListener("keydown", (event) => this.key(event));
  }

  /** Once before the next frame. */
  later(listener) {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      listener();
    });
  }

  /** The pixel under a pointer. */
  under({ clientX, clientY }) {
    const box = this.element.getBoundingClientRect();
    const at = (share) => clamp(Math.floor(share * this.size), 0, this.size - 1);
    return [at((clientY - box.top) / box.height), at((clientX - box.left) / box.width)];
  }

  press(event) {
    if (event.button) return;
    const [row, column] = this.under(event);
    const [y, x, height, width] = this.get();
    const isInside = row >= y && row < y + height && column >= x && column < x + width;
    this.drag = isInside ? { from: [row, column], box: [y, x, height, width] } : { corner: [row, column] };
    this.element.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.drag) return;
    const [row, column] = this.under(event);
    const { from, box, corner } = this.drag;
    if (corner) {
      const [top, left] = [Math.min(row, corner[0]), Math.min(column, corner[1])];
      this.set([top, left, Math.abs(row - corner[0]) + 1, Math.abs(column - corner[1]) + 1]);
    } else {
      this.set([box[0] + row - from[0], box[1] + column - from[1], box[2], box[3]]);
    }
  }

  key(event) {
    const step = KEYS[event.key];
    if (!step) return;
    event.preventDefault();
    const [y, x, height, width] = this.get();
    if (event.shiftKey) {
      // It grows to the lower right, and where there is no more room it stays.
      this.set([y, x, clamp(height + step[0], 1, this.size - y), clamp(width + step[1], 1, this.size - x)]);
    } else this.set([y + step[0], x + step[1], height, width]);
  }
}
