// Lesson 10: how each of its tasks is graded by the figures of covering and of dose and response.

import { number } from "../numbers.js";
import { grade } from "./lesson.js";

const LITTLE = 0.1;
const ROUNDING = 1e-9;

const percent = (share) => number(100 * share, 1);
const fill = (text, values) => interpolate(text, values, true);
const came = () => gettext("This bar came with the picture. Press “Take all bars away” below the maps and begin with your own.");
const nothing = () => gettext("Nothing is covered. Click a square of a map, or press Enter on it.");

grade({
  little({ share, own, changed }) {
    if (own && share > 0) return came();
    if (share === 0) return nothing();
    if (share > LITTLE + ROUNDING) {
      return fill(gettext("%(share)s% is covered. Uncover some of it: 10% at most."), { share: percent(share) });
    }
    return Object.values(changed).includes(true)
      || gettext("Both networks answer as before. Cover what speaks loudest for the class.");
  },

  resist({ share, own, changed }) {
    if (own && share > 0) return came();
    if (share === 0) return nothing();
    if (share < LITTLE - ROUNDING) {
      return fill(gettext("Only %(share)s% is covered. Cover at least 10%."), { share: percent(share) });
    }
    return !Object.values(changed).includes(true)
      || gettext("An answer has changed. Uncover what did it, and cover what hardly matters.");
  },

  tip({ order, step, changes }) {
    if (order !== "most") return gettext("Another order is chosen. Let the most important squares go first.");
    const known = Object.values(changes).filter((at) => at !== null);
    if (!known.length) return gettext("Both networks keep their answer to the end on this picture. Choose another one.");
    const first = Math.min(...known);
    if (step < first) return gettext("Both answers are still those of the whole picture. Cover more.");
    return step === first || gettext("An answer has changed before. Go back to where it first does.");
  },

  hold({ order, areas }) {
    const best = Math.max(...Object.values(areas));
    return areas[order] === best
      || gettext("In another order they stay surer on average. Compare the areas of all three in the table.");
  },
});
