// The class that a figure begins with, and the numbers that classes have in each network.

import { explain } from "./jobs.js";
import { subject } from "./subject.js";

const first = subject.networks[0];

/** The number that a class of the first network has in another one, by its name; -1 where that does not know it. */
export function indexIn(network, index) {
  return network === first || index < 0 ? index : network.labels.indexOf(first.labels[index]);
}

/** The class to ask a network about: null stands for its likeliest, as which the sample pictures' were asked. */
export function asLikeliest(network, index) {
  return index === network.answers.clean[0]?.index ? null : index;
}

/**
 * The likeliest class of the picture, in the first network's numbers: as the page knows it (`known`, or -1), else asked for
 * now. 0 where nobody answers: then the first map or curve will say why.
 */
export async function likeliest(known) {
  if (known >= 0 || new URLSearchParams(location.search).has("class")) return Math.max(0, known);
  try {
    const { result } = await explain("answers", first);
    return result.clean[0][0];
  } catch {
    return 0;
  }
}
