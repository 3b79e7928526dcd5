// One row of a list of answers, as static/css/answers.css draws it: a name, a bar and a number.

const SVG = "http://www.w3.org/2000/svg";

/** An <li> for an <ol class="answer-list">; `share` (0 to 1) is the length of the bar, `text` stands beside it. */
export function answerRow(label, share, text) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  name.className = "answer-label";
  name.textContent = label;
  const bar = document.createElementNS(SVG, "svg");
  bar.setAttribute("class", "answer-bar");
  bar.setAttribute("viewBox", "0 0 100 1");
  bar.setAttribute("preserveAspectRatio", "none");
  bar.setAttribute("aria-hidden", "true");
  const length = document.createElementNS(SVG, "rect");
  length.setAttribute("width", (100 * share).toFixed(2));
  length.setAttribute("height", "1");
  bar.append(length);
  const value = document.createElement("span");
  value.className = "answer-value";
  value.textContent = text;
  row.append(name, bar, value);
  return row;
}
