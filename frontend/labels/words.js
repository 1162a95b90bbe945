// What a version of labels changes, in words.

import { count } from "../lib/format.js";

/** @param {{ relabelled: number, excluded: number }} version */
export function changeWords({ relabelled, excluded }) {
  const parts = [
    relabelled > 0 && `${count(relabelled)} relabelled`,
    excluded > 0 && `${count(excluded)} excluded`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : "nothing changed";
}
