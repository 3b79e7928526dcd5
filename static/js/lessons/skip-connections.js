// Lesson 7: how each of its tasks is graded by the plain and residual networks that are compared.

import { number } from "../numbers.js";
import { grade } from "./lesson.js";

const TEN = 10;
const TWENTY = 20;

const fill = (text, values) => interpolate(text, values, true);

grade({
  explodes({ depth, deepest, when, layer, profile: [plain] }) {
    if (depth !== deepest) return fill(gettext("Choose the deepest networks, those of %(deepest)s layers."), { deepest });
    if (when !== "start") return gettext("Look at the gradients before the first step.");
    const first = plain.findLastIndex((ratio) => ratio >= TEN);
    if (plain[layer] < TEN) return fill(gettext("Here it is %(ratio)s times that of the last one. Go further to the left."), { ratio: number(plain[layer], 1) });
    return layer === first || gettext("It is ten times or more here, but also at a convolution further to the right.");
  },

  calm({ depth, depths, when, spreads: [plain] }) {
    if (when !== "start") return gettext("Look at the gradients before the first step.");
    if (depth === depths[0]) return gettext("This is the smallest depth. Choose another one.");
    return plain < TWENTY || fill(gettext("At this depth the largest is %(spread)s times the smallest."), { spread: number(plain, 0) });
  },

  worse({ depth, accuracies }) {
    const of = (kind, layers) => accuracies.find((one) => one.kind === kind && one.depth === layers).accuracy;
    const plain = of("plain", depth);
    const shallower = accuracies.filter((one) => one.kind === "plain" && one.depth < depth);
    if (!shallower.some(({ accuracy }) => accuracy > plain)) {
      return fill(gettext("The plain network of %(depth)s layers reached %(plain)s%, and no shallower one reached more."), { depth, plain: number(100 * plain, 1) });
    }
    return of("residual", depth) > plain || gettext("With shortcuts it did no better here.");
  },
});
