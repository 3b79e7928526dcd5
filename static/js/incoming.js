// Every way in which pictures reach the predict page: chosen, photographed, dropped (folders too) and pasted.

import { chosen, dropped, inFolders } from "./folders.js";
import { pictures } from "./picture.js";

/** Calls `onPictures([{file, folder}])` for what comes in, and `onReading()` while a folder is looked through. */
export function incoming(form, stage, { most, onPictures, onReading }) {
  for (const input of form.querySelectorAll("input[type=file]")) {
    // A browser that knows no folders would offer the same chooser twice.
    if (input.hasAttribute("webkitdirectory") && !("webkitdirectory" in input)) {
      input.closest("[data-folder-chooser]").hidden = true;
      continue;
    }
    const changed = () => {
      if (!input.files.length) return;
      const found = chosen(input.files);
      input.value = ""; // The same file may be chosen again, and nothing is sent twice.
      onPictures(found);
    };
    input.addEventListener("change", changed);
    // Enter would send the form; on what looks like a button it opens the dialogue.
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      input.click();
    });
    if (input.files.length) changed();
  }

  document.addEventListener("paste", (event) => {
    const files = pictures(event.clipboardData?.files);
    if (!files.length) return;
    event.preventDefault();
    onPictures(chosen(files));
  });

  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    stage.classList.add("is-over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) stage.classList.remove("is-over");
  });
  document.addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    stage.classList.remove("is-over");
    const { entries, files } = dropped(event.dataTransfer);
    if (entries.length) {
      onReading();
      onPictures(await inFolders(entries, most));
    } else if (files.length) onPictures(files);
  });
}
