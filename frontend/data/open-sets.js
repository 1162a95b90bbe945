// The open cards in the address: a page with an open data set has the address of that set, so that it can be linked to.

import { siteUrl } from "../lib/base-path.js";

/** The page of a data set. @param {string} set */
export const setUrl = (set) => siteUrl(`/data/${encodeURIComponent(set)}`);

/**
 * The address and the title follow the card that was opened last and is still open.
 * @param {{ titleOf: (set: string) => string, replace: (url: string, title: string) => void }} options
 */
export function openSets({ titleOf, replace }) {
  /** In the order of opening. @type {string[]} */
  let open = [];
  let shown = "";
  return {
    /** @param {string} set @param {boolean} isOpen */
    toggled(set, isOpen) {
      open = open.filter((other) => other !== set);
      if (isOpen) open.push(set);
      const last = open.at(-1) ?? "";
      if (last === shown) return;
      shown = last;
      replace(last ? setUrl(last) : siteUrl("/data"), last ? titleOf(last) : "Data");
    },
  };
}
