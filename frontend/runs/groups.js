// Groups of runs with a common property. The server groups them.

import { settingLabel, settingValue } from "../lib/setting-labels.js";
import { differingSettings } from "../lib/settings-diff.js";

/** @import { Run, RunFacets, RunGroup } from "../lib/types" */

/** A property to group by; for settings, the key is the path. @typedef {{ key: string, title: string }} Grouping */

/** Each run has a row, without groups. */
export const UNGROUPED = "none";

const FIXED = [
  { key: "", title: "Fold sweeps" },
  { key: UNGROUPED, title: "Not grouped" },
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
  const settings = paths.slice(0, 24).map((path) => ({ key: path, title: settingLabel(path) }));
  return [...FIXED, ...settings];
}

/** How a grouping is called in the menu. @param {Grouping} grouping */
export const optionTitle = ({ key, title }) =>
  key === "" || key === UNGROUPED ? title : `By ${title.charAt(0).toLocaleLowerCase()}${title.slice(1)}`;

/** Whether runs can be grouped by a key, which may be from a URL. @param {string} key */
export const canGroup = (key) => key.includes(".") || FIXED.some((grouping) => grouping.key === key);

/** The title of a group. @param {RunGroup} group @param {string} key the property */
export function groupTitle({ value, name }, key) {
  if (key === "sweep") return value === null ? "No sweep" : (name ?? String(value));
  if (key === "tag") return value === null ? "No tag" : String(value);
  if (key === "status") return String(value);
  if (value === null) return `No ${settingLabel(key).toLocaleLowerCase()}`;
  return `${settingLabel(key)} ${settingValue(key, value)}`;
}

/** What the server is asked to group by: sweeps are put together here. @param {string} key */
export const groupingAsked = (key) => (key === UNGROUPED ? "" : key);
