// Deletes an entry of the history where it stands, and brings it back when "Undo" is pressed in time.

import { ask } from "./http.js";
import { toast } from "./toast.js";

const list = document.querySelector("[data-history]");
const empty = document.querySelector("[data-history-empty]");
const count = document.querySelector("[data-history-count]");
const notice = document.querySelector("[data-undo-notice]");
const NOTICE_SECONDS = 10;

function visible() {
  return [...list.children].filter((entry) => !entry.hidden);
}

function tell() {
  const here = visible().length;
  const left = Number(count.dataset.historyCount) - (list.children.length - here);
  empty.hidden = here > 0;
  list.hidden = here === 0;
  count.textContent = interpolate(ngettext("%s prediction", "%s predictions", left), [left]);
}

function focusNear(entry) {
  const entries = [...list.children];
  const at = entries.indexOf(entry);
  const next = entries.slice(at + 1).find((one) => !one.hidden) ?? entries.slice(0, at).reverse().find((one) => !one.hidden);
  (next?.querySelector("[data-delete] button") ?? document.getElementById("history-title")).focus();
}

async function restore(entry, form, ids) {
  const body = new FormData(form);
  body.delete("id");
  for (const id of ids) body.append("id", id);
  try {
    await ask(list.dataset.undo, body);
    entry.hidden = false;
    tell();
    entry.querySelector("[data-delete] button").focus();
    toast(gettext("The prediction is back."));
  } catch (problem) {
    toast(problem.message);
  }
}

if (notice) {
  setTimeout(() => {
    const focused = notice.contains(document.activeElement);
    notice.hidden = true;
    if (focused) document.getElementById("history-title").focus();
  }, NOTICE_SECONDS * 1000);
}

list?.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-delete]");
  if (!form) return;
  event.preventDefault();
  const entry = form.closest("[data-run]");
  const button = form.querySelector("button");
  if (button.disabled) return;
  const focused = form.contains(document.activeElement);
  button.disabled = true;
  try {
    const answer = await ask(form.action, new FormData(form));
    entry.hidden = true;
    tell();
    if (focused) focusNear(entry);
    toast(answer.message, {
      action: gettext("Undo"),
      onAction: () => restore(entry, form, answer.deleted.length ? answer.deleted : [entry.dataset.run]),
      seconds: answer.seconds,
    });
  } catch (problem) {
    toast(problem.message);
  } finally {
    button.disabled = false;
  }
});
