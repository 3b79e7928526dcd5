// Lesson 11: how each of its tasks is graded, by the curves, by the answers at snapshots, and by the explorer of confusions.

import { percent } from "../laboratory/percent.js";
import { number } from "../numbers.js";
import { grade } from "./lesson.js";

const OFTEN = 10;

const fill = (text, values) => interpolate(text, values, true);
const points = (share) => number(100 * share, 1);

grade({
  steps({ epoch, peak, network, rate }) {
    if (peak === null) return fill(gettext("No learning rates of %(network)s were kept. Choose another network above the figure."), { network });
    return epoch === peak
      || fill(gettext("After this epoch the rate was %(rate)s. In another one it was higher."), { rate });
  },

  leap({ epoch, unmixed, network, now, before }) {
    if (!unmixed.length) return fill(gettext("Nothing changed like this for %(network)s. Choose another network above the figure."), { network });
    if (unmixed.includes(epoch)) return true;
    if (!before) return gettext("This is the first epoch: there is nothing before it to leap from.");
    if (now.size !== before.size) return gettext("Here the pictures have another size than in the epoch before, so more than one thing has changed.");
    return fill(gettext("From the epoch before to this one: training %(training)s points, held out %(held)s points. In another epoch training leaps further."), {
      training: points(now.training - before.training), held: points(now.held - before.held),
    });
  },

  sure({ snapshots, steps, step, network, answer }) {
    if (!snapshots) return fill(gettext("There are no snapshots of %(network)s. Choose another network above the figure."), { network });
    if (step < 0) return gettext("No snapshot was kept so early.");
    const final = steps.at(-1).sure;
    const first = steps.findIndex(({ sure }) => 2 * sure >= final);
    if (step === first) return true;
    if (step > first) return fill(gettext("An earlier snapshot gave %(answer)s that much already."), { answer });
    return fill(gettext("This snapshot gave %(answer)s %(sure)s. The finished network gives it %(final)s, and half of that is more."), {
      answer, sure: percent(steps[step].sure), final: percent(final),
    });
  },

  oneway({ truth, taken, pairs }) {
    if (truth === null) return gettext("No square is shown. Point at one, choose a class, or follow a pair in the tables.");
    if (truth === taken) return gettext("This square lies on the diagonal: its pictures were recognised.");
    const ways = pairs.map(({ title, there, back }) => ({ title, more: Math.max(there, back), less: Math.min(there, back) }));
    if (ways.some(({ more, less }) => more >= OFTEN && more >= 2 * less)) return true;
    const told = ways.map((way) => fill(gettext("%(title)s: %(more)s times one way, %(less)s the other."), way)).join(" ");
    return `${told} ${fill(gettext("It takes at least %(often)s, and twice as many as the other way."), { often: OFTEN })}`;
  },
});
