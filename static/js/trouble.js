// Shows a Problem where it belongs: a sentence and what can be done about it.

import { Problem } from "./http.js";

/** The problem as a sentence for a person. The text of an error of the browser's own is for developers only. */
export function sentenceOf(problem) {
  if (!(problem instanceof Error) || problem instanceof Problem) return problem.message;
  console.error(problem);
  return gettext("Something went wrong on this page. Reload it; your answer is in the history.");
}

/** Fills `place` with the problem's sentence, the ways to an account when that is what is missing, and "Try again". */
export function showTrouble(place, problem, { again = null, login = "" } = {}) {
  const box = document.createElement("div");
  box.className = "notice error cluster apart";
  const text = document.createElement("p");
  text.textContent = sentenceOf(problem);
  box.append(text);
  const actions = document.createElement("p");
  actions.className = "cluster";
  if (problem.status === 401 && login) {
    const link = document.createElement("a");
    link.href = login;
    link.target = "_blank"; // The picture and its bars stay on this page.
    link.rel = "noopener";
    link.textContent = gettext("Log in (opens a new tab)");
    actions.append(link);
  }
  if (problem.code === "trial_over") {
    for (const link of document.querySelectorAll("[data-trial] a")) actions.append(link.cloneNode(true));
  }
  if (again) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button secondary small";
    button.textContent = gettext("Try again");
    button.addEventListener("click", () => {
      clearTrouble(place);
      again();
    });
    actions.append(button);
  }
  if (actions.childElementCount) box.append(actions);
  place.replaceChildren(box);
}

export function clearTrouble(place) {
  place.replaceChildren();
}

/** Trying the same again can help: nothing answered, or the other side had a bad moment or wants a login. */
export function passing(problem) {
  return problem.status === 0 || problem.status === 401 || problem.status === 403 || problem.status === 429 || problem.status >= 500 || problem.code === "decoder_busy";
}
