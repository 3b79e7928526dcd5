// The workshop: a picture goes in at once as a draft, bars are drawn on it, networks are asked, answers appear below.
// Without this module the form does the same in one step, without bars.

import { showBars } from "./bar-list.js";
import { BarEditor } from "./bars.js";
import { CropPanel } from "./crop-panel.js";
import { ask, Problem } from "./http.js";
import { pictures, read, readAddress } from "./picture.js";
import { poll, renew } from "./poll.js";
import { offerSamples } from "./samples.js";
import { Several } from "./several.js";
import { clearTrouble, passing, sentenceOf, showTrouble } from "./trouble.js";

const form = document.querySelector("[data-workshop]");
const find = (name, root = form) => root.querySelector(`[data-${name}]`);
const { draft: draftAddress, login } = form.dataset;
const stage = find("stage");
const pictureError = find("picture-error");
const sendError = find("send-error");
const sendButton = find("send");
const tools = find("tools");
const barList = find("bar-list");
const results = document.querySelector("[data-results]");

let current = null; // {file, id, sending}: the one picture on the canvas
let several = null;
let stopPolling = () => {};
let busy = false;
let asked = null; // {current, bars, crop}: what the answers below are about

// --- the stage -----------------------------------------------------------------------------------------------

const figure = document.createElement("figure");
figure.className = "figure canvas";
figure.hidden = true;
figure.innerHTML = `<div class="covered"><canvas role="img"></canvas><svg role="application" preserveAspectRatio="none" aria-describedby="bars-help"></svg></div><figcaption></figcaption>`;
const listOfSeveral = document.createElement("ol");
listOfSeveral.className = "several";
listOfSeveral.hidden = true;
stage.prepend(figure, listOfSeveral);
const overlay = figure.querySelector("svg");
overlay.setAttribute("aria-label", gettext("Bars on the picture"));

const editor = new BarEditor(overlay, {
  onChange(bars) {
    form.elements.bars.value = bars.length ? JSON.stringify(bars) : "";
    find("clear-bars").hidden = !bars.length;
    markStale();
    showBars(barList, bars, {
      onSet: (index, bar) => editor.set(index, bar),
      onRemove: (index) => removeBar(index),
    });
  },
  onSay: (text) => {
    find("bar-says").textContent = text;
  },
});

const cropPanel = new CropPanel(form, figure, editor, { onChange: () => markStale() });

function removeBar(index) {
  editor.remove(index);
  if (!editor.bars.length) find("add-bar").focus();
}

find("add-bar").addEventListener("click", () => editor.focus(editor.add()));
find("clear-bars").addEventListener("click", () => {
  editor.clear();
  find("add-bar").focus();
});
overlay.addEventListener("emptied", () => find("add-bar").focus());
addEventListener("resize", () => editor.drawHandles());

function show(canvas, name, { bars = [], crop = null } = {}) {
  const old = figure.querySelector("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", interpolate(gettext("Your picture %s"), [name]));
  old.replaceWith(canvas);
  // Even a picture of one pixel by a thousand is shown as something that bars can be drawn on.
  const ratio = Math.min(8, Math.max(0.125, canvas.width / canvas.height));
  canvas.parentElement.style.setProperty("--ratio", String(ratio));
  canvas.parentElement.classList.toggle("tiny", canvas.width < 200 && canvas.height < 200);
  figure.hidden = false;
  tools.hidden = false;
  hasPicture(true);
  editor.reset(canvas.width, canvas.height, bars);
  cropPanel.reset(canvas, crop);
}

function caption(text, kind = "") {
  const place = figure.querySelector("figcaption");
  place.textContent = text;
  place.className = kind;
}

/** Without a picture the place to drop one is large, and the site's own pictures stand below it. */
function hasPicture(yes) {
  form.classList.toggle("has-picture", yes);
  const { choose, chooseFirst } = find("choose").dataset;
  find("choose").textContent = yes ? choose : chooseFirst;
}

function emptyStage() {
  current = null;
  several?.stop();
  several = null;
  find("plain", stage)?.remove();
  figure.hidden = true;
  tools.hidden = true;
  editor.reset(1, 1);
  cropPanel.clear();
  clearTrouble(pictureError);
  clearTrouble(sendError);
  stage.querySelector("#id_image_error")?.remove();
  // Answers about another picture would be taken for this one's.
  stopPolling();
  results.hidden = true;
}

// --- a picture comes in --------------------------------------------------------------------------------------

function take(files) {
  const list = [...files];
  if (!list.length) return;
  emptyStage();
  if (list.length === 1) return takeOne(list[0]);
  hasPicture(true);
  several = new Several(listOfSeveral, list, draftAddress);
  if (several.left) {
    showTrouble(pictureError, { message: gettext("At most 200 pictures go at a time; the others were left out.") });
  }
}

async function takeOne(file) {
  const mine = { file, id: null, blob: null, sending: null, problem: null };
  current = mine;
  pictureError.replaceChildren(working(interpolate(gettext("%s is being read"), [file.name])));
  mine.sending = (async () => {
    const { canvas, blob } = await read(file).catch(() => ({ canvas: null, blob: file }));
    if (current !== mine) return false;
    mine.blob = blob;
    if (canvas) {
      clearTrouble(pictureError);
      show(canvas, file.name);
      caption(file.name);
    }
    return upload(mine);
  })();
}

function working(text) {
  const note = document.createElement("p");
  note.className = "muted";
  note.textContent = text;
  return note;
}

/** Sends the picture as a draft; resolves to true once the site has it. */
function upload(mine) {
  mine.sending = (async () => {
    const body = new FormData();
    body.append("image", mine.blob, mine.file.name);
    let answer;
    try {
      answer = await ask(draftAddress, body);
      mine.problem = null;
    } catch (problem) {
      mine.problem = problem;
      if (current === mine) {
        if (figure.hidden) hasPicture(false);
        const named = new Problem(problem.code, `${mine.file.name}: ${sentenceOf(problem)}`, problem.status);
        showTrouble(pictureError, named, { again: passing(problem) ? () => upload(mine) : null, login });
      }
      return false;
    }
    mine.id = answer.id;
    if (current !== mine) return false;
    let note = null;
    if (figure.hidden) {
      try {
        show(await readAddress(answer.picture_url, answer.width, answer.height), mine.file.name);
      } catch {
        // It can be asked about without being seen.
        note = working(interpolate(gettext("%s is ready, though it cannot be shown here."), [mine.file.name]));
      }
    }
    clearTrouble(pictureError);
    if (note) pictureError.append(note);
    caption(answer.warning ? `${mine.file.name}. ${answer.warning}` : mine.file.name, answer.warning ? "warned" : "");
    return true;
  })();
  return mine.sending;
}

for (const input of form.querySelectorAll("input[type=file]")) {
  const changed = () => {
    const files = [...input.files];
    input.value = ""; // The same file may be chosen again, and nothing is sent twice.
    take(files);
  };
  input.addEventListener("change", changed);
  // Enter would send the form; on what looks like a button it opens the dialogue.
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    input.click();
  });
  if (input.files.length) changed();
}

document.addEventListener("paste", (event) => {
  const files = pictures(event.clipboardData?.files);
  if (!files.length) return;
  event.preventDefault();
  take(files);
});

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  stage.classList.add("is-over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) stage.classList.remove("is-over");
});
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  stage.classList.remove("is-over");
  take(event.dataTransfer.files);
});

offerSamples(find("samples"), {
  onFile: (file) => take([file]),
  onTrouble: (problem, again) => showTrouble(pictureError, problem, { again: passing(problem) ? again : null }),
});

// --- asking --------------------------------------------------------------------------------------------------

function freshKey() {
  // crypto.randomUUID is missing where the site is opened by its address in a local network.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Ids of the pictures to ask about; null when the only one cannot be taken, which stands at the picture. */
async function drafts() {
  if (several) return several.ready();
  if (!current) return [];
  if (current.id) return [current.id];
  const mine = current;
  const sent = await mine.sending;
  // Sending it may have failed for a reason that has passed since.
  if (!sent && mine.problem && passing(mine.problem)) await upload(mine);
  return mine.id ? [mine.id] : null;
}

async function send(retried = false) {
  clearTrouble(sendError);
  const ids = await drafts();
  if (ids === null) return pictureError.querySelector("button")?.focus();
  if (!ids.length) {
    const refused = gettext("None of these pictures could be taken; the list says why. Choose others.");
    return showTrouble(sendError, { message: several ? refused : gettext("Choose a picture first.") });
  }
  const body = new FormData(form);
  body.delete("image");
  body.delete("draft");
  for (const id of ids) body.append("draft", id);
  if (ids.length > 1) for (const name of ["bars", "crop"]) body.set(name, "");
  for (const sentence of several?.leftOut() ?? []) body.append("left_out", sentence);
  const about = { current, bars: body.get("bars"), crop: body.get("crop") };
  let answer;
  try {
    answer = await ask(form.action, body);
  } catch (problem) {
    if (problem.code === "picture_gone" && current?.file && !retried) {
      // Drafts are swept after a day; the file is still here.
      current.id = null;
      upload(current);
      return send(true);
    }
    throw problem;
  }
  form.elements.key.value = freshKey();
  if (answer.several) return location.assign(answer.url);
  asked = about;
  return showResults(answer);
}

/** Says at once when the answers are no longer about what is on the stage. */
function markStale() {
  if (results.hidden || !asked) return;
  const title = document.getElementById("results-title");
  const otherPicture = asked.current !== current;
  const otherBars = asked.bars !== form.elements.bars.value;
  const stale = otherPicture || otherBars || asked.crop !== form.elements.crop.value;
  title.dataset.fresh ??= title.textContent;
  let words = title.dataset.fresh;
  if (otherPicture) words = gettext("Answer to the previous picture. Ask again.");
  else if (otherBars) words = gettext("Answer to the previous bars. Ask again.");
  else if (stale) words = gettext("Answer to the previous box. Ask again.");
  results.classList.toggle("is-stale", stale);
  if (title.textContent === words) return;
  title.textContent = words;
  if (stale) find("poll-says", document).textContent = words;
}

function showResults(answer) {
  stopPolling();
  const fragment = find("fragment", results);
  const says = find("poll-says", document);
  const trouble = find("poll-trouble", results);
  clearTrouble(trouble);
  results.hidden = false;
  renew(fragment, answer.fragment);
  says.textContent = answer.says;
  find("own-address", results).href = answer.url;
  markStale();
  if (!answer.final) {
    stopPolling = poll(fragment, { address: answer.status, seen: answer.seen, says, trouble, login });
  }
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  results.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy) return;
  busy = true;
  sendButton.setAttribute("aria-busy", "true");
  try {
    await send();
  } catch (problem) {
    const again = passing(problem) ? () => form.requestSubmit() : null;
    showTrouble(sendError, problem, { again, login });
  } finally {
    busy = false;
    sendButton.removeAttribute("aria-busy");
  }
});

// --- a picture from the history ------------------------------------------------------------------------------

if (form.dataset.upload && !current && !several) {
  const { upload: id, picture, width, height, filename } = form.dataset;
  const bars = parse(form.elements.bars.value).filter(isFour);
  const crop = parse(form.elements.crop.value);
  readAddress(picture, Number(width), Number(height)).then((canvas) => {
    if (current || several) return;
    emptyStage();
    current = { file: null, id, sending: null };
    show(canvas, filename, { bars, crop: isFour(crop) ? crop : null });
    caption(filename);
  }, () => {});
}

function parse(text) {
  try {
    const list = JSON.parse(text || "[]");
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

function isFour(list) {
  return Array.isArray(list) && list.length === 4 && list.every(Number.isFinite);
}
