// The strip of activity, fetched when the page stands: counting two years of days must not delay the page itself.

import { ask } from "./http.js";

export async function showActivity() {
  const section = document.querySelector("[data-activity]");
  if (!section) return;
  const place = section.querySelector("[data-activity-strip]");
  try {
    const answer = await ask(section.dataset.activity);
    const template = document.createElement("template");
    template.innerHTML = answer.html;
    place.replaceChildren(template.content);
    // Narrow screens begin with the latest weeks.
    const strip = place.querySelector("[data-strip]");
    strip.scrollLeft = strip.scrollWidth;
  } catch (problem) {
    place.textContent = problem.message;
  }
}
