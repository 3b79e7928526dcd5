// Lesson 4: how each of its tasks is graded by the X-ray.

import { grade } from "./lesson.js";

const SIDE = 8;

const noLayer = () => gettext("No layer is open. Choose one above the figure, or open a block and one of its layers.");

grade({
  eight({ shape }) {
    if (!shape) return noLayer();
    const [, rows, columns] = shape;
    return (rows === SIDE && columns === SIDE) || interpolate(ngettext(
      "The maps of this layer have %(rows)s row of %(columns)s square.",
      "The maps of this layer have %(rows)s rows of %(columns)s squares.", rows,
    ), { rows, columns }, true);
  },

  strongest({ blocks, layer, channel, strongest }) {
    if (!layer) return noLayer();
    // Behind it only averages and scores are left, which are no maps.
    const last = blocks.findLast(({ shape }) => shape[1] > 1);
    if (layer !== last.end) return gettext("This is not the last layer with maps of this network’s last block.");
    if (channel < 0) return gettext("All maps of the layer are shown. Open one of them.");
    return channel === strongest || gettext("Another channel of this layer has a stronger map.");
  },

  differ({ blocks, block, show }) {
    if (blocks.every(({ change }) => change === null)) {
      return gettext("There are no bars on this picture. Choose one with bars, such as the first sample.");
    }
    if (show !== "difference") return gettext("The difference is not shown. Choose it on top of the figure.");
    if (!block) return gettext("No block is open. Open the one with the longest line.");
    const largest = Math.max(...blocks.map(({ change }) => change ?? 0));
    return blocks.find(({ name }) => name === block).change === largest
      || gettext("In another block of this network the difference is larger.");
  },
});
