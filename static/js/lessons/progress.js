// Which tasks are solved: in the account for whoever has one, else in this browser. What a browser holds goes to the
// account with the first lesson that is opened after signing up or in. Lessons and tasks that are gone are left alone: the
// server knows which names there are, and under which ones they were known before.

import { ask } from "../http.js";

const KEY = "convoscope.solved";
const given = JSON.parse(document.getElementById("lesson-progress").textContent); // {account, solved, url, formerly}

const solved = new Set(given.solved);
const listeners = new Set();
const unsent = new Set();
let storageWorks = true;

/** Hears (solved: Set of "lesson:task") now and whenever it changes, in this tab or another. */
export function onProgress(listener) {
  listeners.add(listener);
  listener(solved);
}

/** "2 of 4 tasks solved" */
export const countText = (count, all) => interpolate(
  ngettext("%(count)s of %(all)s task solved", "%(count)s of %(all)s tasks solved", all), { count, all }, true,
);

/** Whether what is solved outlives the page. A browser may refuse to store, and then the page says so. */
export const isKept = () => given.account || storageWorks;

const tellAll = () => listeners.forEach((listener) => listener(solved));

/** Notes a solved task. Resolves when it is stored; throws a Problem where the account could not be reached. */
export async function note(name) {
  const isNew = !solved.has(name);
  solved.add(name);
  if (isNew) tellAll();
  if (!given.account) {
    store();
    return;
  }
  try {
    await toAccount([name]);
  } catch (problem) {
    unsent.add(name);
    store(); // The next page tries again.
    throw problem;
  }
}

async function toAccount(names) {
  const body = new FormData();
  for (const name of names) body.append("solved", name);
  const answer = await ask(given.url, body);
  answer.solved.forEach((name) => solved.add(name));
  tellAll();
}

function stored() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((name) => typeof name === "string") : [];
  } catch {
    return []; // Blocked, or not of this site's making.
  }
}

/** Today's name of a task that was stored under a lesson's former address. */
function today(name) {
  const [lesson, task] = name.split(":");
  return `${given.formerly[lesson] ?? lesson}:${task}`;
}

function store() {
  try {
    // Another tab may have stored something since this page was opened.
    // In an account only what could not be sent stays here.
    const mine = given.account ? unsent : solved;
    localStorage.setItem(KEY, JSON.stringify([...new Set([...stored(), ...mine])]));
    storageWorks = true;
  } catch {
    storageWorks = false;
  }
}

function adopt() {
  stored().map(today).forEach((name) => solved.add(name));
  tellAll();
}

async function hand() {
  const names = stored();
  if (!names.length) return;
  try {
    await toAccount(names);
    const left = stored().filter((name) => !names.includes(name)); // what another tab has stored meanwhile
    if (left.length) localStorage.setItem(KEY, JSON.stringify(left));
    else localStorage.removeItem(KEY);
  } catch {
    // It stays here, and the next page tries again.
  }
}

if (given.account) hand();
else {
  adopt();
  addEventListener("storage", ({ key }) => {
    if (key === KEY) adopt();
  });
}
// A page that Back brings out of the browser's memory may be older than what was solved, or of an account that has left.
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  if (given.account) location.reload();
  else adopt();
});
