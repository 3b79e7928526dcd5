// Networks drawn as blocks from left to right. Lengths come in doublings; learn/figures/family_drawing.py makes the same
// drawings for readers without scripts.

import { percent } from "./percent.js";

const SVG = "http://www.w3.org/2000/svg";
const [LEFT, RIGHT, TOP, BLOCKS, BARS, BELOW] = [30, 6, 26, 130, 48, 20];
const WIDEST = 14; // units of a doubling across, at most: a small network stays small
const ARC = 18;
const SIDES = [1, 8, 32, 128]; // rows that have a line
const LABEL = 22; // half of what a label needs
const FAINT = 0.08; // how dark a block without any share is
const GROUND = TOP + BLOCKS;

export const HEIGHT = GROUND + BARS + BELOW;

const high = (side) => Math.log2(side) + 1;
const share = (network, layer, by) => layer[by] / network[by];

function make(name, attributes, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text) element.textContent = text;
  return element;
}

/** One scale for networks that are drawn under one another, on `width` units: {across, up, longest, width}. */
export function scaleOf(networks, by, width) {
  const extent = Math.max(...networks.map((one) => one.extent));
  return {
    width,
    across: Math.min(WIDEST, (width - LEFT - RIGHT) / extent),
    up: BLOCKS / Math.max(...networks.map(({ side }) => high(side))),
    longest: Math.max(...networks.flatMap((one) => one.layers.map((layer) => share(one, layer, by)))),
  };
}

const across = (scale, doublings) => LEFT + scale.across * doublings;
const down = (scale, doublings) => GROUND - scale.up * doublings;

function outline(scale, { x, width, height, start, slope }) {
  const [left, right] = [across(scale, x), across(scale, x + width)];
  return `M${left} ${GROUND}V${down(scale, slope ? start : height)}L${right} ${down(scale, height)}V${GROUND}Z`;
}

function bar(scale, { x, width }, part) {
  return `M${across(scale, x)} ${GROUND}H${across(scale, x + width)}v${(BARS * part) / scale.longest}H${across(scale, x)}Z`;
}

function arc(scale, first, last) {
  const [left, right] = [across(scale, first.x), across(scale, last.x + last.width * (last.bypass ? 0.5 : 1))];
  const [start, end] = [down(scale, first.start), down(scale, last.height)];
  const top = Math.min(start, end) - ARC;
  return `M${left} ${start}C${left} ${top} ${right} ${top} ${right} ${end}`;
}

/** Draws one network; `mark` then shows which layer is looked at. */
export function draw(svg, network, by, scale) {
  svg.setAttribute("viewBox", `0 0 ${scale.width} ${HEIGHT}`);
  const { layers, side } = network;
  const shares = layers.map((layer) => share(network, layer, by));
  const most = shares.indexOf(Math.max(...shares));
  const middle = across(scale, layers[most].x + layers[most].width / 2);
  const picture = { x: 0, width: network.start, height: high(side), start: high(side), slope: false };
  svg.replaceChildren(
    ...SIDES.filter((one) => one <= side).flatMap((one) => {
      const y = down(scale, high(one));
      return [make("path", { class: "rule", d: `M${LEFT} ${y}H${scale.width}` }), make("text", { class: "end", x: LEFT - 6, y: y + 4 }, String(one))];
    }),
    make("path", { class: "picture", d: outline(scale, picture) }),
    ...layers.map((layer, i) => make("path", {
      class: layer.bypass ? "block bypass" : "block",
      d: outline(scale, layer),
      "fill-opacity": FAINT + ((1 - FAINT) * shares[i]) / scale.longest,
      "data-block": i,
    })),
    ...layers.map((layer, i) => make("path", { class: "bar", d: bar(scale, layer, shares[i]) })),
    ...network.skips.map(([first, last]) => make("path", { class: "arc", d: arc(scale, layers[first], layers[last]) })),
    make("path", { class: "ground", d: `M${LEFT} ${GROUND}H${scale.width}` }),
    make("text", {
      class: "middle",
      x: Math.min(scale.width - LABEL, Math.max(LEFT + LABEL, middle)),
      y: GROUND + (BARS * shares[most]) / scale.longest + 14,
    }, percent(shares[most])),
    make("path", { class: "mark" }),
  );
}

/** Marks the layer at place `at`, by a triangle above it and a strong outline. */
export function mark(svg, network, at, scale) {
  const { x, width } = network.layers[at];
  svg.querySelector(".mark").setAttribute("d", `M${across(scale, x + width / 2)} 10l-5 -8h10Z`);
  for (const block of svg.querySelectorAll("[data-block]")) block.classList.toggle("chosen", Number(block.dataset.block) === at);
}

/** The place of the layer nearest to a pointer. */
export function layerAt(svg, event, network, scale) {
  const box = svg.getBoundingClientRect();
  const doublings = (((event.clientX - box.left) / box.width) * scale.width - LEFT) / scale.across;
  const away = ({ x, width }) => Math.max(x - doublings, doublings - x - width);
  return network.layers.reduce((best, layer, i) => (away(layer) < away(network.layers[best]) ? i : best), 0);
}
