// The X-ray: from both networks to a block, to a layer, to a channel, to a number. The address says where one is.

import { state as addressState, address as currentAddress } from "./address.js";
import { legend, signed } from "./colours.js";
import { tell as tellFacts } from "./facts.js";
import { ready, trouble } from "./frame.js";
import { bind, channels as channelInput, stepping } from "./picker.js";
import { subject } from "./subject.js";
import { twin } from "./twin.js";
import { BlockView, blockText } from "./xray-block.js";
import { ChannelView } from "./xray-channel.js";
import { el } from "./xray-dom.js";
import { channelName, layerText, LayerView } from "./xray-layer.js";
import { Column, overviewText } from "./xray-overview.js";
import { Scan, VIEWS } from "./xray-scan.js";
import { blockNamed, changeText, fill, layerNamed, names } from "./xray-text.js";

const RANGES = ["layer", "map", "network"];
const DEFAULTS = {
  network: subject.networks[0].name,
  block: "",
  layer: "",
  channel: -1,
  y: -1,
  x: -1,
  show: "clean",
  range: "layer",
};
// Keys whose change leads to another place; the others only change how it is drawn.
const PLACE = ["network", "block", "layer", "channel"];

const root = document.querySelector("[data-xray]");
const find = (name) => root.querySelector(`[data-${name}]`);
const known = subject.networks.filter((one) => names[one.name]);

let booted = false; // What the address had wrong when the page was asked for, the server has said.

/** The nearest place that exists, and a sentence about each thing that does not. */
function validate(values, say) {
  const correct = (sentence) => booted && say(sentence);
  const valid = { ...values };
  if (!names[valid.network]) valid.network = known[0].name;
  const layer = layerNamed(valid.network, valid.layer);
  if (valid.layer && !layer) {
    correct(fill(gettext("There is no layer “%(name)s” here. The overview is shown."), { name: valid.layer }));
    Object.assign(valid, { layer: "", block: "" });
  }
  if (layer) valid.block = layer.block.name;
  else if (valid.block && !blockNamed(valid.network, valid.block)) {
    correct(fill(gettext("There is no block “%(name)s” here. The overview is shown."), { name: valid.block }));
    valid.block = "";
  }
  const [count, rows, columns] = layer?.shape ?? [0, 0, 0];
  const within = (key, most, title, first = 0) => {
    if (!layer) return -1;
    if (Number.isInteger(valid[key]) && valid[key] >= -1 && valid[key] < most) return valid[key];
    correct(fill(gettext("There is no %(title)s “%(value)s” in this layer. The nearest one is shown."), { title, value: valid[key] + first }));
    return Number.isFinite(valid[key]) ? Math.min(most - 1, Math.max(0, Math.round(valid[key]))) : -1;
  };
  valid.channel = within("channel", count, gettext("channel"));
  valid.y = within("y", rows, gettext("row"), 1);
  valid.x = within("x", columns, gettext("column"), 1);
  if (!VIEWS.includes(valid.show) || (valid.show !== "clean" && !subject.covered)) valid.show = "clean";
  if (!RANGES.includes(valid.range)) valid.range = "layer";
  return valid;
}

const place = addressState(DEFAULTS, validate);
booted = true;

const columns = new Map();
const scans = new Map();
const twins = new Map([...root.querySelectorAll("[data-twin]")].map((element) => [element.dataset.twin, twin(element)]));

/** How deep one is: the name of the section that is shown. */
function level({ block, layer, channel }) {
  if (layer) return channel >= 0 ? "channel" : "layer";
  return block ? "block" : "overview";
}

const standing = () => PLACE.map((key) => place.get()[key]).join(" ");
let stood = standing();

/** The query of a place, other figures' keys included. */
function query(changes) {
  const search = new URL(currentAddress()).searchParams;
  for (const [key, value] of Object.entries({ ...place.get(), y: -1, x: -1, ...changes })) {
    if (String(value) === String(DEFAULTS[key])) search.delete(key);
    else search.set(key, value);
  }
  return `?${search}`;
}

const ways = {
  state: () => place.get(),
  set: (changes) => place.set(changes),
  /** Goes somewhere, and takes the focus along, unless one stays at the same depth. */
  go(changes, { stay = false, step = !stay || level({ ...place.get(), ...changes }) !== level(place.get()) } = {}) {
    const keeps = "channel" in changes && !("layer" in changes);
    place.set(keeps ? changes : { y: -1, x: -1, ...changes }, { step });
    stood = standing();
    if (stay) return;
    const heading = find(`heading="${level(place.get())}"`);
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ block: "nearest" });
  },
  /** An <a> to a place of this page; a click changes the page in place. */
  link(changes, options) {
    const keeps = "channel" in changes && !("layer" in changes);
    const link = el("a", {
      onclick(event) {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        ways.go(changes, options);
      },
    });
    const follow = () => {
      const { y, x } = place.get();
      link.href = query(keeps ? { y, x, ...changes } : changes);
    };
    follow();
    link.addEventListener("pointerdown", follow);
    link.addEventListener("focus", follow);
    return link;
  },
  retry: (info) => start(info),
  trouble: (problem) => trouble(problem, () => render(place.get(), new Set(PLACE))),
  say: (text) => twins.get(level(place.get())).say(text),
  tell: () => tell(place.get()),
  longest,
};

const views = {
  block: new BlockView(find("block-body"), ways),
  layer: new LayerView(find("layer-body"), ways),
  channel: new ChannelView(find("channel-body"), ways),
};

/** The largest change of all layers at the ends of blocks; a bar of this length is full. */
function longest() {
  const changes = [...scans.values()].flatMap((scan) => scan.meta.blocks.map((block) => block.change ?? 0));
  return Math.max(0.01, ...changes);
}

/** What a lesson may ask: where one is, what is strongest there, and how much the bars change each block. */
function tellLesson(values) {
  const scan = scans.get(values.network);
  const layer = scan?.layer(values.layer);
  tellFacts({
    ...values,
    complete: Boolean(scan),
    failed: false,
    shape: layer?.shape ?? null,
    strongest: layer?.strongest[0][0] ?? null,
    blocks: scan?.meta.blocks.map(({ name, end, shape, change }) => ({ name, end, shape, change: change ?? null })) ?? [],
  });
}

function render(values, changed) {
  tellLesson(values);
  const now = level(values);
  for (const section of root.querySelectorAll("[data-level]")) section.hidden = !shownAt(section.dataset.level, now);
  root.querySelector('[data-twin="layer"]').hidden = now === "channel";
  if ([...changed].some((key) => PLACE.includes(key) || key === "range")) {
    trail(values);
    controls(values);
  }
  if (changed.has("show") || changed.has("range")) for (const column of columns.values()) column.draw(values);
  const scan = scans.get(values.network);
  find("pending").hidden = now === "overview" || Boolean(scan);
  if (!scan || now === "overview") {
    tell(values);
    return;
  }
  const refuse = (problem) => ways.trouble(problem);
  if (now === "block") views.block.show(scan, values);
  if (now === "layer" || now === "channel") views.layer.show(scan, values);
  if (now === "channel") views.channel.show(scan, values).catch(refuse);
  // A channel says its own place, once its values are there.
  if (now !== "channel" && [...changed].some((key) => PLACE.includes(key) || key === "show")) tell(values);
}

/** Below a channel stand its layer's maps. */
const shownAt = (section, now) => section === now || (section === "layer" && now === "channel");

/** The place in words. */
function tell(values) {
  const now = level(values);
  const scan = scans.get(values.network);
  if (now === "overview") ways.say(overviewText([...columns.values()]));
  else if (scan && now === "block") ways.say(blockText(scan, values.block));
  else if (scan && now === "layer") ways.say(layerText(scan, values.layer, values.show));
  else if (scan && now === "channel") ways.say(views.channel.text(scan, values));
}

/** The way from both networks to here. */
function trail(values) {
  const { network, block, layer, channel } = values;
  const info = subject.networks.find((one) => one.name === network);
  const found = layerNamed(network, layer);
  const steps = [[{ block: "", layer: "", channel: -1 }, gettext("All networks")]];
  const title = blockNamed(network, block)?.title;
  if (block) steps.push([{ block, layer: "", channel: -1 }, `${info.title}, ${title}`]);
  if (found && found.block.layers.length > 1) steps.push([{ layer, channel: -1 }, found.title]);
  else if (found) steps.splice(1, 1, [{ layer, channel: -1 }, `${info.title}, ${title}`]);
  const scan = scans.get(network);
  if (channel >= 0) {
    const name = scan ? channelName(scan, scan.layer(layer), channel) : fill(gettext("channel %(channel)s"), { channel });
    steps.push([{ channel }, name]);
  }
  const items = steps.map(([changes, text], i) => {
    if (i === steps.length - 1) return el("li", { "aria-current": "true" }, el("span", { textContent: text }));
    const link = ways.link(changes);
    link.append(text);
    return el("li", {}, link);
  });
  find("trail").replaceChildren(...items);
  find("trail").parentElement.hidden = steps.length < 2;
  find('heading="block"').textContent = block ? `${info.title}, ${title}` : "";
  find('heading="layer"').textContent = found ? `${info.title}, ${found.full}` : "";
  find('heading="channel"').textContent = channel >= 0 ? `${info.title}, ${found.full}, ${steps.at(-1)[1]}` : "";
}

/** The pickers and the legend. */
function controls(values) {
  const { network, layer, channel, range } = values;
  const scan = scans.get(network);
  const found = layerNamed(network, layer);
  fillLayers(network);
  layerSelect.value = layer;
  find("channel-field").hidden = !found;
  if (found) channelInput(channelNumber, found.shape[0], channel < 0 ? "" : channel);
  const single = range === "network" || (found && range === "layer");
  find("legend").hidden = !scan || !single;
  find("legend-many").hidden = !scan || Boolean(single);
  if (scan && single) {
    const scale = range === "network" ? scan.meta.scale : scan.layer(layer).scale;
    const title = range === "network" ? fill(gettext("All of %(network)s"), { network: scan.info.title }) : gettext("This layer");
    legend(find("legend"), scale, signed, { title, digits: scale < 1 ? 3 : 1 });
  }
  find("legend-many").textContent = range === "map"
    ? gettext("Red is below zero, white zero, blue above; each map on its own scale.")
    : gettext("Red is below zero, white zero, blue above; how far a layer’s colours reach stands beside it.");
}

const layerSelect = find("pick-layer");
const channelNumber = find("pick-channel");
let filled = "";

function fillLayers(network) {
  if (filled === network) return;
  filled = network;
  // A closed list shows one line, so each has the whole name.
  const options = names[network].blocks.flatMap((block) => block.layers.map(({ full, name }) => new Option(full, name)));
  layerSelect.replaceChildren(new Option(gettext("choose a layer"), ""), ...options);
}

/** What waits can be looked at: the other network may be there, and so is the text. */
function waits(column, sentence) {
  column.wait(sentence);
  find("pending").textContent = sentence;
  ready();
}

async function start(info) {
  const column = columns.get(info.name);
  column.wait();
  find("pending").textContent = gettext("The maps of this network are on their way.");
  try {
    const scan = await Scan.load(info, { onWait: (sentence) => sentence && waits(column, sentence) });
    scans.set(info.name, scan);
    tellLesson(place.get());
    // The bars of all networks have one length, which the last to come may change.
    for (const [name, one] of scans) columns.get(name).show(one, place.get(), longest());
    if (subject.covered) find("longest").textContent = fill(gettext("The longest line is %(longest)s."), { longest: changeText(longest()) });
  } catch (problem) {
    column.fail(problem);
    tellFacts({ failed: true });
    // Deeper down there is no column that could say it.
    if (info.name === place.get().network && level(place.get()) !== "overview") {
      find("pending").hidden = true;
      trouble(problem, () => start(info));
    }
    return;
  }
  const values = place.get();
  // Who looks into one network is not interrupted by the words about another.
  if (info.name === values.network || level(values) === "overview") render(values, new Set(PLACE));
}

function boot() {
  for (const info of known) {
    const column = new Column(info, ways);
    columns.set(info.name, column);
    find("networks").append(column.element);
  }
  bind(find("pick-show"), place, "show");
  bind(find("pick-range"), place, "range");
  const steps = { layer: stepping(), network: stepping() };
  layerSelect.addEventListener("change", () => {
    ways.go({ layer: layerSelect.value, block: "", channel: -1 }, { stay: true, step: steps.layer() || undefined });
  });
  channelNumber.addEventListener("change", () => {
    const channel = channelNumber.value.trim() === "" ? -1 : Number(channelNumber.value);
    if (Number.isFinite(channel)) ways.go({ channel: Math.max(-1, Math.round(channel)) }, { stay: true });
  });
  const networkSelect = document.querySelector("select[data-pick=network]");
  networkSelect?.addEventListener("change", () => {
    const step = steps.network() || undefined;
    ways.go({ network: networkSelect.value, block: "", layer: "", channel: -1 }, { stay: true, step });
  });
  place.onChange((values, changed) => {
    if (networkSelect) networkSelect.value = values.network;
    render(values, changed);
  });
  // Places that the text below speaks of.
  for (const link of document.querySelectorAll("[data-xray-go]")) {
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      ways.go(JSON.parse(link.dataset.xrayGo));
    });
  }
  root.addEventListener("keydown", (event) => {
    // In a list or a field the key belongs to it.
    if (event.key !== "Escape" || level(place.get()) === "overview" || event.target.closest("select, input")) return;
    const { layer, channel } = place.get();
    if (channel >= 0) ways.go({ channel: -1 });
    else ways.go({ layer: "", channel: -1, ...(layer && layerNamed(place.get().network, layer).block.layers.length > 1 ? {} : { block: "" }) });
  });
  // Back and Forward lead to another place as a link does; a jump inside the page leaves the focus where it goes.
  addEventListener("popstate", () => {
    if (standing() === stood) return;
    stood = standing();
    find(`heading="${level(place.get())}"`).focus({ preventScroll: true });
  });
  render(place.get(), new Set(PLACE));
  // What was asked for comes first.
  const { network } = place.get();
  const first = known.find((one) => one.name === network);
  const started = start(first);
  for (const info of known) if (info !== first) start(info);
  return started;
}

boot().finally(ready);
