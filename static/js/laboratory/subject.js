// What is looked at, as the page's JSON says: the picture, its bars, the networks and what each of them answered.
//
//   {on, kind: "sample" | "prediction", title, alt, image, thumbnail, width, height, bars, crop, covered,
//    networks: [{name, title, version, size, temperature: {clean, covered}, labels, structure, base,
//                answers: {clean: [{index, label, probability}], covered: [...] | null}}],
//    explanations, embed, full, pictured}
//
// `covered` says whether there are bars. Answers are those that were served, by the quantised network; `answers` of a
// network that has not answered are empty. `full` is the address of the page that an embedded frame stands for. `pictured` is
// false for a figure that shows nothing about the picture.

const element = document.getElementById("laboratory-subject");

export const subject = element ? JSON.parse(element.textContent) : null;

/** The network called `name`, or the first one when there is none of that name. */
export function networkNamed(name) {
  return subject.networks.find((one) => one.name === name) ?? subject.networks[0];
}
