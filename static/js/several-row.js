// One of many pictures as a row: what it looks like, how far it is, why it was refused and what can be done about it.

const SIDE = 112; // pixels of the small picture, twice what is shown

const element = (name, className, text = "") => {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
};

function button(text, label, onClick) {
  const made = element("button", "button quiet small", text);
  made.type = "button";
  made.setAttribute("aria-label", label);
  made.addEventListener("click", onClick);
  return made;
}

/** The row of a picture called `name`, out of `folder`. */
export class Row {
  constructor(name, folder, { onRemove, onAgain }) {
    this.name = name;
    this.onAgain = onAgain;
    this.item = document.createElement("li");
    this.tile = element("span", "tile");
    this.state = element("span", "small muted state");
    this.progress = element("progress", "row-progress");
    this.progress.max = 1;
    this.progress.setAttribute("aria-label", interpolate(gettext("Sending %s"), [name]));
    const words = element("span", "row-words");
    const title = element("span", "filename", name);
    if (folder) title.prepend(element("span", "muted", `${folder} / `));
    words.append(title, this.state, this.progress);
    this.actions = element("span", "row-actions");
    this.actions.append(button(gettext("Remove"), interpolate(gettext("Remove %s"), [name]), onRemove));
    this.item.append(this.tile, words, this.actions);
    this.drawn = false;
    this.show("waiting", gettext("waiting"));
  }

  /** `kind` is waiting, sending, ready, warned or refused; `again` offers another try. */
  show(kind, text, again = false) {
    this.item.dataset.state = kind;
    this.state.textContent = text;
    this.state.classList.toggle("wrong", kind === "refused");
    this.state.classList.toggle("muted", kind !== "refused");
    // It keeps its place when it is not seen, so that no row moves.
    this.progress.classList.toggle("is-off", kind !== "sending");
    if (kind !== "sending") this.progress.removeAttribute("value");
    const offered = this.actions.querySelector("[data-again]");
    if (again && !offered) {
      const made = button(gettext("Try again"), interpolate(gettext("Try %s again"), [this.name]), this.onAgain);
      made.dataset.again = "";
      this.actions.prepend(made);
    } else if (!again && offered) {
      const focused = document.activeElement === offered;
      offered.remove();
      if (focused) this.actions.querySelector("button").focus();
    }
  }

  /** How much is on its way, 0 to 1; after that the site reads it. */
  sending(share) {
    const percent = Math.floor(share * 100);
    this.show("sending", share < 1 ? interpolate(gettext("being sent, %s%"), [percent]) : gettext("being read"));
    if (share < 1) this.progress.value = share;
    else this.progress.removeAttribute("value");
  }

  /** A small picture from a canvas or a bitmap, its middle if it is not square. */
  draw(source) {
    if (this.drawn) return;
    this.drawn = true;
    const canvas = document.createElement("canvas");
    canvas.width = SIDE;
    canvas.height = SIDE;
    const side = Math.min(source.width, source.height);
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "medium";
    pen.drawImage(source, (source.width - side) / 2, (source.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
    this.tile.replaceChildren(canvas);
  }

  /** The site's own small picture, for what this browser cannot draw or has forgotten. */
  load(address, onGone) {
    if (this.drawn) return;
    this.drawn = true;
    const image = new Image(SIDE / 2, SIDE / 2);
    image.alt = "";
    image.loading = "lazy";
    image.addEventListener("error", onGone);
    image.src = address;
    this.tile.replaceChildren(image);
  }

  /** Takes the row away; the focus stays in the list. */
  remove() {
    const next = this.item.nextElementSibling ?? this.item.previousElementSibling;
    const focused = this.item.contains(document.activeElement);
    this.item.remove();
    if (focused) next?.querySelector(".row-actions button:last-child").focus();
  }
}
