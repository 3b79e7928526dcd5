// The drawings of the arithmetic figure: a map with a mark, and the magnifier. Every one draws what it was last given; who
// calls does so once a frame.

import { number } from "../numbers.js";
import { hatch, paint, signed } from "./colours.js";

const HATCHED = "#767676"; // on padding, light or dark, as the hatching itself
const SEEN = 9; // rows and columns in the magnifier
const LEGIBLE = 27; // CSS pixels that a cell needs for a number

/** A canvas as fine as the screen. `changed` is called when it must be drawn again. */
export class Surface {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.fine = 1;
    this.shown = false; // what has no room on the page is not drawn
    new ResizeObserver(([{ contentRect }]) => {
      this.fine = window.devicePixelRatio || 1;
      const [width, height] = [contentRect.width, contentRect.height].map((side) => Math.round(side * this.fine));
      const wasShown = this.shown;
      this.shown = width > 0 && height > 0;
      if (!this.shown || (wasShown && width === canvas.width && height === canvas.height)) return;
      canvas.width = width;
      canvas.height = height;
      changed();
    }).observe(canvas);
  }

  /** Visible on every colour: white within black. */
  outline(x, y, width, height, { dashed = false, thick = 2 } = {}) {
    const { pen, fine } = this;
    pen.save();
    if (dashed) pen.setLineDash([4 * fine, 3 * fine]);
    pen.lineJoin = "round";
    for (const [colour, size] of [["#000000", thick + 2], ["#ffffff", thick]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = size * fine;
      pen.strokeRect(x, y, width, height);
    }
    pen.restore();
  }
}

/** One channel as a map, with a mark on it and, where a convolution pads, its padding around it. */
export class MapView extends Surface {
  constructor(canvas, changed) {
    super(canvas, changed);
    this.base = document.createElement("canvas");
    this.map = null;
    this.margin = 0;
  }

  /** `map`: {data, width, height}; `margin`: rows and columns of padding to be seen around it. */
  set(map, scale, margin = 0) {
    this.map = map;
    this.margin = margin;
    paint(this.base, map, scale, signed);
  }

  get unit() {
    return this.canvas.width / (Math.max(this.map.width, this.map.height) + 2 * this.margin);
  }

  /** Marks a square: {top, left, side} in cells of the map. */
  draw({ top, left, side }) {
    if (!this.map || !this.shown) return;
    const { pen, canvas, unit, margin, map } = this;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (margin) hatch(pen, 0, 0, canvas.width, canvas.height, { apart: 5 * this.fine });
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.base, margin * unit, margin * unit, map.width * unit, map.height * unit);
    this.outline((left + margin) * unit, (top + margin) * unit, side * unit, side * unit);
  }

  /** The cell [y, x] under a pointer, the nearest one when it is beside the map. */
  cellAt(event) {
    const unit = this.unit / this.fine;
    const within = (place, count) => Math.min(count - 1, Math.max(0, Math.floor(place / unit - this.margin)));
    return [within(event.offsetY, this.map.height), within(event.offsetX, this.map.width)];
  }
}

/** Nine by nine cells around a window, large enough to be read. */
export class Magnifier extends Surface {
  /**
   * `layer` reads the map {data, width, height} through `where`, {top, left, side}. Cells that no window of the layer ever
   * reads are pale; a dashed line is the next cell's window where that is further than one step away.
   */
  draw(map, scale, layer, where) {
    if (!this.shown) return;
    const { pen, canvas } = this;
    const unit = canvas.width / SEEN;
    const middle = (where.side - 1) >> 1;
    const [top, left] = [where.top + middle - (SEEN >> 1), where.left + middle - (SEEN >> 1)];
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.font = `${Math.round(unit * 0.32)}px ui-monospace, "Liberation Mono", monospace`;
    this.padding(map, layer, top, left, unit);
    for (let row = 0; row < SEEN; row++) {
      for (let column = 0; column < SEEN; column++) {
        this.cell(map, scale, layer, [top + row, left + column], [column * unit, row * unit, unit]);
      }
    }
    const place = [(where.left - left) * unit, (where.top - top) * unit, where.side * unit, where.side * unit];
    if (layer.stride > 1) this.outline(place[0] + layer.stride * unit, ...place.slice(1), { dashed: true, thick: 1 });
    this.outline(...place, { thick: 3 });
  }

  /** Hatches the map and its padding at once, as far as it is seen; the map's own cells then cover what is not padding. */
  padding({ width, height }, { padding: [above, before, below, after] }, top, left, unit) {
    if (!(above || before || below || after)) return;
    if (top >= 0 && left >= 0 && top + SEEN <= height && left + SEEN <= width) return;
    const within = (place) => Math.min(SEEN, Math.max(0, place)) * unit;
    const [x0, x1] = [within(-before - left), within(width + after - left)];
    const [y0, y1] = [within(-above - top), within(height + below - top)];
    hatch(this.pen, x0, y0, x1 - x0, y1 - y0, { apart: 5 * this.fine });
  }

  cell({ data, width, height }, scale, layer, [y, x], [left, top, unit]) {
    const { pen } = this;
    if (y >= 0 && x >= 0 && y < height && x < width) {
      const value = data[y * width + x];
      const read = isRead(layer, y, x);
      if (!read) {
        pen.fillStyle = "#ffffff";
        pen.fillRect(left, top, unit + 1, unit + 1);
        pen.globalAlpha = 0.35;
      }
      pen.fillStyle = signed.style(value, scale);
      pen.fillRect(left, top, unit + 1, unit + 1);
      if (unit / this.fine >= LEGIBLE) this.write(number(value, 2), signed.ink(value, scale), left + unit / 2, top + unit / 2);
      if (!read) pen.globalAlpha = 1;
    } else if (isPadding(layer, y, x, height, width)) {
      this.write("0", HATCHED, left + unit / 2, top + unit / 2);
    }
  }

  write(text, ink, x, y) {
    const { pen } = this;
    pen.fillStyle = ink;
    pen.fillText(text, x, y);
  }
}

/** Whether any window of the layer covers a cell: a 1 x 1 window that moves by two passes over three of four. */
function isRead(layer, y, x) {
  if (layer.kernel >= layer.stride) return true;
  const along = (place, padding) => (((place + padding) % layer.stride) + layer.stride) % layer.stride < layer.kernel;
  return along(y, layer.padding[0]) && along(x, layer.padding[1]);
}

function isPadding(layer, y, x, height, width) {
  const [top, left, bottom, right] = layer.padding;
  return y >= -top && x >= -left && y < height + bottom && x < width + right;
}
