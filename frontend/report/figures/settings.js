// The table of settings: what differs between runs, then what they share.

import { nameCell } from "../../compare/tables.js";
import { h } from "../../lib/dom.js";
import { plural } from "../../lib/format.js";
import { formTable, settingsThatMatter, settingWords, sharedSettings } from "../setting-words.js";
import { membersFor, RUNS, runsTitle } from "./members.js";

/** @import { FormTable, Run } from "../../lib/types" */
/** @import { Member } from "../../compare/members.js" */
/** @import { Kind } from "./index.js" */

/** More settings than this are the rows of the table, and runs its columns. */
const MAX_COLUMNS = 5;

/** @type {Kind} */
export const settings = {
  kind: "settings",
  title: "Settings",
  about: "What differs between runs, then what they share",
  is: "table",
  fields: [
    RUNS,
    {
      name: "show",
      label: "Show",
      type: "choice",
      value: "matter",
      options: [
        ["matter", "What differs, then what is the same"],
        ["differing", "What differs"],
        ["common", "Everything that is the same"],
      ],
    },
  ],
  async draw(values, sources) {
    const runs = await sources.runsOf(values.runs);
    const table = await formTable();
    const { differ, same, rest } = settingsThatMatter(table, runs);
    const differing = values.show === "common" || runs.length < 2 ? [] : differ;
    const shared =
      values.show === "common" ? sharedSettings(runs) : values.show === "differing" && differing.length > 0 ? [] : same;
    const members = membersFor(runs, "together");
    const [one] = differing;
    // The runs' names say the value already: it needs no table of its own.
    const named =
      differing.length === 1 &&
      shared.length > 0 &&
      members.every(({ label, runs: [run] }) =>
        label.toLowerCase().includes(settingWords(table, run, one).value.toLowerCase()),
      );
    const compared = named
      ? [
          {
            label: settingWords(table, runs[0], one).label,
            value: members.map(({ runs: [run] }) => settingWords(table, run, one).value).join(", "),
          },
        ]
      : [];
    const left = values.show === "common" || shared.length === 0 ? 0 : rest;
    const body = h(
      "div",
      { class: "settings-tables" },
      differing.length > 0 && !named && differingTable(table, members, runs, differing),
      differing.length > 0 && !named && shared.length > 0 && h("p", { class: "settings-same" }, "The same for all"),
      shared.length > 0 && sharedTable([...compared, ...shared.map((path) => settingWords(table, runs[0], path))]),
    );
    const what =
      differing.length === 0
        ? "Settings"
        : shared.length === 0
          ? "Settings that differ"
          : "Settings that differ and settings in common";
    const caption = named
      ? `Settings of ${runsTitle(runs)}: they differ in ${compared[0].label.toLowerCase()}.`
      : `${what} of ${runsTitle(runs)}.`;
    return {
      body,
      runs,
      caption,
      ...(left > 0 && {
        note: `Not shown: ${plural(left, "setting")} with the form's default, or of the machine.`,
      }),
    };
  },
};

/**
 * Members by settings; many settings of few runs become rows.
 * @param {FormTable | null} table
 * @param {Member[]} members
 * @param {Run[]} runs
 * @param {string[]} paths
 */
function differingTable(table, members, runs, paths) {
  const columns = paths.filter((path) => path !== "training.seed" || members.length === runs.length);
  const of = (/** @type {Run} */ run, /** @type {string} */ path) => settingWords(table, run, path).value;
  // Only a run that has the setting knows its label.
  const label = (/** @type {string} */ path) =>
    settingWords(table, runs.find((run) => of(run, path) !== "–") ?? runs[0], path).label;
  const head = (/** @type {(Node | string)[]} */ cells) =>
    h("thead", {}, h("tr", {}, ...cells.map((cell) => h("th", { scope: "col" }, cell))));
  const turned = columns.length > MAX_COLUMNS && members.length <= columns.length;
  return turned
    ? h(
        "table",
        { class: "compare-table" },
        head(["Setting", ...members.map(nameCell)]),
        h(
          "tbody",
          {},
          ...columns.map((path) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, label(path)),
              ...members.map(({ runs: [run] }) => h("td", {}, of(run, path))),
            ),
          ),
        ),
      )
    : h(
        "table",
        { class: "compare-table" },
        head(["Run", ...columns.map(label)]),
        h(
          "tbody",
          {},
          ...members.map((member) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, nameCell(member)),
              ...columns.map((path) => h("td", {}, of(member.runs[0], path))),
            ),
          ),
        ),
      );
}

/** A table with two settings per row, since they are short. @param {{ label: string, value: string }[]} all */
function sharedTable(all) {
  const half = Math.ceil(all.length / 2);
  const pair = (/** @type {{ label: string, value: string } | undefined} */ of) =>
    of ? [h("th", { scope: "row" }, of.label), h("td", {}, of.value)] : [h("td"), h("td")];
  return h(
    "table",
    { class: "compare-table settings-pairs" },
    h(
      "thead",
      {},
      h("tr", {}, ...["Setting", "Value", "Setting", "Value"].map((title) => h("th", { scope: "col" }, title))),
    ),
    h("tbody", {}, ...all.slice(0, half).map((of, i) => h("tr", {}, ...pair(of), ...pair(all[half + i])))),
  );
}
