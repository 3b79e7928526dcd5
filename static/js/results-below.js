// The answers below the picture: shown, kept up to date, and marked as soon as they are about something else.

import { poll, renew } from "./poll.js";
import { clearTrouble } from "./trouble.js";

export class ResultsBelow {
  /** `section` holds the answers, `says` is for those who hear the page; `now()` is {current, bars, crop}. */
  constructor(section, says, { login, now }) {
    this.section = section;
    this.space = section.closest("[data-results-space]");
    this.says = says;
    this.login = login;
    this.now = now;
    this.asked = null; // what the answers are about
    this.stop = () => {};
    this.find = (name) => section.querySelector(`[data-${name}]`);
  }

  /** Answers about another picture would be taken for this one's. */
  clear() {
    this.stop();
    this.section.hidden = true;
    this.space.classList.remove("is-kept");
  }

  /** Answers are about to come: room for them is made now, so that nothing moves when they do. */
  expect() {
    this.space.classList.add("is-kept");
  }

  show(answer, about) {
    this.stop();
    this.asked = about;
    const { says, login } = this;
    const fragment = this.find("fragment");
    const trouble = this.find("poll-trouble");
    clearTrouble(trouble);
    this.section.hidden = false;
    renew(fragment, answer.fragment);
    says.textContent = answer.says;
    this.find("own-address").href = answer.url;
    this.markStale();
    if (!answer.final) {
      this.stop = poll(fragment, { address: answer.status, seen: answer.seen, says, trouble, login });
    }
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.section.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
  }

  /** Says at once when the answers are no longer about what is on the stage. */
  markStale() {
    if (this.section.hidden || !this.asked) return;
    const title = this.section.querySelector("#results-title");
    const now = this.now();
    const otherPicture = this.asked.current !== now.current;
    const otherBars = this.asked.bars !== now.bars;
    const stale = otherPicture || otherBars || this.asked.crop !== now.crop;
    title.dataset.fresh ??= title.textContent;
    let words = title.dataset.fresh;
    if (otherPicture) words = gettext("Answer to the previous picture. Ask again.");
    else if (otherBars) words = gettext("Answer to the previous bars. Ask again.");
    else if (stale) words = gettext("Answer to the previous box. Ask again.");
    this.section.classList.toggle("is-stale", stale);
    if (title.textContent === words) return;
    title.textContent = words;
    if (stale) this.says.textContent = words;
  }
}
