// Where the box stands first: the same rule as `default_box` of ml/placement.py, which says why, so that a picture is
// framed alike with and without this page's scripts.

import { centred } from "./crop.js";

const THUMBNAIL = 64;
const SIDES = [1, 0.9, 0.8, 0.7, 0.6, 0.5];
const CROWDING = 0.7;
const SQUARE = 1.05;

const rounded = (value) => Math.max(1, Math.floor(value + 0.5));

/** {left, top, side} in pixels of the canvas: a square where there is most to see. */
export function place(canvas) {
  const { width, height } = canvas;
  const middle = centred(width, height);
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  if (long <= short * SQUARE) return middle;
  const small = thumbnail(canvas, rounded((THUMBNAIL * width) / long), rounded((THUMBNAIL * height) / long));
  const best = search(summed(small), small.width, small.height);
  if (!best) return middle;
  const side = rounded((best.side / Math.min(small.width, small.height)) * short);
  return {
    left: Math.min(Math.round((best.left / small.width) * width), width - side),
    top: Math.min(Math.round((best.top / small.height) * height), height - side),
    side,
  };
}

/** The picture at that size, every pixel the mean of what it covers: {width, height, data} with three values a pixel. */
function thumbnail(canvas, width, height) {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const wide = averaged(data, 4, canvas.width, canvas.height, width, (row, column) => row * canvas.width + column);
  // Turned on its side, rows become columns and the same pass does the other direction.
  const turned = averaged(wide, 3, canvas.height, width, height, (row, column) => column * width + row);
  const upright = new Uint8Array(turned.length);
  for (let x = 0; x < width; x += 1) {
    for (let y = 0; y < height; y += 1) {
      for (let channel = 0; channel < 3; channel += 1) upright[(y * width + x) * 3 + channel] = turned[(x * height + y) * 3 + channel];
    }
  }
  return { width, height, data: upright };
}

/** Each of `rows` rows of `length` pixels brought to `wanted` pixels; `where` finds a pixel, `step` is its values. */
function averaged(data, step, length, rows, wanted, where) {
  const out = new Uint8Array(rows * wanted * 3);
  for (let at = 0; at < wanted; at += 1) {
    const first = Math.min(length - 1, Math.floor((at * length) / wanted + (length > wanted ? 0.5 : 0)));
    const end = length > wanted ? Math.floor(((at + 1) * length) / wanted + 0.5) : first + 1;
    for (let row = 0; row < rows; row += 1) {
      for (let channel = 0; channel < 3; channel += 1) {
        let sum = 0;
        for (let column = first; column < end; column += 1) sum += data[where(row, column) * step + channel];
        out[(row * wanted + at) * 3 + channel] = Math.round(sum / (end - first));
      }
    }
  }
  return out;
}

/** Sums of the differences between neighbours over everything above and left of each place. */
function summed({ width, height, data }) {
  const sums = new Float64Array((width + 1) * (height + 1));
  const differ = (a, b) => {
    let sum = 0;
    for (let channel = 0; channel < 3; channel += 1) sum += Math.abs(data[a * 3 + channel] - data[b * 3 + channel]);
    return sum;
  };
  for (let y = 0; y < height; y += 1) {
    let row = 0;
    for (let x = 0; x < width; x += 1) {
      const here = y * width + x;
      if (x > 0 && x < width - 1) row += differ(here + 1, here - 1);
      if (y > 0 && y < height - 1) row += differ(here + width, here - width);
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
    }
  }
  return sums;
}

function search(sums, width, height) {
  const short = Math.min(width, height);
  const line = width + 1;
  let best = null;
  let most = 0;
  for (const share of SIDES) {
    const side = rounded(share * short);
    for (let top = 0; top + side <= height; top += 1) {
      for (let left = 0; left + side <= width; left += 1) {
        const [above, below] = [top * line, (top + side) * line];
        const inside = sums[below + left + side] - sums[above + left + side] - sums[below + left] + sums[above + left];
        const down = (top + side / 2) / height - 0.5;
        const across = (left + side / 2) / width - 0.5;
        const score = (inside / (side / short) ** CROWDING) * (1 - (down ** 2 + across ** 2));
        if (score > most) {
          most = score;
          best = { left, top, side };
        }
      }
    }
  }
  return best;
}
