// Colour maps for numbers.

/** matplotlib's viridis, sampled evenly, as on the server. */
export const SEQUENTIAL = [
  "#440154",
  "#472d7b",
  "#3b528b",
  "#2c728e",
  "#21918c",
  "#28ae80",
  "#5ec962",
  "#addc30",
  "#fde725",
];

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

/** The relative luminance of a colour (WCAG 2). @param {[number, number, number]} rgb */
function luminance(rgb) {
  const [r, g, b] = rgb.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/**
 * Black or white, whichever has the higher contrast on a background: at least 4.58, as no grey instead of black would.
 * @param {[number, number, number]} rgb
 */
export const textColourOn = (rgb) => ((luminance(rgb) + 0.05) ** 2 > 1.05 * 0.05 ? "#000000" : "#ffffff");
