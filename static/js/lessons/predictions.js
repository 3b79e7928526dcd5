// "Before you look": a guess, and only then the answer and the figure. Whoever will not guess may go on as well.

for (const field of document.querySelectorAll("[data-predict]")) {
  const find = (name) => field.querySelector(`[data-${name}]`);
  const answer = find("answer");
  const revealed = document.querySelectorAll(`[data-after-guess="${field.dataset.predict}"]`);
  const say = find("say");
  const buttons = find("buttons");
  buttons.hidden = false;
  answer.hidden = true;
  for (const one of revealed) one.hidden = true;

  const reveal = (sentence) => {
    answer.hidden = false;
    answer.open = true;
    find("verdict").textContent = sentence;
    buttons.hidden = true;
    for (const input of field.querySelectorAll("input")) input.disabled = true;
    for (const one of revealed) one.hidden = false;
    // The button that was pressed is gone; what follows it takes the focus.
    answer.querySelector("summary").focus();
  };

  field.addEventListener("change", () => {
    say.disabled = false;
  });
  say.addEventListener("click", () => {
    const chosen = field.querySelector("input:checked");
    const text = chosen.closest("label").textContent.trim();
    const right = chosen.value === field.dataset.right;
    reveal(interpolate(right ? gettext("You guessed “%(text)s”, and so it is.")
      : gettext("You guessed “%(text)s”. It is not so."), { text }, true));
  });
  find("skip").addEventListener("click", () => reveal(""));
}

// On paper nothing waits to be opened.
const opened = new Set();

addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("[data-after-guess][hidden]")) {
    one.hidden = false;
    opened.add(() => {
      one.hidden = true;
    });
  }
  for (const one of document.querySelectorAll("[data-solved] [data-reason]:not([open])")) {
    one.open = true;
    opened.add(() => {
      one.open = false;
    });
  }
});
addEventListener("afterprint", () => {
  for (const close of opened) close();
  opened.clear();
});
