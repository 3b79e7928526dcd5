// Lesson 9: how each of its tasks is graded by the CutMix laboratory.

import { percent } from "../laboratory/percent.js";
import { grade } from "./lesson.js";

const SMALL = 0.4;
const LEAST = 0.15;
const CLOSE = 0.2;

const fill = (text, values) => interpolate(text, values, true);
const same = ({ classes: [one, two] }) => (one === two ? gettext("Both pictures are of one class. Choose another picture.") : "");
const some = (answers, test) => Object.values(answers).some(test);

grade({
  half({ share }) {
    return share === 0.5
      || fill(gettext("%(share)s of the pixels are the first picture’s, and %(rest)s the other’s."), { share: percent(share), rest: percent(1 - share) });
  },

  usurp(facts) {
    const { share, answers } = facts;
    if (same(facts)) return same(facts);
    if (1 - share > SMALL) {
      return fill(gettext("%(rest)s of the pixels are of the other picture. It may have 40% at most."), { rest: percent(1 - share) });
    }
    return some(answers, ({ named }) => named === 1) || gettext("Neither network names the class of the other picture.");
  },

  neither(facts) {
    if (same(facts)) return same(facts);
    return some(facts.answers, ({ named }) => named < 0) || gettext("Both networks name the class of one of the two pictures.");
  },

  shares(facts) {
    const { share, answers } = facts;
    if (same(facts)) return same(facts);
    if (Math.min(share, 1 - share) < LEAST) return gettext("One of the two has less than 15% of the pixels.");
    return some(answers, ({ first, second }) => Math.abs(first - share) <= CLOSE && Math.abs(second - (1 - share)) <= CLOSE)
      || gettext("Neither network is within 20 percentage points of the right answer for both classes.");
  },
});
