// The channels of a layer as the X-ray knows them: in the order of their energy, the eight strongest as a strip of maps, the
// others derived in the page when they are asked for.

import { paint, reach, signed } from "./colours.js";
import { channelOf, dotted, npy } from "./tensors.js";

const IN_STRIP = 8;
const strips = new Map(); // address -> the picture

/** [{channel, energy, rank}] of a layer, the strongest first. `source`: {explanation, activations}. Throws a Problem. */
export async function channels({ explanation }, layer) {
  const { data, shape: [, count] } = await npy(explanation.url(`channels/${dotted(layer)}.npy`));
  return Array.from({ length: count }, (_, rank) => {
    const channel = data[rank];
    return { channel, rank, energy: data[count + channel] };
  });
}

/** Paints one channel's map. */
export async function paintChannel(canvas, { explanation, activations, side }, layer, { channel, rank }) {
  if (rank < IN_STRIP) {
    const strip = await stripOf(explanation.url(`strips/${dotted(layer)}.png`));
    const [columns, rows] = [Math.min(IN_STRIP, explanation.counts?.[layer] ?? IN_STRIP), side === "covered" ? 1 : 0];
    // Between two maps lies one pixel.
    const size = (strip.naturalWidth + 1) / columns - 1;
    canvas.width = size;
    canvas.height = size;
    canvas.getContext("2d").drawImage(strip, rank * (size + 1), rows * (size + 1), size, size, 0, 0, size, size);
    return;
  }
  const map = channelOf(await activations.value(layer), channel);
  paint(canvas, map, reach(map.data), signed);
}

function stripOf(url) {
  if (!strips.has(url)) {
    const image = new Image();
    image.src = url;
    strips.set(url, image.decode().then(() => image));
  }
  return strips.get(url);
}
