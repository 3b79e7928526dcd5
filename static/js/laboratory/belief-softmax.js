// From logits to probabilities in four columns, and how their numbers are written. What is small stays a logarithm: at a
// temperature of 0.05 an exponential of 10⁻³⁴⁷ is possible, which a float would take for 0. learn/figures/softmax.py
// computes and writes the same for the page as it is sent.

export const LOWEST = 0.05;
export const HIGHEST = 20;
const NAMED = 5;
const MOST_NINES = 6;
const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

function logSumExp(exponents) {
  if (!exponents.length) return -Infinity;
  const top = Math.max(...exponents);
  let sum = 0;
  for (const one of exponents) sum += Math.exp(one - top);
  return top + Math.log(sum);
}

/** The five to be named: the top five (ties: the lower index first), the last making room for `chosen` (null: nobody). */
export function namedClasses(logits, chosen = null) {
  const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b).slice(0, NAMED);
  if (chosen !== null && !order.includes(chosen)) order[order.length - 1] = chosen;
  return order;
}

/**
 * The softmax of `logits / temperature`: {rows, others, logSum}, a row {index, logit, difference, logExponential,
 * logProbability, logRest} for each of the `named` classes, and one (index null) for the others together.
 */
export function columns(logits, temperature, named) {
  const top = Math.max(...logits);
  const exponents = Array.from(logits, (logit) => (logit - top) / temperature);
  const logSum = logSumExp(exponents);
  const chosen = new Set(named);
  const left = exponents.filter((_, index) => !chosen.has(index));
  const rows = named.map((index) => ({
    index,
    logit: logits[index],
    difference: logits[index] - top,
    logExponential: exponents[index],
    logProbability: exponents[index] - logSum,
    logRest: logSumExp(exponents.filter((_, other) => other !== index)) - logSum,
  }));
  if (left.length) {
    const together = logSumExp(left);
    const largest = Math.max(...Array.from(logits).filter((_, index) => !chosen.has(index)));
    rows.push({
      index: null,
      logit: largest,
      difference: largest - top,
      logExponential: together,
      logProbability: together - logSum,
      logRest: logSumExp(named.map((index) => exponents[index])) - logSum,
    });
  }
  return { rows, others: left.length, logSum };
}

const language = typeof document === "undefined" ? "en" : document.documentElement.lang || undefined;
const formats = new Map();

/** Plain decimals with a true minus sign. */
function fixed(value, places) {
  if (!formats.has(places)) {
    formats.set(places, new Intl.NumberFormat(language, {
      minimumFractionDigits: places, maximumFractionDigits: places, useGrouping: false,
    }));
  }
  return formats.get(places).format(value).replace("-", "−");
}

/** −3.10; more places where the number would look like 0 and is not. */
export function decimal(value, places = 2) {
  while (value && Math.abs(value) < 0.5 * 10 ** -places && places < 8) places += 1;
  return fixed(value, places);
}

/** `times * e ** log`: 0.120, 0.0012, and 1.2 × 10⁻⁶ where that would be nearly nothing. */
export function fromLogarithm(log, times = 1) {
  if (log === -Infinity) return fixed(0, 0);
  const log10 = log / Math.LN10 + Math.log10(times);
  let power = Math.floor(log10);
  if (power >= -3) return fixed(10 ** log10, Math.max(3, 1 - power));
  let mantissa = Math.round(10 ** (log10 - power) * 10) / 10;
  if (mantissa >= 10) [mantissa, power] = [1, power + 1];
  return `${fixed(mantissa, 1)} × 10${[...String(power)].map((sign) => SUPERSCRIPTS[sign]).join("")}`;
}

/** A probability in percent that is never a false 0% nor a false 100%. */
export function share(logProbability, logRest) {
  const sign = (number) => interpolate(gettext("%(number)s%"), { number }, true);
  if (logRest === -Infinity) return sign(fixed(100, 0));
  const percent = 100 * Math.exp(logProbability);
  if (percent < 0.1) return sign(fromLogarithm(logProbability, 100));
  if (percent < 99.95) return sign(fixed(Math.round(percent * 10) / 10, 1));
  // As many nines as there are, and one figure more.
  const nines = Math.floor(-logRest / Math.LN10);
  if (nines > MOST_NINES + 1) {
    return interpolate(gettext("> %(number)s%"), { number: fixed(Number(`99.${"9".repeat(MOST_NINES)}`), MOST_NINES) }, true);
  }
  const places = Math.max(2, nines - 1);
  return sign(fixed(Math.floor((100 - 100 * Math.exp(logRest)) * 10 ** places) / 10 ** places, places));
}
