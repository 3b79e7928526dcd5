// The light, dark or system switch in the footer. base.html applies the stored choice before the first paint;
// this module shows the switch (without JavaScript it could do nothing) and keeps what is chosen.

const KEY = "theme";

function read() {
  try {
    // The admin keeps its own choice under the same key, and says "auto" for what is "system" here.
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system"; // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

function keep(choice) {
  try {
    if (choice === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    // See read().
  }
}

function apply(choice) {
  if (choice === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
}

const control = document.querySelector("[data-theme-switch]");

if (control) {
  const check = (choice) => {
    for (const input of control.querySelectorAll("input")) input.checked = input.value === choice;
  };
  check(read());
  control.hidden = false;
  control.addEventListener("change", (event) => {
    keep(event.target.value);
    apply(event.target.value);
  });
  // Another tab may have changed it.
  addEventListener("storage", (event) => {
    if (event.key !== KEY) return;
    apply(read());
    check(read());
  });
}
