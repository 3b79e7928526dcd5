// Several pictures at once: each is sent as a draft of its own and listed with what became of it.

import { ask } from "./http.js";
import { read } from "./picture.js";
import { passing, sentenceOf } from "./trouble.js";

const AT_ONCE = 2;
const MOST = 200;

/** A list of pictures on their way. `ready()` resolves to the ids of those taken, when all have been tried. */
export class Several {
  constructor(list, files, address) {
    this.list = list;
    this.address = address;
    this.over = false;
    this.entries = files.slice(0, MOST).map((file) => this.entry(file));
    list.replaceChildren(...this.entries.map((entry) => entry.item));
    list.hidden = false;
    this.left = files.length - this.entries.length;
    this.finished = this.start();
  }

  entry(file) {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.className = "filename";
    name.textContent = file.name;
    const state = document.createElement("span");
    state.className = "small muted";
    state.textContent = gettext("waiting");
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "button quiet small";
    remove.append(gettext("Remove"));
    remove.setAttribute("aria-label", interpolate(gettext("Remove %s"), [file.name]));
    item.append(name, state, remove);
    const entry = { file, item, state, id: null, problem: null, gone: false };
    remove.addEventListener("click", () => {
      entry.gone = true;
      const next = item.nextElementSibling ?? item.previousElementSibling;
      item.remove();
      next?.querySelector("button").focus();
    });
    return entry;
  }

  async start() {
    const queue = this.entries.filter((entry) => !entry.id && !entry.gone && (!entry.problem || passing(entry.problem)));
    const work = async () => {
      for (let entry = queue.shift(); entry && !this.over; entry = queue.shift()) await this.send(entry);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async send(entry) {
    if (entry.gone) return;
    entry.problem = null;
    entry.state.className = "small muted";
    entry.state.textContent = gettext("is being sent");
    try {
      const { blob } = await read(entry.file);
      const body = new FormData();
      body.append("image", blob, entry.file.name);
      const answer = await ask(this.address, body);
      entry.id = answer.id;
      entry.state.textContent = answer.warning || gettext("ready");
    } catch (problem) {
      entry.problem = problem;
      entry.state.className = "small wrong";
      entry.state.textContent = sentenceOf(problem);
    }
  }

  /** Ids of the pictures taken. Throws the problem of one that may still be taken at another try. */
  async ready() {
    await this.finished;
    const hopeful = () => this.entries.find((entry) => !entry.gone && entry.problem && passing(entry.problem));
    if (hopeful()) {
      this.finished = this.start();
      await this.finished;
    }
    const problem = hopeful()?.problem;
    if (problem) throw problem;
    return this.entries.filter((entry) => entry.id && !entry.gone).map((entry) => entry.id);
  }

  /** A sentence for each picture that was refused and still stands in the list. */
  leftOut() {
    const refused = this.entries.filter((entry) => !entry.gone && !entry.id && entry.problem);
    return refused.map((entry) => interpolate(gettext("%s: %s"), [entry.file.name, sentenceOf(entry.problem)]));
  }

  stop() {
    this.over = true;
    this.list.replaceChildren();
    this.list.hidden = true;
  }
}
