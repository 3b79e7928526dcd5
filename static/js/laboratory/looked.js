// Where it looked: three kinds of map for any class, of every network, on one scale.
//
// The address holds: class and versus (numbers from 0; versus -1 for none), map (class, layer, cover), layer, grid,
// opacity (percent), coarse, and row and column (from 1, 0 for none) of the map of `network`; bars as everywhere.

import { number } from "../numbers.js";
import { state } from "./address.js";
import { signed } from "./colours.js";
import { ready, waiting } from "./frame.js";
import { Covering } from "./looked-bars.js";
import { asLikeliest, indexIn, likeliest } from "./looked-classes.js";
import { load, scaleOf, trustOf } from "./looked-maps.js";
import { Panel } from "./looked-panel.js";
import { digitsFor } from "./looked-words.js";
import { bind, within } from "./picker.js";
import { networkNamed, subject } from "./subject.js";
import { twin } from "./twin.js";

const MAPS = ["class", "layer", "cover"];
const TEST_AFTER = 500; // ms; whoever turns through classes wants no test of each
const LOAD_AFTER = 180;
const PATIENCE = 150; // what is there sooner needs no word of waiting

const root = document.querySelector("[data-looked]");
const find = (name) => root.querySelector(`[data-${name}]`);
const setup = JSON.parse(document.getElementById("looked-setup").textContent);
const first = subject.networks[0];
const fill = (text, values) => interpolate(text, values, true);

/** The layer of a network that the address means: the one of that name, else the one at the same depth. */
function layerOf({ layer }, name) {
  const other = setup.layers[name];
  if (!layer) return setup.standardLayers[name];
  if (other.includes(layer)) return layer;
  const own = Object.values(setup.layers).find((layers) => layers.includes(layer));
  return other[Math.round((own.indexOf(layer) / Math.max(1, own.length - 1)) * (other.length - 1))];
}

const DEFAULTS = {
  class: await likeliest(setup.standard),
  versus: -1,
  map: "class",
  layer: "",
  network: first.name,
  grid: 8,
  opacity: 65,
  coarse: false,
  row: 0,
  column: 0,
};

let corrected = false; // The page came with the sentences about its own address.

function validate(values, complain) {
  const say = corrected ? complain : () => {};
  corrected = true;
  const next = { ...values };
  const count = first.labels.length;
  next.network = networkNamed(values.network).name;
  if (within(values.class, count) !== values.class) {
    next.class = DEFAULTS.class;
    say(gettext("There is no class of this number. The likeliest one is shown."));
  }
  if (values.versus !== -1 && (within(values.versus, count) !== values.versus || values.versus === next.class)) {
    next.versus = -1;
    say(gettext("There is no other class of this number to compare with. The map of one class is shown."));
  }
  if (!MAPS.includes(values.map)) {
    next.map = "class";
    say(gettext("There is no such kind of map. The class activation map is shown."));
  }
  if (values.layer && !Object.values(setup.layers).some((layers) => layers.includes(values.layer))) {
    next.layer = setup.layer; // What the site found nearest to the layer that this page was opened with.
    say(gettext("No map is offered at a layer of this name. Another layer is shown."));
  }
  if (!setup.grids.includes(values.grid)) {
    next.grid = setup.grids.reduce((best, one) => (Math.abs(one - values.grid) < Math.abs(best - values.grid) ? one : best), 8);
    say(gettext("There is no grid of this size. The nearest one is shown."));
  }
  if (within(values.opacity, 101) !== values.opacity) {
    next.opacity = Number.isFinite(values.opacity) ? within(values.opacity, 101) : DEFAULTS.opacity;
    say(gettext("The opacity goes from 0 to 100. The nearest one is shown."));
  }
  for (const key of ["row", "column"]) next[key] = Math.max(0, Math.trunc(values[key]) || 0);
  return next;
}

const address = state(DEFAULTS, validate);
const says = twin(find("says"));
let ending = new AbortController();
let timer = 0;
let isReady = false;

const panels = subject.networks.map((network) => new Panel(root.querySelector(`[data-panel="${network.name}"]`), network, {
  onMove: (panel, row, column, stays) => move(panel, row, column, stays),
  onLeave: () => look(),
  onPick: (panel, row, column) => pick(panel, row, column),
}));
const covering = new Covering(find("covering"), {
  onChange: (list) => panels.forEach((panel) => panel.heat.bars(list)),
});

/** Loads the maps that the state asks for; those of before are no longer waited for. Each is drawn when it is there. */
async function reload() {
  ending.abort();
  ending = new AbortController();
  const { signal } = ending;
  const asked = address.get();
  for (const panel of panels) panel.pending = true;
  await Promise.all(panels.map(async (panel) => {
    const late = setTimeout(() => panel.empty(gettext("Computing …")), PATIENCE);
    try {
      const wanted = { ...asked, layer: layerOf(asked, panel.network.name) };
      const source = await load(panel.network, wanted, { signal, onWait: waiting });
      if (signal.aborted) return;
      panel.adopt(source);
    } catch (problem) {
      if (signal.aborted || problem.code === "aborted") return;
      panel.pending = false;
      panel.failed(problem, reload);
    } finally {
      clearTimeout(late);
    }
    draw();
  }));
}

/** What the maps are about, in each network's own numbers. */
function chosen(panel) {
  const { class: own, versus } = address.get();
  return { index: indexIn(panel.network, own), other: indexIn(panel.network, versus) };
}

function draw() {
  const values = address.get();
  const label = first.labels[values.class];
  const against = values.versus < 0 ? "" : first.labels[values.versus];
  const there = panels.filter((panel) => {
    const { index, other } = chosen(panel);
    if (panel.pending) return false;
    if (panel.source && (index < 0 || (values.versus >= 0 && other < 0))) {
      panel.empty(fill(gettext("%(network)s does not know this class."), { network: panel.network.title }));
    }
    return Boolean(panel.survey(index, other));
  });
  if (there.length) {
    const scale = scaleOf(there.map((panel) => panel.map), there[0].source.diverging || values.versus >= 0);
    const digits = digitsFor(Math.max(Math.abs(scale.low), Math.abs(scale.high)));
    for (const panel of there) panel.draw({ ...chosen(panel), label, against, scale, digits, coarse: values.coarse });
    scaleInWords(scale, digits, values, label, against);
  }
  find("legend").hidden = !there.length;
  look();
  speak();
  test(there);
  if (!isReady) ready();
  isReady = true;
}

/** The scale that all maps share, written out. */
function scaleInWords(scale, digits, { map, versus }, label, against) {
  const values = { label, against, least: number(scale.high / 20, digits + 1) };
  const title = map === "cover"
    ? (versus < 0 ? gettext("Change of the log-odds of %(label)s when a square is black") : gettext("Change of the log-odds of %(label)s against %(against)s when a square is black"))
    : (versus < 0 ? gettext("Evidence for %(label)s, in logits") : gettext("Evidence for %(label)s rather than %(against)s, in logits"));
  find("legend-title").textContent = fill(title, values);
  const strip = find("strip");
  const pen = strip.getContext("2d");
  const image = pen.createImageData(strip.width, 1);
  for (let x = 0; x < strip.width; x += 1) {
    const share = x / (strip.width - 1);
    const grey = Math.round(255 * share);
    const colour = scale.diverging ? signed(2 * share - 1, 1) : [grey, grey, grey];
    image.data.set([...colour, 255], 4 * x);
  }
  pen.putImageData(image, 0, 0);
  const middle = (scale.low + scale.high) / 2;
  const ends = [scale.low, scale.diverging ? 0 : middle, scale.high].map((one) => number(one, digits));
  find("legend-ends").replaceChildren(...ends.map((text) => Object.assign(document.createElement("span"), { textContent: text })));
  find("legend-note").textContent = map === "cover" ? fill(gettext("Hatched: changes by less than %(least)s."), values) : "";
}

/** Marks the cell that the address names, in every map. */
function look() {
  const { network, row, column } = address.get();
  const own = panels.find((panel) => panel.network.name === network);
  if (!own.map || !row || !column) {
    for (const panel of panels) panel.look(null);
    return;
  }
  const place = [Math.min(row, own.map.height) - 1, Math.min(column, own.map.width) - 1];
  for (const panel of panels) {
    if (panel.map) panel.look(panel === own ? place : panel.same(place, own.map));
  }
}

function move(panel, row, column, stays) {
  const told = panels.filter((one) => one.map).map((one) => {
    const text = one.look(one === panel ? [row, column] : one.same([row, column], panel.map));
    return fill(gettext("%(network)s: %(text)s"), { network: one.network.title, text });
  });
  if (!stays) return;
  address.set({ network: panel.network.name, row: row + 1, column: column + 1 });
  says.say(told.join(" "));
}

function pick(panel, row, column) {
  if (address.get().map === "cover" && panel.map) covering.toggle(row, column, panel.map);
}

/** The figure in words. */
function speak() {
  const told = panels.filter((panel) => panel.map).map((panel) =>
    fill(gettext("%(network)s: %(text)s"), { network: panel.network.title, text: panel.find("words").textContent }));
  if (told.length) says.say(told.join(" "));
}

/** Asks for the tests of what is shown. They are of the class's own map, also where two classes are compared. */
function test(there) {
  const asked = address.get();
  const what = JSON.stringify([asked.class, asked.map, asked.layer, asked.grid]);
  for (const panel of there.filter((one) => one.testing !== what)) {
    panel.forgetTests(gettext("Its tests are being computed …"));
    panel.testing = what;
    clearTimeout(panel.timer);
    panel.timer = setTimeout(() => askTests(panel, what, asked, ending.signal), TEST_AFTER);
  }
}

async function askTests(panel, what, asked, signal) {
  const { index } = chosen(panel);
  const wanted = { ...asked, layer: layerOf(asked, panel.network.name) };
  const current = () => !signal.aborted && panel.testing === what;
  try {
    const { result } = await trustOf(panel.network, wanted, asLikeliest(panel.network, index), { signal });
    const side = setup.finestTest;
    const note = asked.map === "cover" && asked.grid > side
      ? fill(gettext("Tested as a map of %(side)s × %(side)s squares: finer ones take too long."), { side }) : "";
    if (current()) panel.tested(result, note);
  } catch (problem) {
    if (current() && problem.code !== "aborted") panel.untested(problem);
  }
}

// -- controls ---------------------------------------------------------------------------------------------------

/** What a kind of map does not have steps aside; what one says stays in step. */
function controls() {
  const values = address.get();
  for (const part of root.querySelectorAll("[data-only]")) part.hidden = part.dataset.only !== values.map;
  // A covering is measured square by square: nothing is known in between.
  find("coarse").disabled = values.map === "cover";
  find("coarse").checked = values.coarse || values.map === "cover";
  find("opacity-says").textContent = fill(gettext("%(opacity)s%"), { opacity: values.opacity });
  for (const panel of panels) {
    const layers = setup.layers[panel.network.name];
    const layer = layerOf(values, panel.network.name);
    const slider = panel.find("layer");
    slider.value = String(layers.indexOf(layer));
    slider.setAttribute("aria-valuetext", setup.names[layer]);
    panel.find("layer-says").textContent = setup.names[layer];
    panel.heat.opacity(values.opacity / 100);
  }
  for (const option of find("versus").options) option.disabled = Number(option.value) === values.class;
}

function changed(values, keys) {
  controls();
  const loads = keys.has("map") || (values.map === "cover" && keys.has("grid")) || (values.map === "layer" && keys.has("layer"));
  if (loads) {
    clearTimeout(timer);
    timer = setTimeout(reload, keys.has("layer") ? LOAD_AFTER : 0);
  } else if (["class", "versus", "coarse"].some((key) => keys.has(key))) draw();
  else if (keys.has("row") || keys.has("column")) look();
}

for (const key of ["class", "versus", "grid"]) bind(find(key), address, key);
bind(find("map"), address, "map");
bind(find("opacity"), address, "opacity", { event: "input" });
bind(find("coarse"), address, "coarse");
for (const panel of panels) {
  panel.find("layer").addEventListener("input", (event) => {
    const { name } = panel.network;
    address.set({ layer: setup.layers[name][Number(event.target.value)] });
  });
}
address.onChange(changed);
controls();

const image = new Image();
image.addEventListener("load", () => panels.forEach((panel) => panel.heat.see(image, subject.crop ?? [0, 0, 1, 1])));
image.src = subject.image;
covering.start();
reload();
