// The star, the note and the file name of a prediction, changed without a reload wherever _marks.html stands.

import { ask } from "./http.js";
import { toast } from "./toast.js";

/** Lets a star's form say whether the star is there. */
export function showStar(form, starred) {
  const button = form.querySelector("button");
  button.value = starred ? "0" : "1";
  button.setAttribute("aria-pressed", String(starred));
}

async function star(form) {
  const button = form.querySelector("button");
  if (button.dataset.busy) return;
  const starred = button.value === "1";
  const body = new FormData(form);
  body.set("starred", button.value);
  // At once, and taken back when it did not work.
  showStar(form, starred);
  button.dataset.busy = "1";
  try {
    await ask(form.getAttribute("action"), body);
  } catch (problem) {
    showStar(form, !starred);
    toast(problem.message);
  } finally {
    delete button.dataset.busy;
  }
}

/** Every place that shows the name of the same picture, in the history and on the prediction's own page. */
function showName(form, name) {
  const upload = form.closest("[data-upload]")?.dataset.upload;
  const entries = upload ? document.querySelectorAll(`[data-upload="${CSS.escape(upload)}"]`) : [document];
  for (const entry of entries) {
    for (const place of entry.querySelectorAll("[data-filename]")) place.textContent = name;
    for (const field of entry.querySelectorAll("[data-edit-form] [name=filename]")) {
      field.value = name;
      field.defaultValue = name;
    }
  }
}

async function save(form) {
  const button = form.querySelector("button");
  const trouble = form.querySelector("[data-edit-problem]");
  if (button.disabled) return;
  button.disabled = true;
  try {
    const answer = await ask(form.getAttribute("action"), new FormData(form));
    trouble.hidden = true;
    showName(form, answer.filename);
    const field = form.elements.namedItem("note");
    field.value = answer.note;
    field.defaultValue = answer.note;
    const note = form.closest("[data-marks]").querySelector("[data-note]");
    note.textContent = answer.note;
    note.hidden = !answer.note;
    const details = form.closest("details");
    details.open = false;
    details.querySelector("summary").focus();
    toast(answer.message);
  } catch (problem) {
    trouble.textContent = problem.message;
    trouble.hidden = false;
  } finally {
    button.disabled = false;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-star]")) {
    event.preventDefault();
    star(form);
  } else if (form.matches("[data-edit-form]")) {
    event.preventDefault();
    save(form);
  }
});
