// A short message in the polite status region of base.html, with at most one action (such as "Undo").

const DEFAULT_SECONDS = 6;

/**
 * Shows `message`; returns a function that takes it away. With `action` (the button's words) and `onAction` the
 * toast carries a button. It goes after `seconds`, but never while the pointer or the focus is on it.
 */
export function toast(message, { action = "", onAction = null, seconds = DEFAULT_SECONDS } = {}) {
  const region = document.getElementById("toasts");
  if (!region) return () => {};

  const box = document.createElement("div");
  box.className = "toast";
  const text = document.createElement("span");
  text.textContent = message;
  box.append(text);

  let timer = 0;
  const remove = () => {
    clearTimeout(timer);
    box.remove();
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(remove, seconds * 1000);
  };
  const hold = () => clearTimeout(timer);

  if (action && onAction) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = action;
    button.addEventListener("click", () => {
      remove();
      onAction();
    });
    box.append(button);
  }

  box.addEventListener("pointerenter", hold);
  box.addEventListener("pointerleave", wait);
  box.addEventListener("focusin", hold);
  box.addEventListener("focusout", wait);
  region.append(box);
  wait();
  return remove;
}
