// "Before you look": a guess, and only then the answer, the figure and its tasks. Whoever will not guess may go on as well. What
// was guessed stays until the tab is closed, so that a reload or the way back from the glossary hides nothing again.

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

/** What waits for a guess: whatever names it, and the tasks of the figures among that. */
function waitingFor(guess) {
  const named = [...document.querySelectorAll(`[data-after-guess="${guess}"]`)];
  const figures = named.map((one) => one.dataset.figure).filter(Boolean);
  const tasks = [...document.querySelectorAll("[data-task]")].filter((one) => figures.includes(one.dataset.of));
  return new Set([...named, ...tasks]);
}

/** A sentence about the figure and the tasks among what has come up; "" where there are none. */
function cameUp(elements) {
  const count = elements.filter((one) => one.dataset.task).length;
  const hasFigure = elements.some((one) => one.dataset.figure);
  if (!count) return hasFigure ? gettext("The figure follows below.") : "";
  return interpolate(hasFigure
    ? ngettext("The figure and its task follow below.", "The figure and its %(count)s tasks follow below.", count)
    : ngettext("A task follows below.", "%(count)s tasks follow below.", count), { count }, true);
}

const fields = [...document.querySelectorAll("[data-predict]")];
const waiting = new Map(fields.map((field) => [field, waitingFor(field.dataset.predict)]));
const pending = new Map(); // element -> how many guesses it still waits for

for (const one of [...waiting.values()].flatMap((elements) => [...elements])) {
  pending.set(one, (pending.get(one) ?? 0) + 1);
  one.hidden = true;
}

/** One guess less to wait for; returns whether it was the last one. */
function release(one) {
  pending.set(one, pending.get(one) - 1);
  one.hidden = pending.get(one) > 0;
  return !one.hidden;
}

for (const field of fields) {
  const find = (part) => field.querySelector(`[data-${part}]`);
  const name = `${location.pathname} ${field.dataset.predict}`;
  const answer = find("answer");
  const say = find("say");
  const buttons = find("buttons");
  buttons.hidden = false;
  answer.hidden = true;

  const reveal = (sentence) => {
    answer.hidden = false;
    answer.open = true;
    buttons.hidden = true;
    for (const input of field.querySelectorAll("input")) input.disabled = true;
    const shown = [...waiting.get(field)].filter(release);
    find("verdict").textContent = `${sentence} ${cameUp(shown)}`.trim();
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

const closers = new Set();

/** On paper nothing waits to be opened; only answers that nobody has seen stay away. */
export function openForPaper() {
  for (const one of [...pending.keys()].filter(({ hidden }) => hidden)) {
    one.hidden = false;
    closers.add(() => {
      one.hidden = pending.get(one) > 0;
    });
  }
  for (const one of document.querySelectorAll("[data-solved] [data-reason]:not([open])")) {
    one.open = true;
    closers.add(() => {
      one.open = false;
    });
  }
}

/** Takes back what `openForPaper` did. */
export function closeAgain() {
  for (const close of closers) close();
  closers.clear();
}
