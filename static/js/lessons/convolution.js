// Lesson 2: how each of its tasks is graded by the kernel laboratory. Kernels are judged by what they answer to ideal edges.

import { number } from "../numbers.js";
import { grade } from "./lesson.js";

const SIDE = 3;
const LITTLE = 0.05; // of the most that a kernel of these weights can answer
const MUCH = 0.5;
const LARGEST = 0.3;
const CLOSE = 0.0005;

const fill = (text, values) => interpolate(text, values, true);
const sum = (values) => values.reduce((all, one) => all + one, 0);
const line = (weights, of) => [0, 1, 2].map((at) => sum(weights.filter((_, place) => of(place) === at)));
const rows = (weights) => line(weights, (place) => Math.floor(place / SIDE));
const columns = (weights) => line(weights, (place) => place % SIDE);

/** The largest answer to a step from black to white behind the first or the second line. */
const toStep = (lines) => Math.max(Math.abs(lines[0]), Math.abs(lines[0] + lines[1]));

grade({
  horizontal({ weights }) {
    const most = sum(weights.map(Math.abs)) / 2;
    if (!most) return gettext("All weights are zero, so nothing is found at all.");
    if (Math.abs(sum(weights)) > LITTLE * most) {
      return fill(gettext("The weights add up to %(sum)s, so it answers to even brightness too. They must add up to 0."), { sum: number(sum(weights), 2) });
    }
    if (toStep(rows(weights)) < MUCH * most) return gettext("It hardly answers to an edge between above and below.");
    return toStep(columns(weights)) <= LITTLE * most
      || gettext("It answers to edges between left and right too. Each column must add up to 0.");
  },

  soften({ weights }) {
    if (weights.some((one) => one < 0)) return gettext("A weight is negative: that sharpens instead of softening.");
    if (weights.some((one) => one > LARGEST)) return gettext("A weight is larger than 0.3, so too little of the neighbours comes in.");
    return Math.abs(sum(weights) - 1) <= CLOSE
      || fill(gettext("The weights add up to %(sum)s, so even areas change their brightness."), { sum: number(sum(weights), 3) });
  },

  halve: ({ rows: out, side }) => 2 * out === side
    || fill(gettext("%(out)s rows come out of %(side)s."), { out, side }),

  wide({ rows: out, side, dilation }) {
    if (dilation * (SIDE - 1) + 1 !== 5) {
      return fill(gettext("The kernel covers %(rows)s rows, not five."), { rows: dilation * (SIDE - 1) + 1 });
    }
    return out === side || fill(gettext("%(out)s rows come out of %(side)s."), { out, side });
  },
});
