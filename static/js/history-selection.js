// The boxes on the entries of the history, and the bar that says how many are ticked and what can be done with them.

import { showStar } from "./history-marks.js";
import { ask } from "./http.js";
import { toast } from "./toast.js";

/** Connects the bar with `list`; `remove` and `once` are history.js's. Returns what tells the bar that boxes changed. */
export function onSelection(list, { remove, once }) {
  const bar = document.querySelector("[data-selection]");
  const all = bar.querySelector("[data-select-all]");
  const everything = all.querySelector("input");
  const words = bar.querySelector("[data-selected]");
  const compare = bar.querySelector("[data-compare-link]");
  const hint = words.textContent;

  const boxes = () => [...list.querySelectorAll("[data-run]:not([hidden]) [data-select]")];
  const ticked = () => boxes().filter((box) => box.checked);

  const changed = () => {
    const chosen = ticked();
    const possible = boxes().length;
    const said = interpolate(ngettext("%s selected", "%s selected", chosen.length), [chosen.length]);
    words.textContent = chosen.length ? said : hint;
    if (chosen.length === 1) words.textContent = gettext("1 selected; tick another one to compare the two");
    bar.classList.toggle("used", chosen.length > 0);
    bar.hidden = possible === 0;
    everything.checked = possible > 0 && chosen.length === possible;
    everything.indeterminate = chosen.length > 0 && chosen.length < possible;
    for (const button of bar.querySelectorAll("[data-needs]")) button.disabled = chosen.length === 0;
    allowComparing(chosen);
  };

  // A link without an address is none: it cannot be followed, and says so.
  const allowComparing = (chosen) => {
    const two = chosen.length === 2;
    compare.setAttribute("aria-disabled", String(!two));
    if (!two) return compare.removeAttribute("href");
    const [a, b] = chosen.map((box) => encodeURIComponent(box.value));
    compare.href = `${bar.dataset.compare}?a=${a}&b=${b}`;
  };

  const star = async (address, body, starred) => {
    const entries = ticked().map((box) => box.closest("[data-run]"));
    const answer = await ask(address, body);
    for (const entry of entries) showStar(entry.querySelector("[data-star]"), starred);
    toast(answer.message);
  };

  list.addEventListener("change", (event) => {
    if (event.target.matches("[data-select]")) changed();
  });
  everything.addEventListener("change", () => {
    for (const box of boxes()) box.checked = everything.checked;
    changed();
  });
  bar.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button) return;
    event.preventDefault();
    const body = new FormData(bar);
    if (button.hasAttribute("data-delete-selected")) {
      const entries = ticked().map((box) => box.closest("[data-run]"));
      once(button, (focused) => remove(entries, bar, body, focused));
    } else {
      body.append(button.name, button.value);
      once(button, () => star(button.getAttribute("formaction"), body, button.value === "1"));
    }
  });

  all.hidden = false;
  // The link can be opened in another tab, and says by itself when it can be followed.
  bar.querySelector("[data-compare-button]").hidden = true;
  compare.hidden = false;
  changed();
  return { changed };
}
