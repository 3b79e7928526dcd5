// What a map says, in sentences. Rows and columns are counted from 1 here, from the top left corner.

import { number, signed } from "../numbers.js";
import { percent } from "./percent.js";

const fill = (text, values) => interpolate(text, values, true);

/** Digits after the point that tell the values of a map apart. */
export function digitsFor(reach) {
  if (!(reach > 0)) return 1;
  return Math.min(5, Math.max(1, 1 - Math.floor(Math.log10(reach))));
}

/** Where in the picture a cell lies, in thirds. */
function whereabouts(row, column, { width, height }) {
  const third = (place, count) => Math.min(2, Math.floor((3 * (place + 0.5)) / count));
  return [
    [gettext("top left"), gettext("top"), gettext("top right")],
    [gettext("left"), gettext("middle"), gettext("right")],
    [gettext("bottom left"), gettext("bottom"), gettext("bottom right")],
  ][third(row, height)][third(column, width)];
}

const place = (cell, { width }) => [Math.floor(cell / width), cell % width];

/** "row 3, column 4 of 8 (middle)" */
export function cellName(cell, map) {
  const [row, column] = place(cell, map);
  return fill(gettext("row %(row)s, column %(column)s of %(count)s (%(where)s)"), {
    row: row + 1,
    column: column + 1,
    count: map.width,
    where: whereabouts(row, column, map),
  });
}

/** Where the evidence is: the strongest cells of a map of logits. */
function evidence(map, { label, other, digits }) {
  const values = {
    label,
    other,
    most: cellName(map.most, map),
    least: cellName(map.least, map),
    high: number(map.high, digits),
    low: number(map.low, digits),
  };
  const first = other
    ? gettext("The evidence for %(label)s rather than %(other)s is strongest in %(most)s: %(high)s.")
    : gettext("The evidence for %(label)s is strongest in %(most)s: %(high)s.");
  const against = other
    ? gettext("For %(other)s rather than %(label)s most speaks in %(least)s: %(low)s.")
    : gettext("Against %(label)s most speaks in %(least)s: %(low)s.");
  const nothing = other
    ? gettext("No place speaks for %(other)s.")
    : gettext("No place speaks against %(label)s.");
  if (map.high <= 0) return fill(`${against} ${gettext("No place speaks for %(label)s.")}`, values);
  return fill(`${first} ${map.low < 0 ? against : nothing}`, values);
}

/** What covering does: the cells that lower and raise the log-odds most. */
function covering(map, { label, other, digits, probability, index }) {
  const values = {
    label,
    other,
    least: cellName(map.least, map),
    most: cellName(map.most, map),
    low: number(Math.abs(map.low), digits),
    high: number(map.high, digits),
    before: percent(probability(index, -1)),
    after: percent(probability(index, map.least)),
  };
  const lowers = other
    ? gettext("Strongest in %(least)s: covering it moves the odds from %(label)s towards %(other)s, by %(low)s.")
    : gettext("Strongest in %(least)s: covering it lowers the log-odds of %(label)s by %(low)s, its probability from %(before)s to %(after)s.");
  const raises = other
    ? gettext("Covering %(most)s does the opposite, by %(high)s.")
    : gettext("Covering %(most)s raises them by %(high)s.");
  const only = other
    ? gettext("Covering any place moves the odds towards %(label)s, most in %(most)s: by %(high)s.")
    : gettext("Covering any place raises the log-odds of %(label)s, most in %(most)s: by %(high)s.");
  if (map.low >= 0) return fill(only, values);
  return fill(map.high > 0 ? `${lowers} ${raises}` : lowers, values);
}

/** A map in one or two sentences. `about`: {label, other (may be ""), digits, index, probability (of a covering)}. */
export function inWords(map, about) {
  if (map.flat) return gettext("Nothing stands out: every square has the same value, so this map says nothing about where.");
  return about.probability ? covering(map, about) : evidence(map, about);
}

/** One cell: "Row 3, column 4 of 8 (middle): +1.20". */
export function cellInWords(cell, map, { label, other, digits, index, probability }) {
  const values = {
    cell: cellName(cell, map),
    value: signed(map.data[cell], digits),
    label,
    other,
    before: probability ? percent(probability(index, -1)) : "",
    after: probability ? percent(probability(index, cell)) : "",
  };
  let text = other ? gettext("%(cell)s: %(value)s for %(label)s rather than %(other)s.") : gettext("%(cell)s: %(value)s for %(label)s.");
  if (probability) {
    text = other
      ? gettext("%(cell)s: covering it changes the log-odds of %(label)s against %(other)s by %(value)s.")
      : gettext("%(cell)s: covering it changes the log-odds of %(label)s by %(value)s, its probability from %(before)s to %(after)s.");
  }
  const said = fill(text, values);
  return said.charAt(0).toLocaleUpperCase() + said.slice(1);
}

const EXACT = 3;

/** The sum that makes a class activation map exact; what rounding to three digits leaves over is written out. */
export function sumInWords({ mean, bias, logit }, count, { label, other }) {
  const shown = (value) => Number(value.toFixed(EXACT));
  const left = Number((shown(logit) - shown(mean) - shown(bias)).toFixed(EXACT));
  const values = {
    count,
    label,
    other,
    mean: number(mean, EXACT),
    bias: number(Math.abs(bias), EXACT),
    sign: bias < 0 ? "\u2212" : "+",
    logit: number(logit, EXACT),
    left: number(Math.abs(left), EXACT),
    leftSign: left < 0 ? "\u2212" : "+",
  };
  const text = other
    ? gettext("Mean of the %(count)s squares %(mean)s %(sign)s difference of the biases %(bias)s%(rounding)s = %(logit)s, the difference of the logits of %(label)s and %(other)s.")
    : gettext("Mean of the %(count)s squares %(mean)s %(sign)s bias %(bias)s%(rounding)s = %(logit)s, the logit of %(label)s.");
  const rounding = left ? fill(gettext(" %(leftSign)s rounding %(left)s"), values) : "";
  return fill(text, { ...values, rounding });
}

const REASONS = {
  constant: () => gettext("every square has the same value"),
  black: () => gettext("there is nothing left to cover"),
};

const reason = (key) => (REASONS[key] ?? (() => gettext("its values do not allow it")))();

/** The two tests of a map: [{state: "passed" | "failed" | "untestable", title, verdict, text}]. */
export function trustInWords({ masks, weights }) {
  const state = (passed) => (passed === null ? "untestable" : passed ? "passed" : "failed");
  const verdicts = { passed: gettext("passed"), failed: gettext("failed"), untestable: gettext("not testable") };
  return [
    { title: gettext("Its top fifth against random masks"), state: state(masks.passed), text: masksInWords(masks) },
    { title: gettext("The same map on random weights"), state: state(weights.passed), text: weightsInWords(weights) },
  ].map((one) => ({ ...one, verdict: verdicts[one.state] }));
}

function masksInWords(masks) {
  if (masks.passed === null) return fill(gettext("Not testable: %(reason)s."), { reason: reason(masks.reason) });
  const sorted = [...masks.random].sort((a, b) => a - b);
  const values = {
    drop: signed(-masks.drop, 2),
    typical: signed(-sorted[Math.floor(sorted.length / 2)], 2),
    beaten: masks.beaten,
    n: masks.n,
    needed: masks.needed,
  };
  return fill(gettext("Covering it changes the log-odds by %(drop)s; random masks of the same size typically by %(typical)s. It does more than %(beaten)s of %(n)s of them; %(needed)s are needed."), values);
}

function weightsInWords(weights) {
  if (weights.passed === null) return fill(gettext("Not testable: %(reason)s."), { reason: reason(weights.reason) });
  return fill(gettext("The map resembles the one of a network with random weights by %(similarity)s (rank correlation, 0 to 1); up to %(threshold)s is accepted."), {
    similarity: number(weights.similarity, 2),
    threshold: number(weights.threshold, 2),
  });
}

/** What a failed test means for the reader; "" when none failed. */
export function warningInWords({ masks, weights }) {
  if (masks.passed === false && weights.passed === false) {
    return gettext("This map failed both of its tests. Take it as a picture, not as an explanation.");
  }
  if (masks.passed === false) {
    return gettext("This map failed a test: covering what it points at matters no more than covering places at random. Do not rely on it.");
  }
  if (weights.passed === false) {
    return gettext("This map failed a test: a network that learned nothing gives much the same one. It shows the picture more than what was learned.");
  }
  return "";
}
