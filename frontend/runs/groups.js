// Groups runs by a common property.

import { settingsOf, shortName, differingSettings } from "../lib/settings-diff.js";
import { exactNumber } from "../lib/format.js";

/** @import { Run } from "../lib/types" */

/** A property to group by; for settings, the key is the path. @typedef {{ key: string, title: string }} Grouping */

const FIXED = [
  { key: "", title: "Not grouped" },
  { key: "sweep", title: "Sweep" },
  { key: "tag", title: "Tag" },
  { key: "status", title: "Status" },
];

/**
 * The available groupings: fixed ones, and the settings in which these runs differ.
 * @param {Run[]} runs
 * @returns {Grouping[]}
 */
export function groupings(runs) {
  const settings = differingSettings(runs)
    .slice(0, 24)
    .map((path) => ({ key: path, title: capital(shortName(path)) }));
  return [...FIXED, ...settings];
}

/**
 * @param {Run} run
 * @param {string} key
 * @param {(id: string) => string} sweepName
 * @returns {{ key: string, title: string }[]} several groups for a run with several tags
 */
function groupsOf(run, key, sweepName) {
  if (key === "sweep")
    return [run.sweep ? { key: run.sweep, title: sweepName(run.sweep) } : { key: "", title: "No sweep" }];
  if (key === "tag")
    return run.tags.length > 0 ? run.tags.map((tag) => ({ key: tag, title: tag })) : [{ key: "", title: "No tag" }];
  if (key === "status") return [{ key: run.status, title: run.status }];
  const settings = settingsOf(run);
  return [
    settings.has(key)
      ? { key: JSON.stringify(settings.get(key)), title: `${shortName(key)} ${exactNumber(settings.get(key))}` }
      : { key: "", title: `no ${shortName(key)}` },
  ];
}

/**
 * Groups in the order of their first runs. Runs without the property come last.
 * @param {Run[]} runs sorted
 * @param {string} key
 * @param {(id: string) => string} sweepName
 * @returns {{ key: string, title: string, runs: Run[] }[]}
 */
export function grouped(runs, key, sweepName) {
  /** @type {Map<string, { key: string, title: string, runs: Run[] }>} */
  const found = new Map();
  for (const run of runs) {
    for (const group of groupsOf(run, key, sweepName)) {
      const known = found.get(group.key);
      if (known) known.runs.push(run);
      else found.set(group.key, { ...group, runs: [run] });
    }
  }
  const all = [...found.values()];
  return [...all.filter((group) => group.key !== ""), ...all.filter((group) => group.key === "")];
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1);
