// The list of lessons: how many tasks of each are solved.

import { countText, onProgress } from "./progress.js";

onProgress((solved) => {
  for (const place of document.querySelectorAll("[data-solved-of]")) {
    const tasks = place.dataset.tasks.split(" ");
    const count = tasks.filter((task) => solved.has(`${place.dataset.solvedOf}:${task}`)).length;
    place.textContent = count ? countText(count, tasks.length)
      : interpolate(ngettext("%(all)s task", "%(all)s tasks", tasks.length), { all: tasks.length }, true);
  }
});
