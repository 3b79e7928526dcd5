// Bars that are placed instead of drawn: a strip from edge to edge, and bars at random that hide a given share.

import { MOST } from "./bars.js";
import { inPercent } from "./numbers.js";
import { covered, randomBars, SEEDS } from "./random-bars.js";

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A field's number inside its own limits; what cannot be read becomes what the page came with. */
function number(input) {
  const typed = Number.parseFloat(input.value);
  const value = Number.isFinite(typed) ? typed : Number(input.defaultValue);
  const kept = clamp(value, Number(input.min), Number(input.max));
  const whole = input.step === "1" ? Math.round(kept) : kept;
  input.value = String(whole);
  return whole;
}

function freshSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0] % SEEDS;
}

/** Wires the presets in `panel` to the editor. */
export function barPresets(panel, editor, { onSay }) {
  const find = (name) => panel.querySelector(`[data-${name}]`);
  const [thickness, share, count, seed] = ["strip-thickness", "random-share", "random-count", "random-seed"].map(find);
  seed.value = String(freshSeed());

  const strip = (upright) => {
    if (editor.bars.length >= MOST) return onSay(gettext("There may be at most 32 bars. Remove one first."));
    const thick = number(thickness) / 100;
    const start = (1 - thick) / 2;
    const index = editor.add(upright ? [start, 0, thick, 1] : [0, start, 1, thick]);
    return editor.focus(index);
  };

  const place = () => {
    const bars = randomBars({ share: number(share) / 100, count: number(count), seed: number(seed) });
    editor.replace(bars);
    const hidden = inPercent(covered(bars));
    const words = gettext("Bars placed: %(count)s. They cover %(hidden)s% of the picture. Seed %(seed)s.");
    onSay(interpolate(words, { count: bars.length, hidden, seed: seed.value }, true));
  };

  find("strip-across").addEventListener("click", () => strip(false));
  find("strip-upright").addEventListener("click", () => strip(true));
  find("random-place").addEventListener("click", place);
  find("random-new").addEventListener("click", () => {
    seed.value = String(freshSeed());
    place();
  });
  // Enter means this preset, not the whole form.
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.type !== "number") return;
    event.preventDefault();
    if (event.target === thickness) strip(false);
    else place();
  });
}
