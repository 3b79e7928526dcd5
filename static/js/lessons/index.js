// The list of lessons: how many tasks of each are solved.

import { onProgress } from "./progress.js";

onProgress((solved) => {
  for (const place of document.querySelectorAll("[data-solved-of]")) {
    const all = Number(place.dataset.tasks);
    const count = Math.min(all, [...solved].filter((name) => name.startsWith(`${place.dataset.solvedOf}:`)).length);
    place.textContent = count ? interpolate(gettext("%(count)s of %(all)s tasks solved"), { count, all }, true)
      : interpolate(ngettext("%(all)s task", "%(all)s tasks", all), { all }, true);
  }
});
