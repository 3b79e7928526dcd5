// The example on the home page. Wide screens show the picture without and with its black bar side by side; on
// narrow ones this switch lays the bar over the picture and takes it away. Without JavaScript both stay in sight.

for (const example of document.querySelectorAll("[data-example]")) {
  const control = example.querySelector("[data-example-switch]");
  const status = example.querySelector("[data-example-status]");
  const show = (name) => {
    example.dataset.showing = name;
    control.setAttribute("aria-checked", String(name === "covered"));
  };

  control.hidden = false;
  show("clean");
  control.addEventListener("click", () => {
    show(example.dataset.showing === "clean" ? "covered" : "clean");
    status.textContent = example.querySelector(`[data-example-view="${example.dataset.showing}"]`).dataset.exampleSays;
  });
}
