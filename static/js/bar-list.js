// The bars as text: a row of percentages to each, which can be typed instead of drawn.

import { MOST } from "./bars.js";

const parts = () => [gettext("left"), gettext("top"), gettext("width"), gettext("height")].map((part) => `${part} %`);
// Stored bars may stand on millionths, and are shown as they are.
const percent = (fraction) => String(Math.round(fraction * 1e6) / 1e4);

/**
 * Shows `bars` in `list`; `onSet(index, bar, part)`, `onTyped()` when a number is finished, and `onRemove(index)`
 * report what is done there.
 */
export function showBars(list, bars, { onSet, onTyped, onRemove }) {
  while (list.children.length > Math.min(bars.length, MOST)) list.lastElementChild.remove();
  while (list.children.length < bars.length) list.append(row(list, { onSet, onTyped, onRemove }));
  [...list.children].forEach((item, index) => {
    const name = interpolate(gettext("Bar %s"), [index + 1]);
    item.querySelector(".bar-name").textContent = name;
    [...item.querySelectorAll("input")].forEach((input, at) => {
      input.setAttribute("aria-label", `${name}, ${parts()[at]}`);
      // What somebody is just typing stays as it is.
      if (input !== document.activeElement) input.value = percent(bars[index][at]);
    });
    item.querySelector("button").setAttribute("aria-label", interpolate(gettext("Remove bar %s"), [index + 1]));
  });
}

function row(list, { onSet, onTyped, onRemove }) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  name.className = "bar-name";
  item.append(name);
  const indexOf = () => [...list.children].indexOf(item);
  const inputs = parts().map((part, at) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "number", min: at < 2 ? "0" : "0.5", max: "100", step: "0.1", inputMode: "decimal" });
    label.append(part, input);
    item.append(label);
    return input;
  });
  inputs.forEach((input, part) => {
    const take = () => {
      const bar = inputs.map((one) => Number.parseFloat(one.value) / 100);
      if (bar.every(Number.isFinite)) onSet(indexOf(), bar, part);
    };
    input.addEventListener("input", take);
    input.addEventListener("change", () => {
      take();
      onTyped();
      input.blur();
      input.focus();
    });
  });
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "button quiet small";
  remove.textContent = gettext("Remove");
  remove.addEventListener("click", () => {
    const index = indexOf();
    onRemove(index);
    list.children[Math.min(index, list.children.length - 1)]?.querySelector("button").focus();
  });
  item.append(remove);
  return item;
}
