// Maps drawn side by side on one canvas, a pixel for each number, and the element that marks one of them.

import { signed } from "./colours.js";

const GAP = 1;
const LEAST = 16; // pixels of the canvas that a map takes at least, so that a gap stays small beside it

/** How many pixels of the canvas a cell takes across. */
const zoomOf = ({ width, height }) => Math.ceil(LEAST / Math.max(width, height));

/** A canvas's size for so many maps: [across, down, size of a map, height of a map, zoom]. */
function sizes(maps, columns, count) {
  const zoom = zoomOf(maps);
  const [width, height] = [maps.width * zoom, maps.height * zoom];
  const rows = Math.ceil(count / columns);
  return { zoom, width, height, across: columns * (width + GAP) - GAP, down: rows * (height + GAP) - GAP };
}

/** The largest size in map `place` of `maps`, to be its own scale. */
export function reachOf({ data, width, height }, place) {
  const size = width * height;
  let most = 0;
  for (let i = place * size; i < (place + 1) * size; i += 1) most = Math.max(most, Math.abs(data[i]));
  return most;
}

/** Gives a canvas the size that `drawMaps` will, so that nothing moves when the maps come. */
export function reserve(canvas, maps, columns, count) {
  const { across, down } = sizes(maps, columns, count);
  canvas.width = across;
  canvas.height = down;
}

/**
 * Draws the first `count` maps in rows of `columns`, a transparent pixel apart. `scaleOf(place)` gives the scale of a map.
 * laboratory.css enlarges the canvas without smoothing (class "cells").
 */
export function drawMaps(canvas, maps, { columns, count = maps.count, scaleOf }) {
  const { zoom, width, height, across, down } = sizes(maps, columns, count);
  const image = new ImageData(across, down);
  const pixels = new Uint32Array(image.data.buffer);
  const { words, step } = signed;
  let from = 0;
  for (let place = 0; place < count; place += 1) {
    const scale = scaleOf(place);
    const left = (place % columns) * (width + GAP);
    const top = Math.floor(place / columns) * (height + GAP);
    for (let y = 0; y < maps.height; y += 1) {
      const first = (top + y * zoom) * across + left;
      for (let x = 0; x < maps.width; x += 1) {
        pixels.fill(words[step(maps.data[from], scale)], first + x * zoom, first + (x + 1) * zoom);
        from += 1;
      }
      for (let more = 1; more < zoom; more += 1) pixels.copyWithin(first + more * across, first, first + width);
    }
  }
  canvas.width = across;
  canvas.height = down;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Where map `place` lies on such a canvas, as shares of its size: {left, top, width, height}. */
export function placeOf(maps, columns, count, place) {
  const { width, height, across, down } = sizes(maps, columns, count);
  return {
    left: ((place % columns) * (width + GAP)) / across,
    top: (Math.floor(place / columns) * (height + GAP)) / down,
    width: width / across,
    height: height / down,
  };
}

/** Which map a place (shares of the canvas) lies on, or -1. */
export function mapAt(maps, columns, count, x, y) {
  const rows = Math.ceil(count / columns);
  const column = Math.min(columns - 1, Math.floor(x * columns));
  const row = Math.min(rows - 1, Math.floor(y * rows));
  const place = row * columns + column;
  return x >= 0 && y >= 0 && x <= 1 && y <= 1 && place < count ? place : -1;
}

/** Puts a frame around a part of what it lies over; `box` are shares of it. Null hides the frame. */
export function frame(element, box) {
  element.hidden = !box;
  if (!box) return;
  for (const side of ["left", "top", "width", "height"]) element.style.setProperty(side, `${100 * box[side]}%`);
}

/** Where a pointer is, as shares of an element's box. */
export function shares(event, element) {
  const box = element.getBoundingClientRect();
  return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
}

/** `act`, with what it was last called with, before the next frame is drawn: a pointer tells of itself more often. */
export function atMostOnceAFrame(act) {
  let last = null;
  return (value) => {
    if (last === null) {
      requestAnimationFrame(() => {
        const now = last;
        last = null;
        act(now);
      });
    }
    last = value;
  };
}

/** How far an arrow key goes: [rows, columns], or null for another key. */
export function arrow(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const far = event.shiftKey ? 4 : 1;
  return { ArrowLeft: [0, -far], ArrowRight: [0, far], ArrowUp: [-far, 0], ArrowDown: [far, 0] }[event.key] ?? null;
}
