// Cancels one waiting answer where it stands; the polling then shows that it is cancelled. Without this module the
// form leads to the page of the picture.

import { ask } from "./http.js";
import { toast } from "./toast.js";

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-cancel]");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("button");
  if (button.disabled) return;
  button.disabled = true;
  try {
    toast((await ask(form.action, new FormData(form))).message);
  } catch (problem) {
    toast(problem.message);
    button.disabled = false;
  }
});
