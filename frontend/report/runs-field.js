// The control to choose the runs of a figure: by sweep or tag, which includes later runs, or one by one.

import { h } from "../lib/dom.js";
import { ago, plural } from "../lib/format.js";
import { sweepTitle } from "../runs/sweeps.js";
import { runName } from "../lib/run-name.js";

/** @import { Run } from "../lib/types" */

/**
 * @param {string} id of the control
 * @param {string} now runs as a report names them
 * @param {Run[]} runs those to choose from
 * @param {(words: string) => void} onChange
 * @returns {[input: HTMLElement, more: HTMLElement]}
 */
export function runsField(id, now, runs, onChange) {
  const groups = groupsOf(runs);
  const known = groups.some(([of]) => of === now);
  const chosen = new Set(known ? [] : now.split(/[\s,]+/).filter(Boolean));
  const select = h(
    "select",
    { id, on: { change } },
    ...groups.map(([of, words]) => h("option", { value: of }, words)),
    h("option", { value: "" }, "Runs chosen here"),
  );
  select.value = known ? now : "";
  const search = h("input", {
    type: "search",
    placeholder: "Search runs",
    "aria-label": "Search runs",
    on: { input: find },
  });
  const pick = (/** @type {Run} */ run, /** @type {boolean} */ is) => {
    for (const beginning of [...chosen]) if (run.id.startsWith(beginning)) chosen.delete(beginning);
    if (is) chosen.add(run.id);
  };
  const isChosen = (/** @type {Run} */ run) => [...chosen].some((beginning) => run.id.startsWith(beginning));
  // Chosen runs come first, since they may be old.
  const inOrder = [...runs].sort((a, b) => Number(isChosen(b)) - Number(isChosen(a)));
  const list = h(
    "div",
    { class: "run-choices", role: "group", "aria-label": "Runs" },
    ...inOrder.map((run) => {
      const box = h("input", {
        type: "checkbox",
        value: run.id,
        on: {
          change: () => {
            pick(run, box.checked);
            onChange([...chosen].join(", "));
          },
        },
      });
      box.checked = isChosen(run);
      return h("label", {}, box, h("span", {}, runName(run)));
    }),
  );
  const own = h("div", { class: "run-picker" }, search, list);
  own.hidden = known;
  function change() {
    own.hidden = select.value !== "";
    onChange(select.value === "" ? [...chosen].join(", ") : select.value);
  }
  function find() {
    const word = search.value.toLowerCase();
    for (const row of list.children) {
      const element = /** @type {HTMLElement} */ (row);
      element.hidden = !(row.textContent ?? "").toLowerCase().includes(word);
    }
  }
  return [select, own];
}

/** Sweeps and tags as a report names them, the newest first. @param {Run[]} runs @returns {[string, string][]} */
export function groupsOf(runs) {
  /** @type {Map<string, Run[]>} */
  const groups = new Map();
  const add = (/** @type {string} */ key, /** @type {Run} */ run) => groups.set(key, [...(groups.get(key) ?? []), run]);
  for (const run of runs) {
    if (run.sweep) add(`sweep ${run.sweep}`, run);
    for (const tag of run.tags) add(`tag ${tag}`, run);
  }
  return [...groups].map(([key, of]) => [
    key,
    key.startsWith("tag ")
      ? `Tagged “${key.slice(4)}”, ${plural(of.length, "run")}`
      : `${sweepTitle(of, true).title}, ${plural(of.length, "run")}, ${ago(of[0].created, Date.now())}`,
  ]);
}
