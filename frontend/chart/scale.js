// Linear and log scales, and their ticks.

/** @typedef {{ min: number, max: number, log: boolean }} Scale */

/** Maps a value to 0 at the start of the axis and 1 at its end. @param {Scale} scale @param {number} value */
export function normalize({ min, max, log }, value) {
  return log ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
}

/** The inverse of `normalize`. @param {Scale} scale @param {number} share */
export function invert({ min, max, log }, share) {
  return log ? min * (max / min) ** share : min + (max - min) * share;
}

/**
 * The range between two fractions of an axis, for zooming and panning.
 * @param {Scale} scale
 * @param {number} from
 * @param {number} to
 * @returns {[number, number]}
 */
export function subrange(scale, from, to) {
  return [invert(scale, from), invert(scale, to)];
}

/**
 * Makes a range drawable: not empty, and above 0 for a log axis.
 * @param {number} min
 * @param {number} max
 * @param {boolean} log
 * @returns {[number, number]}
 */
export function validRange(min, max, log) {
  if (!Number.isFinite(min) || !Number.isFinite(max)) return log ? [0.1, 1] : [0, 1];
  if (log) {
    const low = min > 0 ? min : max > 0 ? max / 1000 : 0.1;
    const high = Math.max(max, low);
    return high / low > 1 + 1e-9 ? [low, high] : [low / 2, high * 2];
  }
  if (max - min > Math.abs(max) * 1e-12) return [min, max];
  const half = Math.abs(max) * 0.05 || 0.5;
  return [min - half, max + half];
}

/**
 * Adds a margin above and below a range.
 * @param {[number, number]} range
 * @param {boolean} log
 * @returns {[number, number]}
 */
export function padRange([min, max], log) {
  const scale = { min, max, log };
  return subrange(scale, -0.05, 1.05);
}

/**
 * Round numbers in a scale, about as many as wanted.
 * @param {Scale} scale
 * @param {number} wanted
 * @returns {number[]}
 */
export function ticks(scale, wanted) {
  const { min, max, log } = scale;
  if (log) {
    const decades = Math.log10(max / min);
    if (decades >= 1) return logTicks(min, max, wanted);
  }
  return linearTicks(min, max, wanted).filter((tick) => !log || tick > 0);
}

/** @param {number} min @param {number} max @param {number} wanted */
function linearTicks(min, max, wanted) {
  const rough = (max - min) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((digit) => digit * power >= rough * 0.7) ?? 10) * power;
  const found = [];
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9 && found.length < 100; i += 1) {
    found.push(places <= 20 ? Number((i * step).toFixed(places)) : i * step);
  }
  return found;
}

/** @param {number} min @param {number} max @param {number} wanted */
function logTicks(min, max, wanted) {
  const [first, last] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  const decades = Math.log10(max / min);
  const digits = decades * 3 <= wanted * 1.5 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / Math.max(1, wanted)));
  const found = [];
  for (let power = first; power <= last; power += 1) {
    if (power % every !== 0) continue;
    for (const digit of digits) {
      const tick = Number(`${digit}e${power}`);
      if (tick >= min * (1 - 1e-9) && tick <= max * (1 + 1e-9)) found.push(tick);
    }
  }
  return found;
}

/**
 * The ticks of an axis and their labels, in a unit of the axis.
 * @param {Scale} scale
 * @param {number} wanted
 * @param {number} [size] of the unit: 0.01 labels a fraction in percent
 * @returns {{ value: number, label: string }[]}
 */
export function labelledTicks({ min, max, log }, wanted, size = 1) {
  const marked = ticks({ min: min / size, max: max / size, log }, wanted);
  return tickTexts(marked).map((label, i) => ({ value: marked[i] * size, label }));
}

/** A tick's value in short form. @param {number} value @param {number} [digits] */
export function tickText(value, digits = 4) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e9 || size < 1e-4) return exponentText(value, digits);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(digits))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(digits))}k`;
  return String(Number(value.toPrecision(digits + 2)));
}

/** An axis that needs exponents has them throughout, but for numbers around 1. @param {number[]} values */
function shortTexts(values) {
  const isFar = (/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) =>
    value !== 0 && (Math.abs(value) >= high || Math.abs(value) < low);
  if (!values.some((value) => isFar(value, 1e-4, 1e9))) return values.map((value) => tickText(value));
  return values.map((value) => (isFar(value, 1e-2, 1e4) ? exponentText(value) : tickText(value)));
}

/** @param {number} value @param {number} [digits] */
const exponentText = (value, digits = 4) =>
  Number(value.toPrecision(digits + 2))
    .toExponential()
    .replace("e+", "e");

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 20 });

/**
 * The labels of an axis' ticks. Ticks that are close together for their size are written with as many digits as tell
 * them apart.
 * @param {number[]} values ascending
 * @returns {string[]}
 */
export function tickTexts(values) {
  const apart = Math.min(...values.slice(1).map((value, i) => value - values[i]));
  const exact = (/** @type {number} */ value, /** @type {number} */ digits) =>
    !(Math.abs(Number(value.toPrecision(digits)) - value) > apart * 1e-3);
  const short = values.every((value) => exact(value, Math.abs(value) >= 1e4 && Math.abs(value) < 1e9 ? 4 : 6));
  if (short) return shortTexts(values);
  const places = Math.max(0, Math.ceil(-Math.log10(apart) - 1e-9));
  return values.map((value) =>
    Math.abs(value) < 1e15 && places <= 15 ? grouped.format(Number(value.toFixed(places))) : tickText(value, 13),
  );
}
