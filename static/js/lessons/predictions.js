// "Before you look": a guess, and only then the answer and the figure. Whoever will not guess may go on as well. What was
// guessed stays until the tab is closed, so that a reload or the way back from the glossary hides nothing again.

const KEY = "convoscope.guesses";

function kept() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    return found && typeof found === "object" ? found : {};
  } catch {
    return {}; // Storage may be forbidden, or somebody else wrote there.
  }
}

function keep(name, value) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...kept(), [name]: value }));
  } catch {
    // See kept().
  }
}

for (const field of document.querySelectorAll("[data-predict]")) {
  const find = (part) => field.querySelector(`[data-${part}]`);
  const name = `${location.pathname} ${field.dataset.predict}`;
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
  const pressed = (value) => {
    keep(name, value);
    reveal(verdict(value));
    // The button that was pressed is gone; what follows it takes the focus.
    answer.querySelector("summary").focus();
  };
  const verdict = (value) => {
    const chosen = [...field.querySelectorAll("input")].find((input) => input.value === value);
    if (!chosen) return "";
    chosen.checked = true;
    const text = chosen.closest("label").textContent.trim();
    const right = value === field.dataset.right;
    return interpolate(right ? gettext("You guessed “%(text)s”, and so it is.")
      : gettext("You guessed “%(text)s”. It is not so."), { text }, true);
  };

  field.addEventListener("change", () => {
    say.disabled = false;
  });
  say.addEventListener("click", () => pressed(field.querySelector("input:checked").value));
  find("skip").addEventListener("click", () => pressed(""));
  if (name in kept()) reveal(verdict(kept()[name]));
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
