// A figure in the frame of a lesson: the lesson around it hears how tall the figure is, so that nothing scrolls inside it,
// and what it shows, so that tasks are graded by it (static/js/lessons/frames.js).

import { told } from "./facts.js";
import { subject } from "./subject.js";

const send = (message) => parent.postMessage({ convoscope: true, ...message }, location.origin);

const sayHeight = () => send({ height: Math.ceil(document.documentElement.getBoundingClientRect().height) });
const sayFacts = () => send({ facts: { ...told(), on: subject?.pictured ? subject.on : "" } });

/** What leads away from the figure gets a tab of its own: nothing else of this site may stand in a frame. */
function openOutside(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || (link.origin === location.origin && link.pathname === location.pathname)) return;
  link.target = "_blank";
  link.rel = "noopener";
}

if (parent !== window) {
  addEventListener("click", openOutside, { capture: true });
  new ResizeObserver(sayHeight).observe(document.documentElement);
  document.addEventListener("facts", sayFacts);
  // A lesson that was slower than its figure asks.
  addEventListener("message", ({ origin, source, data }) => {
    if (origin === location.origin && source === parent && data?.convoscope) {
      sayHeight();
      sayFacts();
    }
  });
  sayHeight();
  sayFacts();
}
