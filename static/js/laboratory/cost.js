// Width and depth: what a Wide ResNet holds and computes, and how long it was measured to take, beside a second one. The
// address holds wrn and pin (depth-width), against (multiply_adds or parameters), join (depth or width) and batch (1 or 32).

import { state } from "./address.js";
import { draw, onShape, under } from "./cost-chart.js";
import { family, milliseconds, ratio } from "./cost-model.js";
import { tell } from "./facts.js";
import { ready } from "./frame.js";
import { bind } from "./picker.js";
import { twin } from "./twin.js";

const data = JSON.parse(document.getElementById("cost-data").textContent);
const root = document.querySelector("[data-cost]");
const find = (name) => root.querySelector(`[data-${name}]`);
const fill = (text, values) => interpolate(text, values, true);
const { at, byName, read } = family(data.networks);
const measured = data.networks.filter(({ times }) => times);
const says = twin(find("twin"));
const AGAINST = { multiply_adds: gettext("multiply-adds for a picture"), parameters: gettext("parameters") };

// The page itself has said what in the address does not exist; here it is only put right.
const standard = { wrn: data.first, pin: data.reference, against: data.choices.against[0], join: data.choices.join[0], batch: data.choices.batch[0] };
const address = state(standard, (values) => {
  const next = { wrn: read(values.wrn, data.first), pin: read(values.pin, data.reference) };
  for (const [key, choices] of Object.entries(data.choices)) next[key] = choices.includes(values[key]) ? values[key] : choices[0];
  return next;
});

/** The state with its two networks in the place of their names, and all that the chart needs. */
function shown() {
  const { wrn, pin, against, join, batch } = address.get();
  return {
    chosen: byName(wrn), pinned: byName(pin), reference: byName(data.reference),
    networks: measured, axes: data.axes, against, join, batch, name: AGAINST[against],
    title: (network) => inWords(network, against, batch),
  };
}

function inWords(network, against, batch) {
  const values = { name: network.name, count: network.texts[against], ms: milliseconds(network.times[batch][1]) };
  return fill(against === "parameters"
    ? gettext("%(name)s: %(count)s parameters, %(ms)s ms a picture")
    : gettext("%(name)s: %(count)s multiply-adds, %(ms)s ms a picture"), values);
}

function drawSliders({ chosen }) {
  const { depth, width } = chosen;
  find("depth").value = String(depth);
  find("width").value = String(width);
  const deep = fill(gettext("%(depth)s layers"), { depth });
  const wide = fill(gettext("%(width)s × 16 channels"), { width });
  find("depth-text").textContent = deep;
  find("width-text").textContent = wide;
  find("depth").setAttribute("aria-valuetext", deep);
  find("width").setAttribute("aria-valuetext", wide);
}

function drawBars({ chosen, pinned }) {
  find("title").textContent = fill(gettext("%(chosen)s against %(pinned)s"), { chosen: chosen.name, pinned: pinned.name });
  for (const item of root.querySelectorAll("[data-measure]")) {
    const key = item.dataset.measure;
    const both = [chosen, pinned];
    const longest = Math.max(...both.map(({ values }) => values[key] ?? 0));
    item.querySelectorAll(".cost-bar").forEach((bar, i) => {
      const { name, values, texts } = both[i];
      bar.querySelector("[data-which]").textContent = name;
      bar.querySelector("[data-value]").textContent = texts[key] ?? gettext("not measured");
      bar.querySelector("rect").setAttribute("width", key in values ? ((100 * values[key]) / longest).toFixed(2) : "0");
    });
    const areBoth = key in chosen.values && key in pinned.values;
    item.querySelector("[data-ratio]").textContent = areBoth
      ? fill(gettext("%(ratio)s times"), { ratio: ratio(chosen.values[key] / pinned.values[key]) }) : "";
  }
}

function drawPlan({ chosen }) {
  find("plan-title").textContent = fill(gettext("%(name)s, part by part"), { name: chosen.name });
  find("plan").replaceChildren(...chosen.plan.map(({ title, holds, parameters, multiply_adds: work }) => {
    const row = document.createElement("tr");
    const head = Object.assign(document.createElement("th"), { scope: "row" });
    head.append(title, " ", Object.assign(document.createElement("span"), { className: "beneath", textContent: holds }));
    row.append(head, ...[parameters, work].map((textContent) =>
      Object.assign(document.createElement("td"), { className: "numeric", textContent })));
    return row;
  }));
  find("formulas").replaceChildren(...chosen.formulas.flatMap((text, i) => (i ? [document.createElement("br"), text] : [text])));
}

function drawChart(now) {
  if (!data.axes) return;
  draw(find("chart"), now);
  const { chosen, against, join, batch } = now;
  root.querySelector("[data-pace-key]").hidden = against !== "multiply_adds" || !now.reference.times;
  const lines = fill(join === "depth"
    ? gettext("The strong line joins the networks of %(depth)s layers, from narrow to wide; the thin ones join those of the other depths.")
    : gettext("The strong line joins the networks of width %(width)s, from shallow to deep; the thin ones join those of the other widths."), chosen);
  const where = chosen.times
    ? fill(gettext("Half of the repetitions of %(name)s took from %(low)s to %(high)s ms a picture."), {
      name: chosen.name, low: milliseconds(chosen.times[batch][0]), high: milliseconds(chosen.times[batch][2]),
    })
    : fill(gettext("%(name)s has not been measured and is not on the chart."), chosen);
  find("chart-words").textContent = `${lines} ${where}`;
}

function speak({ chosen, pinned }) {
  const parts = [fill(gettext("%(name)s has %(parameters)s parameters and does %(work)s multiply-adds for a picture."), {
    name: chosen.name, parameters: chosen.texts.parameters, work: chosen.texts.multiply_adds,
  })];
  if (chosen.times) {
    parts.push(fill(gettext("It takes %(alone)s ms for a picture by itself and %(together)s ms for each of 32 at once."), chosen.texts));
  } else parts.push(gettext("How long it takes has not been measured."));
  parts.push(chosen === pinned ? gettext("It is also the one to compare with. Move a slider.") : compare(chosen, pinned));
  says.say(parts.join(" "));
}

function compare(chosen, pinned) {
  const times = (key) => ratio(chosen.values[key] / pinned.values[key]);
  const values = { pinned: pinned.name, parameters: times("parameters"), work: times("multiply_adds") };
  if (!chosen.times || !pinned.times) {
    return fill(gettext("That is %(parameters)s times the parameters of %(pinned)s and %(work)s times its multiply-adds."), values);
  }
  return fill(
    gettext("That is %(parameters)s times the parameters of %(pinned)s, %(work)s times its multiply-adds and, for a picture by itself, %(time)s times its time."),
    { ...values, time: times("alone") },
  );
}

/** What a lesson may ask of a network; `ms` is null where it was not measured. */
function factsOf({ depth, width, values, times }) {
  const { parameters, multiply_adds, written, reach } = values;
  const ms = times && Object.fromEntries(Object.entries(times).map(([batch, [, median]]) => [batch, median]));
  return { depth, width, parameters, multiply_adds, written, reach, ms };
}

function show() {
  const now = shown();
  drawSliders(now);
  drawBars(now);
  drawPlan(now);
  drawChart(now);
  speak(now);
  tell({ complete: true, chosen: factsOf(now.chosen), pinned: factsOf(now.pinned), batch: now.batch, whole: data.whole });
}

for (const key of ["depth", "width"]) {
  find(key).addEventListener("input", () => address.set({ wrn: at(Number(find("depth").value), Number(find("width").value)) }));
}

find("pin").addEventListener("click", () => address.set({ pin: address.get().wrn }, { step: true }));
find("swap").addEventListener("click", () => {
  const { wrn, pin } = address.get();
  address.set({ wrn: pin, pin: wrn }, { step: true });
});

find("nothing").hidden = Boolean(data.axes);
find("measured").hidden = !data.axes;
if (data.axes) {
  for (const key of ["against", "join"]) bind(find(`choose="${key}"`), address, key);
  bind(find('choose="batch"'), address, "batch", { read: ({ value }) => Number(value) });
  find("chart").addEventListener("click", (event) => {
    const network = under(find("chart"), event, shown());
    if (network) address.set({ wrn: network.name }, { step: true });
  });
  onShape(() => drawChart(shown()));
}

address.onChange(show);
show();
ready();
