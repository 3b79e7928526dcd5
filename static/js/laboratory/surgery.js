// Surgery: a kernel edited or channels muted, and what the network answers then. The address holds network, side, the
// kernel that is looked at (layer, channel, in), the layer to mute in (relu) and the operation (edits, mutes).

import { ask } from "../http.js";
import { reach } from "./colours.js";
import { address as written, correct, state } from "./address.js";
import { ready, trouble, waiting, well } from "./frame.js";
import { explain } from "./jobs.js";
import { spoken } from "./layer-names.js";
import { bind, channels, layers, stepping, within } from "./picker.js";
import { networkNamed, subject } from "./subject.js";
import { AnswerTable, compare, probabilities, told } from "./surgery-answers.js";
import { renderChanges } from "./surgery-changes.js";
import { KernelEditor, preset } from "./surgery-kernel.js";
import { Maps } from "./surgery-maps.js";
import { Mutes } from "./surgery-mutes.js";
import {
  editAt, History, isNothing, NOTHING, withKernel, withMutes, withoutEdit, writeEdits, writeMutes,
} from "./surgery-operation.js";
import { Activations, kernel as kernelOf, network as structureOf } from "./tensors.js";
import { twin } from "./twin.js";

const PAUSE = 250; // ms without a change before the site is asked

const data = JSON.parse(document.getElementById("surgery-data").textContent);
const root = document.querySelector("[data-surgery]");
const find = (name) => root.querySelector(`[data-${name}]`);
const controls = { layer: find("layer"), out: find("out"), in: find("in"), relu: find("relu") };
const says = twin(find("twin"));
const answers = new AnswerTable(find("answers"), find("row-template"));
const maps = new Maps(find("maps"), find("maps-says"));

// The page itself has said what in the address does not exist; here it is only put right.
const address = state(
  { network: subject.networks[0].name, side: "clean", layer: "", channel: 0, in: 0, relu: "", edits: "", mutes: "" },
  (values) => ({
    network: networkNamed(values.network).name,
    side: values.side === "covered" && subject.covered ? "covered" : "clean",
    channel: within(values.channel, Infinity),
    in: within(values.in, Infinity),
  }),
);

const histories = new Map([[address.get().network, new History(data.operation)]]);
const explanations = new Map(); // network -> promise of its X-ray
const sources = new Map(); // network and side -> {explanation, activations, side}
let structure = null;
let shown = null; // the kernel in the editor: {place, layer, trained, scale}
let asking = null; // AbortController of the question under way
let timer = 0;

/** Puts the address right without taking back what the page said is wrong with it. */
function mend(changes) {
  const said = [...document.querySelectorAll("[data-laboratory-corrections] p")].map((one) => one.textContent);
  address.set(changes);
  said.forEach(correct);
}

const history = () => {
  const { network } = address.get();
  if (!histories.has(network)) histories.set(network, new History(NOTHING));
  return histories.get(network);
};
const operation = () => history().now;

const editor = new KernelEditor(find("cells"), {
  wrong: find("wrong"),
  legendPlace: find("weights-legend"),
  largest: data.limits.largest,
  onChange: (kernel, cell) => edit(kernel, `cell ${cell}`),
});

const mutes = new Mutes(root, (layer, wanted) => change(withMutes(operation(), layer, wanted), null));

// -- changing -------------------------------------------------------------------------------------------------

function edit(kernel, what) {
  if (!shown) return;
  const next = withKernel(operation(), shown.place, kernel, shown.trained);
  if (next.edits.length > data.limits.edits) {
    editor.object(interpolate(gettext("At most %(most)s kernels can be changed at once. Take one back first."), { most: data.limits.edits }, true));
    return drawKernel();
  }
  change(next, `${JSON.stringify(shown.place)} ${what}`);
}

function change(next, what) {
  history().push(next, what);
  follow();
}

/** Shows the operation that the history stands at, and asks for its answer. */
function follow() {
  address.set({ edits: writeEdits(operation()), mutes: writeMutes(operation()) });
  drawOperation();
  drawKernel();
  drawMaps();
  later();
}

function step(move) {
  if (document.activeElement?.hasAttribute("aria-invalid")) document.activeElement.blur();
  editor.clear();
  move();
  follow();
}

find("undo").addEventListener("click", () => step(() => history().undo()));
find("redo").addEventListener("click", () => step(() => history().redo()));
find("reset").addEventListener("click", () => step(() => history().push(NOTHING, null)));
find("presets").addEventListener("click", (event) => {
  const { preset: name } = event.target.closest("button")?.dataset ?? {};
  if (!name || !shown) return;
  editor.clear();
  edit(preset(name, current(), shown.trained), name);
});
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  const back = key === "z" && !event.shiftKey;
  if (!back && key !== "y" && key !== "z") return;
  event.preventDefault();
  step(() => (back ? history().undo() : history().redo()));
});

// -- drawing --------------------------------------------------------------------------------------------------

/** The kernel at the place that is looked at, as changed. */
const current = () => editAt(operation(), shown.place)?.kernel ?? shown.trained;

function drawKernel() {
  if (shown) editor.show(current(), shown.layer.kernel, shown.scale);
}

function drawOperation() {
  const now = operation();
  find("undo").disabled = !history().canUndo;
  find("redo").disabled = !history().canRedo;
  find("reset").disabled = isNothing(now);
  find("none").hidden = !isNothing(now);
  renderChanges(find("changes"), now, {
    onShow: (one) => address.set({ layer: one.layer, channel: one.out, in: one.in }, { step: true }),
    onRemoveEdit: (one) => step(() => history().push(withoutEdit(operation(), one), null)),
    onRemoveMutes: (layer) => step(() => history().push(withMutes(operation(), layer, []), null)),
  });
  mutes.mark(now.mutes[address.get().relu] ?? []);
  const link = find("full");
  if (link) link.search = new URL(written()).search;
}

/** The X-ray of a network for one side, asked for once. */
async function source(network, side) {
  if (!explanations.has(network)) {
    const promise = explain("xray", network, {}, { onWait: waiting });
    promise.catch(() => explanations.delete(network));
    explanations.set(network, promise);
  }
  const explanation = await explanations.get(network);
  const key = `${network} ${side}`;
  if (!sources.has(key)) sources.set(key, { explanation, side, activations: new Activations(network, explanation, side) });
  return sources.get(key);
}

async function drawMaps() {
  if (!shown) return;
  const { place, layer } = shown;
  const { network, side } = address.get();
  const { activations } = await source(network, side);
  const [input, output] = await Promise.all([activations.value(layer.inputs[0]), activations.value(layer.name)]);
  if (shown?.layer !== layer || shown.place !== place) return;
  const kernels = await kernelOf(network, layer.name, place.out);
  const size = layer.kernel ** 2;
  const own = operation().edits.filter((one) => one.layer === layer.name && one.out === place.out);
  const changes = own.map((one) => ({
    in: one.in,
    delta: one.kernel.map((weight, i) => weight - kernels.data[one.in * size + i]),
  }));
  const before = (name) => structure.places.get(name) < structure.places.get(layer.name);
  const upstream = operation().edits.some((one) => before(one.layer)) || Object.keys(operation().mutes).some(before);
  maps.show({ layer, place, input, output, changes, upstream });
}

function drawAnswers(result) {
  const { network: name, side } = address.get();
  const { labels, title } = networkNamed(name);
  const own = data.networks[name];
  const temperature = own.temperature[side];
  const logits = result?.before.logits ?? own.logits?.[side];
  if (!logits) return;
  const before = probabilities(logits, temperature);
  const after = result ? probabilities(result.after.logits, temperature) : null;
  const rows = compare(before, after ?? before);
  if (!after) for (const row of rows) row.after = null;
  answers.show(rows, labels);
  const values = {
    network: title,
    picture: side === "covered" ? gettext("picture with bars") : gettext("whole picture"),
    classes: told(rows, labels),
  };
  let words = gettext("%(network)s, %(picture)s, nothing changed: %(classes)s.");
  if (!isNothing(operation())) {
    words = after ? gettext("%(network)s, %(picture)s, with the changes: %(classes)s.")
      : gettext("%(network)s, %(picture)s, as trained, for the changed answer is not there: %(classes)s.");
  }
  says.say(interpolate(words, values, true));
}

// -- asking ---------------------------------------------------------------------------------------------------

function later() {
  asking?.abort();
  clearTimeout(timer);
  timer = setTimeout(operate, PAUSE);
  if (isNothing(operation())) operate();
  else find("stale").setAttribute("aria-busy", "true");
}

async function operate() {
  clearTimeout(timer);
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const { network, side } = address.get();
  const now = operation();
  try {
    let result = null;
    if (!isNothing(now) && subject.embed) {
      drawAnswers(null);
    } else {
      if (!isNothing(now)) {
        const onWait = (sentence) => {
          waiting(sentence);
          // Only a line or a missing worker is told of; then the old answer is no longer shown as if it were the new one.
          if (sentence) drawAnswers(null);
        };
        ({ result } = await explain("surgery", network, { ...now, side }, { signal: mine.signal, onWait }));
      } else if (!data.networks[network].logits?.[side]) {
        const { explanation } = await source(network, side);
        data.networks[network].logits = (await ask(explanation.url("meta.json"))).logits;
      }
      if (asking !== mine) return;
      well();
      drawAnswers(result);
    }
    find("stale").removeAttribute("aria-busy");
  } catch (problem) {
    if (asking !== mine || problem.code === "aborted") return;
    find("stale").removeAttribute("aria-busy");
    drawAnswers(null);
    trouble(problem, operate);
  }
}

// -- choosing -------------------------------------------------------------------------------------------------

/** Until its weights are there, the kernel that is looked at cannot be changed, and no other one by mistake. */
function allow(allowed) {
  find("cells").disabled = !allowed;
  for (const button of find("presets").children) button.disabled = !allowed;
}

/** Brings everything in step with the address: called for a new network, layer, channel or side. */
async function choose() {
  try {
    const { network, side } = address.get();
    allow(false);
    const found = await structureOf(network);
    if (address.get().network !== network) return;
    structure = found;
    const place = put(found);
    await Promise.all([chooseKernel(network, place), chooseMutes(network, side)]);
    await drawMaps();
  } catch (problem) {
    trouble(problem, choose);
  }
}

/** Fills the controls for a network, and puts right what it does not have. */
function put(found) {
  const now = address.get();
  const offered = (kind) => found.layers.filter((layer) => layer.kind === kind);
  const layer = offered("convolution").find((one) => one.name === now.layer) ?? offered("convolution")[0];
  const relu = offered("relu").find((one) => one.name === now.relu) ?? offered("relu").at(-1);
  const inputs = found.layer(layer.inputs[0]).shape[0];
  const place = { layer: layer.name, out: within(now.channel, layer.shape[0]), in: within(now.in, inputs) };
  layers(controls.layer, found, layer.name, (one) => one.kind === "convolution", spoken);
  layers(controls.relu, found, relu.name, (one) => one.kind === "relu", spoken);
  channels(controls.out, layer.shape[0], place.out);
  channels(controls.in, inputs, place.in);
  const range = (count) => interpolate(gettext("(0 to %(last)s)"), { last: count - 1 }, true);
  find("out-of").textContent = range(layer.shape[0]);
  find("in-of").textContent = range(inputs);
  if (now.relu !== relu.name || now.layer !== layer.name || now.channel !== place.out || now.in !== place.in) {
    mend({ layer: layer.name, relu: relu.name, channel: place.out, in: place.in });
  }
  return place;
}

async function chooseKernel(network, place) {
  const layer = structure.layer(place.layer);
  const kernels = await kernelOf(network, place.layer, place.out);
  const size = layer.kernel ** 2;
  const trained = Array.from(kernels.data.subarray(place.in * size, (place.in + 1) * size));
  if (!shown) editor.clear();
  const wanted = address.get();
  // Another one has been chosen in the meantime, and its own call shows it.
  if (wanted.network !== network || wanted.layer !== place.layer || wanted.channel !== place.out || wanted.in !== place.in) return;
  shown = { place, layer, trained, scale: reach(kernels.data) };
  drawKernel();
  allow(true);
}

async function chooseMutes(network, side) {
  const { relu } = address.get();
  await mutes.choose(relu, await source(network, side));
  mutes.mark(operation().mutes[relu] ?? []);
}

/** A channel's number as it is typed: what does not exist stays in the field, marked, and a sentence says why. */
function channelInput(control, key) {
  const place = find("place-wrong");
  control.addEventListener("input", () => {
    const value = Number(control.value);
    const last = Number(control.max);
    const wrong = control.value.trim() === "" || !Number.isInteger(value) || value < 0 || value > last;
    if (wrong) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
    place.textContent = wrong ? interpolate(gettext("There is no such channel: they are numbered 0 to %(last)s."), { last }, true) : "";
    place.hidden = !wrong;
    if (!wrong) address.set({ [key]: value });
  });
}

channelInput(controls.out, "channel");
channelInput(controls.in, "in");
const steps = { layer: stepping(), relu: stepping() };
controls.layer.addEventListener("change", () => {
  address.set({ layer: controls.layer.value, channel: 0, in: 0 }, { step: steps.layer() });
});
controls.relu.addEventListener("change", () => address.set({ relu: controls.relu.value }, { step: steps.relu() }));
if (find("sides")) bind(find("sides"), address, "side");
const networkPick = document.querySelector('[data-pick="network"]');
if (networkPick) bind(networkPick, address, "network");

address.onChange((values, changed) => {
  // Each network keeps what was done to it. Back does not take it away: that is what its own undo is for.
  const done = { edits: writeEdits(operation()), mutes: writeMutes(operation()) };
  if (values.edits !== done.edits || values.mutes !== done.mutes) address.set(done);
  if (["network", "layer", "channel", "in"].some((key) => changed.has(key))) shown = null;
  if (["network", "side", "layer", "channel", "in", "relu"].some((key) => changed.has(key))) choose();
  if (changed.has("network") || changed.has("side")) {
    drawOperation();
    operate();
  }
});

mend({ edits: writeEdits(operation()), mutes: writeMutes(operation()) });
drawOperation();
drawAnswers(null);
ready();
operate();
choose();
