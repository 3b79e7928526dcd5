// What every figure's page does: the ways to the other figures keep the state, what the site knows as still pictures
// and text steps back behind the figure, and trouble is said in one place.

import { clearTrouble, passing, showTrouble } from "../trouble.js";
import { address, fill } from "./address.js";
import { subject } from "./subject.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Whether movement is unwanted: then everything goes straight to its end. It may change while the page is open. */
export const calm = () => still.matches;

/** Calls `listener(calm)` whenever that changes. */
export function onCalm(listener) {
  still.addEventListener("change", () => listener(still.matches));
}

const find = (name) => document.querySelector(`[data-laboratory-${name}]`);

/** Says what went wrong above the figure, with "Try again" where `again` is given and may help. */
export function trouble(problem, again = null) {
  if (problem.code === "aborted") return;
  if (problem.code === "not_stored") return notInFrame(problem);
  // In a lesson one comes back to the lesson.
  const { pathname, search } = "inLesson" in document.documentElement.dataset ? parent.location : location;
  const login = `/accounts/login/?next=${encodeURIComponent(pathname + search)}`;
  showTrouble(find("trouble"), problem, { again: again && passing(problem) ? again : null, login });
}

/** In a frame on another site only what is stored can be shown; the page that it stands for can do more. */
function notInFrame(problem) {
  const box = document.createElement("p");
  box.className = "notice info";
  const link = document.createElement("a");
  link.href = new URL(location.search, subject.full).href;
  link.target = "_blank";
  link.rel = "noopener";
  link.textContent = gettext("Open it (in a new tab)");
  box.append(problem.message, " ", link);
  find("trouble").replaceChildren(box);
}

/** Takes back what `trouble` said. */
export function well() {
  clearTrouble(find("trouble"));
}

/** A sentence above the figure about what is waited for: its place in the line, a worker that is away; "" ends it. */
export function waiting(sentence) {
  const place = find("waiting");
  if (place.textContent !== sentence) place.textContent = sentence;
  place.hidden = !sentence;
}

/** The figure is drawn: from here on it can be used. Called once by each figure. */
export function ready() {
  find("figure")?.removeAttribute("aria-busy");
  document.documentElement.dataset.laboratoryReady = "";
  performance.mark("laboratory-ready");
}

fill(document.querySelectorAll("a[data-keep-state]"));

const copy = find("copy");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    const says = find("copied");
    try {
      await navigator.clipboard.writeText(address());
      says.textContent = gettext("Copied. The link shows the figure as you see it now.");
    } catch {
      says.textContent = gettext("This browser did not let the page copy. The link is in the address bar.");
    }
  });
}

// Enter in a figure's field would send its form and reload the page without what was chosen.
document.addEventListener("submit", (event) => {
  if (find("figure")?.contains(event.target)) event.preventDefault();
});

// A choice that reloads the page goes at once; without scripts its button does it.
for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

addEventListener("offline", () => waiting(gettext("You are offline. What is already on this page keeps working.")));
addEventListener("online", () => waiting(""));
