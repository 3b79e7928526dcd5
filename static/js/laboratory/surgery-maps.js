// What a kernel does to its map: the channel that it reads, the channel that it is a part of, before and after. It is
// computed in the page, so that it follows a drag without asking the site. Only this layer's own edits are in it.

import { number } from "../numbers.js";
import { legend, paint, reach, signed } from "./colours.js";
import { spoken } from "./layer-names.js";
import { channelOf } from "./tensors.js";

/** Adds the cross-correlation of `source` ({data, width, height}) with a kernel of differences to `out`, as a layer does. */
export function addConvolved(out, source, delta, layer, [, height, width]) {
  const { kernel: side, stride, padding: [top, left] } = layer;
  for (let i = 0; i < delta.length; i += 1) {
    if (!delta[i]) continue;
    const dy = Math.floor(i / side) - top;
    const dx = (i % side) - left;
    for (let y = 0; y < height; y += 1) {
      const row = y * stride + dy;
      if (row < 0 || row >= source.height) continue;
      for (let x = 0; x < width; x += 1) {
        const column = x * stride + dx;
        if (column >= 0 && column < source.width) out[y * width + x] += delta[i] * source.data[row * source.width + column];
      }
    }
  }
}

/** How two maps differ: in so many cells by more than a thousandth of the scale, and at most by so much. */
export function difference(before, after, scale) {
  let cells = 0;
  let most = 0;
  for (let i = 0; i < before.length; i += 1) {
    const apart = Math.abs(after[i] - before[i]);
    if (apart > scale / 1000) cells += 1;
    if (apart > most) most = apart;
  }
  return { cells, most };
}

export class Maps {
  constructor(place, says) {
    this.says = says;
    this.figures = new Map();
    for (const [name, title] of [["input", gettext("It reads")], ["before", gettext("As trained")], ["after", gettext("Changed")]]) {
      const figure = document.createElement("figure");
      const canvas = Object.assign(document.createElement("canvas"), { className: "cells" });
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", title);
      const caption = Object.assign(document.createElement("figcaption"), { textContent: title });
      const scale = document.createElement("div");
      figure.append(caption, canvas, scale);
      place.append(figure);
      this.figures.set(name, { canvas, scale, title });
    }
  }

  /** `values`: of the layer and of its input; `changes`: [{in, delta}] of all edits of this output channel. */
  show({ layer, place, input, output, changes, upstream }) {
    const source = channelOf(input, place.in);
    const before = channelOf(output, place.out);
    const after = { ...before, data: Float32Array.from(before.data) };
    for (const { in: from, delta } of changes) addConvolved(after.data, channelOf(input, from), delta, layer, layer.shape);
    const scale = reach(before.data);
    this.draw("input", source, reach(source.data));
    this.draw("before", before, scale);
    this.draw("after", after, scale);
    const { cells, most } = difference(before.data, after.data, scale);
    const values = { layer: spoken(layer.name), out: place.out, cells, all: before.data.length, most: number(most, 3) };
    const text = most
      ? gettext("In channel %(out)s of %(layer)s, %(cells)s of %(all)s cells differ from before, at most by %(most)s.")
      : gettext("Channel %(out)s of %(layer)s is as the trained kernel makes it.");
    const more = upstream ? ` ${gettext("What is changed before this layer is not in these maps, but in the answer.")}` : "";
    this.says.textContent = interpolate(text, values, true) + more;
  }

  draw(name, map, scale) {
    const { canvas, scale: place, title } = this.figures.get(name);
    paint(canvas, map, scale, signed);
    canvas.setAttribute("aria-label", interpolate(gettext("%(title)s: a map of %(width)s × %(height)s cells"),
      { title, width: map.width, height: map.height }, true));
    legend(place, scale, signed, { digits: 1 });
  }
}
