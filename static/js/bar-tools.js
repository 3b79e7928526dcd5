// What stands beside the picture about the bars: their list, undo and redo, presets, copying. The form's own field
// holds what is sent, the very numbers of the list.

import { barClipboard } from "./bar-clipboard.js";
import { BarHistory } from "./bar-history.js";
import { showBars } from "./bar-list.js";
import { barPresets } from "./bar-presets.js";
import { BarEditor } from "./bars.js";
import { inPercent } from "./numbers.js";
import { covered } from "./random-bars.js";
import { toast } from "./toast.js";

/** The editor of the bars on `overlay`, with its panel in `form`; `onChange()` is called after each change. */
export class BarTools {
  constructor(form, overlay, { onChange }) {
    const find = (name) => form.querySelector(`[data-${name}]`);
    const onSay = (text) => {
      find("bar-says").textContent = text;
    };
    this.editor = new BarEditor(overlay, {
      onChange: (bars) => {
        form.elements.bars.value = bars.length ? JSON.stringify(bars) : "";
        find("clear-bars").hidden = !bars.length;
        find("bar-area").textContent = interpolate(gettext("%s% of the picture is covered."), [inPercent(covered(bars))]);
        this.clipboardChanged?.();
        this.list(find("bar-list"), bars, find("add-bar"));
        onChange();
      },
      onSay,
      // In sight as well: nothing else shows why no bar was drawn.
      onFull: (text) => toast(text),
      onStep: (bars, merge) => this.history.record(bars, merge),
    });
    this.history = new BarHistory(this.editor, { undo: find("undo-bars"), redo: find("redo-bars"), onSay });
    this.clipboardChanged = barClipboard(this.editor, { copy: find("copy-bars"), paste: find("paste-bars"), onSay });
    barPresets(find("bar-presets"), this.editor, { onSay });
    find("add-bar").addEventListener("click", () => this.editor.focus(this.editor.add()));
    find("clear-bars").addEventListener("click", () => {
      this.editor.clear();
      find("add-bar").focus();
    });
    overlay.addEventListener("emptied", () => find("add-bar").focus());
    addEventListener("resize", () => this.editor.drawHandles());
  }

  /** A picture of this size, with these bars. */
  reset(width, height, bars = []) {
    this.editor.reset(width, height, bars);
    this.history.reset(this.editor.bars);
  }

  list(place, bars, otherwise) {
    showBars(place, bars, {
      onSet: (index, bar, part) => this.editor.set(index, bar, `typed ${index} ${part}`),
      onTyped: () => this.history.seal(),
      onRemove: (index) => {
        this.editor.remove(index);
        if (!this.editor.bars.length) otherwise.focus();
      },
    });
  }
}
