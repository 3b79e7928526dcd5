// The likeliest classes before and after, as bars on one scale and in words.

import { number, signed } from "../numbers.js";
import { percent } from "./percent.js";

const WIDTH = 100;

/** The softmax of logits / temperature, in float64. */
export function probabilities(logits, temperature) {
  const top = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
  const sum = powers.reduce((total, one) => total + one, 0);
  return powers.map((one) => one / sum);
}

/** The five likeliest before, and those of the five after that are not among them: [{index, before, after}]. */
export function compare(before, after) {
  const five = (values) => [...values.keys()].sort((a, b) => values[b] - values[a] || a - b).slice(0, 5);
  return [...new Set([...five(before), ...five(after)])].map((index) => ({ index, before: before[index], after: after[index] }));
}

export function points(row) {
  if (row.after === null) return "–";
  const apart = 100 * (row.after - row.before);
  return Math.abs(apart) < 0.05 ? number(0, 1) : signed(apart, 1);
}

export class AnswerTable {
  constructor(table, template) {
    this.body = table.querySelector("tbody");
    this.template = template;
  }

  show(rows, labels) {
    while (this.body.children.length < rows.length) {
      this.body.append(this.template.content.querySelector("tr").cloneNode(true));
    }
    while (this.body.children.length > rows.length) this.body.lastElementChild.remove();
    rows.forEach((row, place) => {
      const element = this.body.children[place];
      const find = (name) => element.querySelector(`[data-${name}]`);
      find("label").textContent = labels[row.index];
      find("before").textContent = percent(row.before);
      find("after").textContent = percent(row.after);
      find("points").textContent = points(row);
      find("before-bar").setAttribute("width", (WIDTH * row.before).toFixed(2));
      find("after-bar").setAttribute("width", (WIDTH * (row.after ?? 0)).toFixed(2));
    });
  }
}

/** "apple 97.3%, after 45.0%, −52.3 points; ..." */
export function told(rows, labels) {
  return rows.map((row) => interpolate(row.after === null ? gettext("%(label)s %(before)s") : gettext("%(label)s %(before)s, now %(after)s, %(points)s points"), {
    label: labels[row.index], before: percent(row.before), after: percent(row.after), points: points(row),
  }, true)).join("; ");
}
