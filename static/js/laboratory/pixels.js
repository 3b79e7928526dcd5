// A picture as numbers: one pixel and those around it, the channels, and what is left with fewer rows and steps, in another
// order, or with a number added. The address holds y and x (rows and columns of the whole picture from 0; left out: the
// middle), read, channels, rows, steps, shuffle, add and back.

import { number, signed, whole } from "../numbers.js";
import { state } from "./address.js";
import { css, grey, paint } from "./colours.js";
import { tell } from "./facts.js";
import { ready } from "./frame.js";
import { percent } from "./percent.js";
import { bind, stepping, within } from "./picker.js";
import { bitsEach, CHANNELS, compute, LARGEST, reddest, windowAt } from "./pixels-model.js";
import { twin } from "./twin.js";

const KEYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

const data = JSON.parse(document.getElementById("pixels-data").textContent);
const root = document.querySelector("[data-pixels]");
const find = (name) => root.querySelector(`[data-${name}]`);
const of = (name, channel) => root.querySelector(`[data-${name}="${channel}"]`);
const fill = (text, values) => interpolate(text, values, true);
const says = Object.fromEntries(["twin", "total", "apart", "clipped"].map((name) => [name, twin(find(name))]));
const mostRed = reddest(data);

const middle = Math.floor(data.side / 2);
const DEFAULTS = {
  y: middle, x: middle, read: "red", channels: "rgb", rows: data.side, steps: LARGEST + 1, shuffle: "none", add: 0, back: false,
};

// The page itself has said what in the address does not exist; here it is only put right.
const address = state(DEFAULTS, (values) => {
  const next = {};
  for (const [key, choices] of Object.entries(data.choices)) next[key] = choices.includes(values[key]) ? values[key] : DEFAULTS[key];
  next.add = Number.isInteger(values.add) ? Math.min(LARGEST, Math.max(-LARGEST, values.add)) : 0;
  for (const key of ["y", "x"]) next[key] = Number.isInteger(values[key]) ? within(values[key], data.side) : middle;
  return next;
});

let shown = null; // what the model makes of the picture
let pointed = null; // the place under a pointer, {y, x} of the whole picture
let isChosen = false; // whether somebody has chosen a pixel, and not only the address

// --- all of the picture -------------------------------------------------------------------------------------

/** Computes and draws everything. */
function draw() {
  const { rows, channels, shuffle, steps } = address.get();
  shown = compute(data, address.get());
  drawColours();
  CHANNELS.forEach((name, channel) => {
    const isOn = shown.on[channel];
    paint(of("grey", name), { data: shown.planes[channel], width: rows, height: rows }, LARGEST, grey);
    const box = of("channel", name);
    box.checked = isOn;
    box.disabled = channels === name[0];
    const label = box.closest("label");
    label.toggleAttribute("data-is-off", !isOn);
    label.querySelector("[data-off]").hidden = isOn;
  });
  find("size").textContent = fill(gettext("%(rows)s × %(rows)s"), { rows });
  says.total.say(totalText(steps));
  says.apart.say(apartText(shuffle));
  says.clipped.say(clippedText());
  drawPlace();
}

/** The picture in colour; a channel that is off counts as 0. */
function drawColours() {
  const { rows, planes, on } = shown;
  const canvas = find("colours");
  canvas.width = rows;
  canvas.height = rows;
  const image = new ImageData(rows, rows);
  for (let i = 0; i < rows * rows; i += 1) {
    image.data.set([...planes.map((plane, channel) => (on[channel] ? plane[i] : 0)), LARGEST], 4 * i);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function totalText(steps) {
  const { rows, numbers, bits, on } = shown;
  const channels = on.filter(Boolean).length;
  const each = bitsEach(steps);
  const all = 3 * data.side * data.side * bitsEach(LARGEST + 1);
  const count = ngettext(
    "%(rows)s rows × %(rows)s columns × %(channels)s channel = %(numbers)s numbers.",
    "%(rows)s rows × %(rows)s columns × %(channels)s channels = %(numbers)s numbers.", channels,
  );
  const size = ngettext(
    "%(steps)s steps are %(each)s bit for each number, %(bits)s bits together: %(share)s of all that the networks are given.",
    "%(steps)s steps are %(each)s bits for each number, %(bits)s bits together: %(share)s of all that the networks are given.", each,
  );
  return `${fill(count, { rows, channels, numbers: whole(numbers) })} ${
    fill(size, { steps, each, bits: whole(bits), share: percent(bits / all) })}`;
}

function apartText(shuffle) {
  const { apart, straight } = shown;
  if (shuffle === "none") {
    return fill(gettext("Numbers beside or below each other are %(apart)s apart on average."), { apart: number(apart, 1) });
  }
  return fill(
    gettext("Numbers beside or below each other are %(apart)s apart on average; before they were mixed it was %(straight)s."),
    { apart: number(apart, 1), straight: number(straight, 1) },
  );
}

function clippedText() {
  const { add, back } = address.get();
  if (!add) return gettext("Nothing is added, so nothing is cut off.");
  const { numbers, below, above } = shown;
  const text = add > 0
    ? gettext("%(add)s is added: %(cut)s of %(numbers)s numbers (%(share)s) would lie above 255 and are cut off there.")
    : gettext("%(add)s is added: %(cut)s of %(numbers)s numbers (%(share)s) would lie below 0 and are cut off there.");
  const cut = below + above;
  const first = fill(text, { add: signed(add, 0), cut: whole(cut), numbers: whole(numbers), share: percent(cut / numbers) });
  if (!back) return first;
  const end = add > 0 ? LARGEST - add : -add;
  return `${first} ${fill(gettext("It is taken away again: those that were cut off are all %(end)s now."), { end })}`;
}

// --- one pixel of it ----------------------------------------------------------------------------------------

/** The place that is looked at, in the rows and columns that are shown. */
function place() {
  const { y, x } = pointed ?? address.get();
  const at = (one) => Math.floor((one * shown.rows) / data.side);
  return { row: at(y), column: at(x) };
}

/** A row or column that is shown as one of the whole picture: the middle of what it stands for. */
const inWhole = (at) => Math.floor(((at + 0.5) * data.side) / shown.rows);

/** Sets the rectangles of a mark, with the brighter one under it. */
function mark(name, values) {
  for (const rect of [find(name), find(`${name}-under`)]) {
    for (const [key, value] of Object.entries(values)) rect.setAttribute(key, value);
  }
}

function drawPlace() {
  const { row, column } = place();
  const { rows, planes, on } = shown;
  const values = planes.map((plane, channel) => (on[channel] ? plane[row * rows + column] : 0));
  find("picture").querySelector("svg").setAttribute("viewBox", `0 0 ${rows} ${rows}`);
  mark("place", { x: column, y: row, width: 1, height: 1 });
  CHANNELS.forEach((name, channel) => {
    of("value", name).textContent = on[channel] ? values[channel] : gettext("off");
    of("bar", name).style.setProperty("--share", String(values[channel] / LARGEST));
  });
  find("swatch").style.backgroundColor = css(values);
  drawWindow(row, column);
  says.twin.say(placeText(row, column, values));
  tellAll(row, column, values);
}

function placeText(row, column, [red, green, blue]) {
  const text = fill(
    gettext("Row %(row)s, column %(column)s: red %(red)s, green %(green)s, blue %(blue)s."),
    { row: row + 1, column: column + 1, red, green, blue },
  );
  const off = CHANNELS.filter((_, channel) => !shown.on[channel]);
  const names = { red: gettext("red"), green: gettext("green"), blue: gettext("blue") };
  return off.length ? `${text} ${fill(gettext("Switched off: %(channels)s."), { channels: off.map((name) => names[name]).join(", ") })}` : text;
}

const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

function drawWindow(row, column) {
  const { rows, planes, cut, on } = shown;
  const { read } = address.get();
  const channel = CHANNELS.indexOf(read);
  const { top, left, side } = windowAt(rows, row, column);
  mark("around", { x: left, y: top, width: side, height: side });
  const every = Array.from({ length: side }, (_, at) => at);
  find("window-title").textContent = fill(
    gettext("Rows %(top)s to %(bottom)s, columns %(left)s to %(right)s"),
    { top: top + 1, bottom: top + side, left: left + 1, right: left + side },
  );
  const head = make("tr", {});
  head.append(make("td", {}), ...every.map((at) => make("th", { scope: "col", textContent: left + at + 1 })));
  find("window-columns").replaceChildren(head);
  find("window-rows").replaceChildren(...every.map((down) => {
    const line = make("tr", {});
    line.append(make("th", { scope: "row", textContent: top + down + 1 }), ...every.map((right) => {
      const at = (top + down) * rows + left + right;
      const value = on[channel] ? planes[channel][at] : 0;
      const cell = make("td", { textContent: value });
      cell.style.backgroundColor = grey.style(value, LARGEST);
      cell.style.color = grey.ink(value, LARGEST);
      cell.toggleAttribute("data-here", top + down === row && left + right === column);
      cell.toggleAttribute("data-cut", on[channel] && cut[channel][at] !== 0);
      return cell;
    }));
    return line;
  }));
}

function tellAll(row, column, [red, green, blue]) {
  const { rows, channels, steps, add, back, shuffle } = address.get();
  const { numbers, bits, below, above, apart, straight, halving } = shown;
  tell({
    complete: true, row, column, red, green, blue, side: data.side, rows, channels, steps, add, back, shuffle,
    numbers, bits, below, above, apart, straight, halving, mostRed, chosen: isChosen,
  });
}

// --- what is chosen -----------------------------------------------------------------------------------------

const toNumber = { read: ({ value }) => Number(value) };
for (const key of ["rows", "steps"]) bind(find(`pick-${key}`), address, key, toNumber);
for (const key of ["shuffle", "read", "back"]) bind(find(`pick-${key}`), address, key);
for (const name of ["slider", "typed"]) bind(find(name), address, "add", { event: "input" });

const steps = stepping();
for (const name of CHANNELS) {
  of("channel", name).addEventListener("change", () => {
    const on = CHANNELS.filter((one) => of("channel", one).checked).map((one) => one[0]).join("");
    address.set({ channels: on }, { step: steps() });
  });
}

let frame = 0;

function later() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    drawPlace();
  });
}

function go(row, column) {
  pointed = null;
  isChosen = true;
  const last = shown.rows - 1;
  const [y, x] = [row, column].map((at) => inWhole(Math.min(last, Math.max(0, at))));
  address.set({ y, x });
  later();
}

/** The place of the whole picture under a pointer. */
function under(event) {
  const box = find("picture").getBoundingClientRect();
  const at = (share) => within(Math.floor(share * data.side), data.side);
  return { y: at((event.clientY - box.top) / box.height), x: at((event.clientX - box.left) / box.width) };
}

find("picture").addEventListener("pointermove", (event) => {
  pointed = under(event);
  later();
});
find("picture").addEventListener("pointerleave", () => {
  pointed = null;
  later();
});
find("picture").addEventListener("click", (event) => {
  isChosen = true;
  address.set(under(event));
  later();
});

find("picture").addEventListener("keydown", (event) => {
  const { row, column } = place();
  const last = shown.rows - 1;
  const step = KEYS[event.key];
  if (step) go(row + step[0], column + step[1]);
  else if (event.key === "Home") go(event.ctrlKey ? 0 : row, 0);
  else if (event.key === "End") go(event.ctrlKey ? last : row, last);
  else return;
  event.preventDefault();
});

address.onChange((_, changed) => {
  if ([...changed].every((key) => ["y", "x", "read"].includes(key))) drawPlace();
  else draw();
});
draw();
ready();
