// Architectures: two networks in one drawing language, and one layer of each taken apart. The address holds net, versus,
// net_layer, versus_layer ("" is the first) and by (weights or work).
//
// The page brings along {networks, first: {net, versus}, measures: {weights, work}}; a network is {slug, title, year,
// totals: [[what, how much]], note, weights, work, depth, side: of the picture, start: its width, extent, skips, layers},
// a layer {name, title, does, comes, goes, kind, part, bypass, weights, work, normalisation, uses, x, width, height,
// start, slope}. `work` are multiply-adds; the last five and start and extent are in doublings, for family-drawing.js.

import { whole } from "../numbers.js";
import { state } from "./address.js";
import { tell } from "./facts.js";
import { draw as drawNetwork, layerAt, mark, scaleOf } from "./family-drawing.js";
import { ready } from "./frame.js";
import { percent } from "./percent.js";
import { bind } from "./picker.js";
import { twin } from "./twin.js";

const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
const NARROWEST = 240; // units of a drawing in a place that has no width yet

const { networks, first, measures } = JSON.parse(document.getElementById("family-data").textContent);
const root = document.querySelector("[data-family]");
const says = twin(root.querySelector("[data-twin]"));
const fill = (text, values) => interpolate(text, values, true);
const named = (slug) => networks.find((one) => one.slug === slug);

// The page itself has said what in the address does not exist; here it is only put right. Where another network is chosen
// that has a layer of the same name, that layer stays; else it begins with its first one.
const address = state({ net: first.net, versus: first.versus, net_layer: "", versus_layer: "", by: "weights" }, (values) => {
  const next = { by: values.by in measures ? values.by : "weights" };
  for (const key of ["net", "versus"]) {
    const network = named(values[key]) ?? named(first[key]);
    next[key] = network.slug;
    next[`${key}_layer`] = network.layers.some(({ name }) => name === values[`${key}_layer`]) ? values[`${key}_layer`] : "";
  }
  return next;
});

const shareText = (network, layer, by) => percent(layer[by] / network[by]);

function used({ uses }) {
  if (!uses) return "";
  if (uses === 1) return gettext("Each weight is used once.");
  return fill(gettext("Each weight of a kernel is used at %(places)s places."), { places: whole(uses) });
}

function sentence(network, layer) {
  const said = fill(
    gettext("%(title)s of %(network)s: %(comes)s go in, %(goes)s come out. %(weights)s weights, %(weights_share)s of all; %(work)s multiply-adds, %(work_share)s of all."),
    {
      ...layer,
      network: network.title,
      weights: whole(layer.weights),
      weights_share: shareText(network, layer, "weights"),
      work: whole(layer.work),
      work_share: shareText(network, layer, "work"),
    },
  );
  return `${said} ${used(layer)}`.trim();
}

/** Terms with what belongs to them, [[term, text, text beneath]], as children of a <dl>. */
function terms(pairs) {
  return pairs.map(([term, text, beneath]) => {
    const pair = document.createElement("div");
    const value = Object.assign(document.createElement("dd"), { textContent: text });
    if (beneath) value.append(" ", Object.assign(document.createElement("span"), { className: "beneath", textContent: beneath }));
    pair.append(Object.assign(document.createElement("dt"), { textContent: term }), value);
    return pair;
  });
}

function tableRow(network, layer) {
  const line = document.createElement("tr");
  const beneath = (text) => Object.assign(document.createElement("span"), { className: "beneath", textContent: text });
  const head = Object.assign(document.createElement("th"), { scope: "row" });
  head.append(layer.title, " ", beneath(layer.does));
  const cell = (text, share = "") => {
    const made = Object.assign(document.createElement("td"), { className: "numeric", textContent: text });
    if (share) made.append(" ", beneath(share));
    return made;
  };
  const shape = cell(layer.goes);
  shape.classList.add("family-shape");
  line.append(head, shape, ...["weights", "work"].map((by) => cell(whole(layer[by]), shareText(network, layer, by))));
  return line;
}

/** One of the two networks on the page: its drawing, the layer that is looked at, and its table. */
class Side {
  constructor(element) {
    this.key = element.dataset.side;
    this.find = (name) => element.querySelector(`[data-${name}]`);
    this.drawing = this.find("drawing");
    this.svg = this.drawing.querySelector("svg");
    this.pointed = null; // the place of a layer under a pointer
    this.drawing.addEventListener("keydown", (event) => this.onKey(event));
    this.drawing.addEventListener("pointermove", (event) => this.point(this.under(event)));
    this.drawing.addEventListener("pointerleave", () => this.point(null));
    this.drawing.addEventListener("click", (event) => this.choose(this.under(event)));
    this.find("before").addEventListener("click", () => this.choose(this.chosen - 1));
    this.find("after").addEventListener("click", () => this.choose(this.chosen + 1));
    this.find("rows").addEventListener("click", ({ target }) => {
      const line = target.closest("tr");
      if (line) this.choose([...line.parentElement.children].indexOf(line));
    });
  }

  get network() {
    return named(address.get()[this.key]);
  }

  get chosen() {
    return Math.max(0, this.network.layers.findIndex(({ name }) => name === address.get()[`${this.key}_layer`]));
  }

  under(event) {
    return layerAt(this.svg, event, this.network, this.scale);
  }

  point(at) {
    if (at === this.pointed) return;
    this.pointed = at;
    this.drawLayer();
  }

  choose(at) {
    const { layers } = this.network;
    const place = Math.min(layers.length - 1, Math.max(0, at));
    this.pointed = null;
    address.set({ [`${this.key}_layer`]: place ? layers[place].name : "" });
    this.drawLayer();
    this.say();
  }

  onKey(event) {
    const last = this.network.layers.length - 1;
    if (event.key in STEPS) this.choose(this.chosen + STEPS[event.key]);
    else if (event.key === "Home") this.choose(0);
    else if (event.key === "End") this.choose(last);
    else return;
    event.preventDefault();
  }

  say() {
    says.say(sentence(this.network, this.network.layers[this.chosen]));
  }

  /** What does not depend on the scale. */
  drawWords() {
    const { network } = this;
    const { title } = network;
    this.find("title").textContent = title;
    this.find("totals").replaceChildren(...terms(network.totals));
    this.find("note").textContent = network.note;
    this.find("note").hidden = !network.note;
    this.drawing.setAttribute("aria-label", fill(gettext("The layers of %(title)s"), { title }));
    this.find("table-title").textContent = fill(gettext("All layers of %(title)s as a table"), { title });
    this.find("table-region").setAttribute("aria-label", fill(gettext("All layers of %(title)s"), { title }));
    this.find("rows").replaceChildren(...network.layers.map((layer) => tableRow(network, layer)));
  }

  draw(scale) {
    this.scale = scale;
    drawNetwork(this.svg, this.network, address.get().by, scale);
    this.drawLayer();
  }

  drawLayer() {
    const { network, chosen } = this;
    const at = this.pointed ?? chosen;
    const layer = network.layers[at];
    mark(this.svg, network, at, this.scale);
    this.find("layer-title").textContent = layer.title;
    const normalisation = network.layers.some((one) => one.normalisation)
      ? [[gettext("Of them for normalisation"), whole(layer.normalisation)]]
      : [];
    this.find("facts").replaceChildren(...terms([
      [gettext("Kind"), layer.does],
      [gettext("Goes in"), layer.comes],
      [gettext("Comes out"), layer.goes],
      [gettext("Weights"), whole(layer.weights), fill(gettext("%(share)s of all"), { share: shareText(network, layer, "weights") })],
      ...normalisation,
      [gettext("Multiply-adds"), whole(layer.work), fill(gettext("%(share)s of all"), { share: shareText(network, layer, "work") })],
      [gettext("Uses of a weight"), whole(layer.uses)],
    ]));
    // A disabled button would lose the focus.
    this.find("before").setAttribute("aria-disabled", String(chosen === 0));
    this.find("after").setAttribute("aria-disabled", String(chosen === network.layers.length - 1));
    [...this.find("rows").children].forEach((line, i) => {
      if (i === chosen) line.setAttribute("aria-current", "true");
      else line.removeAttribute("aria-current");
    });
  }

  facts() {
    const { network } = this;
    const { slug, title, year, weights, work, depth, layers } = network;
    const layer = layers[this.chosen];
    const { name, kind, bypass, part } = layer;
    const ofPart = layers.filter((one) => one.part === part).reduce((sum, one) => sum + one.weights, 0);
    return {
      slug, title, year, weights, work, depth,
      layer: {
        name, title: layer.title, kind, bypass, part, weights: layer.weights, work: layer.work,
        weightsShare: layer.weights / weights, workShare: layer.work / work,
        partWeightsShare: ofPart / weights,
      },
    };
  }
}

const sides = [...root.querySelectorAll("[data-side]")].map((element) => new Side(element));

function draw() {
  const { by } = address.get();
  const width = Math.max(NARROWEST, Math.round(sides[0].drawing.clientWidth));
  const scale = scaleOf(sides.map(({ network }) => network), by, width);
  for (const side of sides) side.draw(scale);
  root.querySelector("[data-longest]").textContent = fill(
    gettext("The longest bar is %(share)s of a network’s %(measure)s."),
    { share: percent(scale.longest), measure: measures[by] },
  );
}

function tellAll() {
  tell({ complete: true, by: address.get().by, networks: sides.map((side) => side.facts()) });
}

for (const { key } of sides) bind(root.querySelector(`[data-pick-${key}]`), address, key);
bind(root.querySelector("[data-pick-by]"), address, "by");

address.onChange((_, changed) => {
  for (const side of sides) {
    if (!changed.has(side.key)) continue;
    side.pointed = null;
    side.drawWords();
    side.say();
  }
  if (changed.has("net") || changed.has("versus") || changed.has("by")) draw();
  else for (const side of sides) side.drawLayer();
  tellAll();
});

for (const side of sides) side.drawWords();
draw();
tellAll();
new ResizeObserver(() => {
  if (Math.round(sides[0].drawing.clientWidth) !== sides[0].scale.width) draw();
}).observe(sides[0].drawing);
ready();
