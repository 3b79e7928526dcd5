// Whether to believe an answer: where it stands among the network's own test pictures, and what is said of that.

import { number, whole } from "../numbers.js";

const SIDE = 284; // of the square in learn/figures/reliability_square.py

/** How often the network was right when it was about so sure: {accuracy, n}; null for too few pictures. As Card.track_record. */
export function record(rows, confidence, least) {
  // Bins share their edges; the higher one owns it.
  const own = rows.findLast((row) => row.low <= confidence && confidence <= row.high);
  return own && own.n >= least ? { accuracy: own.accuracy, n: own.n } : null;
}

/** The same in words, or why nothing can be said. */
export function recordSentence(rows, confidence, least) {
  if (!rows.length) return gettext("This network was not evaluated on such pictures, so its record is not known.");
  const found = record(rows, confidence, least);
  if (!found) {
    return interpolate(gettext(
      "Fewer than %(least)s test pictures had such a confidence: too few to say how often it is right then."), { least }, true);
  }
  return interpolate(gettext("At this confidence it is right %(share)s% of the time (n = %(n)s)."),
    { share: number(100 * found.accuracy, 1), n: whole(found.n) }, true);
}

/** One network's square for one side of the picture: two marks that follow the answer. */
export class Panel {
  constructor(figure) {
    this.figure = figure;
    this.network = figure.dataset.panel;
    this.side = figure.dataset.side;
    this.says = figure.querySelector("[data-record]");
  }

  get hidden() {
    return this.figure.hidden;
  }

  set hidden(hidden) {
    if (this.figure.hidden !== hidden) this.figure.hidden = hidden;
  }

  /** Puts a mark ("honest" or "moved") at a confidence written as `text`; null takes it away. */
  mark(name, confidence, text = "") {
    const mark = this.figure.querySelector(`[data-mark="${name}"]`);
    if (!mark) return;
    mark.setAttribute("visibility", confidence === null ? "hidden" : "visible");
    if (confidence === null) return;
    mark.setAttribute("transform", `translate(${(SIDE * confidence).toFixed(1)} 0)`);
    const words = mark.querySelector("text");
    words.classList.toggle("end", confidence > 0.5);
    words.classList.toggle("start", confidence <= 0.5);
    words.querySelector("[data-mark-text]").textContent = text;
  }

  say(sentence) {
    if (this.says.textContent !== sentence) this.says.textContent = sentence;
  }
}
