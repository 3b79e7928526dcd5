// Dose and response in sentences.

import { inPercent } from "../numbers.js";
import { percent } from "./percent.js";

const fill = (text, values) => interpolate(text, values, true);

/** How much of a picture is covered, or an axis reaches. */
export const portion = (share) => fill(gettext("%(number)s%"), { number: inPercent(share) });

/** How much of the picture is covered when half of the first confidence is gone; null where it never is. */
export function half({ shares, probabilities }) {
  const wanted = probabilities[0] / 2;
  const after = probabilities.findIndex((one) => one <= wanted);
  if (after < 0) return null;
  if (after === 0) return shares[0];
  const [high, low] = [probabilities[after - 1], probabilities[after]];
  const part = high === low ? 1 : (high - wanted) / (high - low);
  return shares[after - 1] + part * (shares[after] - shares[after - 1]);
}

/** A curve in one sentence. */
export function curveInWords(curve, { network, label }) {
  const at = half(curve);
  const values = {
    network,
    label,
    area: percent(curve.area),
    start: percent(curve.probabilities[0]),
    half: at === null ? "" : portion(at),
  };
  return fill(at === null
    ? gettext("From nothing to everything covered, %(network)s is on average %(area)s sure of %(label)s. It begins at %(start)s and never loses half of that.")
    : gettext("From nothing to everything covered, %(network)s is on average %(area)s sure of %(label)s. Half of the %(start)s it begins with is gone once %(half)s of the picture is covered."), values);
}

/** Whether the order by importance does what it should, for one network. */
export function orderInWords(curves, { network }) {
  const [most, , random] = curves;
  if (curves.every(({ probabilities }) => Math.max(...probabilities) - Math.min(...probabilities) < 1e-4)) {
    return fill(gettext("Nothing stands out for %(network)s: its confidence stays the same whatever is covered."), { network });
  }
  if (most.area < random.area) return "";
  return fill(gettext("For %(network)s, covering what seemed most important does no more than covering places at random. Its order of importance is not to be relied on here."), { network });
}

/** One step of one network. */
export function stepInWords(curve, step, { network, label, labels }) {
  const values = {
    network,
    label,
    probability: percent(curve.probabilities[step]),
    top: labels[curve.top_indices[step]],
    best: percent(curve.top_probabilities[step]),
  };
  return fill(values.top === label
    ? gettext("%(network)s says %(label)s, %(probability)s.")
    : gettext("%(network)s says %(top)s, %(best)s; %(label)s has %(probability)s."), values);
}
