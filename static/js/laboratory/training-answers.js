// What a network said of the picture at its snapshots: the five likeliest classes at one of them, and how the probability of a
// class went from one to the next. The sentences are those of learn/figures/snapshots.py.

import { answerRow } from "../answer-row.js";
import { percent } from "./percent.js";
import { across, cursor, down, make } from "./training-curves.js";

const FIRST = 5; // of `classes` are the finished network's

const fill = (text, values) => interpolate(text, values, true);

/** The last step not later than an epoch, at the last one the finished network; undefined before all. */
export function stepAt(steps, epoch, last) {
  if (epoch >= last) return steps.at(-1);
  return steps.slice(0, -1).findLast((step) => step.epoch <= epoch);
}

/** A step in one or two sentences. */
export function stepInWords({ classes, steps }, step, index, { title, labels }) {
  const at = classes.indexOf(index);
  const [top, best] = step.top[0];
  const values = {
    network: title,
    epoch: step.epoch,
    size: step.size,
    top: labels[top],
    best: percent(best),
    label: labels[index],
    share: percent(step.probabilities[at]),
    final: percent(steps.at(-1).probabilities[at]),
  };
  if (step.epoch === null) {
    const first = fill(gettext("The finished %(network)s says %(top)s, %(best)s."), values);
    return top === index ? first : `${first} ${fill(gettext("To %(label)s it gives %(share)s."), values)}`;
  }
  const then = top === index ? gettext("The finished one gives %(label)s %(final)s.")
    : gettext("To %(label)s it gave %(share)s, the finished one gives %(final)s.");
  return `${fill(gettext("After epoch %(epoch)s, on %(size)s × %(size)s pixels, %(network)s said %(top)s, %(best)s."), values)} ${fill(then, values)}`;
}

/** Pixels, row by row in red, green and blue, on a canvas. */
function paint(canvas, pixels, size) {
  canvas.width = size;
  canvas.height = size;
  const image = new ImageData(size, size);
  for (let i = 0; i < size * size; i += 1) image.data.set([...pixels.slice(3 * i, 3 * i + 3), 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export class Answers {
  /** `choose(epoch)` is called with the epoch of a snapshot, null for the finished network. */
  constructor(root, data, choose) {
    this.root = root;
    this.data = data;
    this.choose = choose;
    this.found = null; // {classes, steps}
    this.network = null;
  }

  find(name) {
    return this.root.querySelector(`[data-${name}]`);
  }

  /** What is said instead of answers; "" where they are shown. */
  without(sentence) {
    this.find("none").textContent = sentence;
    this.find("none").hidden = !sentence;
    if (sentence) this.find("some").hidden = true;
  }

  /** Takes the answers of a network; null while they are not there. */
  take(network, found) {
    this.network = network;
    this.found = found;
    this.find("some").hidden = !found;
    if (!found) return;
    const { labels } = network;
    const group = (label, classes) => {
      const options = Object.assign(document.createElement("optgroup"), { label });
      options.append(...classes.map((index) => new Option(labels[index], String(index))));
      return options;
    };
    const others = found.classes.slice(FIRST);
    this.find("class").replaceChildren(
      group(gettext("First five of the finished network"), found.classes.slice(0, FIRST)),
      ...(others.length ? [group(gettext("Among the first five on the way"), others)] : []),
    );
    this.find("jumps").replaceChildren(...found.steps.map((step) => {
      const text = step.epoch === null ? gettext("finished") : String(step.epoch);
      const button = Object.assign(document.createElement("button"), { type: "button", className: "button secondary small", textContent: text });
      button.addEventListener("click", () => this.choose(step.epoch));
      return button;
    }));
  }

  /**
   * Shows the step of an epoch and follows the class `asked`, by default the finished network's first answer. Returns {step,
   * says}; the step is undefined before all.
   */
  show(epoch, last, asked) {
    const { classes, steps } = this.found;
    const { labels, title } = this.network;
    const isKnown = asked === null || classes.includes(asked);
    const index = isKnown && asked !== null ? asked : classes[0];
    this.find("unfollowed").hidden = isKnown;
    this.find("unfollowed").textContent = isKnown ? ""
      : fill(gettext("“%(label)s” never came among the first five here, so it was not kept."), { label: labels[asked] });
    const step = stepAt(steps, epoch, last);
    const at = classes.indexOf(index);
    const says = step ? stepInWords(this.found, step, index, this.network)
      : fill(gettext("No snapshot was kept up to epoch %(epoch)s."), { epoch });
    this.find("step-says").textContent = says;
    this.find("class").value = String(index);
    this.find("followed").textContent = labels[index];
    this.find("chart-title").textContent = fill(gettext("Probability of %(label)s"), { label: labels[index] });
    [...this.find("jumps").children].forEach((button, place) => button.setAttribute("aria-pressed", String(steps[place] === step)));
    this.find("top").replaceChildren(...(step?.top ?? []).map(([one, share]) => answerRow(labels[one], share, percent(share))));
    this.see(step, title);
    this.draw(epoch, last, step, at);
    this.list(step, at);
    return { step, says };
  }

  /** The picture as the network was shown it then. */
  see(step, title) {
    const size = step?.size ?? this.found.steps[0].size;
    const canvas = this.find("seen");
    paint(canvas, this.data.pixels[this.network.name][size], size);
    canvas.setAttribute("aria-label", fill(gettext("The picture as %(network)s was shown it"), { network: title }));
    this.find("size").textContent = fill(gettext("%(size)s × %(size)s pixels"), { size });
  }

  draw(epoch, last, step, at) {
    const { data } = this;
    const points = this.found.steps.map((one) => ({
      x: across(data, one.epoch ?? last).toFixed(1),
      y: down(data, one.probabilities[at], 1).toFixed(1),
      now: one === step,
    }));
    const chart = this.find("chart");
    chart.querySelector("[data-curve]").replaceChildren(
      make("polyline", { class: "between", points: points.map(({ x, y }) => `${x},${y}`).join(" ") }),
      ...points.map(({ x, y, now }) => make("circle", { class: now ? "snapshot now" : "snapshot", cx: x, cy: y, r: 3.5 })),
    );
    chart.querySelector("[data-marks]").replaceChildren(cursor(data, epoch));
  }

  list(step, at) {
    const { labels } = this.network;
    this.find("steps").replaceChildren(...this.found.steps.map((one) => {
      const row = document.createElement("tr");
      row.toggleAttribute("data-now", one === step);
      const [top, best] = one.top[0];
      const head = Object.assign(document.createElement("th"), { scope: "row", textContent: one.epoch ?? gettext("finished") });
      const cells = [[String(one.size), "numeric"], [labels[top], ""], [percent(best), "numeric"], [percent(one.probabilities[at]), "numeric"]];
      row.append(head, ...cells.map(([textContent, className]) => Object.assign(document.createElement("td"), { textContent, className })));
      return row;
    }));
  }
}
