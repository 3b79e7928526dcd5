// The workshop: a picture goes in at once as a draft, bars are drawn on it, networks are asked, answers appear below.
// Without this module the form does the same in one step, without bars.

import { isBar } from "./bar-clipboard.js";
import { BarTools } from "./bar-tools.js";
import { CropPanel } from "./crop-panel.js";
import { ask, Problem } from "./http.js";
import { incoming } from "./incoming.js";
import { Live } from "./live.js";
import { read, readAddress } from "./picture.js";
import { ResultsBelow } from "./results-below.js";
import { offerSamples } from "./samples.js";
import { MOST, Several } from "./several.js";
import { forgetPictures, keepPicture, keptPicture, keptPictures } from "./several-store.js";
import { clearTrouble, passing, sentenceOf, showTrouble } from "./trouble.js";

const form = document.querySelector("[data-workshop]");
const find = (name, root = form) => root.querySelector(`[data-${name}]`);
const { draft: draftAddress, live: liveAddress, login, owner } = form.dataset;
const stage = find("stage");
const pictureError = find("picture-error");
const sendError = find("send-error");
const sendButton = find("send");
const tools = find("tools");

let current = null; // {file, id, picture, sending}: the one picture on the canvas
let several = null;
let busy = false;

// --- the stage -----------------------------------------------------------------------------------------------

const figure = document.createElement("figure");
figure.className = "figure canvas";
figure.hidden = true;
figure.innerHTML = `<div class="covered"><canvas role="img"></canvas><svg role="application" preserveAspectRatio="none" aria-describedby="bars-help"></svg></div><figcaption></figcaption>`;
stage.prepend(figure);
const overlay = figure.querySelector("svg");
overlay.setAttribute("aria-label", gettext("Bars on the picture"));

const fields = () => ({ bars: form.elements.bars.value, crop: form.elements.crop.value });
const results = new ResultsBelow(document.querySelector("[data-results]"), find("poll-says", document), {
  login,
  now: () => ({ current, ...fields() }),
});
const changed = () => {
  results.markStale();
  live?.changed();
};
const barTools = new BarTools(form, overlay, { onChange: () => changed() });
const cropPanel = new CropPanel(form, figure, barTools.editor, { onChange: () => changed() });
const live = liveAddress
  ? new Live(find("live-panel"), find("live-toggle"), {
      address: liveAddress,
      state: () => (current && !figure.hidden ? { draft: current.id, ...fields() } : null),
    })
  : null;

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
  barTools.reset(canvas.width, canvas.height, bars);
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
  form.classList.toggle("has-many", Boolean(several));
  const { choose, chooseFirst, chooseMore } = find("choose").dataset;
  find("choose").textContent = several ? chooseMore : yes ? choose : chooseFirst;
  const { folder, folderMore } = find("folder").dataset;
  find("folder").textContent = several ? folderMore : folder;
}

function emptyStage() {
  current = null;
  several?.stop();
  several = null;
  find("plain", stage)?.remove();
  figure.hidden = true;
  tools.hidden = true;
  barTools.reset(1, 1);
  cropPanel.clear();
  live?.reset();
  clearTrouble(pictureError);
  clearTrouble(sendError);
  stage.querySelector("#id_image_error")?.remove();
  results.clear();
}

// --- pictures come in ----------------------------------------------------------------------------------------

/** One picture goes on the canvas; several, or more for a list that is there, into the list. */
function take(found) {
  if (!found.length) {
    return showTrouble(pictureError, { message: gettext("There is no picture in it. Choose another folder.") });
  }
  if (several) clearTrouble(pictureError);
  else emptyStage();
  if (!several && found.length === 1) return takeOne(found[0].file);
  const left = list().add(found);
  if (!left) return undefined;
  return showTrouble(pictureError, { message: gettext("At most 200 pictures go at a time; the others were left out.") });
}

function list() {
  several ??= new Several(find("many"), { address: draftAddress, owner, onEmpty: startAnew });
  hasPicture(true);
  return several;
}

function startAnew() {
  emptyStage();
  forgetPictures();
  hasPicture(false);
  find("choose").control.focus();
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
    mine.picture = answer.picture_url;
    if (current !== mine) return false;
    let note = null;
    if (figure.hidden) {
      try {
        const canvas = await readAddress(answer.picture_url, answer.width, answer.height);
        if (current !== mine) return false;
        show(canvas, mine.file.name);
      } catch {
        // It can be asked about without being seen.
        note = working(interpolate(gettext("%s is ready, though it cannot be shown here."), [mine.file.name]));
      }
    }
    clearTrouble(pictureError);
    if (note) pictureError.append(note);
    caption(answer.warning ? `${mine.file.name}. ${answer.warning}` : mine.file.name, answer.warning ? "warned" : "");
    live?.changed();
    return true;
  })();
  return mine.sending;
}

incoming(form, stage, {
  most: MOST,
  onPictures: take,
  onReading: () => pictureError.replaceChildren(working(gettext("The folder is being read"))),
});

offerSamples(find("samples"), {
  onFile: (file) => take([{ file, folder: "" }]),
  onTrouble: (problem, again) => showTrouble(pictureError, problem, { again: passing(problem) ? again : null }),
});

// --- asking --------------------------------------------------------------------------------------------------

function freshKey() {
  // crypto.randomUUID is missing where the site is opened by its address in a local network.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The pictures to ask about, [{id, folder}]; null when there is nothing to be said that does not stand there already. */
async function drafts() {
  if (several) return several.ready();
  if (!current) return [];
  const mine = current;
  if (!mine.id) {
    const sent = await mine.sending;
    // Sending it may have failed for a reason that has passed since.
    if (!sent && mine.problem && passing(mine.problem)) await upload(mine);
  }
  if (!mine.id) pictureError.querySelector("button")?.focus();
  return mine.id ? [{ id: mine.id }] : null;
}

async function send(retried = false) {
  clearTrouble(sendError);
  const sent = await drafts();
  if (sent === null) return undefined;
  if (!sent.length) {
    const refused = gettext("None of these pictures could be taken; the list says why. Choose others.");
    return showTrouble(sendError, { message: several ? refused : gettext("Choose a picture first.") });
  }
  const body = new FormData(form);
  body.delete("image");
  body.delete("draft");
  for (const { id } of sent) body.append("draft", id);
  // In the order of the drafts: the folder of a picture may be its true label.
  if (several) for (const { folder } of sent) body.append("folder", folder);
  if (sent.length > 1) for (const name of ["bars", "crop"]) body.set(name, "");
  for (const one of several?.leftOut() ?? []) body.append("left_out", JSON.stringify(one));
  const about = { current, bars: body.get("bars"), crop: body.get("crop") };
  let answer;
  try {
    answer = await ask(form.action, body);
  } catch (problem) {
    if (problem.code === "picture_gone" && !retried && (await sentAnew())) return send(true);
    throw problem;
  }
  form.elements.key.value = freshKey();
  if (several) forgetPictures();
  if (answer.several) return location.assign(answer.url);
  return results.show(answer, about);
}

/** Drafts are swept after a day. True where what is gone was dealt with, so that the rest can be asked about. */
async function sentAnew() {
  if (several) {
    await several.verify();
    return true;
  }
  if (!current?.file) return false;
  current.id = null;
  upload(current);
  return true;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy) return;
  busy = true;
  if (current) results.expect();
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

// --- a picture from the history, or those from before a reload -------------------------------------------------

/** Shows a picture that the site has: {id, name, picture, width, height} with its bars and its box as JSON. */
async function bringBack({ id, name, picture, width, height, ...edits }) {
  const bars = parse(edits.bars).filter(isBar);
  const crop = parse(edits.crop);
  const canvas = await readAddress(picture, Number(width), Number(height)).catch(() => null);
  if (!canvas || current || several) return;
  emptyStage();
  current = { file: null, id, name, picture, sending: null };
  show(canvas, name, { bars, crop: isFour(crop) ? crop : null });
  caption(name);
}

addEventListener("pagehide", () => {
  const { width, height } = figure.querySelector("canvas");
  const one = current?.id && !figure.hidden && { ...current, name: current.name ?? current.file.name };
  const { id, name, picture } = one || {};
  keepPicture(owner, one ? { id, name, picture, width, height, ...fields() } : null);
});

if (!current && !several) {
  const { upload: id, picture, width, height, filename: name } = form.dataset;
  const one = keptPicture(owner) ?? (id ? { id, name, picture, width, height, ...fields() } : null);
  const kept = one ? null : keptPictures(owner);
  if (one) bringBack(one);
  if (kept?.entries.length) list().restore(kept.entries);
  if (kept?.unsent) showTrouble(pictureError, { message: lost(kept.unsent) });
}

function lost(count) {
  const words = ngettext(
    "%s picture had not been sent yet; choose it again.",
    "%s pictures had not been sent yet; choose them again.",
    count,
  );
  return interpolate(words, [count]);
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
