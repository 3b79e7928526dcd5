// Numbers as the page's language writes them.

const language = document.documentElement.lang || undefined;
const tenths = new Intl.NumberFormat(language, { maximumFractionDigits: 1, useGrouping: false });

/** A fraction in percent, without the sign, to a tenth: 0.125 is 12.5, and 12,5 in French. */
export function inPercent(fraction) {
  return tenths.format(Math.round(fraction * 1000) / 10);
}
