// The explorer of a confusion matrix. Pointing at a square, choosing a class or pressing the arrow keys says in words
// what was called what, for every network whose matrix stands beside it. The counts lie in the page as JSON:
// {order, labels} for all, and for each matrix a list of [column, count, column, count, ...] a class.
//
// An explorer says with the event "confusion" what it shows ({truth, answer, networks}, see `around`), and shows what it is
// told with the event "confuse" ({truth, answer}: numbers of classes; without an answer the most frequent mistake).

import { answerRow } from "./answer-row.js";

const NEAR = 1.5; // squares; a finger or a mouse seldom hits one of three pixels
const SHOWN = 6;
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const fill = (text, values) => interpolate(text, values, true);

/** A row's counts by column, and their sum. */
function counted(flat) {
  const counts = new Map();
  let total = 0;
  for (let i = 0; i < flat.length; i += 2) {
    counts.set(flat[i], flat[i + 1]);
    total += flat[i + 1];
  }
  return { counts, total };
}

/** "lion was called tiger 9 times of 100" */
function sentence(truth, answer, { counts, total }, same) {
  const count = counts.get(answer.index) ?? 0;
  const values = { truth: truth.label, answer: answer.label, count, total };
  if (same) {
    return fill(ngettext("%(truth)s was recognised %(count)s time of %(total)s",
      "%(truth)s was recognised %(count)s times of %(total)s", count), values);
  }
  if (!count) return fill(gettext("%(truth)s was never called %(answer)s, of %(total)s"), values);
  return fill(ngettext("%(truth)s was called %(answer)s %(count)s time of %(total)s",
    "%(truth)s was called %(answer)s %(count)s times of %(total)s", count), values);
}

/** One network's matrix. Positions are [row, column] as drawn; `order` leads from there to classes. */
class Matrix {
  constructor(figure, { order, labels }, onMove) {
    this.rows = read(figure.dataset.matrix).map(counted);
    this.title = figure.dataset.title;
    this.order = order;
    this.labels = labels;
    this.onMove = onMove;
    this.pad = figure.querySelector("[data-pad]");
    this.plot = figure.querySelector("[data-plot]");
    this.cross = figure.querySelector("[data-cross]");
    this.says = figure.querySelector("[data-says]");
    this.calls = figure.querySelector("[data-calls]");
    this.takes = figure.querySelector("[data-takes]");
    this.says.hidden = false;
    this.says.textContent = gettext("Point at a square, or choose a class.");
    this.pad.tabIndex = 0;
    this.pad.setAttribute("role", "application");
    this.pad.setAttribute("aria-label", this.pad.dataset.label);
    this.pad.addEventListener("pointermove", (event) => this.point(event));
    this.pad.addEventListener("pointerdown", (event) => this.point(event));
    this.pad.addEventListener("keydown", (event) => this.key(event));
  }

  count(row, column) {
    return this.rows[this.order[row]]?.counts.get(this.order[column]) ?? 0;
  }

  inside(place) {
    return place >= 0 && place < this.order.length;
  }

  point(event) {
    const matrix = this.plot.getScreenCTM();
    if (!matrix) return;
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    const row = Math.round(y);
    const column = Math.floor(x);
    if (this.inside(row) && this.inside(column)) this.onMove(...this.nearest(row, column, y, x - 0.5));
  }

  /** The square with a mistake in it that is nearest to a place, else the square itself. */
  nearest(row, column, y, x) {
    let best = [row, column];
    let least = this.count(row, column) ? 0 : NEAR;
    for (let r = row - 2; r <= row + 2; r++) {
      for (let c = column - 2; c <= column + 2; c++) {
        const away = Math.hypot(r - y, c - x);
        if (away < least && this.inside(r) && this.inside(c) && this.count(r, c)) {
          least = away;
          best = [r, c];
        }
      }
    }
    return best;
  }

  key(event) {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const [row, column] = this.place ?? this.worst();
    if (!this.place) return this.onMove(row, column);
    let [r, c] = [row + step[0], column + step[1]];
    while (event.shiftKey && this.inside(r) && this.inside(c) && (r === c || !this.count(r, c))) {
      r += step[0];
      c += step[1];
    }
    if (this.inside(r) && this.inside(c)) this.onMove(r, c);
  }

  /** The most frequent mistake of all, or of one row as drawn. */
  worst(only = -1) {
    let best = [Math.max(only, 0), Math.max(only, 0)];
    let most = 0;
    this.order.forEach((_, row) => {
      if (only >= 0 && row !== only) return;
      this.order.forEach((__, column) => {
        if (row !== column && this.count(row, column) > most) {
          most = this.count(row, column);
          best = [row, column];
        }
      });
    });
    return best;
  }

  show(row, column) {
    this.place = [row, column];
    const n = this.order.length;
    // Four strokes that end at the square, so that the square itself stays in sight.
    this.cross.setAttribute("d",
      `M0 ${row}H${column}M${column + 1} ${row}H${n}M${column + 0.5} -.5V${row - 0.5}M${column + 0.5} ${row + 0.5}V${n - 0.5}`);
    const at = (place) => ({ index: this.order[place], label: this.labels[this.order[place]] });
    const known = this.rows[this.order[row]];
    this.says.textContent = sentence(at(row), at(column), known, row === column);
    const { index: truth, label } = at(row);
    const others = this.rows.map(({ counts }, index) => [index, index === truth ? 0 : counts.get(truth) ?? 0]);
    this.list(this.calls, fill(gettext("What pictures of %(truth)s were called"), { truth: label }), [...known.counts], known);
    this.list(this.takes, fill(gettext("What else was called %(truth)s"), { truth: label }), others, known);
  }

  /** The most frequent of `counts` ([class, count]) as bars, in shares of a class's pictures, below their title. */
  list(list, title, counts, { total }) {
    const most = counts.filter(([, count]) => count).sort((a, b) => b[1] - a[1]).slice(0, SHOWN);
    const heading = list.previousElementSibling;
    heading.hidden = false;
    heading.textContent = most.length ? title : fill(gettext("%(title)s: nothing"), { title });
    list.hidden = !most.length;
    list.setAttribute("aria-label", title);
    list.replaceChildren(...most.map(([index, count]) => answerRow(this.labels[index], count / total, String(count))));
  }

  /** The counts around a square: {title, there, back, right, total}, `back` being those of the square across the diagonal. */
  around(row, column) {
    const { counts, total } = this.rows[this.order[row]];
    return {
      title: this.title,
      there: this.count(row, column),
      back: this.count(column, row),
      right: counts.get(this.order[row]) ?? 0,
      total,
    };
  }
}

for (const explorer of document.querySelectorAll("[data-confusion]")) {
  const pick = explorer.querySelector("[data-pick]");
  const select = pick.querySelector("select");
  const shared = read(select.id.replace(/-class$/, ""));
  const move = (row, column) => {
    for (const matrix of matrices) {
      if (matrix.place?.[0] !== row || matrix.place?.[1] !== column) matrix.show(row, column);
    }
    select.value = String(shared.order[row]);
    const networks = matrices.map((matrix) => matrix.around(row, column));
    const detail = { truth: shared.order[row], answer: shared.order[column], networks };
    explorer.dispatchEvent(new CustomEvent("confusion", { detail }));
  };
  const matrices = [...explorer.querySelectorAll("[data-matrix]")].map((figure) => new Matrix(figure, shared, move));
  pick.hidden = false;
  select.addEventListener("change", () => {
    if (select.value !== "") move(...matrices[0].worst(shared.order.indexOf(Number(select.value))));
  });
  explorer.addEventListener("confuse", ({ detail: { truth, answer } }) => {
    const [row, column] = [truth, answer].map((index) => shared.order.indexOf(index));
    if (row >= 0) move(...(column >= 0 ? [row, column] : matrices[0].worst(row)));
  });
}
