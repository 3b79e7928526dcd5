// A colour scale written out: a strip of its colours with the numbers at its ends and, where it has two sides, its zero.

import { number } from "../numbers.js";

/**
 * Fills `element` with the legend of a scale. `title` says of what; `scale` is the number at its end. Called again when
 * the scale changes. A screen reader hears one sentence instead of the parts.
 */
export function legend(element, scale, colours, { title = "", digits = 3 } = {}) {
  const sides = colours.low === -1 ? [-scale, 0, scale] : [0, scale];
  const written = sides.map((one) => number(one, digits));
  let strip = element.querySelector("canvas");
  if (!strip) {
    strip = document.createElement("canvas");
    strip.setAttribute("aria-hidden", "true");
    element.classList.add("legend");
    element.setAttribute("role", "img");
  }
  const { table } = colours;
  strip.width = table.length;
  strip.height = 1;
  const pen = strip.getContext("2d");
  const image = pen.createImageData(table.length, 1);
  table.forEach((colour, i) => image.data.set([...colour, 255], 4 * i));
  pen.putImageData(image, 0, 0);
  const name = document.createElement("span");
  name.className = "legend-title";
  name.textContent = title;
  const ends = document.createElement("span");
  ends.className = "legend-ends number";
  ends.append(...written.map((text) => Object.assign(document.createElement("span"), { textContent: text })));
  element.replaceChildren(...(title ? [name] : []), strip, ends);
  element.setAttribute("aria-label", sentence(title, sides, written));
}

function sentence(title, sides, written) {
  const values = { title: title || gettext("Colours"), low: written[0], zero: written[1], high: written.at(-1) };
  const text = sides.length === 3
    ? gettext("%(title)s: from %(low)s through %(zero)s to %(high)s")
    : gettext("%(title)s: from %(low)s to %(high)s");
  return interpolate(text, values, true);
}
