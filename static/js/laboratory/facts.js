// What a figure shows, for whoever grades it: a lesson around its frame (in-lesson.js), or nobody.

let facts = {};

/** Says what the figure shows now; `more` joins what was said before. Plain values only: they leave the page. */
export function tell(more) {
  facts = { ...facts, ...more };
  document.dispatchEvent(new CustomEvent("facts", { detail: facts }));
}

/** All that was said so far. */
export const told = () => facts;
