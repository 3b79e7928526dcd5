// A lesson on paper, with its figures. A frame is printed as wide and as tall as it stands in the page, however much is in it,
// and never parted by an end of a page. So before the dialog opens each figure is loaded and drawn for the width of the paper,
// its frame gets the height of what will be printed, and what is taller than a page gets smaller.
//
// The button waits for all of that, and so does Ctrl+P. A print from the browser's menu cannot be held up: `beforeprint` may
// measure but not wait. What was not on the screen by then, drawn, leaves its address; the rest is printed as it was drawn
// for the screen, scaled.

import { factsOf } from "./frames.js";
import { closeAgain, openForPaper } from "./predictions.js";

const PATIENCE = 30_000; // milliseconds, for what is computed first or comes over a slow line
const GLANCE = 100;
const WORDS = 600; // what a figure says in words may come half a second after it is drawn (static/js/laboratory/twin.js)
const TALLEST = 1024; // CSS pixels of a figure, with print.css: with its address it goes on a page of A4 or letter
const ZOOMS = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.4, 0.3];

const figures = [...document.querySelectorAll("[data-figure]")].map((element) => ({
  element, iframe: element.querySelector("iframe"),
}));
const place = document.querySelector("[data-print]");
const says = document.querySelector("[data-print-says]");
let isPreparing = false;
let isPrinting = false;

const isDrawn = (page) => "laboratoryReady" in (page?.documentElement.dataset ?? {});

/** Whether nothing more is to be expected of a figure: it is drawn, or there will be none. */
function isSettled({ element, iframe }) {
  const page = iframe.contentDocument; // null: the browser's own page about an error stands there
  if (!page) return true;
  if (page.URL === "about:blank" || page.readyState !== "complete") return false;
  if (!isDrawn(page)) return !page.querySelector("[data-laboratory-figure]") || Boolean(page.querySelector("[data-laboratory-trouble] > *"));
  const facts = factsOf(element.dataset.figure);
  return Boolean(facts?.complete || facts?.failed) && [...page.images].every((image) => image.complete || image.loading === "lazy");
}

/** Lets the rules for paper count on the screen too, or no longer: by them is measured what will be printed. */
function likePaper(page, isWanted) {
  for (const { sheet } of page.querySelectorAll('link[media="print"]')) {
    if (sheet) sheet.media.mediaText = isWanted ? "all" : "print";
  }
}

/** Lays everything out as it is printed. What is drawn for its width draws itself again a moment later. */
function layOut() {
  const unseen = new Set(figures.filter(({ element }) => element.closest("[hidden]")));
  openForPaper();
  likePaper(document, true);
  for (const figure of figures) {
    const { element, iframe } = figure;
    iframe.loading = "eager"; // what is not there now is there for the next print
    const isThere = isDrawn(iframe.contentDocument) && !unseen.has(figure);
    element.toggleAttribute("data-on-paper", isThere);
    if (isThere) likePaper(iframe.contentDocument, true);
  }
}

/** Has each frame be as tall as its figure, which gets smaller until it goes on a page; it never grows again. */
function fit() {
  for (const { element, iframe } of figures) {
    if (!("onPaper" in element.dataset)) continue;
    const page = iframe.contentDocument.documentElement;
    for (const zoom of ZOOMS.filter((one) => one <= (page.style.getPropertyValue("--paper-zoom") || 1))) {
      page.style.setProperty("--paper-zoom", zoom);
      const height = Math.ceil(page.getBoundingClientRect().height);
      iframe.style.setProperty("--paper-height", `${Math.min(height, TALLEST)}px`);
      if (height <= TALLEST) break;
    }
  }
}

function putBack() {
  closeAgain();
  for (const page of [document, ...figures.map(({ iframe }) => iframe.contentDocument)]) {
    if (!page) continue;
    likePaper(page, false);
    page.documentElement.style.removeProperty("--paper-zoom");
  }
}

function say(text) {
  if (says.textContent !== text) says.textContent = text;
}

const pause = (milliseconds) => new Promise((go) => {
  setTimeout(go, milliseconds);
});

const nextFrame = () => new Promise((go) => {
  requestAnimationFrame(go);
});

/** Until every figure is settled, or patience is at its end. */
async function allSettled() {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const count = figures.filter((one) => !isSettled(one)).length;
    if (!count || performance.now() > end) return;
    say(interpolate(ngettext("The print waits for %(count)s figure.", "The print waits for %(count)s figures.", count), { count }, true));
    await pause(GLANCE);
  }
}

/** Whoever draws by its size hears of the new one in the next frame, and draws in the one after. None come to a hidden tab. */
async function redrawn() {
  const frames = async () => {
    for (let i = 0; i < 3; i += 1) await nextFrame();
  };
  await Promise.race([frames(), pause(10 * GLANCE)]);
}

async function printAll() {
  if (isPreparing) return;
  isPreparing = true;
  openForPaper();
  for (const { iframe } of figures) iframe.loading = "eager";
  await allSettled();
  await pause(WORDS);
  layOut();
  await redrawn();
  // What was made smaller has more room, and is drawn for that.
  fit();
  await redrawn();
  const count = figures.filter(({ element }) => !("onPaper" in element.dataset)).length;
  say(count ? interpolate(ngettext(
    "%(count)s figure did not load; its address is printed in its place.",
    "%(count)s figures did not load; their addresses are printed in their place.", count,
  ), { count }, true) : "");
  print();
  isPreparing = false;
  // A browser that does not print calls nobody back.
  if (!isPrinting) putBack();
}

function onKey(event) {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (key?.toLowerCase() !== "p" || ctrlKey === metaKey || altKey || shiftKey) return;
  event.preventDefault();
  printAll();
}

addEventListener("beforeprint", () => {
  isPrinting = true;
  layOut();
  fit();
});
addEventListener("afterprint", () => {
  isPrinting = false;
  putBack();
});
addEventListener("keydown", onKey);
for (const { iframe } of figures) {
  const listen = () => iframe.contentDocument?.addEventListener("keydown", onKey);
  iframe.addEventListener("load", listen);
  listen();
}
place.querySelector("button").addEventListener("click", printAll);
place.hidden = false;
