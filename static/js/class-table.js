// A long table with a class to a row: its heads sort it, a field finds classes by a part of their name.

const collator = new Intl.Collator(document.documentElement.lang || undefined, { sensitivity: "base", numeric: true });

/** A cell's number, or its text; what has no digit in a column of numbers comes last. */
function valueOf(cell) {
  const digits = cell.textContent.match(/\d+([.,]\d+)?/);
  return digits ? Number(digits[0].replace(",", ".")) : Number.NEGATIVE_INFINITY;
}

function sort(table, index, descending) {
  const body = table.tBodies[0];
  const named = index === 0;
  const rows = [...body.rows].sort((a, b) => {
    const [x, y] = [a.cells[index], b.cells[index]];
    const order = named ? collator.compare(x.textContent, y.textContent) : valueOf(x) - valueOf(y);
    return descending ? -order : order;
  });
  body.append(...rows);
  [...table.tHead.rows[0].cells].forEach((head, i) => {
    if (i === index) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
}

for (const holder of document.querySelectorAll("[data-class-table]")) {
  const table = holder.querySelector("table");
  [...table.tHead.rows[0].cells].forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // Names begin with A, numbers with the lowest: the hardest class is what one looks for.
      sort(table, index, head.getAttribute("aria-sort") === "ascending");
    });
  });

  const field = holder.querySelector("[data-filter]");
  const found = holder.querySelector("[data-found]");
  field.hidden = false;
  field.querySelector("input").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLocaleLowerCase();
    let count = 0;
    for (const row of table.tBodies[0].rows) {
      row.hidden = !row.cells[0].textContent.toLocaleLowerCase().includes(wanted);
      if (!row.hidden) count += 1;
    }
    found.textContent = interpolate(ngettext("%s class", "%s classes", count), [count]);
  });
}
