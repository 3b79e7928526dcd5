// Undo and redo of what is done to the bars of one picture: buttons, and the keys that everybody knows.

const MOST = 100;
const TYPING = "input:not([type=radio], [type=checkbox], [type=button], [type=file], [type=range]), textarea, select";

const copy = (bars) => bars.map((bar) => [...bar]);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** The states that bars have been in. */
export class Steps {
  constructor() {
    this.reset([]);
  }

  /** Another picture: nothing from before can be undone. */
  reset(bars) {
    this.states = [copy(bars)];
    this.at = 0;
    this.merge = "";
  }

  /** The bars after something was done; with the same `merge` as the last time it belongs to the same step. */
  record(bars, merge = "") {
    if (same(bars, this.states[this.at])) return;
    this.states.length = this.at + 1;
    if (merge && merge === this.merge) this.states[this.at] = copy(bars);
    else this.states.push(copy(bars));
    if (this.states.length > MOST + 1) this.states.shift();
    this.at = this.states.length - 1;
    this.merge = merge;
  }

  /** What comes next is a step of its own. */
  seal() {
    this.merge = "";
  }

  get behind() {
    return this.at;
  }

  get ahead() {
    return this.states.length - 1 - this.at;
  }

  /** The bars one step back (-1) or forward (1); null where there is none. */
  go(way) {
    const state = this.states[this.at + way];
    if (!state) return null;
    this.at += way;
    this.seal();
    return copy(state);
  }
}

/** Two buttons and the keyboard for the steps of an editor. */
export class BarHistory {
  constructor(editor, { undo, redo, onSay }) {
    this.editor = editor;
    this.buttons = { "-1": undo, 1: redo };
    this.onSay = onSay;
    this.steps = new Steps();
    undo.addEventListener("click", () => this.go(-1));
    redo.addEventListener("click", () => this.go(1));
    document.addEventListener("keydown", (event) => this.key(event));
    this.show();
  }

  reset(bars) {
    this.steps.reset(bars);
    this.show();
  }

  record(bars, merge) {
    this.steps.record(bars, merge);
    this.show();
  }

  seal() {
    this.steps.seal();
  }

  go(way) {
    if (this.editor.drag) return;
    const bars = this.steps.go(way);
    if (!bars) return;
    const { svg } = this.editor;
    const focus = svg.contains(document.activeElement) ? this.editor.indexOf(document.activeElement) : -1;
    this.editor.put(bars);
    this.show();
    // The bar that had the focus may be gone, and the keys would lead nowhere.
    if (focus >= 0) {
      if (bars.length) this.editor.focus(Math.min(focus, bars.length - 1));
      else this.buttons[this.steps.behind ? -1 : 1].focus();
    }
    const words = way < 0 ? gettext("Undone. Bars now: %s.") : gettext("Done again. Bars now: %s.");
    this.onSay(interpolate(words, [bars.length]));
  }

  key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.defaultPrevented) return;
    const letter = event.key.toLowerCase();
    const way = letter === "z" ? (event.shiftKey ? 1 : -1) : letter === "y" && !event.shiftKey ? 1 : 0;
    // Where somebody types, the browser undoes the typing.
    if (!way || !this.editor.enabled || !this.buttons[1].offsetParent || event.target.closest?.(TYPING)) return;
    event.preventDefault();
    this.go(way);
  }

  show() {
    // Not `disabled`: a button must not lose the focus when its last step is done.
    this.buttons[-1].setAttribute("aria-disabled", String(!this.steps.behind));
    this.buttons[1].setAttribute("aria-disabled", String(!this.steps.ahead));
  }
}
