// Layers as a sentence names them; the page brings the words along (learn/figures/layer_names.py).

const element = document.getElementById("laboratory-layers");
const names = element ? JSON.parse(element.textContent) : {};

/** "block1/conv1" -> "block 1, convolution 1" */
export const spoken = (name) => names[name] ?? name;

/** The same at the beginning of a sentence. */
export function titled(name) {
  const text = spoken(name);
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
