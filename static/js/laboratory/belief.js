// From scores to probabilities, and whether to believe them. The address holds network, side, temperature and class; the
// page brings the logits of X-rays that are there already, others are asked for.

import { ask } from "../http.js";
import { number } from "../numbers.js";
import { state } from "./address.js";
import { Columns } from "./belief-columns.js";
import { Panel, recordSentence } from "./belief-record.js";
import { columns, decimal, namedClasses, share } from "./belief-softmax.js";
import { objection, TemperatureControls } from "./belief-temperature.js";
import { tell } from "./facts.js";
import { ready, trouble, waiting, well } from "./frame.js";
import { explain } from "./jobs.js";
import { percent } from "./percent.js";
import { bind } from "./picker.js";
import { networkNamed, subject } from "./subject.js";
import { twin } from "./twin.js";

const data = JSON.parse(document.getElementById("belief-data").textContent);
const root = document.querySelector("[data-belief]");
const find = (name) => root.querySelector(`[data-${name}]`);

const table = new Columns(find("columns"), find("row-template"));
const panels = [...find("panels").children].map((figure) => new Panel(figure));
const says = { columns: twin(find('twin="columns"')), record: twin(find('twin="record"')) };

// The page itself has said what in the address does not exist; here it is only put right.
const address = state({ network: subject.networks[0].name, side: "clean", temperature: "", class: "" }, (values) => {
  const network = networkNamed(values.network);
  const side = values.side === "covered" && subject.covered ? "covered" : "clean";
  const asked = Number(values.temperature);
  let { temperature } = values;
  if (values.temperature !== "" && objection(values.temperature)) {
    temperature = asked >= 0 && Number.isFinite(asked) ? String(Math.min(20, Math.max(0.05, asked))) : "";
  }
  const known = /^\d+$/.test(values.class) && Number(values.class) < network.labels.length;
  return { network: network.name, side, temperature, class: known ? String(Number(values.class)) : "" };
});

/** What is shown now: the network, its logits (null while they are not there), the temperatures. */
function current() {
  const { network: name, side, temperature, class: chosen } = address.get();
  const network = networkNamed(name);
  const honest = data.networks[name].honest[side];
  return {
    network,
    side,
    honest,
    temperature: temperature === "" ? honest.temperature : Number(temperature),
    chosen: chosen === "" ? null : Number(chosen),
    logits: logitsOf(name, side),
  };
}

const logitsOf = (name, side) => data.networks[name].logits?.[side] ?? null;

const controls = new TemperatureControls(find("belief-controls"), (temperature) => {
  address.set({ temperature: temperature === null ? "" : String(temperature) });
  later();
});

let frame = 0;

function later() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    draw();
  });
}

function draw() {
  const now = current();
  controls.show(now.temperature, now.honest);
  for (const panel of panels) panel.hidden = panel.side !== now.side;
  if (!now.logits) {
    tell({ complete: false });
    return;
  }
  const found = columns(now.logits, now.temperature, namedClasses(now.logits, now.chosen));
  const written = table.show(found, now.network.labels);
  says.columns.say(columnsSentence(now, written));
  drawRecord(now);
  tellLesson(now, found);
}

/** What a lesson may ask: how sure it is now, of what, and how sure each network is at its fitted temperature. */
function tellLesson({ network, side, honest, temperature, chosen, logits }, found) {
  const fair = subject.networks.map(({ name }) => {
    const values = logitsOf(name, side);
    return [name, values ? top(values, data.networks[name].honest[side].temperature).confidence : null];
  });
  const of = (index) => Math.exp(found.rows.find((row) => row.index === index).logProbability);
  tell({
    complete: fair.every(([, sure]) => sure !== null),
    failed: false,
    network: network.name,
    side,
    temperature,
    honest: honest.temperature,
    top: of(namedClasses(logits)[0]),
    named: chosen,
    namedShare: chosen === null ? null : of(chosen),
    namedRank: chosen === null ? null : 1 + logits.filter((logit) => logit > logits[chosen]).length,
    fair: Object.fromEntries(fair),
  });
}

function columnsSentence(now, written) {
  const values = {
    network: now.network.title,
    picture: now.side === "covered" ? gettext("picture with bars") : gettext("whole picture"),
    temperature: decimal(now.temperature),
    classes: written.map(({ label, share: text }) => `${label} ${text}`).join(", "),
  };
  return interpolate(now.temperature === now.honest.temperature
    ? gettext("%(network)s, %(picture)s, temperature %(temperature)s, the one that makes it honest: %(classes)s. Together 100%.")
    : gettext("%(network)s, %(picture)s, temperature %(temperature)s: %(classes)s. Together 100%."), values, true);
}

/** The likeliest class at a temperature: its probability, and how that is written. */
function top(logits, temperature) {
  const [row] = columns(logits, temperature, namedClasses(logits).slice(0, 1)).rows;
  return { index: row.index, confidence: Math.exp(row.logProbability), text: share(row.logProbability, row.logRest) };
}

function drawRecord(now) {
  for (const panel of panels) {
    const { honest, reliability } = data.networks[panel.network];
    const logits = logitsOf(panel.network, panel.side);
    if (!logits || !honest[panel.side]) {
      panel.mark("honest", null);
      panel.mark("moved", null);
      continue;
    }
    const fair = top(logits, honest[panel.side].temperature);
    panel.mark("honest", fair.confidence, fair.text);
    panel.say(recordSentence(reliability[panel.side], fair.confidence, data.least));
    const own = panel.network === now.network.name && panel.side === now.side;
    const moved = own && now.temperature !== now.honest.temperature ? top(logits, now.temperature) : null;
    panel.mark("moved", moved ? moved.confidence : null, moved?.text);
    if (own) says.record.say(recordTwin(now, fair, moved, recordSentence(reliability[panel.side], fair.confidence, data.least)));
  }
}

function recordTwin(now, fair, moved, sentence) {
  const values = {
    network: now.network.title,
    label: now.network.labels[fair.index],
    share: fair.text,
    moved: moved?.text,
    temperature: decimal(now.temperature),
    sentence,
  };
  return interpolate(moved
    ? gettext("At temperature %(temperature)s it would read %(moved)s, which no count of answers supports. At the temperature that makes it honest, %(network)s is %(share)s sure of %(label)s. %(sentence)s")
    : gettext("%(network)s is %(share)s sure of %(label)s. %(sentence)s"), values, true);
}

function drawServed() {
  const { network, side, honest, logits } = current();
  const answers = network.answers[side] ?? [];
  find("served").hidden = !answers.length || !logits;
  if (!answers.length || !logits) return;
  const exact = columns(logits, honest.temperature, answers.map((answer) => answer.index)).rows;
  find("served-rows").replaceChildren(...answers.map((answer, place) => {
    const row = document.createElement("tr");
    const here = Math.exp(exact[place].logProbability);
    const cell = (text) => Object.assign(document.createElement("td"), { className: "numeric", textContent: text });
    const name = Object.assign(document.createElement("th"), { scope: "row", textContent: answer.label });
    // What would be written as 0.00 has no sign.
    const points = Math.round(10_000 * (here - answer.probability)) / 100 || 0;
    row.append(name, cell(percent(answer.probability)), cell(percent(here)),
      cell(`${points > 0 ? "+" : ""}${number(points, 2)}`));
    return row;
  }));
}

/** Gets the logits that the page did not bring: first those of the network that is looked at. */
async function load() {
  const asked = address.get().network;
  const order = [networkNamed(asked), ...subject.networks.filter((one) => one.name !== asked)];
  for (const network of order) {
    const own = data.networks[network.name];
    if (own.logits?.clean && (!subject.covered || own.logits.covered)) continue;
    try {
      const found = await explain("xray", network, {}, { onWait: waiting });
      own.logits = (await ask(found.url("meta.json"))).logits;
      well();
    } catch (problem) {
      tell({ failed: true });
      trouble(problem, load);
      return;
    }
    later();
    drawServed();
  }
}

const networkPick = document.querySelector('[data-pick="network"]');
if (networkPick) bind(networkPick, address, "network");
if (find("sides")) bind(find("sides"), address, "side");
bind(find("class"), address, "class");
address.onChange((_, changed) => {
  later();
  if (changed.has("network") || changed.has("side")) drawServed();
});
draw();
drawServed();
ready();
load();
