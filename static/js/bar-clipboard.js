// The bars of one picture for another one: kept for this tab, as fractions, so that they outlive the page.

import { MOST } from "./bars.js";

const KEY = "copied-bars";

let kept = ""; // where the browser keeps nothing for pages

/** Four numbers that lie inside a picture. */
export function isBar(bar) {
  if (!Array.isArray(bar) || bar.length !== 4 || !bar.every(Number.isFinite)) return false;
  const [x, y, width, height] = bar;
  return x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= 1.000001 && y + height <= 1.000001;
}

function copied() {
  let text = kept;
  try {
    text = sessionStorage.getItem(KEY) ?? kept;
  } catch {
    // Storage is switched off.
  }
  try {
    const bars = JSON.parse(text || "[]");
    return Array.isArray(bars) && bars.every(isBar) ? bars.slice(0, MOST) : [];
  } catch {
    return [];
  }
}

function keep(bars) {
  kept = JSON.stringify(bars);
  try {
    sessionStorage.setItem(KEY, kept);
  } catch {
    // They last as long as the page then.
  }
}

/** Two buttons; returns what is to be called when the bars have changed. */
export function barClipboard(editor, { copy, paste, onSay }) {
  const show = () => {
    copy.setAttribute("aria-disabled", String(!editor.bars.length));
    paste.setAttribute("aria-disabled", String(!copied().length));
  };
  copy.addEventListener("click", () => {
    if (!editor.bars.length) return;
    keep(editor.bars);
    show();
    onSay(interpolate(gettext("Bars copied: %s. They can be pasted on any other picture."), [editor.bars.length]));
  });
  paste.addEventListener("click", () => {
    const bars = copied();
    if (!bars.length) return;
    editor.replace(bars);
    onSay(interpolate(gettext("Bars pasted: %s."), [bars.length]));
  });
  show();
  return show;
}
