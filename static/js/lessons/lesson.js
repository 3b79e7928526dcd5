// What every lesson's page does: guesses before figures, tasks that the state of a figure grades, and progress. A lesson's
// own module calls `grade({task: (facts of its figure) => true or a sentence that says what is not yet so})`.

import { sentenceOf } from "../trouble.js";
import { factsOf } from "./frames.js";
import "./predictions.js";
import "./print.js";
import { countText, isKept, note, onProgress } from "./progress.js";

const root = document.querySelector("[data-lesson]");
const MISSES = 2; // before the hint

/** Why the figure called `name` cannot be graded now; "" where it can. */
function notYet(name) {
  const facts = factsOf(name);
  if (!facts) return gettext("The figure is not there yet. Scroll to it and wait a moment.");
  if (facts.failed) return gettext("The figure could not be computed. Try again there first.");
  if (!facts.complete) return gettext("The figure is still being computed. Wait a moment and check again.");
  return "";
}

class Task {
  constructor(element, grade) {
    this.element = element;
    this.grade = grade;
    this.name = `${root.dataset.lesson}:${element.dataset.task}`;
    this.misses = 0;
    this.solved = false;
    this.find = (name) => element.querySelector(`[data-${name}]`);
    this.find("hint").hidden = true;
    this.find("reason").hidden = true;
    const check = this.find("check");
    check.hidden = false;
    check.addEventListener("click", () => this.check());
  }

  say(text) {
    const place = this.find("verdict");
    place.textContent = "";
    // The same sentence twice would not be heard a second time.
    requestAnimationFrame(() => {
      place.textContent = text;
    });
  }

  check() {
    const excuse = notYet(this.element.dataset.of);
    const verdict = excuse || this.grade(factsOf(this.element.dataset.of));
    if (verdict === true) return this.succeed();
    this.misses += excuse ? 0 : 1;
    const hasHint = this.misses >= MISSES;
    if (hasHint) this.open("hint");
    this.say(hasHint && !excuse ? `${verdict} ${gettext("There is a hint below.")}` : verdict);
    return undefined;
  }

  open(name) {
    const part = this.find(name);
    part.hidden = false;
    part.open = true;
  }

  async succeed() {
    this.open("reason");
    this.say(gettext("That is it."));
    try {
      await note(this.name);
      if (!isKept()) this.say(gettext("That is it. This browser stores nothing, so it is forgotten with this page."));
    } catch (problem) {
      this.say(`${gettext("That is it, but it could not be noted:")} ${sentenceOf(problem)}`);
    }
  }

  /** Marks the task as solved, now or on an earlier day. */
  mark() {
    if (this.solved) return;
    this.solved = true;
    this.element.dataset.solved = "";
    this.find("done").hidden = false;
    this.find("check").textContent = gettext("Check again");
    this.find("reason").hidden = false;
  }
}

/** Brings the tasks of this page to life; `grades` has a function for each. */
export function grade(grades) {
  const tasks = [...document.querySelectorAll("[data-task]")].map((one) => new Task(one, grades[one.dataset.task]));
  onProgress((solved) => {
    for (const task of tasks) if (solved.has(task.name)) task.mark();
    const count = tasks.filter((task) => task.solved).length;
    for (const place of document.querySelectorAll("[data-count]")) {
      place.textContent = countText(count, tasks.length);
    }
  });
  document.documentElement.dataset.lessonReady = "";
}
