// The table of runs: sorting, filtering, grouping, selection, and live updates per row.

import { csv } from "../chart/csv.js";
import { getFacets, listAllRuns } from "../lib/api.js";
import { settingsOf } from "../lib/settings-diff.js";
import { download, h, setText } from "../lib/dom.js";
import { count, percent, plural, exactNumber } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { menu } from "../lib/menu.js";
import { announce, attempt, toast } from "../lib/shell.js";
import { siteUrl } from "../lib/base-path.js";
import { offerUndo, moveToTrash } from "../lib/trash.js";
import { openTrash } from "./trash-dialog.js";
import { openTensorboardImport } from "./tensorboard-import.js";
import { bulkBar } from "./bulk.js";
import { COLUMNS, isCustomised, hiddenColumns, rememberColumns } from "./columns.js";
import { filterField } from "./filter.js";
import { canGroup, groupings, groupTitle } from "./groups.js";
import { editLabels } from "./labels.js";
import { readOrder, sortOf, writeOrder } from "./order.js";
import { runRow } from "./row.js";
import { RunList } from "./run-list.js";
import { Selection } from "./selection.js";
import { settingPaths, settingTitle } from "./settings.js";

/** @import { RunQuery } from "../lib/api.js" */
/** @import { Run, RunFacets, RunGroup, Runs } from "../lib/types" */
/** @import { Row } from "./row.js" */

/** The columns of settings are those in which the first runs differ. */
const FIRST_ROWS = 200;
/** So many rows are loaded as one scrolls; further ones on request, so that the end of the page can be reached. */
const ROWS_BY_SCROLLING = 1000;
/** A filter is applied this long after the last key. */
const TYPED_MS = 150;
/** The values that runs have are asked for again after this time. */
const FACETS_MS = 15_000;

/**
 * @param {{ empty: HTMLElement, uploadLimit: number, changes: string, first: Runs | null }} options `empty` is shown while
 *   there are no runs; `uploadLimit`: the maximum upload in bytes; `changes`: the place among the server's changes at which
 *   the page was read; `first`: the first runs, unless the URL asks for others
 */
export function runsTable({ empty, uploadLimit, changes, first }) {
  const query = new URLSearchParams(location.search);
  const sweep = query.get("sweep");
  const list = new RunList({ changes, onChange: soon, onProblem: showProblem });
  const selection = new Selection();
  /** @type {Map<string, Row>} */
  const rows = new Map();
  const hidden = hiddenColumns();
  let order = readOrder(query.get("sort") ?? "");
  let grouping = canGroup(query.get("group") ?? "") ? (query.get("group") ?? "") : "";
  let dirty = false;
  let saving = 0;
  let typing = 0;
  /** The loaded runs. @type {Run[]} */
  let shown = [];
  /** The ids of the rows from top to bottom. @type {string[]} */
  let standing = [];
  /** The chosen runs that do not match the filter, as far as that is known. */
  let away = 0;
  /** Whether all runs that match are chosen. */
  let everything = false;
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
  const sortSelect = h("select", {
    class: "input phone-only",
    "aria-label": "Sort runs by",
    on: { change: () => sortBy(sortSelect.value, true) },
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
  /** @type {HTMLElement[]} */
  let heads = [];
  const headRow = h("tr");
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
  const body = h("tbody");
  const nothing = h(
    "p",
    { class: "runs-nothing", hidden: true },
    "No run matches the filter. ",
    h("button", { class: "button small", type: "button", on: { click: () => filterBy("") } }, "Clear the filter"),
  );
  const more = h("button", { class: "button", type: "button", hidden: true, on: { click: () => list.more() } });
  new IntersectionObserver(
    (entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting) && shown.length < ROWS_BY_SCROLLING) list.more();
    },
    { rootMargin: "600px" },
  ).observe(more);
  const frame = h("div", { class: "runs-table" }, h("table", {}, h("thead", {}, headRow), body));
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
  const head = h(
    "div",
    { class: "runs-head" },
    h("h2", {}, title),
    counts,
    sweep && h("a", { class: "button small", href: siteUrl(`/sweeps/${sweep}`) }, "The sweep"),
    sweep && h("a", { class: "button small", href: siteUrl("/") }, "Show all runs"),
    h("div", { class: "tools" }, filter.element, groupSelect, sortSelect, columnMenu(), furtherMenu()),
  );
  const element = h("section", { "aria-label": title }, head, filter.fault, bulk.element, frame, more, nothing, empty);
  empty.hidden = true;
  if (first) list.begin(asked(), first);
  else ask();

  function columnMenu() {
    const boxes = COLUMNS.filter(({ optional }) => optional).map(({ key, title: name }) => {
      const box = h("input", {
        type: "checkbox",
        on: {
          change: () => {
            if (box.checked) hidden.delete(key);
            else hidden.add(key);
            rememberColumns(hidden);
            showColumns();
          },
        },
      });
      box.checked = !hidden.has(key);
      return h("label", {}, box, ` ${name}`);
    });
    return menu({ label: "Columns", icon: "sliders", look: "icon" }, boxes);
  }

  function furtherMenu() {
    return menu({ label: "More", icon: "more", look: "icon" }, [
      { label: "Save as CSV", act: () => attempt(saveCsv) },
      { label: "Import TensorBoard files…", act: () => openTensorboardImport(uploadLimit) },
      { label: "Deleted runs…", act: openTrash },
    ]);
  }

  /** What the list is asked for. @returns {RunQuery} */
  function asked() {
    return { search: filter.text.trim(), sort: sortOf(order), group: grouping, sweep };
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
    announce(`Sorted by ${column?.title ?? settingTitle(key)}, ${order.descending ? "descending" : "ascending"}`);
  }

  /** Writes filter, order and grouping to the URL. */
  function remember() {
    clearTimeout(saving);
    saving = window.setTimeout(() => {
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
    }, 150);
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
    for (const [id, row] of rows) {
      if (!visible.has(id)) {
        row.element.remove();
        rows.delete(id);
      }
    }
    const focused = document.activeElement;
    const paths = settingPaths(shown.slice(0, FIRST_ROWS));
    showHeads(paths);
    const wanted = elements(paths);
    standing = wanted.flatMap((row) => row.dataset.run ?? []);
    wanted.forEach((row, at) => {
      if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null);
    });
    while (body.children.length > wanted.length) body.lastChild?.remove();
    if (focused instanceof HTMLElement && focused !== document.activeElement && body.contains(focused)) focused.focus();

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
    for (const th of heads) {
      if (th.dataset.key === order.key) th.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    }
    showGroupings();
    showColumns();
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

  /** Updates the column headers, and the sort menu of narrow windows. @param {string[]} paths */
  function showHeads(paths) {
    const text = JSON.stringify(paths);
    if (headRow.dataset.shown !== text) {
      headRow.dataset.shown = text;
      const columns = COLUMNS.flatMap((column) =>
        column.key === "settings"
          ? paths.map((path) => ({
              key: path,
              title: settingTitle(path),
              class: "number col-settings",
              more: undefined,
              about: undefined,
            }))
          : [column],
      );
      const last = headRow.contains(document.activeElement)
        ? document.activeElement?.closest("th")?.dataset.key
        : undefined;
      heads = columns.map(({ key, title: name, class: kind, more, about }) =>
        h(
          "th",
          { scope: "col", class: kind, title: about ?? (key.includes(".") ? key : ""), data: { key } },
          h(
            "button",
            { class: "sort", type: "button", on: { click: () => sortBy(key) } },
            more ? `${name}, ${more}` : name,
            icon("down", 12),
          ),
        ),
      );
      headRow.replaceChildren(
        h("th", { scope: "col", class: "cell-choose" }, h("label", {}, chooseAll)),
        ...heads,
        h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, "Actions")),
      );
      sortSelect.replaceChildren(
        ...[...columns].reverse().map(({ key, title: name }) => h("option", { value: key }, name)),
      );
      if (last)
        heads
          .find((th) => th.dataset.key === last)
          ?.querySelector("button")
          ?.focus();
    }
    sortSelect.value = order.key;
  }

  /** The rows in order, with group headers. @param {string[]} paths */
  function elements(paths) {
    const all = shown.map((run) => rowOf(run, paths).element);
    if (list.groups.length === 0) return all;
    let at = 0;
    const found = list.groups.flatMap((group) => {
      const members = all.slice(at, at + group.listed);
      at += group.listed;
      return members.length === 0 ? [] : [groupHead(group, members), ...members];
    });
    return [...found, ...all.slice(at)];
  }

  /** @param {RunGroup} group @param {HTMLElement[]} members the rows that are loaded */
  function groupHead(group, members) {
    const name = groupTitle(group, grouping);
    const { runs, validated, mean_best_validation_accuracy: mean } = group;
    const box = h("input", {
      type: "checkbox",
      "aria-label": `Choose ${name}`,
      on: {
        change: () =>
          attempt(async () => {
            everything = false;
            const ids = new Set(await list.ofGroup(group));
            selection.replace([
              ...new Set([...selection.ids().filter((id) => !ids.has(id)), ...(box.checked ? ids : [])]),
            ]);
            draw();
          }),
      },
    });
    box.checked = members.every((row) => selection.has(row.dataset.run ?? ""));
    return h(
      "tr",
      { class: "group-head" },
      h("td", { class: "cell-choose" }, h("label", {}, box)),
      h(
        "th",
        { scope: "rowgroup", colspan: heads.length + 1 },
        h("span", {}, name),
        h(
          "small",
          {},
          [
            plural(runs, "run"),
            mean !== null && `best validation ${percent(mean)}${validated > 1 ? " on average" : ""}`,
          ]
            .filter(Boolean)
            .join(" · "),
        ),
      ),
    );
  }

  function showGroupings() {
    const known = groupings(shown.slice(0, FIRST_ROWS), facets);
    if (grouping !== "" && !known.some(({ key }) => key === grouping)) known.push({ key: grouping, title: grouping });
    const text = JSON.stringify(known);
    if (groupSelect.dataset.shown !== text) {
      groupSelect.dataset.shown = text;
      groupSelect.replaceChildren(
        ...known.map(({ key, title: name }) =>
          h("option", { value: key }, key === "" ? name : `By ${name.toLocaleLowerCase()}`),
        ),
      );
    }
    groupSelect.value = grouping;
  }

  function showColumns() {
    frame.classList.toggle("own-columns", isCustomised());
    for (const th of heads)
      th.hidden = hidden.has(th.classList.contains("col-settings") ? "settings" : String(th.dataset.key));
    for (const row of rows.values()) row.showColumns(hidden);
  }

  /** @param {Run} run @param {string[]} paths */
  function rowOf(run, paths) {
    let row = rows.get(run.id);
    if (!row) {
      row = runRow(run, {
        onDelete: remove,
        onEdit: (edited) => attempt(async () => editLabels(edited, await knownTags(), put)),
        onChoose: ({ id }, on, range) => {
          everything &&= on;
          selection.set(id, on, range, standing);
          draw();
        },
        onTag: (tag) => filterBy(/\s/.test(tag) ? `tag:"${tag}"` : `tag:${tag}`),
      });
      rows.set(run.id, row);
    }
    row.show(run, paths);
    row.choose(selection.has(run.id));
    return row;
  }

  /** @param {string} text */
  function filterBy(text) {
    filter.set(text);
    ask();
  }

  /** @param {Run} run */
  async function remove(run) {
    const gone = await moveToTrash([run]);
    gone.forEach(({ id }) => drop(id));
    offerUndo(gone);
  }

  /** The tags that are in use. */
  async function knownTags() {
    facetsAt = Number.NEGATIVE_INFINITY;
    return (await learn())?.tags ?? [];
  }

  /** Exports all runs that match. */
  async function saveCsv() {
    const found = list.hasMore ? await listAllRuns({ ...asked(), group: undefined }) : shown;
    const paths = [...new Set(found.flatMap((run) => [...settingsOf(run).keys()]))];
    const figures = /** @type {const} */ ([
      "epoch",
      "step",
      "samples_seen",
      "train_loss",
      "train_accuracy",
      "validation_loss",
      "validation_accuracy",
      "best_validation_accuracy",
      "best_epoch",
      "test_loss",
      "test_accuracy",
      "parameters",
      "seconds",
      "peak_memory_bytes",
      "images_per_s",
    ]);
    const lines = found.map((run) => {
      const settings = settingsOf(run);
      return [
        run.id,
        run.name,
        run.status,
        run.reason,
        run.created,
        run.tags.join(", "),
        run.notes,
        ...figures.map((name) => run.summary[name]),
        ...paths.map((path) => (settings.has(path) ? cellOf(settings.get(path)) : null)),
      ];
    });
    const text = csv(["id", "name", "status", "reason", "created", "tags", "notes", ...figures, ...paths], lines);
    download("runs.csv", new Blob([text], { type: "text/csv" }));
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

  setInterval(() => rows.forEach((row) => row.showAge()), 10_000);
  return {
    element,
    draw,
    drop,
    put,
    many: () => list.many(),
    returned: () => list.returned(),
  };
}

/** A CSV cell; numbers stay numbers. @param {unknown} value */
function cellOf(value) {
  return typeof value === "number" ? value : exactNumber(value);
}
