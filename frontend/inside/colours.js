// Colour maps for numbers.

/** @param {string} hex @returns {[number, number, number]} */
const parts = (hex) =>
  /** @type {[number, number, number]} */ ([1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));

/**
 * Interpolates a legend's colours. A diverging map is symmetric around 0.
 * @param {string[]} legend
 * @param {"diverging" | "sequential" | "rgb"} map
 * @param {number} lo
 * @param {number} hi
 * @returns {(value: number) => [number, number, number]}
 */
export function colourScale(legend, map, lo, hi) {
  const stops = legend.map(parts);
  const reach = Math.max(Math.abs(lo), Math.abs(hi));
  const [from, to] = map === "diverging" ? [-reach, reach] : [lo, hi];
  return (value) => {
    const share = to > from ? (value - from) / (to - from) : 0.5;
    const place = Math.min(1, Math.max(0, share)) * (stops.length - 1);
    const low = Math.min(Math.floor(place), stops.length - 2);
    const [a, b] = [stops[low], stops[low + 1]];
    return /** @type {[number, number, number]} */ (
      a.map((channel, i) => Math.round(channel + (b[i] - channel) * (place - low)))
    );
  };
}

/** @param {[number, number, number]} rgb */
export const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

/** A readable text colour on a background. @param {[number, number, number]} rgb */
export const textColourOn = ([r, g, b]) => (0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#14181a" : "#ffffff");
