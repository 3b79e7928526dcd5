// The X-ray's words: names of blocks and layers, which the page brings along, and its numbers.

import { inPercent, number } from "../numbers.js";

const element = document.getElementById("xray-names");

/** network -> {blocks: [{name, title, layers: [{name, title, full, shape}]}]}, in computing order. */
export const names = element ? JSON.parse(element.textContent) : {};

const layers = new Map();
for (const [network, { blocks }] of Object.entries(names)) {
  for (const block of blocks) for (const layer of block.layers) layers.set(`${network} ${layer.name}`, { ...layer, block });
}

export const fill = (text, values) => interpolate(text, values, true);

/** {name, title, full, shape, block} of a layer; undefined for one that does not exist. */
export const layerNamed = (network, name) => layers.get(`${network} ${name}`);

/** {name, title, layers} of a block; undefined for one that does not exist. */
export const blockNamed = (network, name) => names[network]?.blocks.find((block) => block.name === name);

/** "128 maps of 16 × 16", "100 numbers" */
export function shapeText([channels, height, width]) {
  if (height * width === 1) return fill(ngettext("%(channels)s number", "%(channels)s numbers", channels), { channels });
  return fill(ngettext("%(channels)s map of %(height)s × %(width)s", "%(channels)s maps of %(height)s × %(width)s", channels),
    { channels, height, width });
}

/** How many digits after the point say something on this scale: three figures of its largest numbers, 2 to 6. */
export function digitsFor(scale) {
  return Math.min(6, Math.max(2, 2 - Math.floor(Math.log10(scale))));
}

/** A change relative to its size, such as 0.42; "–" where there is nothing to compare with. */
export const changeText = (change) => (change === null ? "–" : number(change, 2));

export const percentText = (share) => fill(gettext("%(percent)s%"), { percent: inPercent(share) });

/** "from −1.2 to 3.4, mean 0.1; 62% zero" */
export function rangeText({ minimum, maximum, mean, zeros }, digits) {
  const values = { low: number(minimum, digits), high: number(maximum, digits), mean: number(mean, digits) };
  const range = fill(gettext("from %(low)s to %(high)s, mean %(mean)s"), values);
  return zeros ? fill(gettext("%(range)s; %(percent)s zero"), { range, percent: percentText(zeros) }) : range;
}

/** "changed by 0.40 of its size under the bars" */
export function changedText(change) {
  if (change === null || Number.isNaN(change)) return gettext("zero without the bars, and not with them");
  if (change === 0) return gettext("the same with and without the bars");
  return fill(gettext("changed by %(change)s of its size under the bars"), { change: changeText(change) });
}

/** A text about something, and how much the bars change it, as a sentence. */
export function withChange(text, scan, change) {
  if (!scan.meta.covered) return fill(gettext("%(text)s."), { text });
  return fill(gettext("%(text)s; %(changed)s."), { text, changed: changedText(change) });
}

export const VIEW_TITLES = {
  clean: gettext("without bars"),
  covered: gettext("with bars"),
  difference: gettext("difference"),
};
