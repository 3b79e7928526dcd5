// The field with a link: a button copies it, and a click into the field selects all of it.

import { toast } from "./toast.js";

for (const field of document.querySelectorAll("[data-link]")) {
  const button = field.parentElement.querySelector("[data-copy-link]");
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", () => copy(field));
  button.hidden = false;
}

async function copy(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    toast(gettext("The link is copied."));
  } catch {
    // Not allowed, or a page without HTTPS: the keyboard still can.
    field.focus();
    field.select();
    toast(gettext("The link is selected. Copy it with Ctrl+C, on a Mac with ⌘C."));
  }
}
