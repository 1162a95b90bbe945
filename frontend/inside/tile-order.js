// Pages in another order than the server's. No DOM here.

/** @import { SheetPage } from "./cache.js" */

/**
 * A page with its tiles in the order of some indices; the page itself where it has other tiles.
 * @param {SheetPage} page
 * @param {number[]} indices
 * @returns {SheetPage}
 */
export function arranged(page, indices) {
  const { tiles } = page.about;
  const placeOf = new Map(tiles.map(({ index }, place) => [index, place]));
  const places = indices.flatMap((index) => placeOf.get(index) ?? []);
  if (places.length !== tiles.length || indices.length !== tiles.length) return page;
  return { ...page, about: { ...page.about, tiles: places.map((place) => tiles[place]) }, places };
}

/** The indices of values, the greatest first. @param {(number | null)[]} values */
export const byValue = (values) =>
  values.map((_, index) => index).sort((a, b) => (values[b] ?? -Infinity) - (values[a] ?? -Infinity));
