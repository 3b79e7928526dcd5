// Wide ResNets by their names, and how numbers about two of them are written. learn/laboratory/cost.py counts them.

import { number } from "../numbers.js";

const NAME = /^(\d{1,4})-(\d{1,4})$/;

const nearest = (list, wanted) => list.reduce((best, one) => (Math.abs(one - wanted) < Math.abs(best - wanted) ? one : best));

/**
 * The networks of the page. `byName(name)` gives one; `read(text, standard)` the name that a text of the address means: the
 * nearest that there is, `standard` for what is no name; `at(depth, width)` the name of what two sliders choose.
 */
export function family(networks) {
  const named = new Map(networks.map((one) => [one.name, one]));
  const list = (key) => [...new Set(networks.map((one) => one[key]))].sort((a, b) => a - b);
  const [depths, widths] = [list("depth"), list("width")];
  const at = (depth, width) => `${nearest(depths, depth)}-${nearest(widths, width)}`;
  return {
    at,
    byName: (name) => named.get(name),
    read(text, standard) {
      const found = NAME.exec(text.trim());
      return found ? at(Number(found[1]), Number(found[2])) : standard;
    },
  };
}

/** Milliseconds with two digits behind the point, and one from ten on. */
export const milliseconds = (value) => number(value, value < 10 ? 2 : 1);

/** How many times one number is another: 0.076, 3.94, 13.2. */
export function ratio(value) {
  if (value >= 10) return number(value, 1);
  return number(value, value >= 1 ? 2 : 3);
}
