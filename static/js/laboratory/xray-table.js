// Numbers of a layer or of a channel: a row for each, a column for each view.

import { number } from "../numbers.js";
import { el } from "./xray-dom.js";
import { percentText, VIEW_TITLES } from "./xray-text.js";

const ROWS = [
  ["minimum", gettext("smallest")],
  ["maximum", gettext("largest")],
  ["mean", gettext("mean")],
  ["deviation", gettext("standard deviation")],
  ["zeros", gettext("zeros")],
];

/** `columns`: [[view, {minimum, maximum, mean, deviation, zeros}], ...] */
export function table(caption, columns, digits) {
  const value = (key, one) => (key === "zeros" ? percentText(one) : number(one, digits));
  const head = columns.map(([view]) => el("th", { scope: "col", className: "numeric", textContent: VIEW_TITLES[view] }));
  const rows = ROWS.map(([key, title]) => el("tr", {},
    el("th", { scope: "row", textContent: title }),
    ...columns.map(([, values]) => el("td", { className: "numeric number", textContent: value(key, values[key]) }))));
  return el("div", { className: "table-wrap", tabIndex: 0, role: "group", "aria-label": caption },
    el("table", { className: "table small xray-table" },
      el("caption", { textContent: caption }),
      el("thead", {}, el("tr", {}, el("td"), ...head)),
      el("tbody", {}, ...rows)));
}
