// Skip connections: the gradients of plain and residual networks of one depth, and how they learned. The lines come with the
// page; the address holds depth, when and layer (from 0).

import { number } from "../numbers.js";
import { state } from "./address.js";
import { tell } from "./facts.js";
import { ready } from "./frame.js";
import { bind } from "./picker.js";
import { twin } from "./twin.js";

const KINDS = ["plain", "residual"];
const WHEN = ["start", "end"];
const LEAST = 1e-9;

const element = document.getElementById("skip-data");
const fill = (text, values) => interpolate(text, values, true);

/** With two digits that count. */
function written(value) {
  const digits = 1 - Math.floor(Math.log10(Math.max(Math.abs(value), LEAST)));
  const factor = 10 ** digits;
  return number(Math.round(value * factor) / factor, Math.max(0, digits));
}

function start(data) {
  const root = document.querySelector("[data-skip]");
  const find = (name) => root.querySelector(`[data-${name}]`);
  const says = twin(find("twin"));
  const runs = new Map(data.runs.map((run) => [`${run.kind} ${run.depth}`, run]));
  const count = (depth) => data.names[depth].length;

  // The page itself has said what in the address does not exist; here it is only put right.
  const address = state({ depth: data.deepest, when: "start", layer: 0 }, (values) => {
    const depth = data.depths.includes(values.depth) ? values.depth : data.deepest;
    const layer = Number.isFinite(values.layer) ? Math.round(values.layer) : 0;
    return {
      depth,
      when: WHEN.includes(values.when) ? values.when : "start",
      layer: Math.min(count(depth) - 1, Math.max(0, layer)),
    };
  });

  const up = (value) => {
    const { low, high } = data.axis;
    const place = (Math.log10(Math.max(value, LEAST)) - low) / (high - low);
    return data.size[1] * (1 - Math.min(1, Math.max(0, place)));
  };

  function draw() {
    const { depth, when, layer } = address.get();
    for (const line of root.querySelectorAll("polyline[data-kind]")) {
      line.classList.toggle("thin", Number(line.dataset.depth) !== depth);
      if (line.dataset.when) line.setAttribute("visibility", line.dataset.when === when ? "visible" : "hidden");
    }
    const control = find("layer");
    control.max = String(count(depth) - 1);
    control.value = String(layer);
    find("layer-name").textContent = data.names[depth][layer];
    const x = (data.size[0] * layer) / (count(depth) - 1);
    find("cursor").setAttribute("d", `M${x} 0V${data.size[1]}`);
    const chosen = KINDS.map((kind) => runs.get(`${kind} ${depth}`));
    const told = chosen.map(({ gradients }) => {
      const values = gradients[when];
      return { value: values[layer], ratio: values[layer] / Math.max(values.at(-1), LEAST), values };
    });
    KINDS.forEach((kind, place) => {
      root.querySelector(`[data-mark="${kind}"]`).setAttribute("transform", `translate(${x} ${up(told[place].value)})`);
    });
    says.say([
      fill(gettext("%(depth)s layers, convolution %(place)s of %(count)s (%(name)s)."), { depth, place: layer + 1, count: count(depth), name: data.names[depth][layer] }),
      fill(gettext("Plain: its gradient is %(value)s, which is %(ratio)s times that of the last one; %(accuracy)s% of the training pictures are right after training."), words(chosen[0], told[0])),
      fill(gettext("With shortcuts: %(value)s, which is %(ratio)s times; %(accuracy)s%."), words(chosen[1], told[1])),
    ].join(" "));
    tell({
      complete: true,
      depth,
      when,
      layer,
      depths: data.depths,
      deepest: data.deepest,
      spreads: told.map(({ values }) => Math.max(...values) / Math.max(Math.min(...values), LEAST)),
      // Of each layer's gradient as a multiple of the last one's.
      profile: told.map(({ values }) => values.map((value) => value / Math.max(values.at(-1), LEAST))),
      accuracies: data.runs.map(({ kind, depth: layers, accuracy }) => ({ kind, depth: layers, accuracy: accuracy.at(-1) })),
    });
  }

  const words = ({ accuracy }, { value, ratio }) => ({ value: written(value), ratio: written(ratio), accuracy: number(100 * accuracy.at(-1), 1) });

  bind(find("depth-pick"), address, "depth", { read: ({ value }) => Number(value) });
  bind(find("when-pick"), address, "when");
  find("layer").addEventListener("input", ({ target }) => address.set({ layer: Number(target.value) }));
  const plot = root.querySelector('[data-plot="gradients"]');
  plot.addEventListener("click", (event) => {
    const lines = plot.querySelector("g");
    const { x } = new DOMPoint(event.clientX, event.clientY).matrixTransform(lines.getScreenCTM().inverse());
    address.set({ layer: Math.round((x / data.size[0]) * (count(address.get().depth) - 1)) });
  });
  address.onChange(draw);
  draw();
}

if (element) start(JSON.parse(element.textContent));
else tell({ complete: false, failed: true });
ready();
