// The explorer of confusions in the laboratory: what it shows stands in the address, pairs in the tables lead to it, and a lesson
// is told the counts.

import "../confusion.js";
import { tell } from "./facts.js";

/** Ties the first explorer of `root` to the keys `truth` and `taken` of the address; others are moved by hand only. */
export function tieConfusions(root, address) {
  const explorer = root.querySelector("[data-confusion]");
  tell({ truth: null, taken: null, pairs: [] });
  if (!explorer) return;

  let isFollowing = false; // it shows what the address says already

  const show = () => {
    const { truth, taken } = address.get();
    if (truth === "") return;
    const detail = { truth: Number(truth), answer: taken === "" ? -1 : Number(taken) };
    isFollowing = true;
    explorer.dispatchEvent(new CustomEvent("confuse", { detail }));
    isFollowing = false;
  };

  explorer.addEventListener("confusion", ({ detail: { truth, answer, networks } }) => {
    tell({ truth, taken: answer, pairs: networks });
    if (!isFollowing) address.set({ truth: String(truth), taken: String(answer) });
  });

  for (const link of root.querySelectorAll("[data-pair]")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const [truth, taken] = link.dataset.pair.split(" ");
      address.set({ truth, taken }, { step: true });
      explorer.scrollIntoView({ block: "nearest" });
    });
  }

  address.onChange((_, changed) => {
    if (changed.has("truth") || changed.has("taken")) show();
  });
  show();
}
