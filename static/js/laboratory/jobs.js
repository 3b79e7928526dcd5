// Explanations: asked for, waited for and kept for as long as the page lives.

import { ask, Problem } from "../http.js";
import { subject } from "./subject.js";

const FIRST = 120;
const SLOWEST = 600; // a figure of some seconds is noticed soon after it is there
const SLOWER = 1.35;
const AFTER_FAILURE = 2000;
const PATIENCE = 3; // failures in a row before the last of them is thrown
const KEPT = 60; // explanations; the oldest go first

const known = new Map(); // key -> Asked

/** One explanation that one or more callers wait for. It is given up when none of them does any more. */
class Asked {
  constructor(fields) {
    this.ending = new AbortController();
    this.listeners = new Set();
    this.waiting = 0;
    this.settled = false;
    this.promise = get(fields, this.ending.signal, (sentence) => this.tell(sentence)).finally(() => {
      this.settled = true;
    });
    this.promise.catch(() => {}); // Each caller is told; nobody may be left, which is no error of the page.
  }

  tell(sentence) {
    for (const listener of this.listeners) listener(sentence);
  }

  /** The result for one caller, who may leave early by `signal`. */
  async join(signal, onWait, leave) {
    if (signal?.aborted) {
      if (!this.waiting && !this.settled) leave();
      throw givenUp();
    }
    this.waiting += 1;
    if (onWait) this.listeners.add(onWait);
    let stop = null;
    const left = new Promise((_, fail) => {
      stop = () => fail(givenUp());
      signal?.addEventListener("abort", stop, { once: true });
    });
    try {
      return await Promise.race([this.promise, left]);
    } finally {
      signal?.removeEventListener("abort", stop);
      if (onWait) this.listeners.delete(onWait);
      this.waiting -= 1;
      if (!this.waiting && !this.settled) leave();
    }
  }
}

/**
 * The explanation of `kind` for a network (its name, or an object with `name`): {id, artifact, result, files, url}, where
 * `url(member)` is the address of a file of it. The same one is computed once, by the site and by the page.
 *
 * `onWait(sentence)` hears where it stands in the line, and "" when it no longer waits. `signal` gives it up. Throws a
 * Problem; one whose code is "aborted" says only that the caller gave it up.
 */
export async function explain(kind, network, parameters = {}, { signal = null, onWait = null } = {}) {
  const fields = {
    on: subject.on,
    bars: JSON.stringify(subject.bars),
    network: network.name ?? network,
    kind,
    parameters: canonical(parameters),
  };
  const key = JSON.stringify(fields);
  if (!known.has(key)) {
    known.set(key, new Asked(fields));
    if (known.size > KEPT) known.delete(known.keys().next().value);
  }
  const asked = known.get(key);
  const leave = () => {
    asked.ending.abort();
    forget(key, asked);
  };
  try {
    return await asked.join(signal, onWait, leave);
  } catch (problem) {
    if (asked.settled) forget(key, asked); // What failed may be asked for again.
    throw problem;
  } finally {
    onWait?.("");
  }
}

function forget(key, asked) {
  if (known.get(key) === asked) known.delete(key);
}

async function get(fields, signal, onWait) {
  let answer = await first(fields, signal);
  let wait = FIRST;
  let failures = 0;
  while (answer.status === "queued" || answer.status === "running") {
    onWait(answer.says ?? "");
    await pause(wait, signal);
    wait = Math.min(wait * SLOWER, SLOWEST);
    try {
      answer = await ask(`${subject.explanations}${answer.id}/`, null, { signal });
      failures = 0;
    } catch (problem) {
      failures += 1;
      const passing = problem.status === 0 || problem.status === 429 || problem.status >= 500;
      if (signal.aborted || !passing || failures >= PATIENCE) throw problem;
      wait = Math.max(AFTER_FAILURE, 1000 * (problem.wait ?? 0));
    }
  }
  if (answer.status !== "done") {
    const { code = "failed", message = "" } = answer.error ?? {};
    throw new Problem(code, message || gettext("This could not be computed. Try again."));
  }
  const { id, artifact, result, files, base } = answer;
  return { id, artifact, result, files, url: (member) => base + member };
}

/** In a frame on another site there is no session: only what is stored can be found there. */
function first(fields, signal) {
  if (subject.embed) {
    return ask(`${subject.explanations}find?${new URLSearchParams(fields)}`, null, { signal });
  }
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return ask(subject.explanations, body, { signal });
}

/** Parameters as text, the same for the same ones in another order. */
function canonical(parameters) {
  const sorted = (value) => {
    if (Array.isArray(value)) return value.map(sorted);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]));
  };
  return JSON.stringify(sorted(parameters));
}

/** Waits `ms`, and while the page is out of sight. */
function pause(ms, signal) {
  return new Promise((done, fail) => {
    let timer = 0;
    const over = () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
      signal.removeEventListener("abort", end);
    };
    const end = () => {
      over();
      fail(givenUp());
    };
    const wake = () => {
      if (document.hidden) return; // `look` goes on.
      over();
      done();
    };
    const look = () => {
      if (!document.hidden) wake();
    };
    if (signal.aborted) return fail(givenUp());
    signal.addEventListener("abort", end);
    document.addEventListener("visibilitychange", look);
    timer = setTimeout(wake, ms);
  });
}

function givenUp() {
  return new Problem("aborted", gettext("This was given up."));
}
