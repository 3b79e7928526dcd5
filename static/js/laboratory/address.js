// A figure's state in the query string, so that an address restores what was seen. Keys that a figure does not know are
// left as they are: they belong to the other figures, which follow the same picture.

const WRITE_AFTER = 120; // ms of rest; browsers refuse hundreds of changes in a few seconds, and each costs a frame its time

const followers = new Set(); // functions that hear that the address changed

let pending = null; // a query that is not written yet
let timer = 0;

// What was not written yet belonged to the place that was left. Everybody else hears of Back and Forward after this.
addEventListener("popstate", () => {
  clearTimeout(timer);
  timer = 0;
  pending = null;
  clearCorrections();
});

/**
 * The state of one figure: `get()`, `set(changes)` and `onChange(listener)`.
 *
 * `defaults` names the keys and gives each its value where the address has none; the value's type is the key's type
 * (string, number, boolean). A key at its default is left out of the address. `validate(values, say)` returns valid
 * values and calls `say(sentence)` for each that it had to change; the sentences stand on top of the page. What the
 * page's own code sets is validated as well, without sentences.
 *
 * A listener is called with (values, changed: Set of keys).
 */
export function state(defaults, validate = (values) => values) {
  const listeners = new Set();
  let values = read(defaults, validate);

  const adopt = (next) => {
    const changed = new Set(Object.keys(defaults).filter((key) => next[key] !== values[key]));
    values = next;
    if (changed.size) for (const listener of listeners) listener(values, changed);
  };

  addEventListener("popstate", () => adopt(read(defaults, validate)));

  return {
    get: () => ({ ...values }),
    /** `step`: a place of its own, to which the browser's Back returns; what only moves something is none. */
    set(changes, { step = false } = {}) {
      if (step) flush();
      const next = { ...values };
      for (const key of Object.keys(changes)) if (key in defaults) next[key] = changes[key];
      const valid = { ...next, ...validate({ ...next }, () => {}) };
      clearCorrections();
      write(valid, defaults);
      if (step) flush("pushState");
      adopt(valid);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A sentence on top of the page about something in the address that does not exist. */
export function correct(sentence) {
  const place = document.querySelector("[data-laboratory-corrections]");
  if (!place) return;
  const paragraph = document.createElement("p");
  paragraph.textContent = sentence;
  place.append(paragraph);
  place.hidden = false;
}

function clearCorrections() {
  const place = document.querySelector("[data-laboratory-corrections]");
  if (!place || place.hidden) return;
  place.replaceChildren();
  place.hidden = true;
}

/**
 * Keeps the query of these links the page's own, so that the next figure shows the same. What `data-keep-state` holds,
 * itself a query, is changed in it; a key without a value is taken away.
 */
export function fill(links) {
  const follow = () => {
    for (const link of links) {
      const query = currentQuery();
      for (const [key, value] of new URLSearchParams(link.dataset.keepState)) {
        if (value) query.set(key, value);
        else query.delete(key);
      }
      const text = query.toString();
      link.setAttribute("href", link.pathname + (text ? `?${text}` : ""));
    }
  };
  followers.add(follow);
  addEventListener("popstate", follow);
  // Whoever is quicker than the address goes to what is seen as well.
  addEventListener("pointerdown", () => flush(), { capture: true });
  addEventListener("click", () => flush(), { capture: true });
  follow();
}

/** The page's address as it will be once all changes are written. */
export function address() {
  const query = currentQuery().toString();
  return location.origin + location.pathname + (query ? `?${query}` : "");
}

function read(defaults, validate) {
  const query = currentQuery();
  const values = {};
  for (const [key, initial] of Object.entries(defaults)) {
    values[key] = query.has(key) ? typed(query.get(key), initial) : initial;
  }
  return { ...values, ...validate({ ...values }, correct) };
}

/** What is no number is NaN, for `validate` to judge. */
function typed(text, initial) {
  if (typeof initial === "number") return text.trim() === "" ? Number.NaN : Number(text);
  if (typeof initial === "boolean") return text === "1" || text === "true";
  return text;
}

function currentQuery() {
  return new URLSearchParams(pending ?? location.search);
}

function write(values, defaults) {
  const query = currentQuery();
  for (const [key, initial] of Object.entries(defaults)) {
    const value = typeof values[key] === "boolean" ? String(Number(values[key])) : String(values[key]);
    const standard = typeof initial === "boolean" ? String(Number(initial)) : String(initial);
    if (value === standard) query.delete(key);
    else query.set(key, value);
  }
  pending = query.toString();
  clearTimeout(timer);
  timer = setTimeout(flush, WRITE_AFTER);
}

function flush(method = "replaceState") {
  clearTimeout(timer);
  timer = 0;
  if (pending === null) return;
  const query = pending;
  pending = null;
  if (query !== new URLSearchParams(location.search).toString()) {
    history[method](history.state, "", `${location.pathname}${query ? `?${query}` : ""}${location.hash}`);
  }
  for (const follow of followers) follow();
}

addEventListener("pagehide", () => flush());
