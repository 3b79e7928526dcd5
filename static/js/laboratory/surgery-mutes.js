// The channels after a ReLU, the strongest first, each a button with its map: pressed means muted.

import { number } from "../numbers.js";
import { channels as channelNumbers, paintChannel } from "./surgery-channels.js";

const FIRST = 8;
const MORE = 24;

export class Mutes {
  /** `onMute(layer, channels)` hears all channels of a layer that are to be muted. */
  constructor(root, onMute) {
    const find = (name) => root.querySelector(`[data-${name}]`);
    this.list = find("mutes");
    this.says = find("mutes-says");
    this.more = find("more");
    this.unmute = find("unmute");
    this.strongest = find("mute-strongest");
    this.onMute = onMute;
    this.shown = FIRST;
    this.muted = new Set();
    this.more.addEventListener("click", () => {
      const first = this.shown;
      this.shown += MORE;
      this.render();
      this.list.children[first]?.querySelector("button").focus();
    });
    this.strongest.addEventListener("click", () => {
      this.send([...this.muted, ...this.order.slice(0, FIRST).map((one) => one.channel)]);
    });
    this.unmute.addEventListener("click", () => {
      this.send([]);
      this.strongest.focus();
    });
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-channel]");
      if (!button) return;
      const channel = Number(button.dataset.channel);
      const next = new Set(this.muted);
      if (!next.delete(channel)) next.add(channel);
      this.send([...next]);
    });
  }

  send(channels) {
    this.onMute(this.layer, channels);
  }

  /** Another layer: its channels by energy, and where their maps come from. Throws a Problem. */
  async choose(layer, source) {
    const same = this.source === source && this.layer === layer;
    this.layer = layer;
    this.source = source;
    if (same) return this.press();
    this.shown = FIRST;
    this.order = [];
    this.list.replaceChildren();
    const order = await channelNumbers(source, layer);
    if (this.layer !== layer || this.source !== source) return;
    this.order = order;
    this.render();
  }

  /** Which channels of the layer are muted now. */
  mark(muted) {
    this.muted = new Set(muted);
    this.press();
  }

  render() {
    const wanted = this.order.slice(0, this.shown);
    for (const { channel, energy, rank } of wanted.slice(this.list.children.length)) {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.channel = String(channel);
      const canvas = Object.assign(document.createElement("canvas"), { className: "cells", width: 1, height: 1 });
      canvas.setAttribute("aria-hidden", "true");
      const name = Object.assign(document.createElement("span"), { className: "number", textContent: String(channel) });
      button.append(canvas, name);
      button.setAttribute("aria-label", interpolate(gettext("Mute channel %(channel)s, number %(rank)s in energy: %(energy)s"),
        { channel, rank: rank + 1, energy: number(energy, 3) }, true));
      item.append(button);
      this.list.append(item);
      // A map that cannot be had leaves the button with its number.
      paintChannel(canvas, this.source, this.layer, { channel, rank }).catch(() => {});
    }
    this.more.hidden = this.shown >= this.order.length;
    this.press();
  }

  press() {
    for (const button of this.list.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(this.muted.has(Number(button.dataset.channel))));
    }
    this.unmute.hidden = !this.muted.size;
    const values = { muted: this.muted.size, all: this.order?.length ?? 0 };
    this.says.textContent = this.order?.length
      ? interpolate(ngettext("%(muted)s of %(all)s channels is muted.", "%(muted)s of %(all)s channels are muted.", values.muted), values, true)
      : "";
  }
}
