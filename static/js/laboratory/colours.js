// Colours of numbers. Signed activations are RdBu, weights BrBG, pixels grey: the eleven classes of ColorBrewer 2.0
// (C. Brewer, M. Harrower, The Pennsylvania State University, colorbrewer2.org) with straight lines between them in sRGB.
// Their lightness falls evenly to both sides of the middle, which is zero and here pure white for signed activations,
// so that the sign is the hue and the size is the lightness. They stay the same in light and dark: a scale that changes
// with the page would be another scale. ml/explain/sheets.py makes the same ones.

export { legend } from "./legend.js";

const RDBU = ["67001f", "b2182b", "d6604d", "f4a582", "fddbc7", "ffffff", "d1e5f0", "92c5de", "4393c3", "2166ac", "053061"];
const BRBG = ["543005", "8c510a", "bf812d", "dfc27d", "f6e8c3", "f5f5f5", "c7eae5", "80cdc1", "35978f", "01665e", "003c30"];
const GREY = ["000000", "ffffff"];
const STEPS = 255; // odd, so that the middle one is zero exactly
const NOTHING = [128, 128, 128]; // what is no number

/** A colour for CSS and SVG. */
export const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;

const LITTLE = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

function scaleOf(stops) {
  const colours = stops.map((hex) => [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
  return Array.from({ length: STEPS }, (_, step) => {
    const place = (step / (STEPS - 1)) * (colours.length - 1);
    const low = Math.min(Math.floor(place), colours.length - 2);
    return colours[low].map((one, i) => Math.round(one + (place - low) * (colours[low + 1][i] - one)));
  });
}

/**
 * A function (v, scale) -> [r, g, b], with what `paint` and `legend` need to know of it. `style(v, scale)` is the same colour
 * for CSS and canvases and `ink(v, scale)` what is read on it, both made once: they are asked for in every frame.
 */
function map(stops, low) {
  const table = scaleOf(stops);
  const words = new Uint32Array(table.map(([red, green, blue]) => (
    LITTLE ? (255 << 24) | (blue << 16) | (green << 8) | red : (red << 24) | (green << 16) | (blue << 8) | 255
  )));
  const step = (v, scale) => {
    if (!(scale > 0)) return low ? (STEPS - 1) / 2 : 0;
    const share = Math.min(1, Math.max(low, v / scale));
    return Math.round(((share - low) / (1 - low)) * (STEPS - 1));
  };
  const of = (list, nothing) => (v, scale) => (Number.isNaN(v) ? nothing : list[step(v, scale)]);
  const style = of(table.map(css), css(NOTHING));
  const ink = of(table.map(inkOn), inkOn(NOTHING));
  return Object.assign(of(table, NOTHING), { table, words, step, low, style, ink });
}

/** -scale is dark red, 0 is white, scale is dark blue. What lies beyond has the colour of the end. */
export const signed = map(RDBU, -1);

/** -scale is dark brown, 0 is nearly white, scale is dark green. */
export const weight = map(BRBG, -1);

/** 0 is black, scale is white. */
export const grey = map(GREY, 0);

/**
 * Draws numbers, one pixel each, row by row: `{data, width, height}`. The canvas takes their size; laboratory.css enlarges it
 * without smoothing (class "cells").
 */
export function paint(canvas, { data, width, height }, scale, colours) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const { words, step } = colours;
  const nothing = LITTLE ? 0xff808080 : 0x808080ff;
  for (let i = 0; i < pixels.length; i += 1) pixels[i] = Number.isNaN(data[i]) ? nothing : words[step(data[i], scale)];
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Where numbers are too small to mean anything: thin lines across a rectangle, so that colour does not say it alone. */
export function hatch(pen, x, y, width, height, { colour = "#767676", apart = 4 } = {}) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, width, height);
  pen.clip();
  pen.beginPath();
  for (let offset = -height; offset < width; offset += apart) {
    pen.moveTo(x + offset, y + height);
    pen.lineTo(x + offset + height, y);
  }
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.stroke();
  pen.restore();
}

/** Black or white, whichever is read more easily on a colour. */
export function inkOn([red, green, blue]) {
  const linear = (one) => (one <= 10.31475 ? one / 255 / 12.92 : ((one / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  return luminance > 0.179 ? "#000000" : "#ffffff";
}

/** The largest size among numbers, at least a little, to be a scale. */
export function reach(data) {
  let most = 0;
  for (const one of data) if (Math.abs(one) > most && Number.isFinite(one)) most = Math.abs(one);
  return most || 1;
}
