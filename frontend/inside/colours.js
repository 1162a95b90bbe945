// Colour maps for numbers.

import { theme } from "../lib/theme.js";

/** @import { SheetPage } from "./cache.js" */

/** The diverging map for weights, products and gradients, as on the server: ColorBrewer's RdBu, blue below 0, red above. */
export const DIVERGING = [
  "#2166ac",
  "#4393c3",
  "#92c5de",
  "#d1e5f0",
  "#f7f7f7",
  "#fddbc7",
  "#f4a582",
  "#d6604d",
  "#b2182b",
];

/** The same on a dark page, where 0 is as dark as the page and what differs from it shines. */
const DIVERGING_DARK = [
  "#b4e0f7",
  "#74bce4",
  "#3a8cc4",
  "#24567c",
  "#1b201e",
  "#713a2b",
  "#b85d40",
  "#ea9169",
  "#fbc9ad",
];

/** The colours of a map in the present theme. @param {string[]} legend @param {"diverging" | "sequential" | "rgb"} map */
export const inTheme = (legend, map) => (map === "diverging" && theme() === "dark" ? DIVERGING_DARK : legend);

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
 * Interpolates a legend's colours, in the present theme. A diverging map is symmetric around 0.
 * @param {string[]} legend
 * @param {"diverging" | "sequential" | "rgb"} map
 * @param {number} lo
 * @param {number} hi
 * @returns {(value: number) => [number, number, number]}
 */
export function colourScale(legend, map, lo, hi) {
  const stops = inTheme(legend, map).map(parts);
  const reach = Math.max(Math.abs(lo), Math.abs(hi));
  const [from, to] = map === "diverging" ? [-reach, reach] : [lo, hi];
  const colour = between(stops);
  return (value) => colour(to > from ? (value - from) / (to - from) : 0.5);
}

/** The colour at a share of the way through the stops. @param {[number, number, number][]} stops */
function between(stops) {
  return (/** @type {number} */ share) => {
    const place = Math.min(1, Math.max(0, share)) * (stops.length - 1);
    const low = Math.min(Math.floor(place), stops.length - 2);
    const [a, b] = [stops[low], stops[low + 1]];
    return /** @type {[number, number, number]} */ (
      a.map((channel, i) => Math.round(channel + (b[i] - channel) * (place - low)))
    );
  };
}

/** The diverging map from -reach to reach, on a light page and on a dark one. @param {number} reach */
export const divergingScales = (reach) =>
  [DIVERGING, DIVERGING_DARK].map((legend) => {
    const colour = between(legend.map(parts));
    return (/** @type {number} */ value) => colour(reach > 0 ? (value / reach + 1) / 2 : 0.5);
  });

/** The server's pictures as a dark page shows them. @type {WeakMap<ImageBitmap, CanvasImageSource>} */
const dark = new WeakMap();

/** A picture of the server, in the present theme. @param {SheetPage} page @returns {CanvasImageSource} */
export function pictureInTheme({ about: { map, legend }, picture }) {
  if (map !== "diverging" || theme() === "light") return picture;
  const made = dark.get(picture) ?? darkened(picture, legend);
  dark.set(picture, made);
  return made;
}

/** @param {ImageBitmap} picture @param {string[]} legend its colours */
function darkened(picture, legend) {
  const { width, height } = picture;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) return picture;
  context.drawImage(picture, 0, 0);
  const pixels = context.getImageData(0, 0, width, height);
  const { data } = pixels;
  const from = evenly(legend);
  const to = evenly(DIVERGING_DARK);
  /** Where a colour lies in the map. @type {Map<number, number>} */
  const places = new Map();
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] === 0) continue;
    const key = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
    let place = places.get(key);
    if (place === undefined) {
      place = nearestTo(from, data.subarray(at, at + 3));
      places.set(key, place);
    }
    data.set(to[place], at);
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** A map's palette of 255 colours, as in the server's pictures. @param {string[]} legend */
function evenly(legend) {
  const colour = between(legend.map(parts));
  return Array.from({ length: 255 }, (_, at) => colour(at / 254));
}

/** @param {[number, number, number][]} palette @param {ArrayLike<number>} colour */
function nearestTo(palette, colour) {
  const far = palette.map((known) => Math.hypot(...known.map((channel, i) => channel - colour[i])));
  return far.indexOf(Math.min(...far));
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
