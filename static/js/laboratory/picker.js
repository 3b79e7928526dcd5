// Native controls kept in step with the address: a network, one of its layers, one of a layer's channels, or anything.

/**
 * Ties a form control (or a group of radio buttons) to a key of the address: what is chosen is set, what is set is shown.
 * `read(control)` gives the value; by default that of the key's type. Returns a function that shows the state again.
 */
export function bind(control, address, key, { event = "change", read = null } = {}) {
  const group = control instanceof HTMLInputElement || control instanceof HTMLSelectElement ? null
    : [...control.querySelectorAll("input[type=radio]")];
  const show = () => {
    const value = address.get()[key];
    if (group) for (const one of group) one.checked = one.value === String(value);
    else if (control.type === "checkbox") control.checked = Boolean(value);
    // A half-typed number is not overwritten by what the address made of it.
    else if (document.activeElement !== control || control.type !== "number") control.value = String(value);
  };
  control.addEventListener(event, (occurrence) => {
    const source = group ? occurrence.target : control;
    const value = read ? read(source) : valueOf(source, typeof address.get()[key]);
    if (value === undefined) return;
    address.set({ [key]: value });
    show();
  });
  if (control.type === "number") control.addEventListener("blur", () => { control.value = String(address.get()[key]); });
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

/** A <select> of networks whose names are the key "network" of the address. */
export function networks(select, address, list) {
  select.replaceChildren(...list.map((one) => new Option(one.title, one.name)));
  return bind(select, address, "network");
}

/**
 * Fills a <select> with a network's layers, grouped by block, and shows `chosen`. `which(layer)` says which layers are
 * offered. Call it again for another network; tie the <select> to the address once, by `bind(select, address, "layer")`.
 */
export function layers(select, structure, chosen, which = () => true) {
  const groups = new Map();
  for (const layer of structure.layers.filter(which)) {
    const [group, own] = parts(layer.name);
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(new Option(own, layer.name));
  }
  const made = [...groups].map(([label, options]) => {
    if (!label) return options;
    const group = document.createElement("optgroup");
    group.label = label;
    group.append(...options);
    return [group];
  });
  select.replaceChildren(...made.flat());
  select.value = chosen;
}

/** "group1/block2/conv1" -> ["group1/block2", "conv1"] */
function parts(name) {
  const cut = name.lastIndexOf("/");
  return cut < 0 ? ["", name] : [name.slice(0, cut), name.slice(cut + 1)];
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
