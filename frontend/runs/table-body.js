// The rows of the table: runs, sweeps that open, and the heads of groups. Rows are built once and updated in place.

import { getRuns, stopSweep } from "../lib/api.js";
import { siteUrl } from "../lib/base-path.js";
import { h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { attempt } from "../lib/shell.js";
import { CurveLoader } from "./curve-loader.js";
import { groupHead } from "./group-head.js";
import { runRow } from "./row.js";
import { rowMenu } from "./row-menu.js";
import { sweepRow } from "./sweep-row.js";
import { factsOf, factsOfPage, foldSweeps, memberLabels } from "./sweeps.js";

/** @import { Run } from "../lib/types" */
/** @import { Row } from "./row.js" */
/** @import { RunList } from "./run-list.js" */
/** @import { Selection } from "./selection.js" */
/** @import { SweepRow } from "./sweep-row.js" */
/** @import { Facts, Item } from "./sweeps.js" */

/** The figures of a sweep whose runs are not all loaded are asked for again after this time. */
const FACTS_MS = 5000;
/** Curves are fetched for rows that are this close to the window. */
const NEAR = "200px";

/**
 * @param {{
 *   list: RunList,
 *   selection: Selection,
 *   onChoose: (ids: string[], on: boolean) => void,
 *   onChooseRow: (id: string, on: boolean, range: boolean, standing: string[]) => void,
 *   onDelete: (runs: Run[]) => void,
 *   onEdit: (run: Run) => void,
 *   onTag: (tag: string) => void,
 *   onChange: () => void,
 * }} options `onChange`: the rows must be drawn again
 */
export function tableBody({ list, selection, onChoose, onChooseRow, onDelete, onEdit, onTag, onChange }) {
  const body = h("tbody");
  const menu = rowMenu();
  const curves = new CurveLoader();
  /** @type {Map<string, Row>} */
  const rows = new Map();
  /** @type {Map<string, SweepRow>} */
  const sweeps = new Map();
  /** The sweeps that the user opened or closed. @type {Map<string, boolean>} */
  const opened = new Map();
  /** The figures of sweeps whose runs are not all loaded. @type {Map<string, { at: number, question: string, facts: Facts | null }>} */
  const figures = new Map();
  /** @type {Map<string, { text: string, labels: Map<string, string> }>} */
  const labels = new Map();
  /** The ids of the rows from top to bottom. @type {string[]} */
  let standing = [];
  /** @type {Set<Element>} */
  const near = new Set();
  const sight = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) near.add(target);
        else near.delete(target);
        const row = rowAt(target);
        if (!row) continue;
        if (isIntersecting) wantCurve(row);
        else if (row.run) curves.drop(row.run.id, row.showCurve);
      }
    },
    { rootMargin: NEAR },
  );

  /** @param {Element} element */
  function rowAt(element) {
    const { run, sweep } = /** @type {HTMLElement} */ (element).dataset;
    return run === undefined ? sweeps.get(sweep ?? "") : rows.get(run);
  }

  /** @param {Row | SweepRow} row */
  function wantCurve(row) {
    if (row.run) curves.want(row.run, row.showCurve);
    else row.showCurve(null);
  }

  /** @param {Run} run @param {string[]} paths @param {string | null} [label] */
  function rowOf(run, paths, label = null) {
    let row = rows.get(run.id);
    if (!row) {
      row = runRow(run, {
        onDelete: (gone) => onDelete([gone]),
        onEdit,
        onChoose: ({ id }, on, range) => onChooseRow(id, on, range, standing),
        onTag,
        onMenu: menu.open,
      });
      rows.set(run.id, row);
      sight.observe(row.element);
    }
    row.show(run, paths, label);
    row.choose(selection.has(run.id));
    if (near.has(row.element)) wantCurve(row);
    return row.element;
  }

  /** @param {string} id @param {Run[]} runs */
  function idsOf(id, runs) {
    return list.hasMore ? list.ofSweep(id) : Promise.resolve(runs.map((run) => run.id));
  }

  /** @param {string} id */
  function makeSweepRow(id) {
    /** @returns {Run[]} */
    const members = () => list.runs().filter(({ sweep }) => sweep === id);
    const row = sweepRow(id, {
      onToggle: (open) => {
        opened.set(id, open);
        onChange();
      },
      onChoose: (on) => attempt(async () => onChoose(await idsOf(id, members()), on)),
      onStop: () => attempt(() => stopSweep(id)),
      onDelete: () => attempt(async () => onDelete(await getRuns(await idsOf(id, members())))),
      onMenu: menu.open,
    });
    sight.observe(row.element);
    sweeps.set(id, row);
    return row;
  }

  /**
   * The figures of a sweep: of the loaded runs, unless there are others.
   * @param {string} id
   * @param {Run[]} runs
   * @param {string} question what the list was asked for
   */
  function factsNow(id, runs, question) {
    const loaded = factsOf(runs);
    if (!list.hasMore) return { facts: loaded, complete: true };
    const known = figures.get(id);
    const isFresh = known?.question === question && Date.now() - known.at < FACTS_MS;
    const facts = known?.question === question ? known.facts : null;
    if (!isFresh) askFacts(id, question, facts);
    const complete = facts !== null && facts.total <= runs.length;
    return complete ? { facts: { ...loaded, all: facts.all }, complete } : { facts: facts ?? loaded, complete };
  }

  /** @param {string} id @param {string} question @param {Facts | null} before */
  async function askFacts(id, question, before) {
    figures.set(id, { at: Date.now(), question, facts: before });
    try {
      const facts = factsOfPage(await list.bestOfSweep(id));
      if (figures.get(id)?.question !== question) return;
      figures.set(id, { at: Date.now(), question, facts });
      if (JSON.stringify(facts) !== JSON.stringify(before)) onChange();
    } catch {
      // The row says what the loaded runs say.
    }
  }

  /** @param {string} id @param {Run[]} runs */
  function labelsOf(id, runs) {
    const text = runs.map((run) => `${run.id} ${run.name}`).join();
    const known = labels.get(id);
    if (known?.text === text) return known.labels;
    const made = memberLabels(runs);
    labels.set(id, { text, labels: made });
    return made;
  }

  /**
   * @param {Item} item
   * @param {{ paths: string[], columns: number, searched: boolean, question: string }} state
   * @returns {HTMLElement[]}
   */
  function sweepElements({ sweep, runs }, { paths, columns, searched, question }) {
    const id = String(sweep);
    const { facts, complete } = factsNow(id, runs, question);
    // What is searched for is in sight.
    const open = opened.get(id) ?? searched;
    const row = sweeps.get(id) ?? makeSweepRow(id);
    const chosen = runs.filter((run) => selection.has(run.id)).length;
    row.show(runs, facts, { paths, open, complete, chosen: chosen === runs.length, some: chosen > 0 });
    if (near.has(row.element)) wantCurve(row);
    if (!open) return [row.element];
    const names = labelsOf(id, runs);
    const rest = facts.total - runs.length;
    return [
      row.element,
      ...runs.map((run) => rowOf(run, paths, names.get(run.id))),
      ...(rest > 0 ? [restRow(id, rest, columns)] : []),
    ];
  }

  /** What leads to the runs of a sweep that are not loaded. @param {string} id @param {number} rest @param {number} columns */
  function restRow(id, rest, columns) {
    const link = h("a", { href: siteUrl(`/?sweep=${encodeURIComponent(id)}`) }, `All runs of this sweep`);
    return h(
      "tr",
      { class: "rest-row" },
      h("td", { colspan: columns + 2 }, `${plural(rest, "further run")} of this sweep. `, link),
    );
  }

  /** @param {Run[]} runs @param {{ grouping: string, paths: string[], columns: number }} state */
  function groupedElements(runs, { grouping, paths, columns }) {
    const all = runs.map((run) => rowOf(run, paths));
    let at = 0;
    const found = list.groups.flatMap((group) => {
      const members = all.slice(at, at + group.listed);
      at += group.listed;
      if (members.length === 0) return [];
      const head = groupHead(group, {
        grouping,
        columns: columns + 1,
        chosen: members.every((row) => selection.has(row.dataset.run ?? "")),
        onChoose: (on) => attempt(async () => onChoose(await list.ofGroup(group), on)),
      });
      return [head, ...members];
    });
    return [...found, ...all.slice(at)];
  }

  /** Whether a sweep has a row: not for a single run. @param {Item} item */
  const folds = ({ sweep, runs }) => sweep !== null && (runs.length > 1 || list.hasMore);

  return {
    element: body,
    menu: menu.element,
    /** How many rows there are. */
    get length() {
      return body.children.length;
    },
    /**
     * @param {Run[]} runs
     * @param {{ grouping: string, folded: boolean, paths: string[], columns: number, hidden: Set<string>, searched: boolean,
     *   question: string }} state `folded`: whether each sweep is one row; `searched`: whether a search says which runs
     */
    draw(runs, { hidden, folded, ...state }) {
      const focused = document.activeElement;
      const wanted = folded
        ? foldSweeps(runs).flatMap((item) =>
            folds(item) ? sweepElements(item, state) : item.runs.map((run) => rowOf(run, state.paths)),
          )
        : list.groups.length > 0
          ? groupedElements(runs, state)
          : runs.map((run) => rowOf(run, state.paths));
      forget(new Set(wanted));
      standing = wanted.flatMap((row) => row.dataset.run ?? []);
      wanted.forEach((row, at) => {
        if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null);
      });
      while (body.children.length > wanted.length) body.lastChild?.remove();
      if (focused instanceof HTMLElement && focused !== document.activeElement && body.contains(focused))
        focused.focus();
      for (const row of [...rows.values(), ...sweeps.values()]) row.showColumns(hidden);
    },
    showAge: () => rows.forEach((row) => row.showAge()),
  };

  /** Forgets rows that are no longer shown. @param {Set<Element>} wanted */
  function forget(wanted) {
    for (const kept of [rows, sweeps])
      for (const [id, { element }] of kept)
        if (!wanted.has(element)) {
          sight.unobserve(element);
          near.delete(element);
          element.remove();
          kept.delete(id);
        }
  }
}
