// Lesson 3: how each of its tasks is graded by the cell that is taken apart (static/js/laboratory/arithmetic-facts.js).

import { percent } from "../laboratory/percent.js";
import { number } from "../numbers.js";
import { grade } from "./lesson.js";

const COLOURS = 3; // a layer that reads no more than these reads the picture
const QUARTER = 0.25;
const EIGHTH = 1 / 8;

const fill = (text, values) => interpolate(text, values, true);
const isAbove = (value) => value > 0;

/** What is wrong with the layer for a task about a sum; "" where nothing is. */
function notASum({ kind, inputs }, readsMaps) {
  if (kind !== "convolution") return gettext("This layer is a pooling. Choose a convolution in the list “Layer”.");
  if (readsMaps && inputs <= COLOURS) return gettext("This layer reads the picture, not maps. Choose a later convolution.");
  return "";
}

grade({
  outvoted(facts) {
    const { adds, takes, sum, relu } = facts;
    const wrong = notASum(facts, true);
    if (wrong) return wrong;
    if (adds <= takes) {
      return fill(gettext("Here %(adds)s input channels add and %(takes)s take away. More of them must add."), { adds, takes });
    }
    if (!(sum < 0)) {
      return fill(gettext("More channels add, and the sum is %(sum)s. It must be below zero."), { sum: number(sum, 4) });
    }
    return relu === 0 || gettext("The sum is below zero, but normalisation lifts it and ReLU lets it pass.");
  },

  single(facts) {
    const wrong = notASum(facts, true);
    if (wrong) return wrong;
    return facts.first >= QUARTER
      || fill(gettext("The largest channel makes up only %(share)s of all that is added or taken away."), { share: percent(facts.first) });
  },

  below(facts) {
    const { sum, added, relu } = facts;
    const wrong = notASum(facts, false);
    if (wrong) return wrong;
    if (added !== null) return gettext("A shortcut is added here, which may be what lifts the sum. Choose a convolution behind which nothing is added.");
    if (!(sum < 0)) return fill(gettext("The sum is %(sum)s. It must be below zero."), { sum: number(sum, 4) });
    return relu > 0 || gettext("The sum is below zero, and ReLU leaves nothing of it.");
  },

  corner({ kind, values, largest }) {
    if (kind !== "max_pool") return gettext("This layer is no max pooling. Choose one in the list “Layer”.");
    if (!values.some(isAbove)) return gettext("All four numbers are zero here, so none is the largest.");
    if (largest !== values.length - 1) return gettext("The largest number does not stand at the lower right.");
    return values.filter(isAbove).length > 1 || gettext("The other three are zero. Find one where more than one number is above zero.");
  },

  nothing({ kind, values, pooled, rivals }) {
    if (kind === "max_pool") {
      return values.some(isAbove)
        ? gettext("This cell is not zero. Find one that is white on the map.")
        : gettext("This one is zero. Now go back to the convolution that it comes from.");
    }
    if (!rivals) return gettext("No max pooling reads this layer. Begin at a cell of one.");
    if (pooled !== 0) return gettext("What the pooling makes of this place is not zero.");
    return rivals.values[rivals.own] === Math.max(...rivals.values)
      || gettext("The pooling gives zero here, but another of the four cells came closer to passing.");
  },

  average({ kind, values, sum }) {
    if (kind !== "average_pool") return gettext("This layer is no average pooling. It is the last one in the list “Layer”.");
    if (!(sum > 0)) return gettext("All places of this channel are zero, and so is their average.");
    const count = values.filter(isAbove).length;
    return count <= EIGHTH * values.length
      || fill(gettext("%(count)s of its %(all)s places are above zero. That is more than one in eight."), { count, all: values.length });
  },
});
