// The star, the note and the file name of a prediction, changed without a reload wherever _marks.html stands.

import { ask } from "./http.js";
import { toast } from "./toast.js";

/** Lets a star's button say whether the star is there. */
export function showStar(button, starred) {
  button.setAttribute("aria-pressed", String(starred));
}

async function star(button) {
  if (button.dataset.busy) return;
  const starred = button.getAttribute("aria-pressed") !== "true";
  const body = new FormData();
  body.append("id", button.dataset.star);
  body.append("starred", starred ? "1" : "0");
  // At once, and taken back when it did not work.
  showStar(button, starred);
  button.dataset.busy = "1";
  try {
    await ask(button.form.getAttribute("action"), body);
  } catch (problem) {
    showStar(button, !starred);
    toast(problem.message);
  } finally {
    delete button.dataset.busy;
  }
}

/**
 * The form for the name and the note of an entry, in the place of the link to the page that has one: it stands once in
 * a page of many. `pattern` is its <template>.
 */
function editor(pattern, link) {
  const details = pattern.content.firstElementChild.cloneNode(true);
  const entry = link.closest("[data-run]");
  const name = entry.querySelector("[data-filename]").textContent;
  const note = entry.querySelector("[data-note]").textContent;
  details.querySelector("summary span").textContent = `: ${name}`;
  const form = details.querySelector("form");
  form.setAttribute("action", link.dataset.editLink);
  fill(form.elements.namedItem("filename"), name);
  fill(form.elements.namedItem("note"), note);
  for (const label of form.querySelectorAll("label[for]")) {
    const field = form.querySelector(`#${CSS.escape(label.htmlFor)}`);
    field.id += entry.dataset.run;
    label.htmlFor = field.id;
  }
  return details;
}

function fill(field, value) {
  field.value = value;
  field.defaultValue = value;
}

/** Every place that shows the name of the same picture, in the history and on the prediction's own page. */
function showName(form, name) {
  const upload = form.closest("[data-upload]")?.dataset.upload;
  const entries = upload ? document.querySelectorAll(`[data-upload="${CSS.escape(upload)}"]`) : [document];
  for (const entry of entries) {
    for (const place of entry.querySelectorAll("[data-filename]")) place.textContent = name;
    for (const field of entry.querySelectorAll("[data-edit-form] [name=filename]")) fill(field, name);
    // What a screen reader hears of each button after its word.
    const spoken = ":is([data-star], [data-delete], [data-edit] > summary) > .visually-hidden";
    for (const words of entry.querySelectorAll(spoken)) words.textContent = `: ${name}`;
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
    fill(form.elements.namedItem("note"), answer.note);
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

const pattern = document.querySelector("[data-edit-template]");
if (pattern) {
  for (const link of document.querySelectorAll("[data-edit-link]")) link.replaceWith(editor(pattern, link));
}

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (submitter?.matches("[data-star]")) {
    event.preventDefault();
    star(submitter);
  } else if (form.matches("[data-edit-form]")) {
    event.preventDefault();
    save(form);
  }
});
