// The row above the runs of a group.

import { h } from "../lib/dom.js";
import { percent, plural } from "../lib/format.js";
import { groupTitle } from "./groups.js";

/** @import { RunGroup } from "../lib/types" */

/**
 * @param {RunGroup} group
 * @param {{ grouping: string, columns: number, chosen: boolean, onChoose: (on: boolean) => void }} options `columns`: of the
 *   table, without the boxes
 */
export function groupHead(group, { grouping, columns, chosen, onChoose }) {
  const name = groupTitle(group, grouping);
  const { runs, validated, mean_best_validation_accuracy: mean } = group;
  const box = h("input", {
    type: "checkbox",
    "aria-label": `Choose ${name}`,
    on: { change: () => onChoose(box.checked) },
  });
  box.checked = chosen;
  const figures = [
    plural(runs, "run"),
    mean !== null && `best validation ${percent(mean)}${validated > 1 ? " on average" : ""}`,
  ];
  return h(
    "tr",
    { class: "group-head" },
    h("td", { class: "cell-choose" }, h("label", {}, box)),
    h(
      "th",
      { scope: "rowgroup", colspan: columns },
      h("span", {}, name),
      h("small", {}, figures.filter(Boolean).join(" · ")),
    ),
  );
}
