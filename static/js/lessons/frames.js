// The laboratory's figures in a lesson: as tall as what they show, all of them on the picture that was chosen last in one of
// them (the lesson's address holds it), and their facts for the tasks.

const frames = new Map(); // window -> {element, iframe, facts, on: what it looks at, "" for no picture}

/** What the figure called `name` shows now; null while it has said nothing. */
export function factsOf(name) {
  for (const { element, facts } of frames.values()) if (element.dataset.figure === name) return facts;
  return null;
}

function ask(iframe) {
  // Where a figure did not load there stands the browser's own page, which is nobody to ask.
  if (iframe.contentDocument) iframe.contentWindow.postMessage({ convoscope: true }, location.origin);
}

function find() {
  for (const element of document.querySelectorAll("[data-figure]")) {
    const iframe = element.querySelector("iframe");
    const frame = { element, iframe, facts: null, on: null, isLeaving: false };
    frames.set(iframe.contentWindow, frame);
    iframe.addEventListener("load", () => {
      frame.isLeaving = false;
      frame.facts = null;
      ask(iframe);
    });
    ask(iframe);
  }
}

/** Shows the picture that was chosen in one figure in the others as well, and when the page is loaded again. */
function follow(chosen, on) {
  const here = new URL(location.href);
  here.searchParams.set("on", on);
  history.replaceState(history.state, "", here);
  for (const frame of frames.values()) {
    if (frame === chosen || frame.on === on || frame.on === "") continue;
    const source = new URL(frame.iframe.src);
    source.searchParams.set("on", on);
    // In place, so that Back leaves the lesson; until it has gone the figure still tells of the picture before.
    Object.assign(frame, { on, facts: null, isLeaving: true });
    frame.iframe.contentWindow.location.replace(source.href);
  }
}

addEventListener("message", ({ origin, source, data }) => {
  const frame = frames.get(source);
  if (origin !== location.origin || !frame || !data?.convoscope) return;
  if (Number.isFinite(data.height)) frame.iframe.style.height = `${data.height}px`;
  if (!data.facts || frame.isLeaving) return;
  frame.facts = data.facts;
  const { on } = data.facts;
  const isNew = frame.on !== null && on && frame.on !== on;
  frame.on = on;
  if (isNew) follow(frame, on);
});

find();
