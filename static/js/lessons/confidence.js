// Lesson 5: how each of its tasks is graded by the figure of scores, temperature and probabilities.

import { number } from "../numbers.js";
import { grade } from "./lesson.js";

const POINT = 0.01;

const percent = (share) => number(100 * share, share < 0.1 ? 2 : 1);
const fill = (text, values) => interpolate(text, values, true);

grade({
  doubt: ({ top }) => top < 0.2
    || fill(gettext("Its likeliest class still has %(share)s%. Bring it below 20%."), { share: percent(top) }),

  never({ named, namedRank, namedShare }) {
    if (named === null) return gettext("No class is named in the fifth row yet. Choose one there.");
    if (namedRank <= 5) return gettext("This class is among the five likeliest anyway. Choose one that is not.");
    return namedShare >= 0.005
      || fill(gettext("This class has %(share)s% now. Bring it to 0.5% or more."), { share: percent(namedShare) });
  },

  boast({ temperature, honest, top, fair, network }) {
    if (fair[network] >= 0.95) {
      return gettext("This network is nearly certain already. Choose the other one, or another picture.");
    }
    if (temperature >= honest) return gettext("The temperature is not below the marked one. Turn it down.");
    return top > 0.99
      || fill(gettext("It claims %(share)s% now. Make it claim more than 99%."), { share: percent(top) });
  },

  surer({ network, top, fair }) {
    const surest = Math.max(...Object.values(fair));
    if (surest - Math.min(...Object.values(fair)) <= POINT) {
      return gettext("Both are equally sure of their answers here, to within one percentage point. Choose another picture.");
    }
    if (fair[network] === surest) return gettext("This is the surer one. Choose the other network.");
    return Math.abs(top - surest) <= POINT || fill(
      gettext("It claims %(share)s% now. The surer one, made honest, is %(surest)s% sure."),
      { share: percent(top), surest: percent(surest) },
    );
  },
});
