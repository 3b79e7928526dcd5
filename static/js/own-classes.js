// A set of own classes without reloading: pictures go one by one with a bar, the training is followed, tries are answered
// in place. Every form works without this as well.

import "./share.js";
import { ask, send } from "./http.js";
import { read } from "./picture.js";
import { poll, renew } from "./poll.js";
import { toast } from "./toast.js";
import { clearTrouble, passing, sentenceOf, showTrouble } from "./trouble.js";

const PAUSE = 2; // seconds, where the site does not say how long to wait
const TRIES = 3;

const page = document.querySelector("[data-own-page]");
const board = page.querySelector("[data-own-board]");
const training = page.querySelector("[data-own-training]");
const says = page.querySelector("[data-poll-says]");
const trouble = page.querySelector("[data-own-trouble]");
const login = `/accounts/login/?next=${encodeURIComponent(location.pathname)}`;
let stop = () => {};
let queue = Promise.resolve();

follow({ final: "final" in training.dataset, seen: training.dataset.seen });

// The parts of the page come anew again and again, so it is listened to as a whole.
page.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-own-form]")) take(event, () => change(form));
  else if (form.matches("[data-own-add]")) take(event, () => add(form));
  else if (form.matches("[data-own-try]")) take(event, () => attempt(form));
});

page.addEventListener("change", (event) => {
  const form = event.target.form;
  if (event.target.type === "file" && event.target.files.length && form?.matches("[data-own-add]")) form.requestSubmit();
});

// Who was quicker than this script has chosen already.
for (const form of page.querySelectorAll("[data-own-add]")) if (form.elements.pictures.files.length) form.requestSubmit();

/** Does in place what the form would have done, when what was begun before is done. */
function take(event, action) {
  event.preventDefault();
  const button = event.submitter;
  if (button?.hasAttribute("aria-disabled")) return; // pressed twice
  button?.setAttribute("aria-disabled", "true");
  queue = queue.then(async () => {
    clearTrouble(trouble);
    try {
      await action();
    } catch (problem) {
      showTrouble(trouble, problem, { login });
      trouble.scrollIntoView({ block: "nearest" });
    } finally {
      button?.removeAttribute("aria-disabled");
    }
  });
}

/** Where a form is sent. One of them has a field called "action", which its property would be. */
function address(form) {
  return form.getAttribute("action");
}

async function change(form) {
  const answer = await ask(address(form), new FormData(form));
  show(answer);
  if (answer.message) toast(answer.message);
}

// --- pictures ---------------------------------------------------------------------------------------------------

async function add(form) {
  const files = [...form.elements.pictures.files];
  const fields = { set: form.elements.set.value, class: form.elements.class.value };
  const progress = form.querySelector("[data-own-progress]");
  const [bar, words] = [progress.querySelector("progress"), progress.querySelector("span")];
  progress.hidden = false;
  bar.max = files.length;
  const rejected = [];
  let taken = 0;
  let last = null;
  try {
    for (const [i, file] of files.entries()) {
      words.textContent = interpolate(gettext("%(done)s of %(all)s"), { done: i, all: files.length }, true);
      const answer = await one(address(form), fields, file, (share) => {
        bar.value = i + share;
      });
      if (answer.taken === undefined) rejected.push({ filename: file.name, message: answer.message });
      else {
        last = answer;
        taken += answer.taken;
        rejected.push(...answer.rejected);
      }
    }
  } finally {
    progress.hidden = true;
    form.reset();
    // Also when the line broke in the middle: what had arrived is there.
    if (last) show(last);
  }
  if (taken) {
    const words = ngettext("%(count)s picture added.", "%(count)s pictures added.", taken);
    toast(interpolate(words, { count: taken }, true));
  }
  name(rejected);
}

/** Sends one picture, more than once where that can help; a refusal of this very picture comes back as its sentence. */
async function one(where, fields, file, onProgress) {
  const { blob } = await read(file);
  for (let tried = 1; ; tried += 1) {
    const body = new FormData();
    for (const [key, value] of Object.entries(fields)) body.append(key, value);
    body.append("pictures", blob, file.name);
    try {
      return await send(where, body, { onProgress, signal: new AbortController().signal });
    } catch (problem) {
      if (problem.status === 413) return { message: sentenceOf(problem) };
      const again = passing(problem) && ![0, 401, 403].includes(problem.status);
      if (!again || tried >= TRIES) throw problem;
      await new Promise((done) => setTimeout(done, 1000 * (problem.wait || PAUSE)));
    }
  }
}

/** Says which files were not taken, and why. */
function name(rejected) {
  if (!rejected.length) return;
  const list = document.createElement("ul");
  list.className = "notice error own-rejected";
  for (const { filename, message } of rejected) {
    const item = document.createElement("li");
    const strong = document.createElement("strong");
    strong.textContent = filename;
    item.append(strong, ` ${message}`);
    list.append(item);
  }
  trouble.replaceChildren(list);
  trouble.scrollIntoView({ block: "nearest" });
}

// --- training and trying ------------------------------------------------------------------------------------------

/** Puts what an answer brings where it belongs, and follows the training while there is one. */
function show(answer) {
  const inside = board.contains(document.activeElement);
  renew(board, answer.board);
  // What had the focus may be gone with its picture.
  if (inside && !board.contains(document.activeElement)) board.focus({ preventScroll: true });
  renew(training, answer.html);
  follow(answer);
}

function follow({ final, seen }) {
  stop();
  stop = () => {};
  if (final) return;
  stop = poll(training, {
    address: training.dataset.state,
    seen,
    says,
    trouble: page.querySelector("[data-poll-trouble]"),
    login,
  });
}

async function attempt(form) {
  const place = page.querySelector("[data-own-answers]");
  const body = new FormData();
  body.append("set", form.elements.set.value);
  for (const file of form.elements.pictures.files) body.append("pictures", (await read(file)).blob, file.name);
  place.setAttribute("aria-busy", "true");
  try {
    const { html } = await ask(address(form), body);
    const template = document.createElement("template");
    template.innerHTML = html;
    place.replaceChildren(template.content);
    form.reset();
  } finally {
    place.removeAttribute("aria-busy");
  }
}
