// Lesson 1: how each of its tasks is graded by the pixels of the picture.

import { whole } from "../numbers.js";
import { grade } from "./lesson.js";

const RED = 60; // above both others
const MUCH = 150;
const CLOSE = 30; // from the smallest to the largest of three numbers that make a grey
const ROWS = 16;
const BITS = 1000;
const NEAR = 10; // too far is near enough

const fill = (text, values) => interpolate(text, values, true);

const noPixel = () => gettext("No pixel is chosen yet. Click or tap on one, or go to one with the arrow keys.");

grade({
  redder({ red, green, blue, mostRed, chosen }) {
    if (mostRed < RED) return gettext("No pixel of this picture is that red. Choose another picture.");
    if (!chosen) return noPixel();
    if (red - green >= RED && red - blue >= RED) return true;
    return red >= MUCH
      ? fill(gettext("This pixel has %(red)s, %(green)s and %(blue)s. Its red number is large, but another one is less than 60 below it."), { red, green, blue })
      : fill(gettext("This pixel has %(red)s, %(green)s and %(blue)s. Red must be 60 above both others."), { red, green, blue });
  },

  grey({ red, green, blue, channels, chosen }) {
    if (!chosen) return noPixel();
    if (channels !== "rgb") return gettext("A channel is switched off, so the colour is not the pixel’s own. Switch all three on.");
    if (red < MUCH) return fill(gettext("Its red number is %(red)s. Find one of at least 150."), { red });
    const apart = Math.max(red, green, blue) - Math.min(red, green, blue);
    return apart <= CLOSE
      || fill(gettext("There is enough red, but %(red)s, %(green)s and %(blue)s are up to %(apart)s apart: that is a colour."), { red, green, blue, apart });
  },

  thousand({ rows, bits }) {
    if (rows < ROWS) return fill(gettext("Only %(rows)s rows are left. Keep at least 16."), { rows });
    return bits < BITS || fill(gettext("It still takes %(bits)s bits. Bring it below 1,000."), { bits: whole(bits) });
  },

  half({ add, below, above, numbers, halving }) {
    if (!add) return gettext("Nothing is added yet.");
    const cut = below + above;
    if (2 * cut < numbers) {
      return fill(gettext("%(cut)s of %(numbers)s numbers are cut off. It must be at least half of them."), { cut: whole(cut), numbers: whole(numbers) });
    }
    const [own, other] = add > 0 ? [halving.up, halving.down] : [halving.down, halving.up];
    if (Math.abs(add) > own + NEAR) return gettext("Half is lost, and more than that. Go back towards 0 as long as at least half is cut off.");
    return Math.abs(add) <= other + NEAR || gettext("Half is lost, but on the other side of 0 a smaller number does it.");
  },
});
