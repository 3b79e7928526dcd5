// The kernel laboratory: nine weights, the pixels they are laid on, and what comes out. The address holds kernel, stride,
// padding, dilation, plane, and y and x (from 0; -1 for the middle).

import { number } from "../numbers.js";
import { state } from "./address.js";
import { grey, legend, paint, reach as reachOf, signed, weight as weightColour } from "./colours.js";
import { tell } from "./facts.js";
import { calm, ready } from "./frame.js";
import { convolve, plane, reach, rowsOf, SIDE, taps, turned } from "./kernel-model.js";
import { bind } from "./picker.js";
import { twin } from "./twin.js";

const STEP = 250; // ms from place to place of a kernel that walks
const KEYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const SVG = "http://www.w3.org/2000/svg";

const data = JSON.parse(document.getElementById("kernel-data").textContent);
const root = document.querySelector("[data-kernel]");
const find = (name) => root.querySelector(`[data-${name}]`);
const inputs = [...find("weights").querySelectorAll("input")];
const says = twin(find("twin"));
const fill = (text, values) => interpolate(text, values, true);
const planes = new Map();

const written = (weights) => weights.map((one) => String(Number(one.toPrecision(6)))).join(",");

/** The weights of a text; null where it is no kernel. */
function weightsOf(text) {
  const found = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (found.length !== SIDE * SIDE || !found.every(Number.isFinite)) return null;
  return found.map((one) => Math.min(data.largest, Math.max(-data.largest, one)));
}

// The page itself has said what in the address does not exist; here it is only put right.
const address = state({ kernel: written(data.first), stride: 1, padding: 1, dilation: 1, plane: "grey", y: -1, x: -1 }, (values) => {
  const next = { kernel: written(weightsOf(values.kernel) ?? data.first) };
  for (const [key, choices] of Object.entries(data.choices)) next[key] = choices.includes(values[key]) ? values[key] : choices[key === "padding" ? 1 : 0];
  const rows = rowsOf(data.side, next);
  for (const key of ["y", "x"]) {
    const value = Math.round(values[key]);
    next[key] = Number.isFinite(value) && value >= 0 ? Math.min(rows - 1, value) : -1;
  }
  return next;
});

let shown = null; // {weights, settings, map, out}
let held = false; // the place stays while a pointer passes
let pointed = null; // the place under a pointer
let walking = 0;

/** Computes and draws everything. */
function draw() {
  const { kernel, stride, padding, dilation, plane: name } = address.get();
  const weights = weightsOf(kernel);
  const settings = { stride, padding, dilation };
  if (!planes.has(name)) planes.set(name, plane(data, name));
  const map = planes.get(name);
  shown = { weights, settings, map, out: convolve(map, weights, settings) };
  const scale = reachOf(shown.out.data);
  paint(find("pixels"), map, 1, grey);
  paint(find("sums"), shown.out, scale, signed);
  legend(find("legend"), scale, signed, { title: gettext("Sums"), digits: 2 });
  drawWeights(weights);
  const size = ({ height, width }) => fill(gettext("%(rows)s × %(columns)s"), { rows: height, columns: width });
  find("in-size").textContent = size(map);
  find("out-size").textContent = size(shown.out);
  find("formula").textContent = fill(
    gettext("Rows that come out: (%(rows)s + 2 × %(padding)s − %(reach)s) ÷ %(stride)s, rounded down, + 1 = %(out)s. The kernel covers %(reach)s rows."),
    { rows: map.height, padding, reach: reach(settings), stride, out: shown.out.height },
  );
  drawPlace();
}

function drawWeights(weights) {
  const scale = reachOf(weights);
  inputs.forEach((input, place) => {
    input.style.backgroundColor = weightColour.style(weights[place], scale);
    input.style.color = weightColour.ink(weights[place], scale);
    // What is being typed is left alone.
    if (document.activeElement !== input && !input.hasAttribute("aria-invalid")) input.value = String(weights[place]);
  });
  const sum = weights.reduce((all, one) => all + one, 0);
  find("total").textContent = fill(gettext("sum of the weights %(sum)s"), { sum: number(sum, 2) });
  const preset = Object.entries(data.presets).find(([, own]) => written(own) === written(weights));
  find("preset").value = preset ? preset[0] : "";
}

/** The place that is looked at, of the output. */
function place() {
  const { y, x } = pointed ?? address.get();
  const middle = Math.floor(shown.out.height / 2);
  return { y: y < 0 ? middle : Math.min(y, shown.out.height - 1), x: x < 0 ? middle : Math.min(x, shown.out.width - 1) };
}

function drawPlace() {
  const { y, x } = place();
  const { map, out, weights, settings } = shown;
  const found = taps(map, weights, settings, y, x);
  const box = find("output").querySelector("svg");
  box.setAttribute("viewBox", `0 0 ${out.width} ${out.height}`);
  for (const name of ["cell-under", "cell"]) {
    for (const [key, value] of Object.entries({ x, y, width: 1, height: 1 })) find(name).setAttribute(key, value);
  }
  const { padding } = settings;
  const around = find("input").querySelector("svg");
  around.setAttribute("viewBox", `${-padding} ${-padding} ${map.width + 2 * padding} ${map.height + 2 * padding}`);
  find("input").style.setProperty("--ring", String(padding / (map.width + 2 * padding)));
  find("taps").replaceChildren(...found.flatMap(({ row, column }) => ["under", "tap"].map((name) => {
    const rect = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ class: name, x: column, y: row, width: 1, height: 1 })) rect.setAttribute(key, value);
    return rect;
  })));
  const sum = found.reduce((all, { product }) => all + product, 0);
  const where = { row: y + 1, column: x + 1, sum: number(sum, 3) };
  find("sum-title").textContent = fill(gettext("Row %(row)s, column %(column)s of what comes out"), where);
  find("terms").replaceChildren(...found.map(({ row, column, inside, value, weight, product }) => {
    const line = document.createElement("tr");
    const head = Object.assign(document.createElement("th"), { scope: "row" });
    head.textContent = inside ? fill(gettext("row %(row)s, column %(column)s"), { row: row + 1, column: column + 1 }) : gettext("outside");
    line.append(head, ...[number(value, 2), number(weight, 2), number(product, 3)].map((text) =>
      Object.assign(document.createElement("td"), { className: "numeric", textContent: text })));
    return line;
  }));
  find("sum").textContent = where.sum;
  says.say(fill(gettext("Row %(row)s, column %(column)s: nine products add up to %(sum)s."), where));
  tell({ complete: true, weights, ...settings, rows: out.height, side: map.height, y, x, sum });
}

// --- the weights ------------------------------------------------------------------------------------------

function wrong(input, sentence) {
  find("wrong").textContent = sentence;
  find("wrong").hidden = !sentence;
  if (sentence) input.setAttribute("aria-invalid", "true");
  else for (const one of inputs) one.removeAttribute("aria-invalid");
}

inputs.forEach((input, at) => {
  input.addEventListener("input", () => {
    const value = Number(input.value);
    if (input.validity.badInput || input.value.trim() === "" || !Number.isFinite(value) || Math.abs(value) > data.largest) {
      wrong(input, fill(gettext("Type a number from −%(most)s to %(most)s."), { most: data.largest }));
      return;
    }
    wrong(input, "");
    const weights = [...shown.weights];
    weights[at] = value;
    address.set({ kernel: written(weights) });
  });
  input.addEventListener("blur", () => {
    if (input.hasAttribute("aria-invalid")) return;
    input.value = String(shown.weights[at]);
  });
});

/** All nine at once: a step that Back undoes. */
function choose(weights) {
  wrong(null, "");
  address.set({ kernel: written(weights) }, { step: true });
}

find("preset").addEventListener("change", ({ target }) => {
  if (target.value) choose(data.presets[target.value]);
});
find("turn").addEventListener("click", () => choose(turned(shown.weights)));
find("flip").addEventListener("click", () => choose(shown.weights.map((one) => -one || 0)));

for (const key of ["stride", "padding", "dilation"]) bind(find(`pick-${key}`), address, key, { read: ({ value }) => Number(value) });
bind(find("pick-plane"), address, "plane");

// --- the place --------------------------------------------------------------------------------------------

let frame = 0;

function later() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    drawPlace();
  });
}

function go(y, x) {
  const last = shown.out.height - 1;
  pointed = null;
  address.set({ y: Math.min(last, Math.max(0, y)), x: Math.min(last, Math.max(0, x)) });
}

/** The place of the output under a pointer, on either map. */
function under(event, element, isInput) {
  const box = element.getBoundingClientRect();
  const [across, down] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  const { out, map, settings } = shown;
  const last = out.height - 1;
  const at = (share) => {
    if (!isInput) return Math.floor(share * out.height);
    // The kernel whose middle lies nearest.
    const pixel = share * (map.width + 2 * settings.padding) - reach(settings) / 2;
    return Math.round(pixel / settings.stride);
  };
  return { y: Math.min(last, Math.max(0, at(down))), x: Math.min(last, Math.max(0, at(across))) };
}

for (const [name, isInput] of [["input", true], ["output", false]]) {
  const element = find(name);
  element.addEventListener("pointermove", (event) => {
    stop();
    if (held) return;
    pointed = under(event, element, isInput);
    later();
  });
  element.addEventListener("pointerleave", () => {
    pointed = null;
    later();
  });
  element.addEventListener("click", (event) => {
    const { y, x } = under(event, element, isInput);
    held = !held || y !== place().y || x !== place().x;
    go(y, x);
  });
}

find("output").addEventListener("keydown", (event) => {
  const { y, x } = place();
  const last = shown.out.height - 1;
  const step = KEYS[event.key];
  if (step) go(y + step[0], x + step[1]);
  else if (event.key === "Home") go(event.ctrlKey ? 0 : y, 0);
  else if (event.key === "End") go(event.ctrlKey ? last : y, last);
  else if (event.key === "Enter" || event.key === " ") held = !held;
  else return;
  stop();
  event.preventDefault();
});

function advance() {
  const { y, x } = place();
  const { width, height } = shown.out;
  const next = (y * width + x + 1) % (width * height);
  go(Math.floor(next / width), next % width);
}

function stop() {
  clearInterval(walking);
  walking = 0;
  find("walk").textContent = calm() ? gettext("One place on") : gettext("Let it walk");
}

find("walk").addEventListener("click", () => {
  if (calm()) advance();
  else if (walking) stop();
  else {
    walking = setInterval(advance, STEP);
    find("walk").textContent = gettext("Stop");
  }
});

address.onChange((_, changed) => {
  if ([...changed].every((key) => key === "y" || key === "x")) drawPlace();
  else draw();
});
stop();
draw();
ready();
