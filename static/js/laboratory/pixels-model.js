// A picture as numbers, and what is left of it; learn/figures/pixels.py computes the same, in whole numbers.

export const LARGEST = 255;
export const CHANNELS = ["red", "green", "blue"];
const WINDOW = 7;
const SEED = 1969;
const MULTIPLIER = 16807;
const MODULUS = 2 ** 31 - 1; // every product stays below 2^53

/** Bits that tell so many steps apart. */
export const bitsEach = (steps) => Math.log2(steps);

/** One channel of the pixels as the mean of each square, halves rounded up: rows x rows numbers. */
export function means({ pixels, side }, channel, rows) {
  const size = side / rows;
  const sums = new Array(rows * rows).fill(0);
  for (let i = 0; i < side * side; i += 1) {
    const [y, x] = [Math.floor(i / side), i % side];
    sums[Math.floor(y / size) * rows + Math.floor(x / size)] += pixels[3 * i + channel];
  }
  return sums.map((sum) => Math.floor((2 * sum + size * size) / (2 * size * size)));
}

/** The nearest of `steps` numbers that lie evenly from 0 to 255. */
export function coarse(value, steps) {
  const last = steps - 1;
  const step = Math.floor((2 * value * last + LARGEST) / (2 * LARGEST));
  return Math.floor((2 * step * LARGEST + last) / (2 * last));
}

/** A fixed order of `count` things that looks like chance: what comes at each place. */
export function order(count) {
  const found = Array.from({ length: count }, (_, at) => at);
  let drawn = SEED;
  for (let last = count - 1; last > 0; last -= 1) {
    drawn = (drawn * MULTIPLIER) % MODULUS;
    const other = drawn % (last + 1);
    [found[last], found[other]] = [found[other], found[last]];
  }
  return found;
}

/** What stands at each place of `rows` rows: the places themselves, mixed by rows or one by one. */
function placesOf(rows, shuffle) {
  if (shuffle === "pixels") return order(rows * rows);
  const lines = shuffle === "rows" ? order(rows) : Array.from({ length: rows }, (_, row) => row);
  return lines.flatMap((row) => Array.from({ length: rows }, (_, column) => row * rows + column));
}

/** The mean difference of numbers beside and below each other. */
function apart(planes, rows) {
  let [sum, count] = [0, 0];
  for (const plane of planes) {
    plane.forEach((value, i) => {
      for (const other of [i % rows < rows - 1 ? plane[i + 1] : undefined, plane[i + rows]]) {
        if (other === undefined) continue;
        sum += Math.abs(value - other);
        count += 1;
      }
    });
  }
  return count ? sum / count : 0;
}

/** The smallest numbers that, added or taken away, cut off at least half of `values`; Infinity where none does. */
function halving(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const half = Math.ceil(sorted.length / 2);
  const up = LARGEST + 1 - sorted[sorted.length - half];
  const down = sorted[half - 1] + 1;
  const within = (size) => (size <= LARGEST ? size : Infinity);
  return { up: within(up), down: within(down) };
}

/**
 * What is left of `data` ({pixels: row by row, red, green and blue, 0..255; side}) with these settings: first means, then
 * steps, then what is added, then the order. `planes` and, as -1, 0 or 1, where a number was `cut` off, for each channel;
 * everything else is counted among the channels that are on.
 */
export function compute(data, { rows, steps, channels, add, back, shuffle }) {
  const on = CHANNELS.map((name) => channels.includes(name[0]));
  const before = CHANNELS.map((_, channel) => means(data, channel, rows).map((value) => coarse(value, steps)));
  const places = placesOf(rows, shuffle);
  const mixed = (plane) => places.map((place) => plane[place]);
  const away = back ? add : 0;
  const left = before.map((plane) => plane.map((value) => Math.min(LARGEST, Math.max(0, value + add)) - away));
  const cut = before.map((plane) => plane.map((value) => (value + add > LARGEST) - (value + add < 0)));
  const planes = left.map(mixed);
  const counted = (list) => list.filter((_, channel) => on[channel]);
  const all = counted(cut).flat();
  return {
    rows,
    on,
    planes,
    cut: cut.map(mixed),
    numbers: all.length,
    bits: all.length * bitsEach(steps),
    below: all.filter((one) => one < 0).length,
    above: all.filter((one) => one > 0).length,
    apart: apart(counted(planes), rows),
    straight: apart(counted(left), rows),
    halving: halving(counted(before).flat()),
  };
}

/** By how much the red number of the reddest pixel is above both others. */
export function reddest({ pixels }) {
  let most = -LARGEST;
  for (let i = 0; i < pixels.length; i += 3) most = Math.max(most, pixels[i] - Math.max(pixels[i + 1], pixels[i + 2]));
  return most;
}

/** Top, left and side of the numbers shown around a place: as many as fit, and all within the picture. */
export function windowAt(rows, row, column) {
  const side = Math.min(WINDOW, rows);
  const from = (at) => Math.min(Math.max(0, at - Math.floor(side / 2)), rows - side);
  return { top: from(row), left: from(column), side };
}
