// CutMix by hand: a rectangle of one picture in the place of another's, the mixed answer, and what the networks say to it.
//
// The address holds other (a sample picture), box (y,x,height,width in pixels), turn, class (of the first picture) and alpha.

import { number, whole } from "../numbers.js";
import { state } from "./address.js";
import { inside, lambda, loss, mix, randomBox, scaled, unpack } from "./cutmix-model.js";
import { Frame } from "./cutmix-box.js";
import { tell } from "./facts.js";
import { ready, trouble, well } from "./frame.js";
import { explain } from "./jobs.js";
import { indexIn } from "./looked-classes.js";
import { percent } from "./percent.js";
import { bind, within } from "./picker.js";
import { subject } from "./subject.js";
import { twin } from "./twin.js";

const ASK_AFTER = 220; // ms of rest
const BAR = 1000; // units of a bar's length

const data = JSON.parse(document.getElementById("cutmix-data").textContent);
const root = document.querySelector("[data-cutmix]");
const find = (name) => root.querySelector(`[data-${name}]`);
const fill = (text, values) => interpolate(text, values, true);
const first = subject.networks[0];
const { size } = data;
const own = unpack(data.own);
const others = new Map(Object.entries(data.others).map(([name, one]) => [name, { ...one, pixels: unpack(one.pixels) }]));
const says = twin(find("twin"));

/** The rectangle of a text; null where it is none. */
function boxOf(text) {
  const numbers = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  return numbers.length === 4 && numbers.every(Number.isInteger) ? inside(numbers, size) : null;
}

// The page itself has said what in the address does not exist; here it is only put right.
const address = state(
  { other: data.standard.other, box: data.box.join(","), turn: 0, class: data.standard.class, alpha: data.standard.alpha },
  (values) => ({
    other: others.has(values.other) ? values.other : data.standard.other,
    box: (boxOf(values.box) ?? data.box).join(","),
    turn: values.turn === 1 ? 1 : 0,
    class: within(values.class, first.labels.length) === values.class ? values.class : data.standard.class,
    alpha: data.alphas.includes(values.alpha) ? values.alpha : data.standard.alpha,
  }),
);

let ending = new AbortController();
let timer = 0;

/** What is mixed now: the share of the first picture, both classes and their names. */
function mixed() {
  const { other, box, turn, class: index } = address.get();
  const cut = boxOf(box);
  const their = others.get(other);
  const [around, inner] = turn ? [their.pixels, own] : [own, their.pixels];
  return {
    cut,
    turn,
    other,
    classes: [index, their.class],
    names: [first.labels[index], first.labels[their.class]],
    share: lambda(cut, size, turn),
    pixels: mix(around, inner, cut, size),
  };
}

function paint(name, pixels) {
  const canvas = find(name);
  if (canvas.width !== size) Object.assign(canvas, { width: size, height: size });
  const image = new ImageData(size, size);
  for (let i = 0; i < size * size; i += 1) {
    image.data.set(pixels.subarray(3 * i, 3 * i + 3), 4 * i);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function bar(row, [one, two]) {
  const place = root.querySelector(`[data-row="${row}"]`);
  const [mine, theirs] = [place.querySelector("[data-own-bar]"), place.querySelector("[data-their-bar]")];
  mine.setAttribute("width", String(BAR * one));
  theirs.setAttribute("x", String(BAR * one));
  theirs.setAttribute("width", String(BAR * two));
  return place.querySelector("[data-says]");
}

/** The sentence about the right answer, with places for the shares and the names. */
function rightAnswer({ other }, ofOneClass) {
  if (other === data.sample) return gettext("Both pictures are the same one, so the mixture is that picture again. Choose another for one of them.");
  if (ofOneClass) return gettext("Both pictures are of one class, %(mine)s.");
  return gettext("%(share)s %(mine)s, %(rest)s %(theirs)s");
}

function draw() {
  const now = mixed();
  const { cut: [y, x, height, width], names: [mine, theirs], share } = now;
  paint("own", own);
  paint("theirs", others.get(now.other).pixels);
  paint("pixels", now.pixels);
  for (const name of ["box-under", "box"]) {
    for (const [key, value] of Object.entries({ x, y, width, height })) find(name).setAttribute(key, value);
  }
  find("own-label").textContent = mine;
  find("other-label").textContent = theirs;
  const ofOneClass = now.classes[0] === now.classes[1];
  find("own-key").textContent = mine;
  find("their-key").textContent = theirs;
  find("their-key").hidden = ofOneClass;
  find("lambda").textContent = fill(gettext("λ = %(share)s"), { share: number(share, 3) });
  const words = { mine, theirs, share: percent(share), rest: percent(1 - share), pixels: whole(Math.round(share * size * size)), all: whole(size * size) };
  bar("", ofOneClass ? [1, 0] : [share, 1 - share]).textContent = fill(rightAnswer(now, ofOneClass), words);
  const { alpha } = address.get();
  for (const line of find("draw").parentElement.querySelectorAll("[data-density]")) line.toggleAttribute("hidden", Number(line.dataset.density) !== alpha);
  find("mark").setAttribute("d", `M${data.chart.wide * (now.turn ? 1 - share : share)} -4V${data.chart.high}`);
  const sides = {
    height: fill(ngettext("%(count)s row high", "%(count)s rows high", height), { count: height }),
    width: fill(ngettext("%(count)s column wide", "%(count)s columns wide", width), { count: width }),
  };
  says.say([
    fill(gettext("The rectangle begins in row %(row)s, column %(column)s and is %(height)s and %(width)s."), { ...sides, row: y + 1, column: x + 1 }),
    fill(gettext("Of the %(all)s pixels of the mixed picture %(pixels)s are the first picture’s."), words),
  ].join(" "));
  ask(now);
}

/** Has both networks answer, once the rectangle rests. */
function ask(now) {
  clearTimeout(timer);
  ending.abort();
  ending = new AbortController();
  const { signal } = ending;
  tell({ complete: false, failed: false });
  root.querySelector("[data-answers]").setAttribute("aria-busy", "true");
  timer = setTimeout(() => answer(now, signal), ASK_AFTER);
}

/** Below the answers, so that nothing moves under a rectangle that is being dragged. */
function wait(sentence) {
  find("wait").textContent = sentence;
  find("wait").hidden = !sentence;
}

async function answer(now, signal) {
  try {
    const found = await Promise.all(subject.networks.map(async (network) => {
      const wanted = { with: now.other, box: scaled(now.cut, size, network.size), turn: now.turn };
      const { result } = await explain("mix", network, wanted, { signal, onWait: wait });
      return [network.name, say(network, result.probabilities, now)];
    }));
    if (signal.aborted) return;
    well();
    root.querySelector("[data-answers]").removeAttribute("aria-busy");
    tell({ complete: true, share: now.share, turn: now.turn, other: now.other, classes: now.classes, answers: Object.fromEntries(found) });
  } catch (problem) {
    if (signal.aborted || problem.code === "aborted") return;
    trouble(problem, () => ask(now));
    tell({ failed: true });
  }
}

/** Draws one network's answer; returns what tasks ask about. */
function say(network, probabilities, { classes, names: [mine, theirs], share }) {
  const [one, two] = classes.map((index) => probabilities[indexIn(network, index)] ?? 0);
  const top = probabilities.indexOf(Math.max(...probabilities));
  const named = classes.findIndex((index) => indexIn(network, index) === top);
  const ofOneClass = classes[0] === classes[1];
  const values = {
    label: network.labels[top],
    confidence: percent(probabilities[top]),
    mine,
    theirs,
    one: percent(one),
    two: percent(two),
    loss: number(loss(share, one, two), 2),
  };
  const both = ofOneClass
    ? gettext("%(mine)s %(one)s; loss against the mixed answer %(loss)s.")
    : gettext("%(mine)s %(one)s, %(theirs)s %(two)s; loss against the mixed answer %(loss)s.");
  const told = named < 0 ? [gettext("%(label)s, %(confidence)s."), both] : [both];
  bar(network.name, [one, ofOneClass ? 0 : two]).textContent = told.map((text) => fill(text, values)).join(" ");
  return { first: one, second: two, named };
}

const frame = new Frame(find("mixed"), size, {
  get: () => boxOf(address.get().box),
  set: (box) => address.set({ box: inside(box, size).join(",") }),
});
find("draw").addEventListener("click", () => {
  address.set({ box: randomBox(address.get().alpha, size).join(",") }, { step: true });
});
bind(find("other"), address, "other");
for (const key of ["turn", "class", "alpha"]) bind(find(key), address, key, { read: ({ value }) => Number(value) });
address.onChange(() => frame.later(draw));
draw();
ready();
