// What a figure shows, for whoever grades it: a lesson around its frame (in-lesson.js), or nobody.

let facts = { complete: false, failed: false };

/**
 * Says what the figure shows now; `more` joins what was said before. Plain values only: they leave the page. `complete` is
 * false while something is still being computed, and `failed` true where it could not be.
 */
export function tell(more) {
  facts = { ...facts, ...more };
  document.dispatchEvent(new CustomEvent("facts", { detail: facts }));
}

/** All that was said so far. */
export const told = () => facts;
