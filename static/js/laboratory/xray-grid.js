// All maps of a layer, by falling energy: to point at, to walk through with the arrow keys, to open.

import { el } from "./xray-dom.js";
import { arrow, drawMaps, frame, mapAt, placeOf, reachOf, shares } from "./xray-maps.js";
import { fill } from "./xray-text.js";

const WIDEST = 46; // pixels on the screen that a map takes at most, and about as many at least
const SMALLEST = 30;
const MANY = 400;
const FIRST_ROWS = 12;

export class Grid {
  /** `onPoint(place)` hears which map is pointed at (-1: none), `onOpen(place)` which is opened. */
  constructor({ label, onPoint, onOpen }) {
    this.onPoint = onPoint;
    this.onOpen = onOpen;
    this.place = -1;
    this.chosen = -1;
    this.all = false;
    this.canvas = el("canvas", { className: "cells xray-grid-maps" });
    this.mark = el("div", { className: "xray-mark", hidden: true, "aria-hidden": "true" });
    this.pad = el("div", { className: "xray-grid", tabIndex: 0, role: "application", "aria-label": label }, this.canvas, this.mark);
    this.more = el("button", { className: "button secondary small", type: "button", hidden: true, onclick: () => this.showAll() });
    this.element = el("div", { className: "xray-grid-frame" }, this.pad, this.more);
    this.pad.addEventListener("pointermove", (event) => this.point(this.at(event)));
    this.pad.addEventListener("pointerleave", () => this.point(this.chosen));
    this.pad.addEventListener("click", (event) => this.open(this.at(event)));
    this.pad.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.maps && this.paint()).observe(this.element);
  }

  /** Shows `maps`; `scale` is a number, or null where each map has its own. */
  show(maps, scale) {
    this.maps = maps;
    this.scale = scale;
    this.columns = 0;
    this.paint();
  }

  paint() {
    const wanted = this.maps.count > MANY ? SMALLEST : WIDEST;
    const columns = Math.max(1, Math.min(this.maps.count, Math.round(this.element.clientWidth / wanted)));
    if (columns === this.columns) return;
    this.columns = columns;
    this.count = this.all ? this.maps.count : Math.min(this.maps.count, columns * FIRST_ROWS);
    this.more.hidden = this.count === this.maps.count;
    this.more.textContent = fill(gettext("Show all %(count)s"), { count: this.maps.count });
    const scaleOf = this.scale === null ? (place) => reachOf(this.maps, place) || 1 : () => this.scale;
    drawMaps(this.canvas, this.maps, { columns, count: this.count, scaleOf });
    this.canvas.style.setProperty("width", this.maps.count < columns * 2 ? `${Math.min(100, (100 * this.maps.count * WIDEST) / this.element.clientWidth)}%` : "100%");
    this.select(this.place);
  }

  showAll() {
    this.all = true;
    this.columns = 0;
    this.paint();
    this.pad.focus();
  }

  /** Frames the map that is open (-1: none), to which the frame returns when the pointer leaves. */
  choose(place) {
    this.chosen = place;
    if (this.maps) this.select(place);
  }

  /** Frames a map without telling anybody. */
  select(place) {
    this.place = place < this.count ? place : -1;
    frame(this.mark, this.place < 0 ? null : placeOf(this.maps, this.columns, this.count, this.place));
    if (this.place >= 0) this.mark.dataset.channel = this.maps.channels[this.place];
  }

  at(event) {
    if (!this.maps) return -1;
    const { x, y } = shares(event, this.canvas);
    return mapAt(this.maps, this.columns, this.count, x, y);
  }

  point(place) {
    if (!this.maps || place === this.place) return;
    this.select(place);
    this.onPoint(this.place);
  }

  open(place) {
    if (place >= 0) this.onOpen(place);
  }

  key(event) {
    if (!this.maps) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.open(this.place);
      return;
    }
    const last = this.count - 1;
    const step = arrow(event);
    const jump = { Home: 0, End: last }[event.key];
    if (!step && jump === undefined) return;
    event.preventDefault();
    if (jump !== undefined) this.point(jump);
    else if (this.place < 0) this.point(0);
    else {
      const next = this.place + step[0] * this.columns + step[1];
      if (next >= 0 && next <= last) this.point(next);
    }
  }
}
