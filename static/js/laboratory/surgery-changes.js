// What is changed, as a list that can be read and taken back one by one.

import { number } from "../numbers.js";
import { titled } from "./layer-names.js";
import { ranges } from "./surgery-operation.js";

const row = (text, actions) => {
  const item = document.createElement("li");
  const words = Object.assign(document.createElement("span"), { textContent: text });
  const buttons = Object.assign(document.createElement("span"), { className: "cluster tight" });
  for (const { label, name, act } of actions) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button quiet small", textContent: label });
    button.setAttribute("aria-label", name);
    button.addEventListener("click", act);
    buttons.append(button);
  }
  item.append(words, buttons);
  return item;
};

/** One edit or the mutes of one layer in words. */
export function editWords(edit) {
  return interpolate(gettext("%(layer)s, from channel %(in)s to channel %(out)s: %(kernel)s"), {
    ...edit, layer: titled(edit.layer), kernel: edit.kernel.map((one) => number(one, 2)).join(" "),
  }, true);
}

export function muteWords(layer, channels) {
  return interpolate(gettext("%(layer)s: channels %(channels)s muted"), { layer: titled(layer), channels: ranges(channels).replaceAll(",", ", ") }, true);
}

/** `onShow(edit)`, `onRemoveEdit(edit)`, `onRemoveMutes(layer)` hear what is pressed. */
export function renderChanges(list, operation, { onShow, onRemoveEdit, onRemoveMutes }) {
  const edits = operation.edits.map((edit) => {
    const text = editWords(edit);
    const named = (words) => interpolate(words, { what: text }, true);
    return row(text, [
      { label: gettext("Show"), name: named(gettext("Show: %(what)s")), act: () => onShow(edit) },
      { label: gettext("Take back"), name: named(gettext("Take back: %(what)s")), act: () => onRemoveEdit(edit) },
    ]);
  });
  const mutes = Object.entries(operation.mutes).map(([layer, channels]) => {
    const text = muteWords(layer, channels);
    return row(text, [{
      label: gettext("Take back"),
      name: interpolate(gettext("Take back: %(what)s"), { what: text }, true),
      act: () => onRemoveMutes(layer),
    }]);
  });
  list.replaceChildren(...edits, ...mutes);
}
