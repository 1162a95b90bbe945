// The settings in which compared runs differ: which they are, and their table.

import { settingLabel, settingPhrase, settingValue } from "../lib/setting-labels.js";
import { differingSettings, labelOf, settingsOf } from "../lib/settings-diff.js";
import { h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
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

/** More settings than these that only some runs have are folded. */
const FEW_LINES = 3;
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
        labels[i] === label ? settingValue(path, settingsOf(run).get(path), kindOf(run)) : "–",
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
  const turned = members.length <= FEW_RUNS && lines.length > members.length;
  const [first, heads, rows] = turned
    ? [
        "Setting",
        members.map(nameCell),
        lines.map(({ label, values, isEverywhere }) => ({
          name: /** @type {Node | string} */ (label),
          values,
          isEverywhere,
        })),
      ]
    : [
        "Run",
        lines.map(({ label }) => label),
        members.map((member, i) => ({
          name: nameCell(member),
          values: lines.map(({ values }) => values[i]),
          isEverywhere: true,
        })),
      ];
  return h(
    "table",
    { class: `compare-table settings-table${turned ? " is-turned" : ""}` },
    h("thead", {}, h("tr", {}, ...[first, ...heads].map((head) => h("th", { scope: "col" }, head)))),
    ...[true, false].map((isEverywhere) => {
      const some = rows.filter((row) => row.isEverywhere === isEverywhere);
      return h(
        "tbody",
        { class: isEverywhere || some.length <= FEW_LINES ? undefined : "is-folded" },
        !isEverywhere &&
          some.length > 0 &&
          h(
            "tr",
            { class: "compare-group" },
            h("th", { scope: "rowgroup", colspan: heads.length + 1 }, foldButton(some.length)),
          ),
        ...some.map(({ name, values }) =>
          h("tr", {}, h("th", { scope: "row" }, name), ...values.map((value) => h("td", {}, value))),
        ),
      );
    }),
  );
}

/** Shows and hides the settings that only some runs have: those of one network say little of another. @param {number} lines */
function foldButton(lines) {
  const words = `${plural(lines, "setting")} that only some of them have`;
  if (lines <= FEW_LINES) return words;
  const toggle = (/** @type {Event} */ { currentTarget }) => {
    const button = /** @type {HTMLElement} */ (currentTarget);
    const isFolded = button.closest("tbody")?.classList.toggle("is-folded");
    button.setAttribute("aria-expanded", String(!isFolded));
  };
  return h(
    "button",
    { type: "button", class: "compare-fold", "aria-expanded": "false", on: { click: toggle } },
    icon("chevron", 12),
    words,
  );
}
