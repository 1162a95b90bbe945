// Groups of runs with a common property. The server groups them.

import { differingSettings, shortName } from "../lib/settings-diff.js";
import { exactNumber } from "../lib/format.js";

/** @import { Run, RunFacets, RunGroup } from "../lib/types" */

/** A property to group by; for settings, the key is the path. @typedef {{ key: string, title: string }} Grouping */

const FIXED = [
  { key: "", title: "Not grouped" },
  { key: "sweep", title: "Sweep" },
  { key: "tag", title: "Tag" },
  { key: "status", title: "Status" },
];

/**
 * The available groupings: fixed ones, and the settings in which runs differ.
 * @param {Run[]} runs those that are shown
 * @param {RunFacets | null} facets of all runs, once they are known
 * @returns {Grouping[]}
 */
export function groupings(runs, facets) {
  const paths = facets
    ? facets.settings.filter(({ differs }) => differs).map(({ path }) => path)
    : differingSettings(runs);
  const settings = paths.slice(0, 24).map((path) => ({ key: path, title: capital(shortName(path)) }));
  return [...FIXED, ...settings];
}

/** Whether runs can be grouped by a key, which may be from a URL. @param {string} key */
export const canGroup = (key) => key.includes(".") || FIXED.some((grouping) => grouping.key === key);

/** The title of a group. @param {RunGroup} group @param {string} key the property */
export function groupTitle({ value, name }, key) {
  if (key === "sweep") return value === null ? "No sweep" : (name ?? String(value));
  if (key === "tag") return value === null ? "No tag" : String(value);
  if (key === "status") return String(value);
  return value === null ? `no ${shortName(key)}` : `${shortName(key)} ${exactNumber(/** @type {any} */ (value))}`;
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1);
