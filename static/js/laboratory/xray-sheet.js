// Sheets of feature maps (ml/explain/sheets.py), read back as numbers. They are palette PNGs without filters whose index
// is the value in `LEVELS` steps of the sheet's scale, so their bytes say it exactly, where a canvas might not.

import { askBytes, Problem } from "../http.js";

const LEVELS = 127;
const PALETTE = 3;

/** The indices of a sheet: {data: Uint8Array, width, height}. Throws a Problem. */
export async function indices(url) {
  const buffer = await askBytes(url);
  const view = new DataView(buffer);
  const parts = [];
  let width = 0;
  let height = 0;
  for (let at = 8; at + 8 <= buffer.byteLength; at += 12 + view.getUint32(at)) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...new Uint8Array(buffer, at + 4, 4));
    if (kind === "IHDR") {
      width = view.getUint32(at + 8);
      height = view.getUint32(at + 12);
      if (view.getUint8(at + 17) !== PALETTE) throw unreadable();
    }
    if (kind === "IDAT") parts.push(new Uint8Array(buffer, at + 8, length));
  }
  const lines = await inflated(parts);
  if (!width || lines.length !== height * (width + 1)) throw unreadable();
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) {
    const start = y * (width + 1) + 1;
    data.set(lines.subarray(start, start + width), y * width);
  }
  return { data, width, height };
}

async function inflated(parts) {
  try {
    const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw unreadable();
  }
}

function unreadable() {
  return new Problem("unreadable", gettext("The site sent a picture that this page cannot read. Reload it."));
}

/**
 * `count` maps of a sheet from place `first` on, as values: {data: Float32Array, count, width, height}. `columns` maps stand
 * in a row of the sheet, one pixel apart; `scale` is the sheet's.
 */
export function cut(sheet, { columns, count, first = 0, width, height, scale }) {
  const data = new Float32Array(count * width * height);
  const step = scale / LEVELS;
  let to = 0;
  for (let place = first; place < first + count; place += 1) {
    const left = (place % columns) * (width + 1);
    const top = Math.floor(place / columns) * (height + 1);
    for (let y = 0; y < height; y += 1) {
      const from = (top + y) * sheet.width + left;
      for (let x = 0; x < width; x += 1) {
        data[to] = (sheet.data[from + x] - LEVELS) * step;
        to += 1;
      }
    }
  }
  return { data, count, width, height };
}
