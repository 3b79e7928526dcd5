// What is changed in a network, as values that are replaced and never written into, and their history. An operation is
// {edits: [{layer, out, in, kernel}], mutes: {layer: [channels]}}; learn/surgery_text.py says how an address holds it.

const PLACES = 6;
const MERGE = 900; // ms; what is dragged or typed in one go is one step back
const MOST_STEPS = 200;

export const NOTHING = { edits: [], mutes: {} };

const dots = (name) => name.replaceAll("/", ".");
const rounded = (value) => Number(value.toFixed(PLACES));

export const isNothing = ({ edits, mutes }) => !edits.length && !Object.keys(mutes).length;

export function writeEdits({ edits }) {
  return edits.map((edit) => `${dots(edit.layer)}:${edit.out}:${edit.in}:${edit.kernel.map((one) => String(rounded(one))).join(",")}`).join(";");
}

export function writeMutes({ mutes }) {
  return Object.entries(mutes).map(([layer, channels]) => `${dots(layer)}:${ranges(channels)}`).join(";");
}

/** [3, 4, 5, 9] -> "3-5,9" */
export function ranges(channels) {
  const runs = [];
  for (const one of [...channels].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && one === run[1] + 1) run[1] = one;
    else runs.push([one, one]);
  }
  return runs.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(",");
}

const isAt = (place) => (edit) => edit.layer === place.layer && edit.out === place.out && edit.in === place.in;

/** The edit of the kernel at `place` ({layer, out, in}), or undefined. */
export const editAt = ({ edits }, place) => edits.find(isAt(place));

/** The operation with this kernel in its place; the trained one takes the edit back. */
export function withKernel(operation, place, kernel, trained) {
  const others = operation.edits.filter((edit) => !isAt(place)(edit));
  const same = kernel.every((one, i) => rounded(one) === rounded(trained[i]));
  if (same) return { ...operation, edits: others };
  const edit = { layer: place.layer, out: place.out, in: place.in, kernel: kernel.map(rounded) };
  const at = operation.edits.findIndex(isAt(place));
  const edits = [...operation.edits];
  if (at < 0) edits.push(edit);
  else edits[at] = edit;
  return { ...operation, edits };
}

/** The operation without the edit at this place. */
export const withoutEdit = (operation, place) => ({ ...operation, edits: operation.edits.filter((edit) => !isAt(place)(edit)) });

/** The operation with exactly these channels of a layer muted. */
export function withMutes(operation, layer, channels) {
  const mutes = { ...operation.mutes };
  if (channels.length) mutes[layer] = [...new Set(channels)].sort((a, b) => a - b);
  else delete mutes[layer];
  return { ...operation, mutes };
}

/**
 * Steps back and forward. `what` names the control that changed something: its changes in quick succession are one step.
 * Null names none.
 */
export class History {
  constructor(first) {
    this.steps = [first];
    this.at = 0;
    this.what = null;
    this.when = -Infinity;
  }

  get now() {
    return this.steps[this.at];
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.steps.length - 1;
  }

  push(operation, what) {
    const time = performance.now();
    const merges = what !== null && what === this.what && time - this.when < MERGE && this.at > 0 && !this.canRedo;
    this.steps.length = this.at + 1;
    if (merges) this.steps[this.at] = operation;
    else this.steps.push(operation);
    if (this.steps.length > MOST_STEPS) this.steps.shift();
    this.at = this.steps.length - 1;
    this.what = what;
    this.when = time;
  }

  undo() {
    this.what = null;
    if (this.canUndo) this.at -= 1;
    return this.now;
  }

  redo() {
    this.what = null;
    if (this.canRedo) this.at += 1;
    return this.now;
  }
}
