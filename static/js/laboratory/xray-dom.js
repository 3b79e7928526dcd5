// Elements made in one line.

const PROPERTIES = new Set(["hidden", "tabIndex", "textContent", "className", "disabled", "value", "htmlFor", "colSpan"]);

/** An element with attributes (or properties), listeners ("onclick") and children (elements or text). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A bar of a share of the width (0 to 1), for the eye only: its number stands beside it. */
export function bar(share, kind = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `xray-bar ${kind}`.trim());
  svg.setAttribute("viewBox", "0 0 100 1");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const length = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  length.setAttribute("width", (100 * Math.min(1, share)).toFixed(2));
  length.setAttribute("height", "1");
  svg.append(length);
  return svg;
}
