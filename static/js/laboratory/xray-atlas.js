// What excites a channel: the patches of the site's sample pictures at which it is largest, from the network's atlas.

import { number } from "../numbers.js";
import { subject } from "./subject.js";
import { dotted, npy } from "./tensors.js";
import { el } from "./xray-dom.js";
import { receptive } from "./xray-scan.js";
import { digitsFor, fill, layerNamed } from "./xray-text.js";

const KINDS = ["relu", "add"]; // layers that have places, see ml/explain/atlas.py
const LEAST = 12; // pixels of the picture that a patch shows at least, so that one sees where a small one lies
const MARGIN = 2; // pixels of the picture around what the cell can depend on
const DRAWN = 144; // pixels of a canvas a side

const element = document.getElementById("xray-atlas");

/** network -> {base, samples: [{name, title}]}; without an entry its atlas was not made yet. */
const atlases = element ? JSON.parse(element.textContent) : {};

/** The layer with places whose channels are those of layer `name`, as `atlas_layer` in ml/explain/atlas.py; null without one. */
function atlasLayer(structure, name) {
  const layer = structure.layer(name);
  if (KINDS.includes(layer.kind)) return name;
  if (["max_pool", "average_pool"].includes(layer.kind)) return atlasLayer(structure, layer.inputs[0]);
  const readers = structure.readers(name);
  const passed = readers.length === 1 && ["batch_normalisation", "relu"].includes(readers[0].kind);
  return passed ? atlasLayer(structure, readers[0].name) : null;
}

/**
 * What is known of the channels of a layer: {says} alone where nothing is, else {says, patches(channel)}, a list of
 * {name, title, y, x, value, text, layer}, the strongest first. Throws a Problem.
 */
export async function excitement(scan, name) {
  const known = atlases[scan.info.name];
  const layer = atlasLayer(scan.structure, name);
  if (!layer) return { says: gettext("What excites a channel most is known of ReLUs and additions, and of what leads straight to them.") };
  if (!known) return { says: gettext("What excites the channels most was not looked for yet. It is with the next release of this site.") };
  const { data, shape: [, count, parts] } = await npy(`${known.base}places/${dotted(layer)}.npy`);
  const digits = digitsFor(scan.layer(layer).scale);
  const patches = (channel) => Array.from({ length: count }, (_, i) => {
    const [sample, y, x, value] = data.subarray((channel * count + i) * parts, (channel * count + i + 1) * parts);
    const { name: sampleName, title } = known.samples[sample];
    return { sample, name: sampleName, title, y, x, value, layer, channel, text: `${title}, ${number(value, digits)}` };
  }).filter(({ value }) => value > 0);
  const says = fill(gettext("Patches of this site’s sample pictures that excite a channel most, after %(layer)s. Solid: the cell. Dashed: all that it can depend on."),
    { layer: layerNamed(scan.info.name, layer).full });
  return { says, patches };
}

/** What excites a channel, in a sentence. */
export function excitementText(patches) {
  return patches.length
    ? fill(gettext("Of the sample pictures these excite it most: %(pictures)s."), { pictures: patches.map(({ text }) => text).join("; ") })
    : gettext("None of the sample pictures excites it.");
}

/** The patches of a channel side by side; `links`: each leads to its sample picture, at its place. */
export function patchRow(scan, patches, { links = false } = {}) {
  return el("span", { className: "xray-patches" }, ...patches.map((patch) => {
    const canvas = el("canvas", { className: "xray-patch", width: DRAWN, height: DRAWN });
    draw(scan, canvas, patch);
    if (!links || subject.embed) {
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", patch.text);
      canvas.title = patch.text;
      return links ? el("span", { className: "xray-patch-link" }, canvas, caption(patch)) : canvas;
    }
    canvas.setAttribute("aria-hidden", "true");
    return el("a", { className: "xray-patch-link", href: addressOf(scan, patch) }, canvas, caption(patch));
  }));
}

const caption = ({ text }) => el("span", { className: "small", textContent: text });

/** The sample's own X-ray, at the cell of the patch. */
function addressOf(scan, { name, y, x, layer, channel }) {
  return `?${new URLSearchParams({ on: `sample:${name}`, network: scan.info.name, layer, channel, y, x })}`;
}

const pictures = new Map();

/** What a network saw of all sample pictures, side by side. */
function pictureOf(network) {
  if (!pictures.has(network)) {
    const image = new Image();
    image.src = `${atlases[network].base}pictures.png`;
    const loaded = image.decode().then(() => image);
    pictures.set(network, loaded);
    loaded.catch(() => pictures.delete(network));
  }
  return pictures.get(network);
}

/** The square of the picture that a patch shows: what the cell can depend on and a little around it, in pixels. */
export function patchBox(field, size) {
  const side = Math.min(size, Math.max(LEAST, field.bottom - field.top + 2 * MARGIN, field.right - field.left + 2 * MARGIN));
  const from = (low, high) => Math.min(size - side, Math.max(0, Math.round((low + high - side) / 2)));
  return { left: from(field.left, field.right), top: from(field.top, field.bottom), side };
}

async function draw(scan, canvas, { sample, y, x, layer }) {
  const { size } = scan.info;
  const field = receptive(scan.structure, layer, y, x);
  const { left, top, side } = patchBox(field, size);
  let image;
  try {
    image = await pictureOf(scan.info.name);
  } catch {
    return; // Its words stand beside it, or are its label.
  }
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.drawImage(image, sample * size + left, top, side, side, 0, 0, DRAWN, DRAWN);
  const [, rows, columns] = scan.structure.layer(layer).shape;
  const frame = (box, dash) => {
    const zoom = DRAWN / side;
    const at = [(box.left - left) * zoom + 2, (box.top - top) * zoom + 2];
    const span = [(box.right - box.left) * zoom - 4, (box.bottom - box.top) * zoom - 4];
    // Bright below dark: it stands out on every colour.
    for (const [colour, width, dashes] of [["#fff", 4, []], ["#000", 2, dash]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.setLineDash(dashes);
      pen.strokeRect(...at, ...span);
    }
  };
  frame(field, [8, 6]);
  frame({ left: (x * size) / columns, right: ((x + 1) * size) / columns, top: (y * size) / rows, bottom: ((y + 1) * size) / rows }, []);
  canvas.dataset.drawn = `${field.left} ${field.top} ${field.right} ${field.bottom}`;
}
