// What every lesson's page does: guesses before figures, tasks that the state of a figure grades, and progress. A lesson's
// own module calls `grade({task: (facts of its figure, facts of all by name) => true or a sentence that says what is not yet so})`.

import { sentenceOf } from "../trouble.js";
import { factsOf } from "./frames.js";
import "./predictions.js";
import { isKept, note, onProgress } from "./progress.js";

const root = document.querySelector("[data-lesson]");
const MISSES = 2; // before the hint

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
    this.find("verdict").textContent = text;
  }

  check() {
    const facts = factsOf(this.element.dataset.of);
    const verdict = facts ? this.grade(facts) : gettext("The figure is not there yet. Scroll to it and wait a moment.");
    if (verdict === true) return this.succeed();
    this.misses += facts ? 1 : 0;
    this.say(verdict);
    if (this.misses >= MISSES) this.open("hint");
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
      place.textContent = interpolate(gettext("%(count)s of %(all)s tasks solved"), { count, all: tasks.length }, true);
    }
  });
  document.documentElement.dataset.lessonReady = "";
}
