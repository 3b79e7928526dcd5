// One layer: its numbers, all its maps, its strongest channels, and what answers at a place of the picture.

import { number } from "../numbers.js";
import { subject } from "./subject.js";
import { excitement, patchRow } from "./xray-atlas.js";
import { el } from "./xray-dom.js";
import { Grid } from "./xray-grid.js";
import { Picture } from "./xray-picture.js";
import { channelList } from "./xray-row.js";
import { receptive } from "./xray-scan.js";
import { table } from "./xray-table.js";
import { digitsFor, fill, layerNamed, rangeText, shapeText, VIEW_TITLES, withChange } from "./xray-text.js";

const ANSWERS = 8;
const REST = 100; // ms at a place before its channels are listed: a list with pictures is not made for each cell that is crossed

/** "channel 17", or the class that an output of the last layer stands for. */
export function channelName(scan, layer, channel) {
  const labels = layer.kind === "dense" ? scan.info.labels : null;
  return labels?.[channel] ?? fill(gettext("channel %(channel)s"), { channel });
}

/** What a layer is and does, in words. */
export function layerText(scan, name, view) {
  const layer = scan.layer(name);
  const values = {
    network: scan.info.title,
    layer: layerNamed(scan.info.name, name).full,
    shape: shapeText(layer.shape),
    range: rangeText(layer.statistics[view], digitsFor(layer.scale)),
    view: VIEW_TITLES[view],
  };
  return withChange(fill(gettext("%(network)s, %(layer)s: %(shape)s, %(view)s %(range)s"), values), scan, layer.change);
}

export class LayerView {
  constructor(host, ways) {
    this.host = host;
    this.ways = ways;
  }

  show(scan, state) {
    const key = `${scan.info.name} ${state.layer}`;
    if (this.key !== key) this.build(scan, state, key);
    if (this.order && this.channel !== state.channel) this.grid.choose(this.order.indexOf(state.channel));
    this.channel = state.channel;
    const shown = `${key} ${state.show} ${state.range}`;
    if (this.shown !== shown) {
      this.shown = shown;
      this.drawMaps(scan, state, shown).catch((problem) => this.ways.trouble(problem));
    }
    this.place(scan, state);
  }

  build(scan, state, key) {
    this.key = key;
    this.order = null;
    this.answers = "";
    const layer = scan.layer(state.layer);
    const title = layerNamed(scan.info.name, layer.name).full;
    this.grid = new Grid({
      label: fill(gettext("The maps of %(layer)s, the strongest first. Arrow keys walk through them, Enter opens one."), { layer: title }),
      onPoint: (place) => this.pointed(scan, layer, place),
      onOpen: (place) => this.ways.go({ channel: this.order[place] }),
    });
    this.picture = new Picture({
      label: gettext("The picture as the network saw it. Arrow keys move the place."),
      onPlace: (y, x) => this.ways.set({ y, x }),
    });
    this.found = el("ol", { className: "xray-found" });
    this.foundSays = el("p", { className: "small", role: "status", textContent: gettext("Point at a place: the channels that answer most there are listed.") });
    this.patchSays = el("p", { className: "small muted", hidden: true });
    this.sheetSays = el("p", { className: "small muted" });
    const flat = layer.shape[1] * layer.shape[2] === 1;
    const statistics = scan.views.map((view) => [view, layer.statistics[view]]);
    this.host.replaceChildren(
      el("div", { className: "xray-layer" },
        el("div", { className: "stack tight xray-main" },
          el("h3", { textContent: gettext("All maps, the strongest first") }), this.sheetSays, this.grid.element,
          table(fill(gettext("%(layer)s in numbers"), { layer: title }), statistics, digitsFor(layer.scale))),
        el("div", { className: "stack xray-side" },
          flat ? null : el("div", { className: "stack tight" },
            el("h3", { textContent: gettext("Who answers here?") }), this.picture.element, this.foundSays, this.found, this.patchSays),
          this.ranking(scan, layer, gettext("Strongest channels"), gettext("by the root mean square of their map"), layer.strongest),
          layer.changed.length
            ? this.ranking(scan, layer, gettext("Most changed by the bars"), gettext("by the root mean square of the difference"), layer.changed)
            : null)),
    );
  }

  ranking(scan, layer, title, how, pairs) {
    const digits = digitsFor(layer.scale);
    return el("div", { className: "stack tight" },
      el("h3", { textContent: title }), el("p", { className: "small muted", textContent: how }),
      el("ol", { className: "xray-found" }, ...pairs.map(([channel, size]) => el("li", {}, this.channelLink(scan, layer, channel, number(size, digits))))));
  }

  channelLink(scan, layer, channel, value) {
    const link = this.ways.link({ channel });
    link.append(channelName(scan, layer, channel), " ", el("span", { className: "number muted", textContent: value }));
    return link;
  }

  async drawMaps(scan, { layer: name, show, range }, shown) {
    const layer = scan.layer(name);
    this.grid.element.setAttribute("aria-busy", "true");
    // A sheet has the layer's steps: on a scale of its own a weak map would show them.
    const maps = (range === "map" ? null : await scan.sheet(name, show)) ?? await scan.maps(name, show);
    if (this.shown !== shown) return;
    this.order = maps.channels;
    const scale = { layer: layer.scale, network: scan.meta.scale, map: null }[range];
    this.grid.show(maps, scale);
    this.grid.choose(this.order.indexOf(this.ways.state().channel));
    this.grid.element.removeAttribute("aria-busy");
    this.grid.element.dataset.drawn = shown;
    this.sheetSays.textContent = scale === null
      ? gettext("Each map has its own scale: the full colour is its largest value. Click a map to open it.")
      : gettext("All on one scale, which also holds for the other views. Click a map to open it.");
  }

  async pointed(scan, layer, place) {
    const channel = this.order[place];
    if (place < 0 || channel === this.ways.state().channel) return this.ways.tell();
    const { energy, moved } = await scan.channels(layer.name);
    const digits = digitsFor(layer.scale);
    const values = {
      channel: channelName(scan, layer, channel),
      rank: place + 1,
      count: layer.shape[0],
      energy: number(energy[channel], digits),
      moved: number(moved[channel], digits),
    };
    this.ways.say(fill(scan.meta.covered
      ? gettext("%(channel)s, number %(rank)s of %(count)s by strength: root mean square %(energy)s, of the difference %(moved)s.")
      : gettext("%(channel)s, number %(rank)s of %(count)s by strength: root mean square %(energy)s."), values));
  }

  /** The place in the picture, and what answers there. */
  async place(scan, { layer: name, y, x, show }) {
    const layer = scan.layer(name);
    const [, rows, columns] = layer.shape;
    const side = show === "clean" ? "clean" : "covered";
    this.picture.show({ src: scan.file(`pictures/${side}.png`), rows, columns, size: scan.info.size });
    const here = y >= 0 && x >= 0;
    this.picture.mark(here ? y : -1, x, here ? receptive(scan.structure, name, y, x) : null);
    const asked = `${this.key} ${show} ${y} ${x}`;
    if (!here || rows * columns === 1 || this.answers === asked) return;
    this.answers = asked;
    try {
      const [{ data }] = await Promise.all([scan.values(name, show), new Promise((done) => { setTimeout(done, REST); })]);
      if (this.answers === asked) this.answer(scan, layer, show, y, x, data);
    } catch (problem) {
      this.answers = "";
      this.ways.trouble(problem);
    }
  }

  answer(scan, layer, show, y, x, data) {
    const [count, rows, columns] = layer.shape;
    const value = (channel) => data[(channel * rows + y) * columns + x];
    const size = show === "difference" ? (channel) => Math.abs(value(channel)) : value;
    const best = Array.from({ length: count }, (_, channel) => channel).sort((a, b) => size(b) - size(a)).slice(0, ANSWERS);
    const digits = digitsFor(layer.scale);
    // Where all are zero none of them is first.
    const silent = best.every((channel) => value(channel) === 0);
    if (silent) best.length = 0;
    this.found.replaceChildren(...best.map((channel) => el("li", {}, this.channelLink(scan, layer, channel, number(value(channel), digits)))));
    const words = silent
      ? gettext("Row %(row)s of %(rows)s, column %(column)s of %(columns)s, %(view)s: zero in every channel.")
      : gettext("Row %(row)s of %(rows)s, column %(column)s of %(columns)s, %(view)s: most by %(channels)s.");
    const text = fill(words, {
      row: y + 1, rows, column: x + 1, columns, view: VIEW_TITLES[show], channels: channelList(best.map((channel) => [channel]), best.length),
    });
    this.foundSays.textContent = text;
    this.found.dataset.drawn = `${y} ${x}`;
    this.excite(scan, layer.name, best, this.answers).catch((problem) => this.ways.trouble(problem));
    if (document.activeElement === this.picture.element || this.picture.element.matches(":hover")) this.ways.say(text);
  }

  /** Beside each channel that answers what excites it most in other pictures. */
  async excite(scan, name, channels, answers) {
    const { says, patches } = await excitement(scan, name);
    if (this.answers !== answers) return;
    this.patchSays.textContent = says;
    this.patchSays.hidden = !channels.length;
    if (!patches) return;
    [...this.found.children].forEach((item, i) => item.append(patchRow(scan, patches(channels[i]))));
  }
}

/** The address of another figure on the same picture. */
export function elsewhere(figure, values) {
  const query = new URLSearchParams({ on: subject.on });
  const bars = new URLSearchParams(location.search).get("bars");
  if (bars !== null) query.set("bars", bars);
  for (const [key, value] of Object.entries(values)) query.set(key, value);
  // In the frame of a lesson it leads to the other figure's own page.
  const path = location.pathname.replace(/\/lesson\/$/, "/").replace("/xray/", `/${figure}/`);
  return `${path}?${query}`;
}
