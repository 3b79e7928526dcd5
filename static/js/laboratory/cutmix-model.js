// Two pictures in one, as CutMix joins them; learn/figures/mixing.py computes the same.

/** Pixels as they came with the page: base64 of red, green, blue, row by row. */
export const unpack = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** The nearest rectangle to [y, x, height, width] that lies inside a picture of this size. */
export function inside([y, x, height, width], size) {
  const [high, wide] = [clamp(height, 1, size), clamp(width, 1, size)];
  return [clamp(y, 0, size - high), clamp(x, 0, size - wide), high, wide];
}

/** The same rectangle on a picture of `to` pixels instead of `size`; it keeps at least one. */
export function scaled([y, x, height, width], size, to) {
  const at = (value) => Math.round((value * to) / size);
  const [top, left] = [at(y), at(x)];
  return [Math.min(top, to - 1), Math.min(left, to - 1), Math.max(1, at(y + height) - top), Math.max(1, at(x + width) - left)];
}

/** Pixels of `around` with those of `within` in the rectangle. */
export function mix(around, within, [y, x, height, width], size) {
  const mixed = around.slice();
  for (let row = y; row < y + height; row += 1) {
    const from = 3 * (row * size + x);
    mixed.set(within.subarray(from, from + 3 * width), from);
  }
  return mixed;
}

/** Of the pixels that are those of the picture that is looked at: lambda. */
export function lambda([, , height, width], size, turn) {
  const inner = (height * width) / (size * size);
  return turn ? inner : 1 - inner;
}

/**
 * A draw from Beta(alpha, alpha). For whole alpha it is the middle one of 2 alpha − 1 even numbers, for 0.5 the arcsine law:
 * both are exact.
 */
export function beta(alpha, random = Math.random) {
  if (alpha === 0.5) return Math.sin((Math.PI / 2) * random()) ** 2;
  const draws = Array.from({ length: 2 * alpha - 1 }, random).sort((one, other) => one - other);
  return draws[alpha - 1];
}

/**
 * A rectangle as the paper draws it (Yun and others, 2019, section 3.1): its sides are those of the picture times the root of
 * 1 − lambda, its middle is anywhere, and what sticks out is cut off.
 */
export function randomBox(alpha, size, random = Math.random) {
  const side = size * Math.sqrt(1 - beta(alpha, random));
  const edges = () => {
    const middle = random() * size;
    const low = clamp(Math.round(middle - side / 2), 0, size - 1);
    return [low, clamp(Math.round(middle + side / 2), low + 1, size)];
  };
  const [[top, bottom], [left, right]] = [edges(), edges()];
  return [top, left, bottom - top, right - left];
}

/** The loss against the mixed answer: −λ ln p − (1 − λ) ln q. */
export function loss(share, own, other) {
  const of = (part, probability) => (part ? -part * Math.log(Math.max(probability, 1e-9)) : 0);
  return of(share, own) + of(1 - share, other);
}
