// The table of runs: sorting, filtering, grouping, selection, and live updates per row.

import { getFacets, listAllRuns } from "../lib/api.js";
import { siteUrl } from "../lib/base-path.js";
import { h, setText } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";
import { settingLabel } from "../lib/setting-labels.js";
import { announce, attempt, toast } from "../lib/shell.js";
import { offerUndo, moveToTrash } from "../lib/trash.js";
import { bulkBar } from "./bulk.js";
import { COLUMNS, isCustomised, hiddenColumns } from "./columns.js";
import { filterField } from "./filter.js";
import { canGroup, groupingAsked, groupings, optionTitle } from "./groups.js";
import { tableHeads } from "./heads.js";
import { editLabels } from "./labels.js";
import { readOrder, sortOf, writeOrder } from "./order.js";
import { RunList } from "./run-list.js";
import { saveCsv } from "./save-csv.js";
import { Selection } from "./selection.js";
import { settingPaths } from "./settings.js";
import { sweepTitle } from "./sweeps.js";
import { tableBody } from "./table-body.js";
import { columnMenu, moreMenu } from "./table-menus.js";

/** @import { RunQuery } from "../lib/api.js" */
/** @import { Run, RunFacets, Runs } from "../lib/types" */

/** The columns of settings are those in which the first runs differ. */
const FIRST_ROWS = 200;
/** So many rows are loaded as one scrolls; further ones on request, so that the end of the page can be reached. */
const ROWS_BY_SCROLLING = 1000;
/** A filter is applied this long after the last key. */
const TYPED_MS = 150;
/** The values that runs have are asked for again after this time. */
const FACETS_MS = 15_000;

/**
 * @param {{
 *   empty: HTMLElement,
 *   uploadLimit: number,
 *   changes: string,
 *   first: Runs | null,
 *   onCount: (all: number) => void,
 * }} options `empty` is shown while there are no runs; `uploadLimit`: the maximum upload in bytes; `changes`: the place among
 *   the server's changes at which the page was read; `first`: the first runs, unless the URL asks for others; `onCount`: how
 *   many runs there are, whether they match or not
 */
export function runsTable({ empty, uploadLimit, changes, first, onCount }) {
  const query = new URLSearchParams(location.search);
  const sweep = query.get("sweep");
  const list = new RunList({ changes, onChange: soon, onProblem: showProblem });
  const selection = new Selection();
  const hidden = hiddenColumns();
  let order = readOrder(query.get("sort") ?? "");
  let grouping = canGroup(query.get("group") ?? "") ? (query.get("group") ?? "") : "";
  let dirty = false;
  let typing = 0;
  /** The loaded runs. @type {Run[]} */
  let shown = [];
  /** The chosen runs that do not match the filter, as far as that is known. */
  let away = 0;
  /** Whether all runs that match are chosen. */
  let everything = false;
  /** Whether the end of the rows is in sight, or near. */
  let nearEnd = false;
  /** @type {RunFacets | null} */
  let facets = null;
  let facetsAt = Number.NEGATIVE_INFINITY;

  const counts = h("span", { class: "counts", role: "status" });
  const filter = filterField({
    text: query.get("q") ?? "",
    facets: learn,
    onChange: () => {
      clearTimeout(typing);
      everything = false;
      typing = window.setTimeout(ask, TYPED_MS);
    },
  });
  const groupSelect = h("select", {
    class: "input group-select",
    "aria-label": "Group runs by",
    on: {
      focus: learn,
      change: () => {
        grouping = groupSelect.value;
        ask();
      },
    },
  });
  const chooseAll = h("input", {
    type: "checkbox",
    "aria-label": "Choose all visible runs",
    title: "Choose all runs that match the filter",
    on: {
      change: () =>
        attempt(async () => {
          everything = chooseAll.checked;
          selection.replace(everything ? await list.matching() : []);
          draw();
        }),
    },
  });
  const heads = tableHeads({ chooseAll, onSort: sortBy });
  const body = tableBody({
    list,
    selection,
    onChoose: (ids, on) => {
      everything = false;
      const others = selection.ids().filter((id) => !ids.includes(id));
      selection.replace(on ? [...others, ...ids] : others);
      draw();
    },
    onChooseRow: (id, on, range, standing) => {
      everything &&= on;
      selection.set(id, on, range, standing);
      draw();
    },
    onDelete: remove,
    onEdit: (edited) => attempt(async () => editLabels(edited, await knownTags(), put)),
    onTag: (tag) => filterBy(/\s/.test(tag) ? `tag:"${tag}"` : `tag:${tag}`),
    onChange: soon,
  });
  const nothing = h(
    "p",
    { class: "runs-nothing", hidden: true },
    "No run matches the filter. ",
    h("button", { class: "button small", type: "button", on: { click: () => filterBy("") } }, "Clear the filter"),
  );
  const more = h("button", { class: "button", type: "button", hidden: true, on: { click: () => list.more() } });
  new IntersectionObserver(
    (entries) => {
      nearEnd = entries[entries.length - 1].isIntersecting;
      if (nearEnd) loadNearby();
    },
    { rootMargin: "600px" },
  ).observe(more);
  const frame = h(
    "div",
    { class: "runs-table", on: { scroll: showEdges } },
    h("table", {}, h("thead", {}, heads.row), body.element),
  );
  new ResizeObserver(showEdges).observe(frame);
  const bulk = bulkBar({
    ids: () => selection.ids(),
    known: (id) => list.get(id),
    away: () => away,
    anyActive: () => (list.statuses.running ?? 0) + (list.statuses.queued ?? 0) > 0,
    tags: knownTags,
    onRun: put,
    onGone: (gone) => gone.forEach(({ id }) => drop(id)),
    onNone: () => {
      everything = false;
      selection.replace([]);
      draw();
    },
  });
  const title = sweep ? "Runs of one sweep" : "Runs";
  const heading = h("h2", {}, title);
  const head = h(
    "div",
    { class: "runs-head" },
    heading,
    counts,
    sweep && h("a", { class: "button small", href: siteUrl(`/sweeps/${sweep}`) }, "The sweep"),
    sweep && h("a", { class: "button small", href: siteUrl("/") }, "Show all runs"),
    h(
      "div",
      { class: "tools" },
      filter.element,
      groupSelect,
      heads.menu,
      columnMenu(hidden, draw),
      moreMenu({ onSave: save, uploadLimit }),
    ),
  );
  const element = h(
    "section",
    { "aria-label": title },
    head,
    filter.fault,
    bulk.element,
    // A narrow window has no heads.
    h("p", { class: "result-note" }, "Best validation accuracy"),
    frame,
    body.menu,
    more,
    nothing,
    empty,
  );
  empty.hidden = true;
  if (first) list.begin(asked(), first);
  else ask();

  /** What the list is asked for. @returns {RunQuery} */
  function asked() {
    return { search: filter.text.trim(), sort: sortOf(order), group: groupingAsked(grouping), sweep };
  }

  /** Loads further rows while their end is in sight: the runs of a closed sweep take no room. */
  function loadNearby() {
    if (list.hasMore && shown.length < ROWS_BY_SCROLLING) list.more();
  }

  /** Tells the style which edges have columns behind them. */
  function showEdges() {
    const rest = frame.scrollWidth - frame.clientWidth - frame.scrollLeft;
    frame.classList.toggle("more-left", frame.scrollLeft > 0);
    frame.classList.toggle("more-right", rest > 1);
  }

  /** Asks the server for the runs that the filter, the order and the grouping say. */
  function ask() {
    clearTimeout(typing);
    frame.setAttribute("aria-busy", "true");
    remember();
    return list.ask(asked());
  }

  /** @param {unknown} error */
  function showProblem(error) {
    toast(error instanceof Error ? error.message : String(error), "bad");
  }

  /** Asks for the values that runs have, for completion and grouping. @returns {Promise<RunFacets | undefined>} */
  async function learn() {
    if (facets && Date.now() - facetsAt < FACETS_MS) return facets;
    facetsAt = Date.now();
    facets = (await attempt(() => getFacets(sweep))) ?? facets;
    showGroupings();
    return facets ?? undefined;
  }

  /** @param {string} key @param {boolean} [keep] */
  function sortBy(key, keep = false) {
    const byText = key === "name" || key === "network" || key === "data" || key === "status";
    order = key === order.key && !keep ? { key, descending: !order.descending } : { key, descending: !byText };
    ask();
    const column = COLUMNS.find((column) => column.key === key);
    announce(`Sorted by ${column?.title ?? settingLabel(key)}, ${order.descending ? "descending" : "ascending"}`);
  }

  /** Writes filter, order and grouping to the URL. */
  function remember() {
    const now = new URLSearchParams(location.search);
    for (const [name, value] of [
      ["q", filter.text],
      ["sort", writeOrder(order)],
      ["group", grouping],
    ]) {
      now.delete(name);
      if (value) now.append(name, value);
    }
    const text = now.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
    history.replaceState(history.state, "", `${location.pathname}${text && `?${text}`}`);
  }

  /** Schedules one redraw at the next animation frame. */
  function soon() {
    if (dirty) return;
    dirty = true;
    requestAnimationFrame(draw);
  }

  function draw() {
    dirty = false;
    if (!list.isLoaded) return;
    shown = list.runs();
    filter.showFaults(list.faults);
    frame.removeAttribute("aria-busy");
    const visible = new Set(shown.map(({ id }) => id));
    const paths = settingPaths(shown.slice(0, FIRST_ROWS));
    heads.show(paths, order, hidden);
    const query = asked();
    body.draw(shown, {
      grouping,
      folded: grouping === "" && sweep === null,
      paths,
      columns: heads.count,
      hidden,
      searched: query.search !== "",
      question: JSON.stringify(query),
    });

    if (sweep && shown.length > 0) setText(heading, `Runs of ${sweepTitle(shown, !list.hasMore).title}`);
    const { all, total } = list;
    const { running = 0, queued = 0 } = list.statuses;
    setText(
      counts,
      [
        total < all ? `${count(total)} of ${plural(all, "run")}` : plural(all, "run"),
        running > 0 && `${count(running)} running`,
        queued > 0 && `${count(queued)} queued`,
      ]
        .filter(Boolean)
        .join(" · "),
    );
    showGroupings();
    frame.classList.toggle("own-columns", isCustomised());
    chooseAll.checked = shown.length > 0 && (everything || !list.hasMore) && shown.every(({ id }) => selection.has(id));
    chooseAll.indeterminate = selection.size > 0 && !chooseAll.checked;
    showAway(visible);
    bulk.show();
    frame.hidden = shown.length === 0;
    more.hidden = !list.hasMore;
    setText(more, `Show more: these are ${count(shown.length)} of ${plural(total, "run")}`);
    nothing.hidden = total > 0 || all === 0;
    empty.hidden = all > 0;
    head.hidden = all === 0 && !sweep;
    onCount(all);
    showEdges();
    if (nearEnd && body.length < shown.length) loadNearby();
  }

  /** Counts the chosen runs that do not match. @param {Set<string>} visible */
  function showAway(visible) {
    const chosen = selection.ids();
    const others = chosen.filter((id) => !visible.has(id));
    if (others.length === 0 || everything) away = 0;
    else if (!list.hasMore) away = others.length;
    else
      list.matching().then(
        (ids) => {
          const matching = new Set(ids);
          away = others.filter((id) => !matching.has(id)).length;
          bulk.show();
        },
        // The number is left out.
        () => {},
      );
  }

  function showGroupings() {
    const known = groupings(shown.slice(0, FIRST_ROWS), facets);
    if (grouping !== "" && !known.some(({ key }) => key === grouping)) known.push({ key: grouping, title: grouping });
    const text = JSON.stringify(known);
    if (groupSelect.dataset.shown !== text) {
      groupSelect.dataset.shown = text;
      groupSelect.replaceChildren(...known.map((known) => h("option", { value: known.key }, optionTitle(known))));
    }
    groupSelect.value = grouping;
  }

  /** @param {string} text */
  function filterBy(text) {
    filter.set(text);
    ask();
  }

  /** @param {Run[]} runs */
  async function remove(runs) {
    const gone = await moveToTrash(runs);
    gone.forEach(({ id }) => drop(id));
    offerUndo(gone);
  }

  /** The tags that are in use. */
  async function knownTags() {
    facetsAt = Number.NEGATIVE_INFINITY;
    return (await learn())?.tags ?? [];
  }

  /** Saves all runs that match. */
  async function save() {
    saveCsv(list.hasMore ? await listAllRuns({ ...asked(), group: undefined }) : shown);
  }

  /** @param {string} id */
  function drop(id) {
    selection.drop(id);
    list.drop(id);
    soon();
  }

  /** @param {Run} run */
  function put(run) {
    list.put(run);
  }

  setInterval(body.showAge, 10_000);
  return {
    element,
    draw,
    drop,
    put,
    many: () => list.many(),
    returned: () => list.returned(),
  };
}
