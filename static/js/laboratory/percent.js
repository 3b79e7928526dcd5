// Probabilities as the site writes them everywhere: to a tenth of a percent.

import { number } from "../numbers.js";

/** 87.3%, and never a false 0% or 100%; "–" for what is not known (null). */
export function percent(share) {
  if (share === null) return "–";
  const put = (words, value) => interpolate(words, { number: number(value, 1) }, true);
  if (share > 0 && share < 0.0005) return put(gettext("< %(number)s%"), 0.1);
  if (share >= 0.9995 && share < 1) return put(gettext("> %(number)s%"), 99.9);
  return put(gettext("%(number)s%"), 100 * share);
}
