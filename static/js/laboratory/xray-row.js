// One layer as a row: its name, its strongest maps, how far their colours reach and how much the bars change it.

import { number } from "../numbers.js";
import { bar, el } from "./xray-dom.js";
import { drawMaps, reachOf, reserve } from "./xray-maps.js";
import { changedText, changeText, fill, shapeText } from "./xray-text.js";

const MOST = 8; // maps in a strip, see ml/explain/xray.py

/** Text for those who hear the row, where the eye has space or a picture. */
export const heard = (text) => el("span", { className: "visually-hidden", textContent: text });

/** "±4.4", or what stands for it where each map has its own scale. */
export function reachText(scan, layer, range) {
  if (range === "map") return gettext("each its own");
  return `±${number(range === "network" ? scan.meta.scale : layer.scale, layer.scale < 1 ? 3 : 1)}`;
}

/** An empty canvas for a layer's strongest maps, as large as they will be. */
export function stripFor(layer) {
  const [, height, width] = layer.shape;
  const count = layer.strongest.length;
  const canvas = el("canvas", { className: "cells xray-strip", "aria-hidden": "true" });
  reserve(canvas, { width, height }, count, count);
  // Maps of all layers are drawn equally wide, so a layer of three takes three eighths of the width.
  canvas.style.setProperty("width", `${(100 * count) / MOST}%`);
  return canvas;
}

/** The scale of a map in a layer's strip: one for all views, whatever `range` says. */
function stripScale(scan, layer, strip, range) {
  if (range === "layer") return () => layer.scale;
  if (range === "network") return () => scan.meta.scale;
  return (place) => Math.max(...scan.views.map((view) => reachOf(strip[view], place))) || 1;
}

/**
 * A row that leads somewhere: `anchor` is an <a>. `layer` is a layer of meta.json, `title` what it is called here; `longest`
 * is the change whose bar is full. `draw({show, range})` paints it; a strip that cannot be read leaves the row without.
 */
export class Row {
  constructor(anchor, scan, layer, { title, longest = 1, note = "" }) {
    this.scan = scan;
    this.layer = layer;
    this.anchor = anchor;
    this.strip = stripFor(layer);
    this.reach = el("span", { className: "xray-reach number small" });
    const { change } = layer;
    anchor.className = "xray-row";
    anchor.append(
      el("span", { className: "xray-name" }, el("strong", { textContent: title }), heard(", "),
        el("span", { className: "small muted", textContent: note || shapeText(layer.shape) }), heard(", ")),
      el("span", { className: "xray-strip-frame" }, this.strip),
      el("span", { className: "xray-reach-cell" }, heard(gettext("colours reach")), " ", this.reach),
    );
    if (scan.meta.covered) {
      anchor.append(el("span", { className: "xray-change" },
        bar((change ?? 0) / longest),
        el("span", { className: "number small", "aria-hidden": "true", textContent: changeText(change) }),
        heard(`, ${changedText(change)}`)));
    }
  }

  async draw({ show, range }) {
    this.reach.textContent = reachText(this.scan, this.layer, range);
    this.turn = `${show} ${range}`;
    const turn = this.turn;
    const strip = await this.scan.strip(this.layer.name);
    if (turn !== this.turn) return;
    const scaleOf = stripScale(this.scan, this.layer, strip, range);
    drawMaps(this.strip, strip[show], { columns: strip[show].count, scaleOf });
    this.strip.dataset.drawn = turn;
  }
}

/** "channels 17, 4 and 90" would be a list to translate; the numbers alone need no grammar. */
export function channelList(pairs, count = 3) {
  return pairs.slice(0, count).map(([channel]) => channel).join(", ");
}

/** Where the two runs become alike, or that they never do: one sentence about a network's blocks. */
export function whereAlike(blocks, titleOf) {
  const [picture, ...inside] = blocks.filter((block) => block.change !== null);
  if (inside.length < 2) return "";
  if ([picture, ...inside].every((block) => block.change === 0)) return gettext("The bars change nothing that this network sees.");
  const answer = inside.at(-1);
  let from = inside.length;
  while (from > 0 && inside[from - 1].change < ALIKE) from -= 1;
  if (from < inside.length) {
    return fill(gettext("From %(block)s on, the two runs differ by less than a tenth of their size; at the end by %(end)s."),
      { block: titleOf(inside[from].name), end: changeText(answer.change) });
  }
  const sorted = inside.slice(0, -1).sort((one, other) => one.change - other.change);
  const [least, most] = [sorted[0], sorted.at(-1)];
  return fill(gettext("The two runs never become alike: the picture differs by %(picture)s of its size, %(most)s most (%(high)s), %(least)s least (%(low)s), the answer by %(end)s."),
    {
      picture: changeText(picture.change),
      most: titleOf(most.name),
      high: changeText(most.change),
      least: titleOf(least.name),
      low: changeText(least.change),
      end: changeText(answer.change),
    });
}

const ALIKE = 0.1; // of their size: below this, two runs count as alike
