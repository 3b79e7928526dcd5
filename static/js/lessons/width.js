// Lesson 8: how each of its tasks is graded by the figure of width and depth.

import { milliseconds, ratio } from "../laboratory/cost-model.js";
import { grade } from "./lesson.js";

const TENTH = 0.1;
const FEW = 5e6;
const MUCH = 1e9;

const fill = (text, values) => interpolate(text, values, true);
const isSame = (one, other) => one.depth === other.depth && one.width === other.width;
const SAME = gettext("The chosen network is the pinned one. Move a slider.");

grade({
  four({ chosen, pinned }) {
    if (isSame(chosen, pinned)) return SAME;
    if (chosen.depth !== pinned.depth && chosen.width !== pinned.width) {
      return gettext("Depth and width both differ from the pinned network. Pin one first, and then move one slider only.");
    }
    const times = chosen.parameters / pinned.parameters;
    return Math.abs(times / 4 - 1) <= TENTH
      || fill(gettext("It has %(times)s times the parameters of the pinned one."), { times: ratio(times) });
  },

  twins({ chosen, pinned }) {
    if (isSame(chosen, pinned)) return SAME;
    const [deep, shallow] = chosen.depth > pinned.depth ? [chosen, pinned] : [pinned, chosen];
    if (deep.depth <= 2 * shallow.depth) {
      return fill(gettext("%(deep)s layers are not more than twice %(shallow)s."), { deep: deep.depth, shallow: shallow.depth });
    }
    const times = chosen.parameters / pinned.parameters;
    return Math.abs(times - 1) < TENTH
      || fill(gettext("The chosen one has %(times)s times the parameters of the pinned one."), { times: ratio(times) });
  },

  budget({ chosen, whole }) {
    const { parameters, multiply_adds: work, reach } = chosen;
    if (parameters <= FEW) return gettext("It has too few parameters: more than 5 million are wanted.");
    if (work >= MUCH) return gettext("It does too many multiply-adds: fewer than 1 billion are allowed.");
    return reach >= whole
      || fill(gettext("A place of its last maps depends on %(reach)s rows. It takes %(whole)s."), { reach, whole });
  },

  slower({ chosen, pinned, batch }) {
    if (isSame(chosen, pinned)) return SAME;
    if (!chosen.ms || !pinned.ms) return gettext("One of the two has not been measured. Choose others.");
    if (chosen.multiply_adds > (1 - TENTH) * pinned.multiply_adds) {
      return fill(gettext("The chosen one does %(times)s times the work of the pinned one. It has to do less."), {
        times: ratio(chosen.multiply_adds / pinned.multiply_adds),
      });
    }
    const [mine, other] = [chosen.ms[batch], pinned.ms[batch]];
    return mine > other
      || fill(gettext("It does less, and takes %(mine)s ms where the pinned one takes %(other)s ms. It has to take longer."), {
        mine: milliseconds(mine), other: milliseconds(other),
      });
  },
});
