// The plot of dose and response: how sure each network is of one class against how much of the picture is black.

const SVG = "http://www.w3.org/2000/svg";
const EDGE = { left: 54, right: 14, top: 14, bottom: 44 };
// Letters keep their size on a narrow screen, so the plot has fewer units there, and room for fewer words.
const narrow = matchMedia("(width < 44rem)");
const TALL = 15; // of a label
const HALO = 5; // around its letters, as the style sheet has it
const FAR = 9; // between a label and its line
const FAINT = 0.3; // how much a strong line's label minds a thin one, which stops before its halo
const TICKS = [0, 0.25, 0.5, 0.75, 1];

let [WIDTH, HEIGHT] = [640, 340];

const across = (share) => EDGE.left + share * (WIDTH - EDGE.left - EDGE.right);
const down = (value) => EDGE.top + (1 - value) * (HEIGHT - EDGE.top - EDGE.bottom);

function make(name, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text) element.textContent = text;
  return element;
}

/** Points along a curve, close enough together that a label between two of them is noticed. */
function along(points) {
  const found = [];
  points.slice(1).forEach(([x, y], i) => {
    const [left, low] = points[i];
    for (let n = 0; n < 8; n++) found.push([left + ((x - left) * n) / 8, low + ((y - low) * n) / 8]);
  });
  return found;
}

/**
 * Where the labels of `curves` ({width: of the label, points, strong}, in units of the drawing) stand: each beside its own curve, off the
 * others and off one another. Returns [x, y] of their middles, in order; null for a curve without a label.
 */
export function places(curves) {
  const taken = [];
  const all = curves.map(({ points }) => along(points));
  return curves.map(({ width, points, strong }, own) => {
    if (!width) return null;
    const weights = curves.map((one) => (strong && !one.strong ? FAINT : 1));
    const half = width / 2;
    let best = null;
    let least = Infinity;
    for (const [x, y] of points.slice(1, -1)) {
      for (const side of [-1, 1]) {
        const middle = [x, y + side * (TALL / 2 + FAR)];
        const cost = crowd(middle, half, all, own, weights) + overlap(middle, half, taken) + outside(middle, half);
        if (cost < least) [least, best] = [cost, middle];
      }
    }
    taken.push([...best, half]);
    return best;
  });
}

function crowd([x, y], half, all, own, weights) {
  let cost = 0;
  all.forEach((points, which) => {
    let nearest = Infinity;
    for (const [a, b] of points) {
      if (Math.abs(a - x) < half + 4 && Math.abs(b - y) < TALL / 2 + 3) cost += 10 * weights[which];
      if (Math.abs(a - x) < half) nearest = Math.min(nearest, Math.abs(b - y));
    }
    // Nearer to another curve than to its own it would be read as that one's.
    if (which !== own && nearest < TALL / 2 + FAR + 6) cost += 40 * weights[which];
  });
  return cost;
}

function overlap([x, y], half, taken) {
  return taken.some(([a, b, other]) => Math.abs(a - x) < half + other + 6 && Math.abs(b - y) < TALL + 2 * HALO) ? 1000 : 0;
}

function outside([x, y], half) {
  const within = x - half > EDGE.left && x + half < WIDTH - EDGE.right && y - TALL / 2 > EDGE.top && y + TALL / 2 < HEIGHT - EDGE.bottom;
  return within ? 0 : 2000;
}

/** Calls `listener` when the plot has to be drawn again because it has another shape. */
export function onShape(listener) {
  narrow.addEventListener("change", listener);
}

/** Axes, which stay until the shape changes. `percent(share)` writes a share for a reader. */
export function frame(svg, percent) {
  [WIDTH, HEIGHT] = narrow.matches ? [340, 300] : [640, 340];
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  const parts = [];
  for (const [place, share] of TICKS.entries()) {
    parts.push(make("path", { class: "rule", d: `M${EDGE.left} ${down(share)}H${WIDTH - EDGE.right}` }));
    parts.push(make("text", { class: "end", x: EDGE.left - 8, y: down(share) + 4 }, percent(share)));
    if (narrow.matches && place % 2) continue;
    const anchor = share === 1 ? "end" : share === 0 ? "start" : "middle";
    parts.push(make("text", { class: anchor, x: across(share), y: HEIGHT - EDGE.bottom + 18 }, percent(share)));
  }
  parts.push(make("text", { class: "middle name", x: across(0.5), y: HEIGHT - 6 }, gettext("share of the picture that is black")));
  svg.replaceChildren(...parts, ...["others", "curves", "labels", "now"].map((name) => make("g", { class: `dose-${name}`, "data-part": name })));
}

const part = (svg, name) => svg.querySelector(`[data-part=${name}]`);

/**
 * Draws curves: [{shares, values, text, style, order, strong}], `style` the index of the network. Each has its label beside
 * it; strong ones have marks, the others stay in the background, each order with dashes of its own. On a narrow screen six
 * labels would stand in one another's way, so there only the strong ones have theirs.
 */
export function draw(svg, curves) {
  const drawn = curves.map((curve) => ({ ...curve, points: curve.shares.map((share, i) => [across(share), down(curve.values[i])]) }));
  const lines = (some) => some.map(({ points, style, order, strong }) => make("path", {
    class: strong ? `curve network-${style}` : `thin network-${style} order-${order}`,
    d: points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join(""),
  }));
  const weak = drawn.filter((one) => !one.strong);
  const strong = drawn.filter((one) => one.strong);
  part(svg, "others").replaceChildren(...lines(weak));
  part(svg, "curves").replaceChildren(...lines(strong));
  const ordered = [...strong, ...weak];
  const labels = (narrow.matches ? strong : ordered).map(({ text, style, strong: isStrong }) =>
    make("text", { class: `middle network-${style}${isStrong ? "" : " thin"}` }, text));
  part(svg, "labels").replaceChildren(...labels);
  const widths = labels.map((label) => label.getComputedTextLength() + HALO);
  const found = places(ordered.map(({ points, strong: isStrong }, i) => ({ points, strong: isStrong, width: widths[i] })));
  labels.forEach((label, i) => {
    const [x, y] = found[i];
    label.setAttribute("x", x.toFixed(1));
    label.setAttribute("y", (y + 5).toFixed(1));
  });
}

/** Marks one step of the strong curves: a line across the plot and a mark on each curve. */
export function mark(svg, share, curves) {
  const x = across(share);
  const marks = curves.map(({ value, style }) => (style % 2
    ? make("rect", { class: `mark network-${style}`, x: x - 5, y: down(value) - 5, width: 10, height: 10 })
    : make("circle", { class: `mark network-${style}`, cx: x, cy: down(value), r: 6 })));
  part(svg, "now").replaceChildren(make("path", { class: "cursor", d: `M${x} ${EDGE.top}V${HEIGHT - EDGE.bottom}` }), ...marks);
}

/** The share of black under a pointer, 0..1. */
export function shareAt(svg, event) {
  const matrix = svg.getScreenCTM();
  if (!matrix) return 0;
  const { x } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
  return Math.min(1, Math.max(0, (x - EDGE.left) / (WIDTH - EDGE.left - EDGE.right)));
}
