// The curves of training: which networks' lines are shown, and the marks at one epoch. The axes and lines come with the page
// (learn/figures/training.py); a panel is `width` x `height` units, from epoch 1 to `axis` and from 0 to its top.

const SVG = "http://www.w3.org/2000/svg";
const SQUARE = "M-4.5-4.5h9v9h-9z";

export function make(name, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** Where an epoch lies across a panel. */
export const across = ({ width, axis }, epoch) => (width * (epoch - 1)) / Math.max(1, axis - 1);

/** Where a value lies in a panel, from its upper edge. */
export const down = ({ height }, value, top) => height * (1 - value / top);

/** The line across a panel at an epoch. */
export const cursor = (data, epoch) => make("path", { class: "cursor", d: `M${across(data, epoch).toFixed(1)} 0V${data.height}` });

/** The row of an epoch in a network's log, the last one for all behind it; undefined where there is none. */
export const rowAt = ({ rows }, epoch) => rows.findLast((row) => row.epoch <= epoch);

/** Calls `choose(epoch)` while a pointer holds a panel. */
function follow(svg, data, choose) {
  const hold = (event) => {
    const matrix = svg.querySelector("[data-plot]").getScreenCTM();
    if (!matrix) return;
    const { x } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    choose(1 + Math.round((x / data.width) * (data.axis - 1)));
  };
  svg.addEventListener("pointerdown", (event) => {
    svg.setPointerCapture(event.pointerId);
    hold(event);
  });
  svg.addEventListener("pointermove", (event) => {
    if (event.buttons) hold(event);
  });
}

export class Curves {
  /** `choose(epoch)` is called with a whole number, which may lie outside. */
  constructor(root, data, choose) {
    this.root = root;
    this.data = data;
    this.panels = [...root.querySelectorAll("[data-panel]")];
    for (const svg of root.querySelectorAll(".training-panel svg")) follow(svg, data, choose);
  }

  /** `shown`: [{name, title}] of the networks. */
  show(shown, epoch) {
    const names = shown.map(({ name }) => name);
    for (const one of this.root.querySelectorAll("[data-of]")) one.toggleAttribute("hidden", !names.includes(one.dataset.of));
    for (const panel of this.panels) this.mark(panel, shown, epoch);
  }

  mark(panel, shown, epoch) {
    const key = panel.dataset.panel;
    const found = shown.map(({ name, title }) => ({ title, own: this.data.networks[name], row: rowAt(this.data.networks[name], epoch) }))
      .filter(({ row }) => row);
    panel.querySelector("[data-now]").textContent = found
      .map(({ title, row }) => (shown.length > 1 ? `${title}: ${row.texts[key]}` : row.texts[key])).join(" · ");
    const marks = found.flatMap(({ own, row }) => Object.entries(row.values[key]).filter(([, value]) => value !== null)
      .map(([split, value]) => this.dot(own.style, split, row.epoch, value, this.data.tops[key])));
    panel.querySelector("[data-marks]").replaceChildren(cursor(this.data, epoch), ...marks);
  }

  dot(style, split, epoch, value, top) {
    const place = `translate(${across(this.data, epoch).toFixed(1)} ${down(this.data, value, top).toFixed(1)})`;
    const mark = make("g", { class: `mark ${split} network-${style}`, transform: place });
    mark.append(make("circle", { r: 4.5 }), make("path", { d: SQUARE }));
    return mark;
  }
}
