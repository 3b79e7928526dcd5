// The arithmetic of a convolution with stride, padding and dilation; learn/figures/kernel.py computes the same.

export const SIDE = 3;

/** Rows that the kernel covers, gaps included. */
export const reach = ({ dilation }) => dilation * (SIDE - 1) + 1;

/** Rows of what comes out of `size` rows. */
export const rowsOf = (size, settings) => Math.floor((size + 2 * settings.padding - reach(settings)) / settings.stride) + 1;

/** One plane of the pixels, 0..1: {data, width, height}. */
export function plane({ pixels, side, brightness }, name) {
  const data = new Float64Array(side * side);
  const channel = ["red", "green", "blue"].indexOf(name);
  for (let i = 0; i < data.length; i += 1) {
    const [red, green, blue] = [pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]];
    const value = channel < 0 ? red * brightness[0] + green * brightness[1] + blue * brightness[2] : pixels[3 * i + channel];
    data[i] = value / 255;
  }
  return { data, width: side, height: side };
}

/** The nine taps at a place of the output: [{row, column, value, weight, product}], rows and columns of the picture. */
export function taps(map, weights, settings, y, x) {
  const { stride, padding, dilation } = settings;
  return weights.map((weight, place) => {
    const row = y * stride + Math.floor(place / SIDE) * dilation - padding;
    const column = x * stride + (place % SIDE) * dilation - padding;
    const inside = row >= 0 && row < map.height && column >= 0 && column < map.width;
    const value = inside ? map.data[row * map.width + column] : 0;
    return { row, column, inside, value, weight, product: weight * value };
  });
}

/** The sums at every place: {data, width, height}. */
export function convolve(map, weights, settings) {
  const size = rowsOf(map.height, settings);
  const data = new Float64Array(size * size);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      data[y * size + x] = taps(map, weights, settings, y, x).reduce((sum, { product }) => sum + product, 0);
    }
  }
  return { data, width: size, height: size };
}

/** The same kernel turned clockwise by a quarter. */
export const turned = (weights) => weights.map((_, place) => weights[(SIDE - 1 - (place % SIDE)) * SIDE + Math.floor(place / SIDE)]);
