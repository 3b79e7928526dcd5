// The site's own pictures, for those who have none at hand: choosing one is like choosing its file.

import { askFile } from "./http.js";

/** Shows the offer and calls `onFile(file)` with what is chosen, or `onTrouble(problem, again)`. */
export function offerSamples(container, { onFile, onTrouble }) {
  if (!container) return;
  let latest = null;
  const load = async (button) => {
    latest = button;
    button.setAttribute("aria-busy", "true");
    try {
      const file = await askFile(button.dataset.sample, button.dataset.filename);
      if (latest === button) onFile(file);
    } catch (problem) {
      if (latest === button) onTrouble(problem, () => load(button));
    } finally {
      button.removeAttribute("aria-busy");
    }
  };
  for (const button of container.querySelectorAll("[data-sample]")) button.addEventListener("click", () => load(button));
}
