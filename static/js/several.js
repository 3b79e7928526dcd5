// Many pictures at once: each appears at once, is sent as a draft of its own, and its row says what became of it.

import { Problem, send } from "./http.js";
import { read } from "./picture.js";
import { Row } from "./several-row.js";
import { keepPictures } from "./several-store.js";
import { passing, sentenceOf } from "./trouble.js";

export const MOST = 200;
const AT_ONCE = 3;
const DRAWN_AT_ONCE = 2;
const PAUSES = [1, 4]; // seconds before a picture is tried a second and a third time by itself
const LONGEST_PAUSE = 60;
const THUMB = 160;

/** A list of pictures on their way in `place`. `onEmpty()` is called when the last one was removed. */
export class Several {
  constructor(place, { address, owner, onEmpty }) {
    this.place = place;
    this.address = address;
    this.owner = owner;
    this.find = (name) => place.querySelector(`[data-many-${name}]`);
    this.list = this.find("list");
    this.entries = [];
    this.active = 0;
    this.over = false;
    this.resting = 0;
    this.settling = [];
    this.undrawn = [];
    this.drawing = 0;
    this.seen = new IntersectionObserver((rows) => this.look(rows), { root: this.list, rootMargin: "200px" });
    this.onLine = () => this.again(this.hopeful());
    addEventListener("online", this.onLine);
    this.find("again").onclick = () => this.again(this.hopeful());
    this.find("clear").onclick = onEmpty;
    this.onEmpty = onEmpty;
    place.hidden = false;
  }

  /** Takes [{file, folder}] in; returns how many were too many. */
  add(found) {
    const room = Math.max(0, MOST - this.entries.length);
    const rows = document.createDocumentFragment();
    for (const { file, folder } of found.slice(0, room)) {
      const entry = this.entry(file.name, folder);
      entry.file = file;
      rows.append(entry.row.item);
      this.seen.observe(entry.row.item);
    }
    this.list.append(rows);
    this.pump();
    return Math.max(0, found.length - room);
  }

  /** Shows what was there before the page was loaded anew. */
  restore(kept) {
    for (const { id, name, folder, picture, text, refused } of kept) {
      const entry = this.entry(name, folder);
      this.list.append(entry.row.item);
      if (refused) this.refused(entry, new Problem("refused", refused, 422));
      else this.taken(entry, { id, picture_url: picture, warning: text });
    }
    this.pump();
  }

  entry(name, folder) {
    const entry = { file: null, name, folder, id: null, picture: "", problem: null, state: "waiting", tries: 0, abort: null };
    entry.row = new Row(name, folder, { onRemove: () => this.remove(entry), onAgain: () => this.again([entry]) });
    this.entries.push(entry);
    return entry;
  }

  remove(entry) {
    this.entries = this.entries.filter((one) => one !== entry);
    entry.abort?.abort();
    this.seen.unobserve(entry.row.item);
    entry.row.remove();
    if (!this.entries.length) return this.onEmpty();
    return this.pump();
  }

  // --- sending ----------------------------------------------------------------------------------------------

  /** Keeps a few pictures on their way as long as any waits. */
  pump() {
    // The first one goes alone: with it a visitor becomes a guest, whose the others are.
    const most = this.entries.some((entry) => entry.id) ? AT_ONCE : 1;
    while (!this.over && !this.resting && this.active < most) {
      const entry = this.entries.find((one) => one.state === "waiting");
      if (!entry) break;
      this.active += 1;
      this.send(entry).finally(() => {
        this.active -= 1;
        this.pump();
      });
    }
    this.sum();
    if (this.pending()) return;
    for (const done of this.settling.splice(0)) done();
  }

  pending() {
    return this.entries.some((entry) => entry.state === "waiting" || entry.state === "sending");
  }

  async send(entry) {
    entry.state = "sending";
    entry.row.sending(0);
    try {
      const { canvas, blob } = await read(entry.file);
      if (canvas) entry.row.draw(canvas);
      if (this.over || !this.entries.includes(entry)) return;
      const body = new FormData();
      body.append("image", blob, entry.name);
      entry.abort = new AbortController();
      const onProgress = (share) => entry.row.sending(share);
      this.taken(entry, await send(this.address, body, { onProgress, signal: entry.abort.signal }));
    } catch (problem) {
      if (!this.over && this.entries.includes(entry)) this.failed(entry, problem);
    }
  }

  taken(entry, answer) {
    Object.assign(entry, { id: answer.id, picture: answer.picture_url, text: answer.warning, state: "ready", problem: null });
    entry.row.show(answer.warning ? "warned" : "ready", answer.warning || gettext("ready"));
    entry.row.load(`${answer.picture_url}?size=thumb`, () => this.check(entry));
  }

  failed(entry, problem) {
    const wait = problem.wait || PAUSES[entry.tries];
    const alone = passing(problem) && problem.status !== 401 && problem.status !== 403 && problem.code !== "offline";
    if (!alone || !wait || entry.tries >= PAUSES.length) return this.refused(entry, problem);
    entry.tries += 1;
    entry.state = "waiting";
    entry.row.show("waiting", gettext("waiting"));
    return this.rest(Math.min(wait, LONGEST_PAUSE));
  }

  /** Nothing is sent for a while: the site, or the way to it, has too much to do. */
  rest(seconds) {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.resting = 0;
      this.pump();
    }, seconds * 1000);
  }

  refused(entry, problem) {
    entry.state = "refused";
    entry.problem = problem;
    entry.row.show("refused", sentenceOf(problem), Boolean(entry.file) && passing(problem));
  }

  hopeful() {
    return this.entries.filter((entry) => entry.state === "refused" && entry.file && passing(entry.problem));
  }

  again(entries) {
    for (const entry of entries) {
      Object.assign(entry, { state: "waiting", problem: null, tries: 0 });
      entry.row.show("waiting", gettext("waiting"));
    }
    this.pump();
  }

  // --- small pictures ---------------------------------------------------------------------------------------

  look(rows) {
    for (const { isIntersecting, target } of rows) {
      if (!isIntersecting) continue;
      this.seen.unobserve(target);
      const entry = this.entries.find((one) => one.row.item === target);
      if (entry) this.undrawn.push(entry);
    }
    this.draw();
  }

  async draw() {
    if (this.drawing >= DRAWN_AT_ONCE || this.over) return;
    const entry = this.undrawn.find((one) => !one.row.drawn);
    this.undrawn = entry ? this.undrawn.slice(this.undrawn.indexOf(entry) + 1) : [];
    if (!entry) return;
    this.drawing += 1;
    this.draw();
    try {
      const how = { imageOrientation: "from-image", resizeWidth: THUMB, resizeQuality: "medium" };
      const bitmap = await createImageBitmap(entry.file, how);
      entry.row.draw(bitmap);
      bitmap.close();
    } catch {
      // The tile stays empty until the site has read the picture.
    }
    this.drawing -= 1;
    this.draw();
  }

  // --- what became of them ----------------------------------------------------------------------------------

  sum() {
    const count = (state) => this.entries.filter((entry) => entry.state === state).length;
    const numbers = { all: this.entries.length, ready: count("ready"), refused: count("refused") };
    const words = [interpolate(gettext("%(ready)s of %(all)s ready"), numbers, true)];
    if (numbers.refused) words.push(interpolate(gettext("%(refused)s refused"), numbers, true));
    if (this.resting) words.push(gettext("a short pause"));
    this.find("sum").textContent = words.join(", ");
    const bar = this.find("progress");
    bar.max = Math.max(1, numbers.all);
    bar.value = numbers.ready + numbers.refused;
    this.find("again").hidden = this.hopeful().length < 2;
    const says = this.find("says");
    const told = this.pending() ? "" : this.find("sum").textContent;
    if (says.textContent !== told) says.textContent = told;
    this.keep();
  }

  keep() {
    if (this.over) return;
    const known = this.entries.filter((entry) => entry.id || (entry.problem && !passing(entry.problem)));
    const entries = known.map(({ id, name, folder, picture, text, problem }) => ({
      id, name, folder, picture, text, refused: problem ? sentenceOf(problem) : "",
    }));
    keepPictures(this.owner, { entries, unsent: this.entries.length - known.length });
  }

  /** Resolves when every picture has been tried. */
  settled() {
    return new Promise((done) => {
      this.settling.push(done);
      this.pump();
    });
  }

  /**
   * The pictures taken, [{id, folder}], or null when the list was given up meanwhile. Throws the problem of one that
   * may still be taken at another try.
   */
  async ready() {
    await this.settled();
    if (this.hopeful().length) {
      this.again(this.hopeful());
      await this.settled();
    }
    if (this.over) return null;
    const [unlucky] = this.hopeful();
    if (unlucky) throw unlucky.problem;
    return this.entries.filter((entry) => entry.id);
  }

  /** {name, message} of each picture that was refused and still stands in the list. */
  leftOut() {
    const refused = this.entries.filter((entry) => !entry.id && entry.problem);
    return refused.map((entry) => ({ name: entry.name, message: sentenceOf(entry.problem) }));
  }

  /** Drafts are kept for a day; asks which of them are still there. */
  async verify() {
    const left = this.entries.filter((entry) => entry.id);
    const work = async () => {
      for (let entry = left.shift(); entry; entry = left.shift()) await this.check(entry);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async check(entry) {
    const answer = await fetch(entry.picture, { method: "HEAD", credentials: "same-origin" }).catch(() => null);
    if (answer?.status === 404 && entry.id && !this.over) this.vanished(entry);
  }

  /** The site no longer has it. Its file may still be here, and is sent again then. */
  vanished(entry) {
    entry.id = null;
    if (entry.file) return this.again([entry]);
    this.refused(entry, new Problem("picture_gone", gettext("This picture is no longer there. Choose it again."), 404));
    return this.sum();
  }

  stop() {
    this.over = true;
    clearTimeout(this.resting);
    removeEventListener("online", this.onLine);
    this.seen.disconnect();
    for (const entry of this.entries) entry.abort?.abort();
    for (const done of this.settling.splice(0)) done();
    this.list.replaceChildren();
    this.place.hidden = true;
  }
}
