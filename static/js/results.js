// A page whose answers are not all there yet keeps itself up to date.

import { pollMarked } from "./poll.js";

for (const container of document.querySelectorAll("[data-poll]:not([data-poll-final])")) pollMarked(container);
