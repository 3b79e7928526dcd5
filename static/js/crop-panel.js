// What stands beside the picture about the box: which of bars and box is edited, buttons that place the box, and its
// numbers for those who type. The form's own field holds what is sent.

import { centred, CropEditor } from "./crop.js";
import { place } from "./crop-placement.js";

const percent = (share) => String(Math.round(share * 1000) / 10);

/** The box of the picture in `figure`; `bars` is the editor that shares the picture with it. */
export class CropPanel {
  constructor(form, figure, bars, { onChange }) {
    this.figure = figure;
    this.bars = bars;
    this.field = form.elements.crop;
    this.find = (name) => form.querySelector(`[data-${name}]`);
    this.inputs = [...form.querySelectorAll("[data-crop-number]")];
    this.tools = [...form.querySelectorAll("[data-tool]")];
    this.editor = new CropEditor(figure.querySelector(".covered"), {
      onChange: () => {
        this.told();
        onChange();
      },
      onSay: (text) => this.say(text),
    });
    for (const tool of this.tools) tool.addEventListener("change", () => this.use(tool.value));
    this.tools[0].checked = true;
    this.button("place", () => this.offered);
    this.button("centre", () => centred(this.editor.width, this.editor.height));
    this.button("whole", () => null);
    for (const input of this.inputs) {
      input.addEventListener("input", () => this.typed());
      input.addEventListener("change", () => this.told(true));
    }
  }

  /** A picture, with its box in fractions where one is known. */
  reset(canvas, fractions = null) {
    const { width, height } = canvas;
    this.offered = place(canvas);
    this.editor.start(width, height);
    this.editor.set(fractions ? this.editor.fromFractions(fractions) : this.offered);
    this.use(this.tools.find((tool) => tool.checked).value);
  }

  /** No picture: the site places the box on whatever is sent. */
  clear() {
    this.field.value = "";
  }

  say(text) {
    this.find("crop-says").textContent = text;
  }

  button(name, box) {
    this.find(`crop-${name}`).addEventListener("click", () => {
      this.editor.set(box());
      this.say(this.editor.describe());
    });
  }

  /** Which of the two is edited; the other is still seen. */
  use(tool) {
    const boxing = tool === "box";
    this.figure.classList.toggle("is-boxing", boxing);
    this.editor.enable(boxing);
    this.bars.enable(!boxing);
    for (const panel of ["bars", "crop"]) this.find(panel).hidden = (panel === "crop") !== boxing;
  }

  typed() {
    const [left, top, size] = this.inputs.map((input) => Number.parseFloat(input.value) / 100);
    if (![left, top, size].every(Number.isFinite)) return;
    const { width, height, short } = this.editor;
    this.editor.set({ left: left * width, top: top * height, side: size * short });
  }

  goesIn() {
    const { box, width, height, whole } = this.editor;
    if (!box) return gettext("The whole picture goes in, squeezed into a square.");
    if (whole) return gettext("The whole picture goes in.");
    return interpolate(
      gettext("Only the square goes in, %(side)s × %(side)s of %(width)s × %(height)s pixels. The dark part is left out."),
      { side: box.side, width, height },
      true,
    );
  }

  /** Writes down what the box is now. Where somebody is just typing stays as it is, until they are done. */
  told(all = false) {
    const { box, width, height, short, whole } = this.editor;
    this.field.value = JSON.stringify(this.editor.fractions);
    const numbers = box ? [box.left / width, box.top / height, box.side / short] : [0, 0, 1];
    this.inputs.forEach((input, at) => {
      if (all || input !== document.activeElement) input.value = percent(numbers[at]);
    });
    this.find("crop-numbers").hidden = !box;
    this.find("crop-whole").setAttribute("aria-pressed", String(whole));
    this.find("crop-size").textContent = this.goesIn();
  }
}
