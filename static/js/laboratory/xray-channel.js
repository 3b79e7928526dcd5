// One channel: its map in all views on one scale, every value under the pointer or the arrow keys, the place in the picture,
// and the ways to where the number comes from.

import { number, signed as withSign } from "../numbers.js";
import { paint, reach, signed } from "./colours.js";
import { dotted } from "./tensors.js";
import { excitement, excitementText, patchRow } from "./xray-atlas.js";
import { el } from "./xray-dom.js";
import { channelName, elsewhere } from "./xray-layer.js";
import { arrow, atMostOnceAFrame, frame, shares } from "./xray-maps.js";
import { heard } from "./xray-row.js";
import { channelViews, receptive, relativeChange, statistics } from "./xray-scan.js";
import { table } from "./xray-table.js";
import { digitsFor, fill, layerNamed, rangeText, VIEW_TITLES, withChange } from "./xray-text.js";
import { Picture } from "./xray-picture.js";

const MORE_DIGITS = 2; // of a single value: it is to be found again in the tensor

/** The ReLU that alone decides what of this layer goes on, so that muting it there mutes the channel; null without one. */
function reluOf(structure, name) {
  const layer = structure.layer(name);
  if (layer.kind === "relu") return name;
  const readers = structure.readers(name);
  const passed = readers.length === 1 && ["batch_normalisation", "relu"].includes(readers[0].kind);
  return passed ? reluOf(structure, readers[0].name) : null;
}

export class ChannelView {
  constructor(host, ways) {
    this.host = host;
    this.ways = ways;
  }

  async show(scan, state) {
    const key = `${scan.info.name} ${state.layer} ${state.channel}`;
    if (this.key !== key) {
      this.key = key;
      this.data = null;
      this.host.setAttribute("aria-busy", "true");
      if (!this.host.childElementCount) this.host.replaceChildren(el("div", { className: "xray-skeleton tall", "aria-hidden": "true" }));
      const views = await channelViews(scan, state.layer, state.channel);
      if (this.key !== key) return;
      this.build(scan, state, views);
      this.host.removeAttribute("aria-busy");
    }
    if (this.data) this.update(scan, this.ways.state());
  }

  build(scan, { layer: name, channel }, views) {
    const layer = scan.layer(name);
    [, this.rows, this.columns] = layer.shape;
    this.layer = layer;
    this.data = new Map(views);
    this.statistics = new Map(views.map(([view, values]) => [view, statistics(values)]));
    this.change = scan.meta.covered ? relativeChange(this.data.get("clean"), this.data.get("difference")) : null;
    this.reach = reach([...this.data.values()].flatMap((values) => [...values]));
    this.digits = digitsFor(layer.scale);
    const title = `${layerNamed(scan.info.name, name).full}, ${channelName(scan, layer, channel)}`;
    this.maps = new Map(views.map(([view]) => [view, this.map(view)]));
    this.pad = el("div", {
      className: "xray-maps",
      tabIndex: 0,
      role: "application",
      "aria-label": fill(gettext("%(title)s: arrow keys move from cell to cell, and the values are read out."), { title }),
      onkeydown: (event) => this.walk(event),
    }, ...[...this.maps.values()].map((map) => map.element));
    this.picture = new Picture({
      label: gettext("The picture as the network saw it. Arrow keys move the place."),
      onPlace: (y, x) => this.ways.set({ y, x }),
    });
    this.value = el("p", { className: "xray-value number" });
    this.scaleSays = el("p", { className: "small muted" });
    this.links = el("ul", { className: "xray-links" });
    this.sum = layer.kind === "add" ? el("div", { className: "xray-sum", role: "group", "aria-label": gettext("The addition in this cell") }) : null;
    this.excites = el("div", { className: "stack tight xray-excites" });
    this.excite(scan, name, channel, this.key).catch((problem) => this.ways.trouble(problem));
    const flat = this.rows * this.columns === 1;
    this.host.replaceChildren(
      el("div", { className: "xray-channel" },
        el("div", { className: "stack xray-main" }, this.steps(scan, name, channel), this.pad, this.scaleSays, this.value, this.sum, this.links, this.excites,
          table(fill(gettext("%(title)s in numbers"), { title }), [...this.statistics], this.digits)),
        el("div", { className: "stack xray-side" },
          flat ? null : el("div", { className: "stack tight" },
            el("h3", { textContent: gettext("The place in the picture") }), this.picture.element,
            el("p", { className: "small muted", textContent: gettext("Solid: the cell. Dashed: all of the picture that it can depend on.") })))),
    );
  }

  map(view) {
    const canvas = el("canvas", { className: "cells" });
    const mark = el("div", { className: "xray-mark", hidden: true, "aria-hidden": "true" });
    const stage = el("div", { className: "xray-map-stage" }, canvas, mark);
    const choose = atMostOnceAFrame(({ x, y }) => this.choose(Math.floor(y * this.rows), Math.floor(x * this.columns)));
    for (const type of ["pointermove", "pointerdown"]) stage.addEventListener(type, (event) => choose(shares(event, stage)));
    const element = el("div", { className: "xray-map" }, stage, el("p", { className: "small muted", textContent: VIEW_TITLES[view] }));
    element.dataset.view = view;
    return { canvas, mark, element };
  }

  /** What excites the channel most in the sample pictures. */
  async excite(scan, name, channel, key) {
    const { says, patches } = await excitement(scan, name);
    if (this.key !== key) return;
    this.excites.append(el("h3", { textContent: gettext("What excites it most") }));
    if (patches) {
      const found = patches(channel);
      const text = excitementText(found);
      this.excites.append(found.length ? patchRow(scan, found, { links: true }) : el("p", { textContent: text }));
      // Said once, and not again with every cell.
      this.ways.say(`${this.text(scan, this.ways.state())} ${text}`);
    }
    this.excites.append(el("p", { className: "small muted", textContent: says }));
  }

  /** The channels before and after this one by energy. */
  steps(scan, name, channel) {
    const place = el("p", { className: "cluster xray-steps" });
    scan.channels(name).then(({ order }) => {
      const rank = order.indexOf(channel);
      const step = (to, text) => {
        if (to < 0 || to >= order.length) return null;
        const link = this.ways.link({ channel: order[to] }, { stay: true });
        link.append(text, heard(` (${channelName(scan, this.layer, order[to])})`));
        return link;
      };
      place.append(...[
        step(rank - 1, gettext("← stronger")),
        el("span", { className: "small muted", textContent: fill(gettext("number %(rank)s of %(count)s by strength"), { rank: rank + 1, count: order.length }) }),
        step(rank + 1, gettext("weaker →")),
      ].filter(Boolean));
    }, (problem) => this.ways.trouble(problem));
    return place;
  }

  update(scan, state) {
    const scale = { layer: this.layer.scale, map: this.reach, network: scan.meta.scale }[state.range];
    const painted = `${this.key} ${scale}`;
    if (this.painted !== painted) {
      this.painted = painted;
      this.scaleSays.textContent = fill(this.data.size > 1
        ? gettext("All on one scale: the colours reach ±%(scale)s.") : gettext("The colours reach ±%(scale)s."), { scale: number(scale, this.digits) });
      for (const [view, { canvas }] of this.maps) {
        paint(canvas, { data: this.data.get(view), width: this.columns, height: this.rows }, scale, signed);
      }
    }
    for (const [view, { element }] of this.maps) element.classList.toggle("chosen", view === state.show);
    const [y, x] = this.cell(state);
    const box = { left: x / this.columns, top: y / this.rows, width: 1 / this.columns, height: 1 / this.rows };
    for (const { mark } of this.maps.values()) frame(mark, box);
    const side = state.show === "clean" ? "clean" : "covered";
    this.picture.show({ src: scan.file(`pictures/${side}.png`), rows: this.rows, columns: this.columns, size: scan.info.size });
    this.picture.mark(y, x, receptive(scan.structure, this.layer.name, y, x));
    this.value.textContent = this.cellText(y, x);
    this.pad.dataset.cell = `${y} ${x}`;
    this.point(scan, state, y, x);
    if (this.sum) this.addUp(scan, state, y, x);
    this.ways.say(this.text(scan, state));
  }

  /** The cell of the address, else the strongest one. */
  cell({ y, x, show }) {
    if (y >= 0 && x >= 0) return [y, x];
    const values = this.data.get(show) ?? this.data.get("clean");
    let best = 0;
    values.forEach((one, i) => {
      if (Math.abs(one) > Math.abs(values[best])) best = i;
    });
    return [Math.floor(best / this.columns), best % this.columns];
  }

  cellText(y, x) {
    const values = [...this.data].map(([view, data]) => fill(gettext("%(view)s %(value)s"), {
      view: VIEW_TITLES[view],
      value: number(data[y * this.columns + x], this.digits + MORE_DIGITS),
    }));
    return fill(gettext("Row %(row)s, column %(column)s: %(values)s"), { row: y + 1, column: x + 1, values: values.join(", ") });
  }

  /** The channel and its cell in words; nothing while its values are on their way. */
  text(scan, state) {
    if (!this.data) return "";
    const values = {
      network: scan.info.title,
      layer: layerNamed(scan.info.name, this.layer.name).full,
      channel: channelName(scan, this.layer, state.channel),
      size: fill(gettext("%(rows)s by %(columns)s"), { rows: this.rows, columns: this.columns }),
      range: rangeText(this.statistics.get("clean"), this.digits),
      view: VIEW_TITLES.clean,
    };
    const text = scan.meta.covered
      ? gettext("%(network)s, %(layer)s, %(channel)s: %(size)s, %(view)s %(range)s")
      : gettext("%(network)s, %(layer)s, %(channel)s: %(size)s, %(range)s");
    const whole = withChange(fill(text, values), scan, this.change);
    return `${whole} ${this.cellText(...this.cell(state))}.`;
  }

  /** Where the number comes from, and what the network says without the channel. */
  point(scan, { channel, show }, y, x) {
    const { name, kind } = this.layer;
    const side = show === "clean" ? "clean" : "covered";
    const cell = { network: scan.info.name, layer: name, channel, y, x, run: side };
    const ways = [];
    if (!["input", "dense", "average_pool"].includes(kind)) ways.push([elsewhere("arithmetic", cell), gettext("Where this number comes from")]);
    const relu = reluOf(scan.structure, name);
    if (relu) {
      const mutes = { network: scan.info.name, side, relu, mutes: `${dotted(relu)}:${channel}` };
      ways.push([elsewhere("surgery", mutes), gettext("What the network says without this channel")]);
    }
    if (this.links.childElementCount !== ways.length) {
      this.links.replaceChildren(...ways.map(() => el("li", {}, el("a"))));
    }
    [...this.links.querySelectorAll("a")].forEach((link, i) => {
      [link.href] = ways[i];
      if (link.textContent !== ways[i][1]) [, link.textContent] = ways[i];
    });
  }

  /** Input + branch = sum in one cell, from the exact values of both. */
  async addUp(scan, { show, channel }, y, x) {
    const turn = `${this.key} ${show} ${y} ${x}`;
    this.turn = turn;
    const { inputs } = scan.structure.layer(this.layer.name);
    try {
      const tensors = await Promise.all([...inputs, this.layer.name].map((name) => scan.values(name, show)));
      if (this.turn !== turn) return;
      const size = this.rows * this.columns;
      const [one, other, sum] = tensors.map(({ data }) => data[channel * size + y * this.columns + x]);
      const digits = this.digits + MORE_DIGITS;
      this.sum.replaceChildren(...[
        [number(one, digits), layerNamed(scan.info.name, inputs[0]).full],
        [withSign(other, digits), layerNamed(scan.info.name, inputs[1]).full],
        [`= ${number(sum, digits)}`, layerNamed(scan.info.name, this.layer.name).full],
      ].map(([value, from]) => el("p", {}, el("span", { className: "number", textContent: value }), " ", el("span", { className: "small muted", textContent: from }))));
      this.sum.dataset.drawn = turn;
    } catch (problem) {
      this.ways.trouble(problem);
    }
  }

  walk(event) {
    const step = arrow(event);
    if (!step || !this.data) return;
    event.preventDefault();
    const [y, x] = this.cell(this.ways.state());
    this.choose(y + step[0], x + step[1]);
  }

  choose(y, x) {
    if (!this.data) return;
    const within = (value, count) => Math.min(count - 1, Math.max(0, value));
    const [row, column] = [within(y, this.rows), within(x, this.columns)];
    const state = this.ways.state();
    if (row !== state.y || column !== state.x) this.ways.set({ y: row, x: column });
  }
}
