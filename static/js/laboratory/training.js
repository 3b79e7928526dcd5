// Training: one epoch drives the curves of the log and what the network said of the picture at its last snapshot before. The
// address holds network, others, epoch ("" for the end), class ("" for the finished network's first answer), truth and taken.

import { state } from "./address.js";
import { tell } from "./facts.js";
import { ready, trouble, waiting, well } from "./frame.js";
import { explain } from "./jobs.js";
import { bind } from "./picker.js";
import { networkNamed, subject } from "./subject.js";
import { Answers } from "./training-answers.js";
import { tieConfusions } from "./training-confusion.js";
import { Curves, rowAt } from "./training-curves.js";
import { twin } from "./twin.js";

const data = JSON.parse(document.getElementById("training-data").textContent);
const root = document.querySelector("[data-training]");
const find = (name) => root.querySelector(`[data-${name}]`);
const fill = (text, values) => interpolate(text, values, true);
const says = twin(find("twin"));
const slider = find("epoch"); // null where no log was kept

// In a lesson a part may stand alone; only what is seen is computed.
const { part = "" } = document.documentElement.dataset;
const isAsking = part === "" || part === "answers";

const lastOf = ({ network, others }) => (others
  ? Math.max(...Object.values(data.networks).map(({ last }) => last))
  : data.networks[network].last);
const isClass = (text) => /^\d+$/.test(text) && Number(text) < subject.networks[0].labels.length;

// The page itself has said what in the address does not exist; here it is only put right.
const address = state({ network: subject.networks[0].name, others: false, epoch: "", class: "", truth: "", taken: "" }, (values) => {
  const next = { network: networkNamed(values.network).name, others: values.others };
  const last = lastOf(next);
  const asked = Number(values.epoch);
  const isEnd = values.epoch.trim() === "" || !Number.isFinite(asked) || !Number.isInteger(asked) || asked >= last;
  next.epoch = isEnd ? "" : String(Math.max(1, asked));
  for (const key of ["class", "truth", "taken"]) next[key] = isClass(values[key]) ? values[key] : "";
  return next;
});

/** What is looked at: the network, all networks whose curves are shown, the epoch and the last one there is. */
function current() {
  const values = address.get();
  const last = lastOf(values);
  const network = networkNamed(values.network);
  return {
    network,
    own: data.networks[network.name],
    shown: values.others ? subject.networks : [network],
    last,
    epoch: values.epoch === "" ? last : Number(values.epoch),
  };
}

const go = (epoch) => {
  const { last } = current();
  address.set({ epoch: epoch >= last ? "" : String(Math.max(1, epoch)) });
};

const curves = new Curves(root, data, go);
const answers = new Answers(find("answers"), data, (epoch) => go(epoch ?? current().own.last));
const answered = new Map(); // network -> {classes, steps}

let frame = 0;

function later() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    draw();
  });
}

function draw() {
  const now = current();
  const { network, own, shown, last, epoch } = now;
  if (slider) {
    slider.max = String(last);
    slider.value = String(epoch);
    const at = fill(gettext("%(epoch)s of %(last)s"), { epoch, last });
    slider.setAttribute("aria-valuetext", at);
    find("at").textContent = at;
  }
  curves.show(shown, epoch);
  answers.without(own.without);
  const found = answered.get(network.name);
  const { class: asked } = address.get();
  const step = found ? answers.show(epoch, own.last, asked === "" ? null : Number(asked)) : null;
  const told = shown.map(({ name }) => {
    const of = data.networks[name];
    const row = rowAt(of, epoch);
    if (!row) return "";
    return epoch > of.last ? `${of.beyond} ${row.says}` : row.says;
  });
  says.say([...told, part === "curves" ? "" : step?.says ?? ""].filter(Boolean).join(" "));
  tellLesson(now, found, step?.step);
}

/** What a lesson may ask: the epoch's values and those of the one before, and how sure each snapshot was of the last answer. */
function tellLesson({ network, own, epoch }, found, step) {
  const row = rowAt(own, epoch);
  const before = rowAt(own, epoch - 1);
  const values = (one) => one && {
    held: one.values.accuracy.held,
    training: one.values.accuracy.training,
    size: one.values.size.held,
  };
  const final = found?.steps.at(-1).top[0];
  tell({
    complete: !isAsking || Boolean(own.without) || Boolean(found),
    network: network.title,
    epoch: Math.min(epoch, own.last),
    last: own.last,
    peak: own.peak,
    unmixed: own.unmixed,
    rate: row?.texts.rate ?? "",
    now: values(row) ?? null,
    before: values(before) ?? null,
    snapshots: own.snapshots.length,
    steps: found ? found.steps.map((one) => ({
      epoch: one.epoch,
      top: network.labels[one.top[0][0]],
      sure: one.probabilities[found.classes.indexOf(final[0])],
    })) : [],
    step: found && step ? found.steps.indexOf(step) : -1,
    answer: final ? network.labels[final[0]] : "",
  });
}

let ending = new AbortController();

/** Gets what the chosen network said along its training. */
async function load() {
  ending.abort();
  ending = new AbortController();
  const { signal } = ending;
  const { network, own } = current();
  answers.take(network, answered.get(network.name) ?? null);
  tell({ failed: false });
  well();
  if (!isAsking || own.without || answered.has(network.name)) return;
  tell({ complete: false });
  try {
    const { result } = await explain("snapshots", network, {}, { signal, onWait: waiting });
    answered.set(network.name, result);
    answers.take(network, result);
    later();
  } catch (problem) {
    if (problem.code === "aborted") return;
    tell({ failed: true });
    trouble(problem, load);
  }
}

const networkPick = document.querySelector('[data-pick="network"]');
if (networkPick) bind(networkPick, address, "network");
if (find("others")) bind(find("others"), address, "others");
slider?.addEventListener("input", () => go(Number(slider.value)));
find("class").addEventListener("change", ({ target }) => address.set({ class: target.value }, { step: true }));

address.onChange((_, changed) => {
  later();
  if (changed.has("network")) load();
});
tieConfusions(root, address);
draw();
ready();
load();
