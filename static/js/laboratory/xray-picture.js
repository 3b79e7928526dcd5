// The picture as the network saw it, with the place that is looked at. It can be pointed at: then the place is chosen there.

import { el } from "./xray-dom.js";
import { arrow, atMostOnceAFrame, frame, shares } from "./xray-maps.js";

export class Picture {
  /** `onPlace(y, x)` hears which cell of the layer is pointed at. */
  constructor({ label, onPlace }) {
    this.onPlace = onPlace;
    this.image = el("img", { className: "cells", alt: "", draggable: "false" });
    this.cell = el("div", { className: "xray-mark", hidden: true, "aria-hidden": "true" });
    this.field = el("div", { className: "xray-field", hidden: true, "aria-hidden": "true" });
    this.element = el("div", { className: "xray-picture", tabIndex: 0, role: "application", "aria-label": label },
      this.image, this.field, this.cell);
    const point = atMostOnceAFrame((at) => this.point(at));
    for (const type of ["pointermove", "pointerdown"]) {
      this.element.addEventListener(type, (event) => point(shares(event, this.element)));
    }
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  /** `src`: the picture's address; the layer has `rows` x `columns` cells, `size` is the picture's side in its pixels. */
  show({ src, rows, columns, size }) {
    if (this.image.getAttribute("src") !== src) this.image.src = src;
    Object.assign(this, { rows, columns, size });
  }

  /** Marks a cell (none where `y` is below 0), and the part of the picture that it can depend on. */
  mark(y, x, field = null) {
    this.place = y < 0 ? null : [y, x];
    frame(this.cell, y < 0 ? null : { left: x / this.columns, top: y / this.rows, width: 1 / this.columns, height: 1 / this.rows });
    frame(this.field, y < 0 || !field ? null : {
      left: field.left / this.size,
      top: field.top / this.size,
      width: (field.right - field.left) / this.size,
      height: (field.bottom - field.top) / this.size,
    });
  }

  point({ x, y }) {
    if (!this.rows) return;
    this.choose(Math.floor(y * this.rows), Math.floor(x * this.columns));
  }

  key(event) {
    const step = arrow(event);
    if (!step || !this.rows) return;
    event.preventDefault();
    const [y, x] = this.place ?? [Math.floor(this.rows / 2) - step[0], Math.floor(this.columns / 2) - step[1]];
    this.choose(y + step[0], x + step[1]);
  }

  choose(y, x) {
    const within = (value, count) => Math.min(count - 1, Math.max(0, value));
    const [row, column] = [within(y, this.rows), within(x, this.columns)];
    if (this.place?.[0] !== row || this.place?.[1] !== column) this.onPlace(row, column);
  }
}
