// Numbers as the page's language writes them.

const language = document.documentElement.lang || undefined;
const tenths = new Intl.NumberFormat(language, { maximumFractionDigits: 1, useGrouping: false });
const MINUS = "\u2212";
const formats = new Map();

/** A fraction in percent, without the sign, to a tenth: 0.125 is 12.5, and 12,5 in French. */
export function inPercent(fraction) {
  return tenths.format(Math.round(fraction * 1000) / 10);
}

/**
 * A number with so many digits after the point and a true minus sign. What would be written as zero and is none, or is
 * too long to be read, is written with a power of ten: 1.2 × 10⁻⁵. Infinities are ∞; what is no number is "–".
 */
export function number(value, digits = 3) {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value < 0 ? `${MINUS}∞` : "∞";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.5 * 10 ** -digits || size >= 1e9)) return power(value);
  return minus(format(digits).format(size), value);
}

/** The same, with a plus sign where it is above zero. */
export function signed(value, digits = 3) {
  const text = number(value, digits);
  return value > 0 ? `+${text}` : text;
}

/** A whole number, its thousands set apart: 36,536,884. */
export function whole(value) {
  return minus(format(0, true).format(Math.abs(value)), value);
}

function minus(text, value) {
  return value < 0 ? MINUS + text : text;
}

function power(value) {
  let exponent = Math.floor(Math.log10(Math.abs(value)));
  let mantissa = Math.abs(value) / 10 ** exponent;
  if (Number(mantissa.toFixed(1)) >= 10) {
    mantissa /= 10;
    exponent += 1;
  }
  return `${minus(format(1).format(mantissa), value)} × 10${raised(exponent)}`;
}

function raised(exponent) {
  const digits = [...String(Math.abs(exponent))].map((one) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(one)]).join("");
  return exponent < 0 ? `⁻${digits}` : digits;
}

function format(digits, grouped = false) {
  const key = `${digits}${grouped}`;
  if (!formats.has(key)) {
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: grouped };
    formats.set(key, new Intl.NumberFormat(language, options));
  }
  return formats.get(key);
}
