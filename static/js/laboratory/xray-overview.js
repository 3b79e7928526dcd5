// Both networks at once: block by block the strongest maps, and where the two runs become alike.

import { passing, showTrouble } from "../trouble.js";
import { el } from "./xray-dom.js";
import { Row, whereAlike } from "./xray-row.js";
import { blockNamed, fill, shapeText } from "./xray-text.js";

const SKELETON = 6;

/** One network in the overview: waits, fails or shows its blocks. `ways` are {link(changes), retry(info)}. */
export class Column {
  constructor(info, ways) {
    this.info = info;
    this.ways = ways;
    this.rows = [];
    const id = `xray-network-${info.name}`;
    this.says = el("p", { className: "small", role: "status" });
    this.body = el("div", { className: "xray-body" });
    this.element = el("section", { className: "xray-network", "aria-labelledby": id },
      el("h3", { id, textContent: info.title }), this.says, this.body);
  }

  /** While the X-ray is made or sent. */
  wait(sentence = "") {
    this.element.setAttribute("aria-busy", "true");
    this.says.textContent = sentence || gettext("The maps of all layers are on their way.");
    if (this.body.dataset.state === "waiting") return;
    this.body.dataset.state = "waiting";
    this.body.replaceChildren(...Array.from({ length: SKELETON }, () => el("div", { className: "xray-skeleton", "aria-hidden": "true" })));
  }

  fail(problem) {
    this.element.removeAttribute("aria-busy");
    this.body.dataset.state = "failed";
    this.says.textContent = "";
    const notice = el("div", { role: "alert" });
    this.body.replaceChildren(notice);
    showTrouble(notice, problem, { again: passing(problem) ? () => this.ways.retry(this.info) : null });
  }

  /** The blocks; `longest` is the change whose bar is full, the same for all networks. */
  show(scan, state, longest) {
    this.element.removeAttribute("aria-busy");
    this.body.dataset.state = "shown";
    this.scan = scan;
    const { blocks, covered } = scan.meta;
    const title = (name) => blockNamed(this.info.name, name)?.title ?? name;
    this.alike = covered ? whereAlike(blocks, title) : "";
    this.says.textContent = "";
    this.rows = blocks.map((block) => {
      const place = block.layers.length > 1 ? { block: block.name, layer: "" } : { block: block.name, layer: block.end };
      const anchor = this.ways.link({ network: this.info.name, ...place, channel: -1 });
      return new Row(anchor, scan, scan.layer(block.end), { title: title(block.name), longest });
    });
    this.body.replaceChildren(el("ol", { className: "xray-rows" }, ...this.rows.map((row) => el("li", {}, row.anchor))));
    this.draw(state);
  }

  draw(state) {
    for (const row of this.rows) row.draw(state).catch((problem) => this.ways.trouble(problem));
  }
}

/** The overview in words: where the runs become alike, or, where there is only one, how far it goes. */
export function overviewText(columns) {
  return columns.filter((column) => column.scan).map(({ alike, scan, info }) => {
    const { blocks } = scan.meta;
    const way = fill(ngettext("%(count)s block, from the picture to %(end)s.", "%(count)s blocks, from the picture to %(end)s.", blocks.length),
      { count: blocks.length, end: shapeText(blocks.at(-1).shape) });
    return fill(gettext("%(network)s: %(sentence)s"), { network: info.title, sentence: alike || way });
  }).join("\n");
}
