/* exported clamp, decimals, figure, percent, signedFigure */
/* global LANGUAGE, NUMBERS */
// How numbers are written, in the visitor's language: a true minus sign, and the language's own decimal sign.

const written = (text) => text.replaceAll("-", "−").replace(".", NUMBERS[LANGUAGE].decimal);

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// A number with so many decimals.
const decimals = (value, digits) => written(value.toFixed(digits).replace(/^-(?=[0.]*$)/, ""));

// A share of 1.
const percent = (share, digits = 0) => `${decimals(100 * share, digits)}\u00a0%`;

// Significant figures.
function figure(value, digits = 4) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+∞" : "−∞";
  const size = Math.abs(value);
  const isFar = size !== 0 && (size < 1e-3 || size >= 1e5);
  return size === 0 ? "0" : written(isFar ? value.toExponential(Math.min(2, digits - 1)) : value.toPrecision(digits));
}

const signedFigure = (value) => (value > 0 ? "+" : "") + figure(value).replace(/^\+/, "");
