// The four columns as a table: rows are copies of the template's, into which numbers and lengths are written. While the
// temperature is dragged only attributes and text change.

import { decimal, fromLogarithm, share } from "./belief-softmax.js";

const length = (part) => (100 * part).toFixed(2);

function write(row, name, text) {
  const place = row.querySelector(`[data-${name}]`);
  if (place.textContent !== text) place.textContent = text;
}

function draw(row, name, attributes) {
  const place = row.querySelector(`[data-${name}]`);
  for (const [key, value] of Object.entries(attributes)) place.setAttribute(key, value);
}

/** "95 others" */
export function others(count) {
  return interpolate(ngettext("%(count)s other", "%(count)s others", count), { count }, true);
}

export class Columns {
  constructor(table, template) {
    this.body = table.querySelector("tbody");
    this.sum = table.querySelector("[data-sum]");
    this.template = template;
  }

  /** `found`: of `columns` in belief-softmax.js; `labels`: of all classes. Returns what is written: [{label, share}]. */
  show(found, labels) {
    while (this.body.children.length < found.rows.length) {
      this.body.append(this.template.content.querySelector("tr").cloneNode(true));
    }
    while (this.body.children.length > found.rows.length) this.body.lastElementChild.remove();
    const { rows } = found;
    const low = Math.min(0, ...rows.map((row) => row.logit));
    const high = Math.max(0, ...rows.map((row) => row.logit));
    const span = high - low || 1;
    const deepest = -Math.min(...rows.map((row) => row.difference)) || 1;
    const largest = Math.max(1, ...rows.map((row) => Math.exp(row.logExponential)));
    this.sum.textContent = fromLogarithm(found.logSum);
    return rows.map((row, place) => this.row(this.body.children[place], row, {
      label: row.index === null ? others(found.others) : labels[row.index], low, span, deepest, largest,
    }));
  }

  row(element, row, { label, low, span, deepest, largest }) {
    const bound = row.index === null ? "≤ " : "";
    const written = share(row.logProbability, row.logRest);
    element.classList.toggle("others", row.index === null);
    write(element, "label", label);
    write(element, "logit", bound + decimal(row.logit));
    write(element, "difference", bound + decimal(row.difference));
    write(element, "exponential", fromLogarithm(row.logExponential));
    write(element, "share", written);
    draw(element, "logit-bar", {
      class: row.logit < 0 ? "low" : "high",
      x: length((Math.min(0, row.logit) - low) / span),
      width: length(Math.abs(row.logit) / span),
    });
    draw(element, "zero", { x: length(-low / span) });
    draw(element, "difference-bar", { x: length(1 + row.difference / deepest), width: length(-row.difference / deepest) });
    const unit = length(Math.sqrt(1 / largest));
    const side = length(Math.sqrt(Math.exp(row.logExponential) / largest));
    draw(element, "unit", { width: unit, height: unit });
    draw(element, "area", { width: side, height: side });
    draw(element, "share-bar", { width: length(Math.exp(row.logProbability)) });
    return { label, share: written };
  }
}
