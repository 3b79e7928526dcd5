// Every number taken apart: chooses a network, a layer, a channel and a cell, loads what they need, and draws a frame
// whenever the cell has changed.

import { state, correct } from "./address.js";
import { factsOf } from "./arithmetic-facts.js";
import { load } from "./arithmetic-model.js";
import { Walker } from "./arithmetic-keyboard.js";
import { Page } from "./arithmetic-page.js";
import { Words } from "./arithmetic-words.js";
import { tell as tellFacts } from "./facts.js";
import { ready, trouble, waiting, well } from "./frame.js";
import { explain } from "./jobs.js";
import { bind, stepping, within } from "./picker.js";
import { networkNamed, subject } from "./subject.js";
import { twin } from "./twin.js";

const MIDDLE = Number.NaN; // what the address leaves out: the middle row or column
const LARGEST = -1; // likewise: the input channel that adds or takes away most
const CELL = "arithmetic-cell";
const APART = 100; // ms from one cell that is told in sentences to the next

const { words: said, networks } = JSON.parse(document.getElementById("arithmetic-data").textContent);
const root = document.querySelector("[data-arithmetic]");
const find = (name) => root.querySelector(`[data-${name}]`);

const DEFAULTS = {
  network: subject.networks[0].name,
  layer: "",
  channel: 0,
  y: MIDDLE,
  x: MIDDLE,
  run: "clean",
  input: LARGEST,
  pinned: false,
};

const place = (value, count, otherwise) => (Number.isInteger(value) ? within(value, count) : otherwise);

/** What exists and is nearest to what was asked. The server has said what did not exist in the address. */
function validate(values) {
  const { name } = networkNamed(values.network);
  const { shapes, belongs } = networks[name];
  const asked = Object.hasOwn(belongs, values.layer) ? belongs[values.layer] : values.layer;
  const layer = Object.hasOwn(shapes, asked) ? asked : Object.keys(shapes)[0];
  const [channels, rows, columns, inputs] = shapes[layer];
  return {
    network: name,
    layer,
    channel: place(values.channel, channels, 0),
    y: place(values.y, rows, rows >> 1),
    x: place(values.x, columns, columns >> 1),
    run: values.run === "covered" && subject.covered ? "covered" : "clean",
    input: Number.isInteger(values.input) && values.input < inputs ? Math.max(values.input, LARGEST) : LARGEST,
  };
}

const address = state(DEFAULTS, validate);
const shapeOf = ({ network, layer }) => networks[network].shapes[layer];

const words = new Words(said, Object.fromEntries(Object.entries(networks).map(([name, one]) => [name, one.names])));
const page = new Page(root, words, () => schedule(), (channel) => choose(channel));
const spoken = twin(find("twin"));

let model = null; // what is drawn; null until the first one is loaded
let loading = null; // ends the loading that is under way
let isBehind = true; // what is drawn is not what is chosen any more
let frame = 0;
let told = -Infinity; // when sentences were written
let untold = null; // of what they are to be written
let telling = 0; // the timer for that

// Drawing ----------------------------------------------------------------------------------------------------------

function schedule() {
  if (!frame && model) frame = requestAnimationFrame(draw);
}

function draw() {
  const start = performance.now();
  walker.settle();
  frame = 0;
  const { y, x, input } = address.get();
  const [, rows, columns] = model.output.shape;
  const cell = model.cell(Math.min(y, rows - 1), Math.min(x, columns - 1));
  const drawn = drawnOf(cell, input);
  page.cell(model, cell, drawn);
  untold = [model, cell, drawn];
  if (start - told >= APART) tell();
  else telling ||= setTimeout(tell, APART);
  performance.clearMeasures(CELL);
  performance.measure(CELL, { start, end: performance.now() });
}

/** A single step is told with its frame; while a pointer moves on, nobody reads sentences in every one. */
function tell() {
  clearTimeout(telling);
  telling = 0;
  if (!untold) return;
  told = performance.now();
  spoken.say(page.tell(...untold));
  const [from, cell] = untold;
  if (!isBehind) tellFacts({ complete: true, failed: false, ...factsOf(from, cell) });
  untold = null;
}

function drawnOf(cell, input) {
  if (!model.multiplies) return model.channel;
  return input === LARGEST ? cell.largest[0] : Math.min(input, model.inputs - 1);
}

/** The ways to the numbers before and after this one. */
function links() {
  const { sources, later: { ends } } = model;
  const go = (button, layer, sentence) => {
    button.hidden = !layer;
    if (layer) button.textContent = words.fill(sentence, { layer: words.layer(layer.name) });
  };
  const next = ends.find((layer) => layer.kind === "convolution");
  go(find("back"), sources[0], "go_back");
  go(find("back-too"), sources[1], "go_back");
  go(find("on"), next, "go_on");
  find("ends").textContent = ends.some((layer) => layer.kind === "dense") ? said.to_logits : "";
}

function goBack(which) {
  tell();
  const layer = model?.sources[which];
  if (layer) address.set({ layer: layer.name, ...page.middle, input: LARGEST }, { step: true });
}

/** To the cell of the next convolution whose window has this cell in its middle, or nearly. */
function goOn() {
  const layer = model?.later.ends.find((one) => one.kind === "convolution");
  if (!layer) return;
  const { y, x } = address.get();
  const [, rows, columns] = model.output.shape;
  const [, height, width] = layer.shape;
  const scaled = (at, count, target) => Math.min(target - 1, Math.floor((at * target) / count));
  address.set({ layer: layer.name, channel: 0, y: scaled(y, rows, height), x: scaled(x, columns, width), input: model.channel }, { step: true });
}

// Loading ------------------------------------------------------------------------------------------------------------

async function open() {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  const wanted = address.get();
  const network = networkNamed(wanted.network);
  isBehind = true;
  tellFacts({ complete: false, failed: false });
  find("board").setAttribute("aria-busy", "true");
  try {
    const explanation = await explain("xray", network, {}, { signal, onWait: waiting });
    const loaded = await load(network, explanation, wanted);
    if (signal.aborted) return;
    model = loaded;
    isBehind = false;
    well();
    find("board").hidden = false;
    find("board").removeAttribute("aria-busy");
    untold = null;
    page.model(model);
    links();
    schedule();
    ready();
  } catch (problem) {
    if (signal.aborted) return;
    tellFacts({ failed: true });
    trouble(problem, open);
    if (!model) spoken.say(said.not_fetched);
  }
}

// Choosing -----------------------------------------------------------------------------------------------------------

function choose(channel) {
  address.set({ input: address.get().input === channel ? LARGEST : channel });
}

const walker = new Walker({
  view: page.output,
  pad: find("pad"),
  buttons: { previous: find("previous"), play: find("play"), next: find("next"), pin: find("pin") },
  choice: {
    get: () => address.get(),
    size: () => model && model.output.shape.slice(1),
    move(y, x) {
      const now = address.get();
      if (now.y !== y || now.x !== x) address.set({ y, x });
    },
    pin: (pinned) => address.set({ pinned }),
    soon: schedule,
  },
});

// A cell every quarter of a second is more than anybody can listen to.
walker.onWalk = (walks) => find("twin").setAttribute("aria-live", walks ? "off" : "polite");

const layers = find("layer");
const steps = stepping();

function fillLayers({ network, layer }) {
  if (layers.dataset.network !== network) {
    layers.dataset.network = network;
    layers.replaceChildren(...networks[network].layers.map(([name, text]) => new Option(text, name)));
  }
  layers.value = layer;
}

layers.addEventListener("change", () => {
  const { network, layer, y, x } = address.get();
  const [, rows, columns] = shapeOf({ network, layer });
  const [, height, width] = shapeOf({ network, layer: layers.value });
  const scaled = (at, count, target) => Math.floor(((at + 0.5) * target) / count);
  address.set({ layer: layers.value, y: scaled(y, rows, height), x: scaled(x, columns, width), input: LARGEST }, { step: steps() });
});

/** A number that does not exist is said to be none, and the nearest is shown. */
function bindNumber(key, sentence, axis) {
  const control = find(`choose-${key}`);
  const first = axis ? 1 : 0; // people count rows and columns from 1
  let typed = "";
  // Before the address makes something of it that exists.
  control.addEventListener("change", () => { typed = control.value; }, { capture: true });
  const show = bind(control, address, key, { first });
  control.addEventListener("change", () => {
    const shown = address.get()[key];
    if (typed === "" || Number(typed) === shown + first) return;
    const last = shapeOf(address.get())[axis] - 1 + first;
    correct(words.fill(sentence, { value: typed, last, shown: shown + first }));
    control.value = String(shown + first);
  });
  return () => {
    control.max = String(shapeOf(address.get())[axis] - 1 + first);
    show();
  };
}

const numbers = [["channel", "no_channel", 0], ["y", "no_row", 1], ["x", "no_column", 2]].map((one) => bindNumber(...one));

const input = find("choose-input");
input.addEventListener("change", () => {
  const { network, layer } = address.get();
  const count = shapeOf({ network, layer })[3];
  const asked = input.value.trim() === "" ? LARGEST : Number(input.value);
  const shown = asked === LARGEST ? LARGEST : within(asked, count);
  const typed = input.value;
  address.set({ input: shown });
  if (shown !== asked) correct(words.fill("no_input", { value: typed, last: count - 1 }));
  showInput();
});

function showInput() {
  const { input: at } = address.get();
  input.value = at === LARGEST ? "" : String(at);
  input.max = String(shapeOf(address.get())[3] - 1);
}

function show() {
  const values = address.get();
  fillLayers(values);
  for (const one of numbers) one();
  showInput();
  const pin = find("pin");
  pin.setAttribute("aria-pressed", String(values.pinned));
  pin.textContent = said[values.pinned ? "unpin" : "pin"];
  root.classList.toggle("pinned", values.pinned);
}

const pick = document.querySelector("select[data-pick=network]");
if (pick) bind(pick, address, "network");
if (find("run")) bind(find("run"), address, "run");
find("back").addEventListener("click", () => goBack(0));
find("back-too").addEventListener("click", () => goBack(1));
find("on").addEventListener("click", goOn);
find("largest").addEventListener("click", () => address.set({ input: LARGEST }));

const still = document.querySelector("[data-laboratory-still]");

address.onChange((values, changed) => {
  // It tells the cell that the page was loaded with; the twin tells every one.
  if (still) still.hidden = true;
  // Rows and columns show themselves (bindNumber), and nothing else depends on them.
  if ([...changed].some((key) => key !== "y" && key !== "x")) show();
  if (["network", "layer", "channel", "run"].some((key) => changed.has(key))) open();
  else schedule();
});

show();
open();
