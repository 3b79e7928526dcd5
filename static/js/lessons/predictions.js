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
