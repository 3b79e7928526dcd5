// Dose and response: the picture is covered square by square, in three orders, and both networks say how sure they stay.
//
// The address holds: class (a number from 0), order (most, least, random) and step (0 to the last).

import { sentenceOf } from "../trouble.js";
import { state } from "./address.js";
import { draw, frame, mark, onShape, shareAt } from "./dose-chart.js";
import { curveInWords, orderInWords, portion, stepInWords } from "./dose-words.js";
import { ready, waiting } from "./frame.js";
import { tell } from "./facts.js";
import { explain } from "./jobs.js";
import { asLikeliest, indexIn, likeliest } from "./looked-classes.js";
import { percent } from "./percent.js";
import { bind, within } from "./picker.js";
import { subject } from "./subject.js";
import { twin } from "./twin.js";

const ORDERS = ["most", "least", "random"];
/** What stands beside a thin line. */
const SHORT = { most: gettext("most first"), least: gettext("least first"), random: gettext("random") };

const root = document.querySelector("[data-dose]");
const find = (name) => root.querySelector(`[data-${name}]`);
const setup = JSON.parse(document.getElementById("dose-setup").textContent);
const first = subject.networks[0];
const fill = (text, values) => interpolate(text, values, true);

const standard = await likeliest(setup.standard);

let corrected = false; // The page came with the sentences about its own address.

function validate(values, complain) {
  const say = corrected ? complain : () => {};
  corrected = true;
  const next = { ...values };
  if (within(values.class, first.labels.length) !== values.class) {
    next.class = standard;
    say(gettext("There is no class of this number. The likeliest one is shown."));
  }
  if (!ORDERS.includes(values.order)) {
    next.order = "most";
    say(gettext("There is no such order. The most important squares come first."));
  }
  if (within(values.step, setup.steps + 1) !== values.step) {
    next.step = within(values.step, setup.steps + 1);
    say(gettext("There is no such step. The nearest one is shown."));
  }
  return next;
}

const address = state({ class: standard, order: "most", step: 0 }, validate);
const says = twin(find("says"));
const chart = find("chart");
let ending = new AbortController();

/** One network: what it answers, and the picture as it is covered for it. */
class Side {
  constructor(network, style) {
    this.network = network;
    this.style = style;
    this.element = root.querySelector(`[data-side="${network.name}"]`);
    this.dose = null;
  }

  find(name) {
    return this.element.querySelector(`[data-${name}]`);
  }

  get curve() {
    return this.dose?.curves.find(({ order }) => order === address.get().order);
  }

  say(sentence, again = null) {
    const place = this.find("state");
    place.replaceChildren(sentence);
    if (again) {
      const button = Object.assign(document.createElement("button"), {
        type: "button", className: "button secondary small", textContent: gettext("Try again"),
      });
      button.addEventListener("click", again);
      place.append(" ", button);
    }
    place.hidden = !sentence;
  }

  /** The squares that a step has covered: as many as ml/explain/dose.py covers. */
  covered(step) {
    const { grid, steps } = this.dose;
    return this.curve.cells.slice(0, Math.floor((2 * step * grid * grid + steps) / (2 * steps)));
  }

  show(image, step) {
    const canvas = this.find("picture");
    const pen = canvas.getContext("2d");
    const [x, y, width, height] = subject.crop ?? [0, 0, 1, 1];
    const [across, down] = [image.naturalWidth, image.naturalHeight];
    if (!across) return;
    pen.drawImage(image, x * across, y * down, width * across, height * down, 0, 0, canvas.width, canvas.height);
    if (!this.curve) return;
    const { grid } = this.dose;
    const side = canvas.width / grid;
    pen.fillStyle = "#000000";
    for (const cell of this.covered(step)) pen.fillRect((cell % grid) * side, Math.floor(cell / grid) * side, side, side);
  }
}

const sides = subject.networks.map((network, style) => new Side(network, style));
const image = new Image();

async function reload() {
  ending.abort();
  ending = new AbortController();
  const { signal } = ending;
  const chosen = address.get().class;
  tell({ complete: false, failed: false });
  await Promise.all(sides.map(async (side) => {
    const index = indexIn(side.network, chosen);
    side.dose = null;
    if (index < 0) {
      side.say(fill(gettext("%(network)s does not know this class."), { network: side.network.title }));
      return;
    }
    const late = setTimeout(() => side.say(gettext("Computing …")), 150);
    try {
      const wanted = { class: asLikeliest(side.network, index) };
      const { result } = await explain("dose", side.network, wanted, { signal, onWait: waiting });
      if (signal.aborted) return;
      side.dose = result;
      side.say("");
    } catch (problem) {
      if (signal.aborted || problem.code === "aborted") return;
      side.say(sentenceOf(problem), reload);
      tell({ failed: true });
    } finally {
      clearTimeout(late);
    }
  }));
  if (!signal.aborted) show();
}

const label = () => first.labels[address.get().class];
const there = () => sides.filter((side) => side.dose);

/** Everything that depends on the class and the order. */
function show() {
  const { order } = address.get();
  frame(chart, portion);
  draw(chart, there().flatMap((side) => side.dose.curves.map((curve) => ({
    shares: curve.shares,
    values: curve.probabilities,
    text: curve.order === order ? side.network.title : SHORT[curve.order],
    style: side.style,
    order: curve.order,
    strong: curve.order === order,
  }))));
  for (const key of find("thin").children) key.hidden = key.dataset.of === order;
  root.dataset.shown = order;
  for (const side of sides) {
    const about = { network: side.network.title, label: label() };
    side.find("words").textContent = side.curve ? curveInWords(side.curve, about) : "";
    side.find("warning").textContent = side.dose ? orderInWords(side.dose.curves, about) : "";
    side.find("warning").hidden = !side.find("warning").textContent;
    for (const one of ORDERS) {
      const curve = side.dose?.curves.find((found) => found.order === one);
      root.querySelector(`[data-area="${side.network.name} ${one}"]`).textContent = curve ? percent(curve.area) : "–";
    }
  }
  table();
  scrub();
}

/** Everything that depends on the step. */
function scrub() {
  const { step } = address.get();
  const drawn = there().filter((side) => side.curve);
  for (const side of sides) side.show(image, step);
  const share = drawn[0]?.curve.shares[step] ?? step / setup.steps;
  mark(chart, share, drawn.map((side) => ({ value: side.curve.probabilities[step], style: side.style })));
  const slider = find("step");
  slider.value = String(step);
  slider.setAttribute("aria-valuetext", portion(share));
  find("share").textContent = portion(share);
  const told = drawn.map((side) => {
    const text = stepInWords(side.curve, step, { network: side.network.title, label: label(), labels: side.network.labels });
    side.find("answer").textContent = text;
    return text;
  });
  if (told.length) says.say([fill(gettext("%(share)s of the picture is covered."), { share: portion(share) }), ...told].join(" "));
  for (const row of find("rows").children) row.toggleAttribute("data-now", row.dataset.at === String(step));
  tellLesson();
}

/** What a lesson may ask: the step, where each network's answer first changes, and the mean area under each order. */
function tellLesson() {
  const { order, step } = address.get();
  const found = there();
  const changes = found.filter((side) => side.curve).map(({ network, curve }) => {
    const at = curve.top_indices.findIndex((index) => index !== curve.top_indices[0]);
    return [network.name, at < 0 ? null : at];
  });
  const areas = ORDERS.map((one) => {
    const own = found.map(({ dose }) => dose.curves.find((curve) => curve.order === one).area);
    return [one, own.reduce((sum, area) => sum + area, 0) / own.length];
  });
  tell({
    order,
    step,
    complete: found.length === sides.length,
    changes: Object.fromEntries(changes),
    areas: Object.fromEntries(areas),
  });
}

/** The curves of the chosen order as a table. */
function table() {
  const drawn = there().filter((side) => side.curve);
  find("rows").replaceChildren(...(drawn[0]?.curve.shares ?? []).map((share, step) => {
    const row = document.createElement("tr");
    row.dataset.at = String(step);
    const head = Object.assign(document.createElement("th"), { scope: "row", textContent: portion(share) });
    const cells = sides.flatMap((side) => [
      side.curve ? percent(side.curve.probabilities[step]) : "–",
      side.curve ? side.network.labels[side.curve.top_indices[step]] : "–",
    ]);
    row.append(head, ...cells.map((text, i) => Object.assign(document.createElement("td"), {
      textContent: text, className: i % 2 ? "" : "numeric",
    })));
    return row;
  }));
}

bind(find("class"), address, "class");
bind(find("order"), address, "order");
find("step").addEventListener("input", (event) => address.set({ step: Number(event.target.value) }));

/** A pointer on the plot takes hold of the step. */
function hold(event) {
  address.set({ step: Math.round(shareAt(chart, event) * setup.steps) });
}
chart.addEventListener("pointerdown", (event) => {
  chart.setPointerCapture(event.pointerId);
  hold(event);
});
chart.addEventListener("pointermove", (event) => {
  if (event.buttons) hold(event);
});

address.onChange((_, changed) => {
  if (changed.has("class")) reload();
  else if (changed.has("order")) show();
  else scrub();
});
onShape(show);
image.addEventListener("load", scrub);
image.src = subject.image;
frame(chart, portion);
reload().finally(ready);
