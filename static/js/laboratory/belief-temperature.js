// The temperature's controls: a slider whose steps are equal factors, a number to type, marks for the fitted temperature.

import { decimal, HIGHEST, LOWEST } from "./belief-softmax.js";

const STEPS = 1000;
const SPAN = Math.log(HIGHEST / LOWEST);
const WRITTEN = [0.05, 0.2, 1, 5, 20];

const placeOf = (temperature) => (STEPS * Math.log(temperature / LOWEST)) / SPAN;
const at = (place) => Number((LOWEST * Math.exp((place / STEPS) * SPAN)).toPrecision(3));

/** Why a typed temperature cannot be shown; "" for one that can. */
export function objection(text, invalid = false) {
  const value = Number(text);
  if (invalid || text.trim() === "" || !Number.isFinite(value)) {
    return interpolate(gettext("Type a number from %(low)s to %(high)s."), { low: decimal(LOWEST), high: decimal(HIGHEST, 0) }, true);
  }
  if (value === 0) {
    return gettext("A temperature of 0 would divide by zero. The closer it comes, the more the largest logit takes, and winner takes all is the limit that it never reaches.");
  }
  if (value < 0) return gettext("Below 0 the order would be turned round: the least likely class would win.");
  if (value < LOWEST || value > HIGHEST) {
    return interpolate(gettext("Temperatures go from %(low)s to %(high)s here."), { low: decimal(LOWEST), high: decimal(HIGHEST, 0) }, true);
  }
  return "";
}

export class TemperatureControls {
  /** `onChange(temperature)` hears what was chosen; null means the fitted one. */
  constructor(root, onChange) {
    const find = (name) => root.querySelector(`[data-${name}]`);
    this.slider = find("slider");
    this.number = find("number");
    this.wrong = find("wrong");
    this.marks = find("marks");
    this.fitted = find("fitted");
    this.buttons = [...root.querySelectorAll("[data-set]")];
    this.slider.addEventListener("input", () => {
      this.object("");
      onChange(at(Number(this.slider.value)));
    });
    this.number.addEventListener("input", () => {
      const sentence = objection(this.number.value, this.number.validity.badInput);
      this.object(sentence);
      // The figure stays at the last temperature that there is; what was typed stays in the field.
      if (!sentence) onChange(Number(this.number.value));
    });
    for (const button of this.buttons) {
      button.addEventListener("click", () => {
        this.object("");
        onChange(button.dataset.set === "honest" ? null : Number(button.dataset.set));
      });
    }
    find("scale").replaceChildren(...WRITTEN.map((value) => {
      const tick = document.createElement("span");
      tick.textContent = decimal(value, value < 1 ? 2 : 0);
      tick.style.insetInlineStart = `${placeOf(value) / (STEPS / 100)}%`;
      return tick;
    }));
  }

  object(sentence) {
    this.wrong.textContent = sentence;
    this.wrong.hidden = !sentence;
    if (sentence) this.number.setAttribute("aria-invalid", "true");
    else this.number.removeAttribute("aria-invalid");
  }

  show(temperature, honest) {
    const place = Math.round(placeOf(temperature));
    if (Number(this.slider.value) !== place) this.slider.value = String(place);
    const isHonest = temperature === honest.temperature;
    const words = decimal(temperature);
    this.slider.setAttribute("aria-valuetext", isHonest
      ? interpolate(gettext("%(temperature)s, the one that makes it honest"), { temperature: words }, true) : words);
    // What is being typed, right or wrong, is left alone.
    const typing = document.activeElement === this.number || this.number.hasAttribute("aria-invalid");
    if (!typing) this.number.value = String(Number(temperature.toPrecision(3)));
    for (const button of this.buttons) {
      const own = button.dataset.set === "honest" ? isHonest : Number(button.dataset.set) === temperature;
      button.setAttribute("aria-pressed", String(own));
    }
    this.mark(honest);
  }

  mark(honest) {
    if (this.marked === honest) return;
    this.marked = honest;
    const lines = [[placeOf(honest.temperature), "honest"]];
    if (Math.abs(honest.whole - honest.temperature) > 0.005) lines.push([placeOf(honest.whole), "whole"]);
    this.marks.replaceChildren(...lines.map(([place, name]) => {
      const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
      line.setAttribute("class", name);
      line.setAttribute("d", `M${place.toFixed(1)} 0V26`);
      return line;
    }));
    const values = {
      temperature: decimal(honest.temperature),
      whole: decimal(honest.whole),
      black: decimal(100 * honest.black, 1),
    };
    this.fitted.textContent = interpolate(honest.black && honest.slope
      ? gettext("%(temperature)s makes it honest: %(whole)s as fitted on whole pictures, and more because %(black)s% of the pixels are black.")
      : gettext("%(temperature)s makes it honest: it was fitted on training pictures that were held back."), values, true);
  }
}
