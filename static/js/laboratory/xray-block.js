// One block: its layers as they are wired, and, where a branch is added to what came in, the addition itself.

import { el } from "./xray-dom.js";
import { drawMaps } from "./xray-maps.js";
import { channelList, heard, Row, stripFor } from "./xray-row.js";
import { blockNamed, fill, layerNamed, shapeText, VIEW_TITLES, withChange } from "./xray-text.js";

/**
 * How a block is wired: {common, shortcut, branch, sum} with names of layers, or {common} alone for a chain. `from` is what the
 * shortcut begins at, when no layer stands on it.
 */
export function wiring(structure, layers) {
  const inside = new Set(layers);
  const sum = layers.find((name) => structure.layer(name).kind === "add");
  if (!sum) return { common: layers };
  const way = (name) => {
    const path = [];
    for (let at = name; inside.has(at); [at] = structure.layer(at).inputs) path.unshift(at);
    return path;
  };
  const [one, other] = structure.layer(sum).inputs.map(way);
  const common = one.filter((name) => other.includes(name));
  const [shortcut, branch] = [one, other].map((path) => path.filter((name) => !common.includes(name)))
    .sort((a, b) => a.length - b.length);
  const rest = layers.filter((name) => ![...common, ...shortcut, ...branch, sum].includes(name));
  return { common, shortcut, branch, sum, rest, inputs: structure.layer(sum).inputs };
}

/** Where a block reads from: the layer outside it whose output its first layer takes. */
const sourceOf = (structure, layers) => structure.layer(layers[0]).inputs[0] ?? "";

export class BlockView {
  constructor(host, ways) {
    this.host = host;
    this.ways = ways;
    this.rows = [];
  }

  show(scan, state) {
    const key = `${scan.info.name} ${state.block}`;
    if (this.key !== key) this.build(scan, state, key);
    for (const row of this.rows) row.draw(state).catch((problem) => this.ways.trouble(problem));
    if (this.sum) this.drawSum(scan, state).catch((problem) => this.ways.trouble(problem));
  }

  build(scan, state, key) {
    this.key = key;
    this.rows = [];
    this.sum = "";
    const block = scan.block(state.block);
    const wired = wiring(scan.structure, block.layers);
    const row = (name) => {
      const layer = scan.layer(name);
      const anchor = this.ways.link({ network: scan.info.name, block: block.name, layer: name, channel: -1 });
      const made = new Row(anchor, scan, layer, { title: layerNamed(scan.info.name, name).title, longest: this.ways.longest() });
      this.rows.push(made);
      return el("li", {}, made.anchor);
    };
    const list = (names, label) => el("ol", { className: "xray-rows xray-chain", "aria-label": label }, ...names.map(row));
    const parts = [el("p", { className: "small muted", textContent: this.intro(scan, block) })];
    if (!wired.sum) parts.push(list(block.layers, gettext("Layers, one after the other")));
    else {
      if (wired.common.length) parts.push(list(wired.common, gettext("Before the ways part")));
      parts.push(this.branches(scan, wired, list), this.addition(scan, wired));
      parts.push(list([wired.sum, ...wired.rest], gettext("The sum")));
    }
    this.host.replaceChildren(...parts);
  }

  intro(scan, block) {
    const source = sourceOf(scan.structure, block.layers);
    const from = source ? layerNamed(scan.info.name, source) : null;
    const values = { from: from?.full ?? "", maps: from ? shapeText(from.shape) : "" };
    return from ? fill(gettext("It reads %(from)s: %(maps)s."), values) : gettext("This is what goes in: three maps, red, green and blue, normalised.");
  }

  branches(scan, { shortcut, branch, inputs }, list) {
    const plain = layerNamed(scan.info.name, inputs[0])?.full ?? inputs[0];
    const way = shortcut.length
      ? list(shortcut, gettext("Shortcut"))
      : el("p", { className: "small xray-unchanged", textContent: fill(gettext("Nothing happens here: %(layer)s goes round unchanged."), { layer: plain }) });
    return el("div", { className: "xray-ways" },
      el("div", { className: "xray-way xray-short" }, el("h3", { textContent: gettext("Shortcut") }), way),
      el("div", { className: "xray-way" }, el("h3", { textContent: gettext("Branch") }), list(branch, gettext("Branch"))));
  }

  /** input + branch = sum for the sum's strongest channels, drawn below one another on the sum's scale. */
  addition(scan, { sum, inputs }) {
    this.sum = sum;
    const layer = scan.layer(sum);
    const title = (name) => layerNamed(scan.info.name, name)?.full ?? name;
    const rows = [["", title(inputs[0])], ["+", title(inputs[1])], ["=", title(sum)]];
    this.sumStrips = rows.map(() => stripFor(layer));
    this.sumSays = el("p", { className: "small" });
    return el("section", { className: "xray-addition", "aria-label": gettext("The addition, channel by channel") },
      el("h3", { textContent: gettext("Added cell by cell") }),
      ...rows.map(([sign, text], i) => el("div", { className: "xray-term" },
        el("span", { className: "xray-sign", textContent: sign, "aria-hidden": "true" }),
        this.sumStrips[i],
        el("span", { className: "small muted" }, heard(`${sign} `), text))),
      this.sumSays);
  }

  async drawSum(scan, { show, range, block }) {
    const layer = scan.layer(this.sum);
    const turn = `${block} ${show} ${range}`;
    this.turn = turn;
    const found = (await scan.addition(this.sum))[show];
    if (this.turn !== turn) return;
    const scale = range === "network" ? scan.meta.scale : layer.scale;
    [...found.terms, found.sum].forEach((maps, i) => {
      drawMaps(this.sumStrips[i], maps, { columns: maps.count, scaleOf: () => scale });
      this.sumStrips[i].dataset.drawn = turn;
    });
    this.sumSays.textContent = fill(
      gettext("The sum’s strongest channels (%(channels)s), %(view)s, all on one scale of ±%(scale)s. Open the sum to add single cells."),
      { channels: channelList(layer.strongest, layer.strongest.length), view: VIEW_TITLES[show], scale },
    );
  }
}

/** A block in words. */
export function blockText(scan, name) {
  const block = scan.block(name);
  const layer = scan.layer(block.end);
  const values = {
    network: scan.info.title,
    block: blockNamed(scan.info.name, block.name)?.title ?? block.name,
    layers: fill(ngettext("%(count)s layer", "%(count)s layers", block.layers.length), { count: block.layers.length }),
    shape: shapeText(layer.shape),
  };
  return withChange(fill(gettext("%(network)s, %(block)s: %(layers)s; out come %(shape)s"), values), scan, block.change);
}
