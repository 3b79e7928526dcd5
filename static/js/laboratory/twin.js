// A figure in words, for those who hear the page and to be read by all. It is said at most twice a second, and the last
// thing that was to be said is always said.

const APART = 500;

/** `say(text)` puts a sentence into `element`, a live region that everybody sees. */
export function twin(element) {
  element.setAttribute("role", "status");
  element.setAttribute("aria-live", "polite");
  let last = -Infinity;
  let timer = 0;
  let next = "";

  const speak = () => {
    timer = 0;
    last = performance.now();
    if (element.textContent !== next) element.textContent = next;
  };

  return {
    say(text) {
      next = text;
      if (timer) return;
      const wait = last + APART - performance.now();
      if (wait <= 0) speak();
      else timer = setTimeout(speak, wait);
    },
  };
}
