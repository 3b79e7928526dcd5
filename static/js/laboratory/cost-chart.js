// The chart of times: a point for every measured network, milliseconds a picture upwards, both axes in powers of ten.

const SVG = "http://www.w3.org/2000/svg";
const EDGE = { left: 46, right: 16, top: 32, bottom: 46 };
// Letters keep their size on a narrow screen, so the chart has fewer units there.
const narrow = matchMedia("(width < 44rem)");
const NEAR = 40; // units from a pointer to a point that it means
const LETTERS = 50; // a label needs so much beside its mark
const LINE = 16;
const FAR = 0.9; // share of the axis from which on a tick's text ends at the edge of the drawing, so that it is not cut off

let [WIDTH, HEIGHT] = [640, 436];

const across = (axis, value) => EDGE.left + share(axis, value) * (WIDTH - EDGE.left - EDGE.right);
const down = (axis, value) => EDGE.top + (1 - share(axis, value)) * (HEIGHT - EDGE.top - EDGE.bottom);

function share({ low, high }, value) {
  return (Math.log10(value) - low) / (high - low);
}

function make(name, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text) element.textContent = text;
  return element;
}

/** Calls `listener` when the chart has to be drawn again because it has another shape. */
export function onShape(listener) {
  narrow.addEventListener("change", listener);
}

const of = (axes, against) => [axes[against], axes.times];
const timeOf = (network, batch) => network.times[batch][1];

/** Where a measured network stands: [x, y] in units of the drawing. */
function place(network, { axes, against, batch }) {
  const [x, y] = of(axes, against);
  return [across(x, network.values[against]), down(y, timeOf(network, batch))];
}

/**
 * Draws the chart. `networks` are those that were measured; `chosen`, `pinned` and `reference` are networks, measured or
 * not; `against`, `join` and `batch` as in the address; `axes` as the page has them; `title(network)` and `name` in words.
 */
export function draw(svg, shown) {
  [WIDTH, HEIGHT] = narrow.matches ? [340, 336] : [640, 436];
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.replaceChildren(...frame(shown), ...pace(shown), ...lines(shown), ...points(shown), ...marks(shown));
}

function frame({ axes, against, name }) {
  const [x, y] = of(axes, against);
  const [right, bottom] = [WIDTH - EDGE.right, HEIGHT - EDGE.bottom];
  return [
    ...y.ticks.flatMap(({ value, text }) => [
      make("path", { class: "rule", d: `M${EDGE.left} ${down(y, value)}H${right}` }),
      make("text", { class: "end", x: EDGE.left - 8, y: down(y, value) + 4 }, text),
    ]),
    ...x.ticks.flatMap(({ value, text }) => [
      make("path", { class: "rule", d: `M${across(x, value)} ${EDGE.top}V${bottom}` }),
      make("text", { ...(share(x, value) > FAR ? { class: "end", x: WIDTH - 4 } : { class: "middle", x: across(x, value) }), y: bottom + 18 }, text),
    ]),
    make("text", { x: 8, y: 18 }, gettext("milliseconds a picture")),
    make("text", { class: "middle", x: (EDGE.left + right) / 2, y: HEIGHT - 8 }, name),
  ];
}

/** Where networks would stand that did as many multiply-adds a second as the reference: a straight line. */
function pace({ axes, against, batch, reference }) {
  if (against !== "multiply_adds" || !reference.times) return [];
  const [x, y] = of(axes, against);
  const beyond = Math.log10(timeOf(reference, batch)) - Math.log10(reference.values[against]);
  const ends = [Math.max(x.low, y.low - beyond), Math.min(x.high, y.high - beyond)];
  const [from, to] = ends.map((one) => `${across(x, 10 ** one).toFixed(1)} ${down(y, 10 ** (one + beyond)).toFixed(1)}`);
  return [make("path", { class: "pace", d: `M${from}L${to}` })];
}

function lines(shown) {
  const { networks, join, chosen } = shown;
  const drawn = [...new Set(networks.map((network) => network[join]))].map((value) => make("polyline", {
    class: value === chosen[join] ? "own" : "thin",
    points: networks.filter((network) => network[join] === value)
      .map((network) => place(network, shown).map((one) => one.toFixed(1)).join(",")).join(" "),
  }));
  // The strong one lies on top.
  return drawn.sort((a, b) => Number(a.matches(".own")) - Number(b.matches(".own")));
}

function points(shown) {
  return shown.networks.map((network) => {
    const [cx, cy] = place(network, shown);
    const point = make("circle", { class: "point", cx: cx.toFixed(1), cy: cy.toFixed(1), r: 3 });
    point.append(make("title", {}, shown.title(network)));
    return point;
  });
}

function marks(shown) {
  const { chosen, pinned, reference } = shown;
  const there = (network) => network.times !== null;
  const shapes = [
    [reference, { d: "M0 -7L7 0L0 7L-7 0Z" }, "reference"],
    [pinned, { d: "M-6 -6h12v12h-12Z" }, "pinned"],
    [chosen, { d: "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0 -14 0Z" }, "chosen"],
  ].filter(([network]) => there(network));
  const drawn = shapes.map(([network, shape, name]) => {
    const [x, y] = place(network, shown);
    return make("path", { ...shape, class: `mark ${name}`, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
  });
  const below = [reference, pinned].filter((network) => there(network) && network !== chosen);
  return [...drawn, ...(there(chosen) ? [above(chosen, shown)] : []), ...beneath([...new Set(below)], shown)];
}

/** The chosen network's name, above its mark and to the left, where the chart is empty. */
function above(network, shown) {
  const [x, y] = place(network, shown);
  const hasRoom = x - LETTERS > EDGE.left;
  return make("text", { class: hasRoom ? "label end" : "label", x: hasRoom ? x - 9 : x - 6, y: Math.max(LINE, y - 11) }, network.name);
}

/** The names of the others, below their marks and to the right, each off the one before. */
function beneath(networks, shown) {
  let last = null;
  return networks.map((network) => {
    const [x, y] = place(network, shown);
    const hasRoom = x + LETTERS < WIDTH;
    let at = y + 20;
    if (last && Math.abs(last[0] - x) < LETTERS && Math.abs(last[1] - at) < LINE) at = last[1] + LINE;
    last = [x, at];
    return make("text", { class: hasRoom ? "label" : "label end", x: hasRoom ? x + 8 : x + 6, y: at }, network.name);
  });
}

/** The measured network that a pointer means; null where none is near. */
export function under(svg, event, shown) {
  const matrix = svg.getScreenCTM();
  if (!matrix) return null;
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
  let best = null;
  let least = NEAR;
  for (const network of shown.networks) {
    const [a, b] = place(network, shown);
    const distance = Math.hypot(a - x, b - y);
    if (distance < least) [best, least] = [network, distance];
  }
  return best;
}
