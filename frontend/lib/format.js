// Formats numbers, times and sizes for people.

const NONE = "–";
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 134309962 → "134,309,962". @param {number | null | undefined} value */
export function count(value) {
  return isNumber(value) ? whole.format(value) : NONE;
}

/** A number that is not parted from its unit at the end of a line. @param {string} text */
export const together = (text) => text.replace(" ", "\u00a0");

/** 134309962 → "134 M", 17226 → "17.2 k". @param {number | null | undefined} value */
export function compactNumber(value) {
  if (!isNumber(value)) return NONE;
  for (const [size, unit] of /** @type {[number, string][]} */ ([
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ])) {
    if (Math.abs(value) >= size) return `${trim((value / size).toPrecision(3))} ${unit}`;
  }
  return trim(value.toPrecision(3));
}

/** A fraction as a percentage: 0.97264 → "97.3%". @param {number | null | undefined} value @param {number} [decimals] */
export function percent(value, decimals = 1) {
  return isNumber(value) ? `${(value * 100).toFixed(decimals)}%` : NONE;
}

/** A fraction with its deviation as percentages: "97.3 ± 0.4%". @param {number} mean @param {number} deviation */
export function percentSpread(mean, deviation) {
  return `${(mean * 100).toFixed(1)} ± ${percent(deviation)}`;
}

/** The decimals of a number with its deviation; below 10 at least two, so that a column of losses is even. */
const MOST_DECIMALS = 4;
const LEAST_DECIMALS = 2;

/**
 * A number with its deviation: "0.123 ± 0.057". The deviation has two significant digits or more, and the number has as
 * many decimals as it.
 * @param {number} mean
 * @param {number} deviation
 */
export function spread(mean, deviation) {
  const size = deviation > 0 ? Math.floor(Math.log10(Number(deviation.toPrecision(2)))) : -2;
  const least = Math.max(Math.abs(mean), deviation) < 10 ? LEAST_DECIMALS : 0;
  const decimals = Math.min(MOST_DECIMALS, Math.max(least, 1 - size));
  return `${mean.toFixed(decimals)} ± ${deviation.toFixed(decimals)}`;
}

/** Four significant digits: 0.0012345 → "0.001235", 123456 → "123,456". @param {number | null | undefined} value */
export function formatNumber(value) {
  if (!isNumber(value)) return NONE;
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e9 || size < 1e-4) return value.toExponential(2).replace("e+", "e");
  if (size >= 1e4) return whole.format(value);
  return trim(value.toPrecision(4));
}

/** Below this a loss is nothing but rounding, as of an average that was 1 and has met zeros since. */
const NO_LOSS = 1e-12;

/** A loss: 0.0012345 → "0.001235", 1.01e-25 → "≈ 0". @param {number | null | undefined} value */
export function formatLoss(value) {
  return isNumber(value) && value !== 0 && Math.abs(value) < NO_LOSS ? "≈ 0" : formatNumber(value);
}

/**
 * A formatter for numbers of one column: all have the decimals that give the largest four significant digits.
 * @param {(number | null | undefined)[]} values
 * @returns {(value: number | null | undefined) => string}
 */
export function sameDecimals(values) {
  const most = Math.max(...values.filter(isNumber).map(Math.abs), 0);
  if (most === 0 || most >= 1e6 || most < 1e-4) return formatNumber;
  const decimals = Math.max(0, 3 - Math.floor(Math.log10(most)));
  return (value) => (isNumber(value) ? value.toFixed(decimals) : NONE);
}

/** The exact value of a setting: 0.0001 → "0.0001", 1e-8 → "1e-8". @param {unknown} value @returns {string} */
export function exactNumber(value) {
  if (value === null || value === undefined) return "none";
  if (value === true) return "yes";
  if (value === false) return "no";
  if (Array.isArray(value)) return value.map(exactNumber).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** 3725 s → "1 h 2 min", 75.2 s → "1 min 15 s", 0.42 s → "0.4 s", 0.01 s → "< 0.1 s". @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (!isNumber(seconds)) return NONE;
  // Not “0.0 s”, as if it took no time.
  if (seconds > 0 && seconds < 0.05) return "< 0.1 s";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  if (total < 3600) return pair(total, 60, "min", "s");
  if (total < 86_400) return pair(Math.round(total / 60), 60, "h", "min");
  return pair(Math.round(total / 3600), 24, "d", "h");
}

/** An estimated time: 0.42 → "1 s", 247 → "4 min", 5000 → "1 h 25 min". @param {number} seconds */
export function roughDuration(seconds) {
  if (seconds < 1) return "1 s";
  if (seconds < 10) return `${Math.round(seconds)} s`;
  if (seconds < 55) return `${Math.round(seconds / 5) * 5} s`;
  if (seconds < 600) return `${Math.max(1, Math.round(seconds / 60))} min`;
  return duration(Math.round(seconds / 300) * 300);
}

/** @param {number} total @param {number} size @param {string} big @param {string} small */
function pair(total, size, big, small) {
  const rest = total % size;
  return `${Math.floor(total / size)} ${big}${rest ? ` ${rest} ${small}` : ""}`;
}

/** 1536 → "1.5 KiB". @param {number | null | undefined} value */
export function bytes(value) {
  if (!isNumber(value)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let rest = value;
  let unit = 0;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? rest : trim(rest.toPrecision(rest >= 1000 ? 4 : 3))} ${units[unit]}`;
}

/** The approximate time since a date. @param {string} time RFC 3339 @param {number} now milliseconds */
export function ago(time, now) {
  const seconds = (now - Date.parse(time)) / 1000;
  if (Number.isNaN(seconds)) return NONE;
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86_400);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

/** A date and time in the user's time zone. @param {string} time RFC 3339 */
export function dateTime(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime())
    ? time
    : date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

/** A date in the user's time zone. @param {string} time RFC 3339 */
export const dateOnly = (time) => new Date(time).toLocaleDateString("en-GB", { dateStyle: "medium" });

/** @param {number} amount @param {string} one @param {string} [many] */
export function plural(amount, one, many = `${one}s`) {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** @param {unknown} value @returns {value is number} */
function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/** Drops trailing zeros. @param {string} text */
function trim(text) {
  return text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
}
