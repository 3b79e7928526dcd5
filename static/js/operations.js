// Renews the figures of the operations page every ten seconds while somebody looks at it.

const EVERY = 10_000;
const TIMEOUT = 8_000;

const note = document.querySelector("[data-refresh]");
const says = note.querySelector("[data-refresh-says]");
const now = document.querySelector("[data-now]");
let timer = 0;
let running = false;
let over = false;

/** A part that somebody is choosing in stays as it is. */
function inUse(part) {
  if (!("partForm" in part.dataset)) return false;
  return part.querySelector("input:checked") !== null || part.contains(document.activeElement);
}

function renew(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const focus = now.contains(document.activeElement) ? document.activeElement.id : "";
  for (const part of template.content.querySelectorAll("[data-part]")) {
    const old = document.getElementById(part.id);
    if (!old || inUse(old)) continue;
    const aside = new Map([...old.querySelectorAll(".scroll")].map((box) => [box.id, box.scrollLeft]));
    old.replaceWith(part);
    for (const box of part.querySelectorAll(".scroll")) box.scrollLeft = aside.get(box.id) ?? 0;
  }
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
}

/** Only what is new is said aloud. */
function say(sentence) {
  if (says.textContent !== sentence) says.textContent = sentence;
}

async function look() {
  running = true;
  try {
    const response = await fetch(note.dataset.refresh, {
      headers: { Accept: "text/html" },
      credentials: "same-origin",
      signal: AbortSignal.timeout?.(TIMEOUT),
    });
    if (response.redirected || response.status === 403) {
      // The way to the login page, or a right that was taken away.
      over = true;
      return say(note.dataset.ended);
    }
    if (!response.ok) throw new Error(String(response.status));
    renew(await response.text());
    say(note.dataset.refreshing);
  } catch {
    say(note.dataset.lost);
  } finally {
    running = false;
    later();
  }
}

function later() {
  clearTimeout(timer);
  if (!over && !document.hidden) timer = setTimeout(look, EVERY);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden && !running && !over) look();
});

say(note.dataset.refreshing);
later();
