// Bars at random that hide a given share of a picture. The same seed, share and number give the same bars in every
// browser: only arithmetic that is exact everywhere goes into them.

import { tidy } from "./bars.js";

export const SEEDS = 2 ** 32;
const NEAR = 0.005;
const DRAWS = 20;
const HALVINGS = 48;
const CANDIDATES = 8;
const LONGEST = 3; // a bar is up to 1 + 3 times as long as it is thick

/** Numbers from 0 to 1 (exclusive) out of a seed of 32 bits: mulberry32 by Tommy Ettinger (public domain). */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / SEEDS;
  };
}

/** The share of the picture under bars, 0 to 1; where bars overlap it counts once. */
export function covered(bars) {
  const columns = [...new Set(bars.flatMap(([x, , width]) => [x, x + width]))].sort((a, b) => a - b);
  let area = 0;
  for (let at = 1; at < columns.length; at += 1) {
    const middle = (columns[at - 1] + columns[at]) / 2;
    const here = bars.filter(([x, , width]) => x < middle && x + width > middle).sort((a, b) => a[1] - b[1]);
    let reached = 0;
    for (const [, y, , height] of here) {
      area += (columns[at] - columns[at - 1]) * Math.max(0, y + height - Math.max(y, reached));
      reached = Math.max(reached, y + height);
    }
  }
  return area;
}

/** `count` bars that hide `share` (0 to 1) of the picture to within half a percent of it. */
export function randomBars({ share, count, seed }) {
  const next = generator(seed);
  let best = { off: Infinity, bars: [] };
  for (let draw = 0; draw < DRAWS && best.off > NEAR; draw += 1) {
    const found = grown(drawn(next, count), share);
    if (found.off < best.off) best = found;
  }
  return best.bars;
}

/** Where bars stand, far from each other, and how they are shaped. */
function drawn(next, count) {
  const shapes = [];
  for (let number = 0; number < count; number += 1) {
    let place = null;
    for (let candidate = 0; candidate < CANDIDATES; candidate += 1) {
      const [x, y] = [next(), next()];
      const distance = Math.min(2, ...shapes.map((shape) => (shape.x - x) ** 2 + (shape.y - y) ** 2));
      if (!place || distance > place.distance) place = { x, y, distance };
    }
    const ratio = 1 + LONGEST * next();
    const weight = 0.5 + next();
    const [long, thick] = [Math.sqrt(weight * ratio), Math.sqrt(weight / ratio)];
    const upright = next() < 0.5;
    shapes.push({ ...place, width: upright ? thick : long, height: upright ? long : thick });
  }
  return shapes;
}

/** The shapes at the size at which they hide `share`: {off, bars}. Larger ones contain smaller ones. */
function grown(shapes, share) {
  let best = { off: Infinity, bars: [] };
  const at = (size) => {
    const bars = shapes.map((shape) => {
      const [width, height] = [Math.min(1, size * shape.width), Math.min(1, size * shape.height)];
      const x = Math.min(Math.max(0, shape.x - width / 2), 1 - width);
      const y = Math.min(Math.max(0, shape.y - height / 2), 1 - height);
      return tidy([x, y, width, height]);
    });
    const hidden = covered(bars);
    if (Math.abs(hidden - share) < best.off) best = { off: Math.abs(hidden - share), bars };
    return hidden;
  };
  let [low, high] = [0, 0.25];
  while (at(high) < share && high < 64) [low, high] = [high, 2 * high];
  for (let step = 0; step < HALVINGS; step += 1) {
    const middle = (low + high) / 2;
    if (at(middle) < share) low = middle;
    else high = middle;
  }
  return best;
}
