// Lesson 6: how each of its tasks is graded by the two networks that the figure shows and the layers that are chosen.

import { whole } from "../numbers.js";
import { percent } from "../laboratory/percent.js";
import { grade } from "./lesson.js";

const HALF = 0.5;
const FEW = 50_000;
const TENTH = 0.1;

const fill = (text, values) => interpolate(text, values, true);

/** The verdict on the chosen layer of a network that must be shown; where both are that one, the better verdict. */
function chosenIn(networks, slug, title, judge) {
  const shown = networks.filter((one) => one.slug === slug);
  if (!shown.length) return fill(gettext("%(title)s is not shown. Choose it above the figure."), { title });
  const verdicts = shown.map(({ layer }) => judge(layer));
  return verdicts.includes(true) || verdicts[0];
}

grade({
  half: ({ networks }) => chosenIn(networks, "alexnet", "AlexNet", ({ title, weightsShare }) => weightsShare > HALF
    || fill(gettext("“%(title)s” is chosen in AlexNet, and holds %(share)s of its weights."), { title, share: percent(weightsShare) })),

  busy: ({ networks }) => chosenIn(networks, "vgg-16", "VGG-16", ({ title, weights, workShare }) => {
    if (weights >= FEW) return fill(gettext("“%(title)s” has %(weights)s weights."), { title, weights: whole(weights) });
    return workShare > TENTH
      || fill(gettext("“%(title)s” does %(share)s of the computing."), { title, share: percent(workShare) });
  }),

  shortcut: ({ networks }) => chosenIn(networks, "resnet-34", "ResNet-34", ({ title, kind, bypass }) => {
    if (kind !== "convolution") return fill(gettext("“%(title)s” is not a convolution."), { title });
    return bypass || fill(gettext("“%(title)s” is on the main way, and not in a shortcut."), { title });
  }),

  late: ({ networks }) => chosenIn(networks, "wrn-28-10", "Wide ResNet 28-10", ({ title, kind, partWeightsShare }) => {
    if (kind !== "convolution") return fill(gettext("“%(title)s” is not a convolution."), { title });
    return partWeightsShare > HALF || fill(
      gettext("“%(title)s” is chosen. The part that it belongs to holds %(share)s of the weights."),
      { title, share: percent(partWeightsShare) },
    );
  }),

  exchange({ networks }) {
    const [older, newer] = [...networks].sort((one, other) => one.year - other.year);
    const values = { older: older.title, newer: newer.title };
    if (!older.year) return fill(gettext("%(older)s was not published and has no year. Choose another one."), values);
    if (older.year === newer.year) return gettext("Both are the same network.");
    if (newer.weights >= older.weights) return fill(gettext("%(newer)s is newer, but has more weights than %(older)s."), values);
    return newer.work > older.work || fill(gettext("%(newer)s has fewer weights than %(older)s, but it also computes less."), values);
  },
});
