// The history: entries are deleted where they stand, one or many, and come back when "Undo" is pressed in time.

import { showActivity } from "./history-activity.js";
import "./history-marks.js";
import { onSelection } from "./history-selection.js";
import { ask } from "./http.js";
import { toast } from "./toast.js";

const list = document.querySelector("[data-history]");
const empty = document.querySelector("[data-history-empty]");
const count = document.querySelector("[data-history-count]");
const notice = document.querySelector("[data-undo-notice]");
const title = document.getElementById("history-title");
const NOTICE_SECONDS = 10;

let selection = null;

function tell() {
  const entries = [...list.children];
  const here = entries.filter((entry) => !entry.hidden).length;
  const left = Number(count.dataset.historyCount) - (entries.length - here);
  empty.hidden = here > 0;
  list.hidden = here === 0;
  count.textContent = interpolate(ngettext("%s prediction", "%s predictions", left), [left]);
  selection?.changed();
}

function focusNear(entry) {
  const entries = [...list.children];
  const at = entries.indexOf(entry);
  const next = entries.slice(at + 1).find((one) => !one.hidden) ?? entries.slice(0, at).reverse().find((one) => !one.hidden);
  (next?.querySelector("[data-delete]") ?? title).focus();
}

/** Deletes these entries: `body` is sent to the address of `form`. The focus stays near if it was there. */
async function remove(entries, form, body, focused) {
  const answer = await ask(form.getAttribute("action"), body);
  const gone = new Set(answer.deleted);
  // What somebody deleted in another tab is not among them, and is gone all the same.
  for (const entry of entries) {
    entry.hidden = true;
    const box = entry.querySelector("[data-select]");
    if (box) box.checked = false;
  }
  tell();
  if (focused) focusNear(entries.at(-1));
  const ids = gone.size ? [...gone] : entries.map((entry) => entry.dataset.run);
  toast(answer.message, {
    action: gettext("Undo"),
    onAction: () => restore(entries, ids),
    seconds: answer.seconds,
  });
}

async function restore(entries, ids) {
  const body = new FormData();
  for (const id of ids) body.append("id", id);
  try {
    const answer = await ask(list.dataset.undo, body);
    for (const entry of entries) entry.hidden = false;
    tell();
    entries[0].querySelector("[data-delete]").focus();
    const back = ngettext("The prediction is back.", "%s predictions are back.", answer.restored);
    toast(interpolate(back, [answer.restored]));
  } catch (problem) {
    toast(problem.message);
  }
}

/** Runs `work` once at a time, and says what went wrong. It is told whether the focus was on the button. */
async function once(button, work) {
  if (button.disabled) return;
  // A button that is disabled loses the focus.
  const focused = button === document.activeElement;
  button.disabled = true;
  try {
    await work(focused);
  } catch (problem) {
    toast(problem.message);
  } finally {
    button.disabled = false;
    selection?.changed();
  }
}

if (notice) {
  setTimeout(() => {
    const focused = notice.contains(document.activeElement);
    notice.hidden = true;
    if (focused) title.focus();
  }, NOTICE_SECONDS * 1000);
}

// The buttons stand in the entries, and their one form stands before the list.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!list || !button?.matches("[data-delete]")) return;
  event.preventDefault();
  const body = new FormData();
  body.append("id", button.value);
  once(button, (focused) => remove([button.closest("[data-run]")], button.form, body, focused));
});

if (list) selection = onSelection(list, { remove, once });
showActivity();
