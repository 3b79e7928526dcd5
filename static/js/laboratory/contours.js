// Lines of equal value over a small map, as SVG paths. A map is {data, width, height}; the value of a cell belongs to
// its middle, between two middles it changes evenly (bilinear), and beyond the outermost ones it stays as it is.
// Places are in cells: the map covers 0..width by 0..height.

const FINE = 8; // samples a cell; the lines of a bilinear map are curved
const STEPS = [1, 2, 2.5, 5, 10];

/** The map's value at a place. */
export function sample({ data, width, height }, x, y) {
  const across = Math.min(width - 1, Math.max(0, x - 0.5));
  const down = Math.min(height - 1, Math.max(0, y - 0.5));
  const [left, top] = [Math.floor(across), Math.floor(down)];
  const [right, bottom] = [Math.min(width - 1, left + 1), Math.min(height - 1, top + 1)];
  const [u, v] = [across - left, down - top];
  const above = data[top * width + left] * (1 - u) + data[top * width + right] * u;
  const below = data[bottom * width + left] * (1 - u) + data[bottom * width + right] * u;
  return above * (1 - v) + below * v;
}

/** Round numbers strictly between `low` and `high`, about `count` of them, zero among them where it lies between. */
export function levels(low, high, count = 6) {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [];
  const rough = span / (count + 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * STEPS.find((one) => one * power >= rough * (1 - 1e-9));
  const found = [];
  for (let n = Math.floor(low / step) + 1; n * step < high - step * 1e-6; n++) {
    if (n * step > low + step * 1e-6) found.push(Number((n * step).toPrecision(12)));
  }
  return found;
}

/** The lines along which the map has the value `level`: each a list of [x, y], closed where first and last agree. */
export function lines(map, level) {
  const [across, down] = [map.width * FINE, map.height * FINE];
  const grid = new Float64Array((across + 1) * (down + 1));
  for (let y = 0; y <= down; y++) {
    for (let x = 0; x <= across; x++) grid[y * (across + 1) + x] = sample(map, x / FINE, y / FINE) - level;
  }
  return joined(segments(grid, across, down)).map((line) => line.map(([x, y]) => [x / FINE, y / FINE]));
}

/** Marching squares (Lorensen and Cline, 1987, in two dimensions). An end is a crossed edge: {key, x, y}. */
function segments(grid, across, down) {
  const found = [];
  const value = (x, y) => grid[y * (across + 1) + x];
  const flat = (x, y) => {
    const [a, b] = [value(x, y), value(x + 1, y)];
    return { key: `h${x},${y}`, x: x + a / (a - b), y };
  };
  const upright = (x, y) => {
    const [a, b] = [value(x, y), value(x, y + 1)];
    return { key: `v${x},${y}`, x, y: y + a / (a - b) };
  };
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      const corners = [value(x, y), value(x + 1, y), value(x + 1, y + 1), value(x, y + 1)].map((one) => one > 0);
      const ends = [];
      if (corners[0] !== corners[1]) ends.push(flat(x, y));
      if (corners[1] !== corners[2]) ends.push(upright(x + 1, y));
      if (corners[2] !== corners[3]) ends.push(flat(x, y + 1));
      if (corners[3] !== corners[0]) ends.push(upright(x, y));
      if (ends.length === 2) found.push(ends);
      if (ends.length === 4) found.push(...saddle(ends, corners[0], value(x, y) + value(x + 1, y) + value(x + 1, y + 1) + value(x, y + 1) > 0));
    }
  }
  return found;
}

/** Two corners that face each other are above: the middle decides which two sides belong together. */
function saddle([top, right, bottom, left], first, middle) {
  return first === middle ? [[top, right], [bottom, left]] : [[left, top], [right, bottom]];
}

/** Segments whose ends meet, as long lines. */
function joined(pieces) {
  const at = new Map();
  const note = (piece) => piece.forEach(({ key }) => at.set(key, [...(at.get(key) ?? []), piece]));
  pieces.forEach(note);
  const used = new Set();
  const grow = (line, forward) => {
    for (;;) {
      const { key } = forward ? line[line.length - 1] : line[0];
      const next = at.get(key).find((piece) => !used.has(piece));
      if (!next) return;
      used.add(next);
      const end = next[0].key === key ? next[1] : next[0];
      if (forward) line.push(end);
      else line.unshift(end);
    }
  };
  const found = [];
  for (const piece of pieces) {
    if (used.has(piece)) continue;
    used.add(piece);
    const line = [...piece];
    grow(line, true);
    grow(line, false);
    found.push(line.map(({ x, y }) => [x, y]));
  }
  return found;
}

/** A line as the `d` of an SVG path, `scale` units a cell. */
export function path(line, scale = 1) {
  return line.map(([x, y], i) => `${i ? "L" : "M"}${(x * scale).toFixed(2)} ${(y * scale).toFixed(2)}`).join("");
}

/** Where a line's label stands: the place of it that is farthest from the map's edges; null for a short line. */
export function labelPlace(line, { width, height }) {
  let length = 0;
  let best = null;
  let most = 0;
  line.forEach(([x, y], i) => {
    if (i) length += Math.hypot(x - line[i - 1][0], y - line[i - 1][1]);
    const room = Math.min(x / width, y / height, 1 - x / width, 1 - y / height);
    if (room > most) [most, best] = [room, [x, y]];
  });
  return length > 0.3 * Math.max(width, height) && most > 0.06 ? best : null;
}
