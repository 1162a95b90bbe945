// The settings in which compared runs differ: which they are, and their table.

import { settingLabel, settingPhrase, settingValue } from "../lib/setting-labels.js";
import { differingSettings, labelOf, settingsOf } from "../lib/settings-diff.js";
import { h } from "../lib/dom.js";
import { nameCell } from "./tables.js";

/** @import { Run } from "../lib/types" */
/** @import { Member } from "./members.js" */

/** The settings in which members differ. @param {Member[]} members */
export const settingsThatDiffer = (members) =>
  differingSettings(members.map(({ runs }) => runs[0])).filter(
    (path) => path !== "training.seed" || members.every(({ runs }) => runs.length === 1),
  );

/** Whether the labels of members say all the settings in which they differ. @param {Member[]} members @param {string[]} paths */
const isInLabels = (members, paths) =>
  members.every(({ label, runs: [run] }) => {
    const [path, ...others] = paths;
    if (others.length > 0) return label === labelOf(run, paths);
    return label.endsWith(settingPhrase(path, settingsOf(run).get(path), run.spec.network?.kind));
  });

/** The first runs of the members that have a setting. @param {string} path @param {Member[]} members */
export const runsWith = (path, members) =>
  members.map(({ runs: [run] }) => run).filter((run) => settingsOf(run).has(path));

/** The value of a setting that a run has not. */
const NONE = "–";
/** So few runs have a column each in the table of settings, where these are more. */
const FEW_RUNS = 6;

/**
 * What members have of the settings in which they differ, those that all have first. Where networks call a setting by
 * several names, it is told once by each name.
 * @param {Member[]} members @param {string[]} [paths]
 * @returns {{ label: string, isEverywhere: boolean, values: string[] }[]} `isEverywhere`: all have it; `values` by member
 */
export function settingLines(members, paths = settingsThatDiffer(members)) {
  const lines = paths.flatMap((path) => {
    const labels = members.map(({ runs: [run] }) => (hasEffect(run, path) ? settingLabel(path, kindOf(run)) : null));
    return [...new Set(labels.filter((label) => label !== null))].map((label) => ({
      label,
      isEverywhere: labels.every((other) => other === label),
      values: members.map(({ runs: [run] }, i) =>
        labels[i] === label ? settingValue(path, settingsOf(run).get(path), kindOf(run)) : NONE,
      ),
    }));
  });
  return [...lines.filter(({ isEverywhere }) => isEverywhere), ...lines.filter(({ isEverywhere }) => !isEverywhere)];
}

/** @param {Run} run */
const kindOf = ({ spec }) => spec.network?.kind;

/** Whether a run has a setting, and its network reads it: a compact head has no layers of its own widths. @param {Run} run @param {string} path */
function hasEffect(run, path) {
  const settings = settingsOf(run);
  const isCompact = settings.get("network.kind") === "vgg16" && settings.get("network.head") === "compact";
  return settings.has(path) && !(isCompact && (path === "network.hidden" || path === "network.dropout"));
}

/**
 * The table of the settings in which members differ; null if there are none, or if their labels say it all. Many settings
 * of few runs are its rows.
 * @param {Member[]} members
 */
export function settingsTable(members) {
  const paths = settingsThatDiffer(members);
  if (paths.length === 0 || isInLabels(members, paths)) return null;
  const lines = settingLines(members, paths);
  return members.length <= FEW_RUNS && lines.length > members.length
    ? tableOf("Setting", members.map(nameCell), rowsOfSettings(members, lines), "is-turned")
    : tableOf(
        "Run",
        lines.map(({ label }) => label),
        members.map((member, i) => ({ name: nameCell(member), values: lines.map(({ values }) => values[i]) })),
      );
}

/** @typedef {{ name: Node | string, values: (Node | string)[] }} Row */

/**
 * A row for each setting that all have. What only some have, mostly settings of their networks, is a list in one row: of
 * rows of their own half would be dashes.
 * @param {Member[]} members @param {ReturnType<typeof settingLines>} lines @returns {Row[]}
 */
function rowsOfSettings(members, lines) {
  const shared = lines.filter(({ isEverywhere }) => isEverywhere).map(({ label, values }) => ({ name: label, values }));
  const own = lines.filter(({ isEverywhere }) => !isEverywhere);
  if (own.length === 0) return shared;
  const ofMember = (/** @type {number} */ i) =>
    own.filter(({ values }) => values[i] !== NONE).map(({ label, values }) => h("li", {}, `${label}: ${values[i]}`));
  return [...shared, { name: "Settings that others lack", values: members.map((_, i) => h("ul", {}, ofMember(i))) }];
}

/** @param {string} first @param {(Node | string)[]} heads @param {Row[]} rows @param {string} [look] */
function tableOf(first, heads, rows, look = "") {
  return h(
    "table",
    { class: `compare-table settings-table ${look}` },
    h("thead", {}, h("tr", {}, ...[first, ...heads].map((head) => h("th", { scope: "col" }, head)))),
    h(
      "tbody",
      {},
      ...rows.map(({ name, values }) =>
        h("tr", {}, h("th", { scope: "row" }, name), ...values.map((value) => h("td", {}, value))),
      ),
    ),
  );
}
