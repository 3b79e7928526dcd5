// Asks for a fragment of the page until it is final: quickly at first, then slower, and not while nobody looks.

import "./cancel.js";
import { ask } from "./http.js";
import { clearTrouble, showTrouble } from "./trouble.js";

const FIRST = 150;
const SLOWEST = 2000;
const SLOWER = 1.35;
const PATIENCE = 3; // failures in a row before anything is said about them

/** Keeps `container` up to date from `address`; returns a function that stops it. */
export function poll(container, { address, seen, says, trouble, login = "" }) {
  let wait = FIRST;
  let failures = 0;
  let timer = 0;
  let running = false;
  let over = false;

  const stop = () => {
    over = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", wake);
    removeEventListener("online", wake);
  };

  const later = () => {
    clearTimeout(timer);
    if (!over && !document.hidden) timer = setTimeout(look, wait);
  };

  // Back in sight, or back online: look at once.
  const wake = () => {
    if (over || document.hidden || running) return;
    wait = FIRST;
    clearTimeout(timer);
    look();
  };

  const look = async () => {
    running = true;
    try {
      const query = address.includes("?") ? "&" : "?";
      const answer = await ask(`${address}${query}seen=${encodeURIComponent(seen)}`);
      if (over) return;
      failures = 0;
      clearTrouble(trouble);
      if (answer.html) renew(container, answer.html, { partial: answer.partial });
      if (answer.seen !== seen && says) says.textContent = answer.says;
      seen = answer.seen;
      if (answer.final) return stop();
      wait = Math.min(wait * SLOWER, SLOWEST);
      later();
    } catch (problem) {
      if (!over) failed(problem);
    } finally {
      running = false;
    }
  };

  const failed = (problem) => {
    if (problem.status === 404) {
      stop();
      problem.message = gettext("This was deleted, so there is nothing more to wait for.");
      return showTrouble(trouble, problem);
    }
    failures += 1;
    wait = SLOWEST;
    if (problem.status === 401 || problem.code === "offline" || failures >= PATIENCE) {
      showTrouble(trouble, problem, { again: wake, login });
    }
    if (problem.status !== 401) later();
  };

  document.addEventListener("visibilitychange", wake);
  addEventListener("online", wake);
  later();
  return stop;
}

/** Starts `poll` for an element that says in its markup where to ask. */
export function pollMarked(container) {
  const around = container.parentElement;
  return poll(container, {
    address: container.dataset.poll,
    seen: container.dataset.pollSeen ?? "",
    says: around.querySelector("[data-poll-says]"),
    trouble: around.querySelector("[data-poll-trouble]"),
    login: `/accounts/login/?next=${encodeURIComponent(location.pathname)}`,
  });
}

/**
 * Puts `html` into `container`, part by part where the parts are the same, and keeps loaded pictures and the focus.
 * With `partial` it holds only the parts that are new; the others stay.
 */
export function renew(container, html, { partial = false } = {}) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content;
  const focus = container.contains(document.activeElement) ? document.activeElement.id : "";
  const loaded = new Map([...container.querySelectorAll("img")].map((image) => [image.getAttribute("src"), image]));
  const keep = (root) => {
    for (const image of root.querySelectorAll("img")) {
      const old = loaded.get(image.getAttribute("src"));
      if (old) image.replaceWith(old);
    }
  };
  const parts = [...fresh.querySelectorAll("[data-part]")];
  const old = [...container.querySelectorAll("[data-part]")];
  const places = new Map(old.map((part) => [part.dataset.part, part]));
  // The same parts in another order are another table.
  const same = parts.length === old.length && parts.every((part, i) => part.dataset.part === old[i].dataset.part);
  if (partial || (parts.length && same)) {
    for (const part of parts) {
      const before = places.get(part.dataset.part);
      if (!before || before.outerHTML === part.outerHTML) continue;
      keep(part);
      before.replaceWith(part);
    }
  } else {
    keep(fresh);
    container.replaceChildren(fresh);
  }
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
}
