// Native controls kept in step with the address: a network, one of its layers, one of a layer's channels, or anything.

const TOGETHER = 1000; // ms; who turns through a list with the arrow keys goes one step

/**
 * Says of each choice of one control whether it is a step that the browser's Back undoes. What follows another choice
 * closely is a part of that one's step: browsers also refuse hundreds of steps.
 */
export function stepping() {
  let last = -Infinity;
  return () => {
    const now = performance.now();
    const isStep = now - last > TOGETHER;
    last = now;
    return isStep;
  };
}

/**
 * Ties a form control (or a group of radio buttons) to a key of the address: what is chosen is set, what is set is shown.
 * `read(control)` gives the value; by default that of the key's type. `first` is how people count what the address
 * counts from 0. A choice among names is a step to which Back returns, numbers and sliders only move something. Returns a
 * function that shows the state again.
 */
export function bind(control, address, key, { event = "change", read = null, first = 0 } = {}) {
  const group = control instanceof HTMLInputElement || control instanceof HTMLSelectElement ? null
    : [...control.querySelectorAll("input[type=radio]")];
  const steps = group || control instanceof HTMLSelectElement ? stepping() : () => false;
  const written = () => String(first ? address.get()[key] + first : address.get()[key]);
  const show = () => {
    const value = address.get()[key];
    if (group) for (const one of group) one.checked = one.value === String(value);
    else if (control.type === "checkbox") control.checked = Boolean(value);
    // A half-typed number is not overwritten by what the address made of it.
    else if (document.activeElement !== control || control.type !== "number") control.value = written();
  };
  control.addEventListener(event, (occurrence) => {
    const source = group ? occurrence.target : control;
    const value = read ? read(source) : valueOf(source, typeof address.get()[key]);
    if (value === undefined) return;
    address.set({ [key]: first ? value - first : value }, { step: steps() });
    show();
  });
  if (control.type === "number") control.addEventListener("blur", () => { control.value = written(); });
  address.onChange((_, changed) => {
    if (changed.has(key)) show();
  });
  show();
  return show;
}

function valueOf(control, type) {
  if (control.type === "checkbox") return control.checked;
  if (type !== "number") return control.value;
  return control.value.trim() === "" || !Number.isFinite(Number(control.value)) ? undefined : Number(control.value);
}

/**
 * Fills a <select> with a network's layers and shows `chosen`. `which(layer)` says which layers are offered, `named(name)`
 * what a reader calls one: its whole name, since a closed list does not show to which group it belongs.
 */
export function layers(select, structure, chosen, which, named) {
  select.replaceChildren(...structure.layers.filter(which).map(({ name }) => new Option(named(name), name)));
  select.value = chosen;
}

/** Lets a number input choose among `count` channels, numbered from 0 as in the files. */
export function channels(input, count, chosen) {
  input.type = "number";
  input.min = "0";
  input.max = String(count - 1);
  input.step = "1";
  input.inputMode = "numeric";
  if (document.activeElement !== input) input.value = String(chosen);
}

/** A whole number within 0 and `count` - 1, the nearest to `value`; 0 for what is no number. */
export function within(value, count) {
  if (!Number.isFinite(value)) return 0;
  return Math.min(count - 1, Math.max(0, Math.round(value)));
}
