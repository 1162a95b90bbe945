// The table of runs: sorting, filtering, grouping, selection, and live updates per row.

import { csv } from "../chart/csv.js";
import { settingsOf } from "../lib/settings-diff.js";
import { download, h, setText } from "../lib/dom.js";
import { percent, plural, exactNumber } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { menu } from "../lib/menu.js";
import { announce } from "../lib/shell.js";
import { siteUrl } from "../lib/base-path.js";
import { RunStates } from "../lib/states.js";
import { offerUndo, moveToTrash } from "../lib/trash.js";
import { openTrash } from "./trash-dialog.js";
import { openTensorboardImport } from "./tensorboard-import.js";
import { bulkBar } from "./bulk.js";
import { COLUMNS, isCustomised, hiddenColumns, rememberColumns } from "./columns.js";
import { filterField } from "./filter.js";
import { grouped, groupings } from "./groups.js";
import { editLabels } from "./labels.js";
import { canSort, sortRuns } from "./order.js";
import { runRow } from "./row.js";
import { Selection } from "./selection.js";
import { settingPaths, settingTitle } from "./settings.js";

/** @import { Run } from "../lib/types" */
/** @import { Row } from "./row.js" */

/** Number of rows shown at first. */
const FIRST_ROWS = 200;

/**
 * @param {{ empty: HTMLElement, uploadLimit: number }} options `empty` is shown while there are no runs; `uploadLimit`:
 *   the maximum upload in bytes
 */
export function runsTable({ empty, uploadLimit }) {
  const query = new URLSearchParams(location.search);
  const sweep = query.get("sweep");
  const runs = new RunStates();
  const selection = new Selection();
  /** @type {Map<string, Row>} */
  const rows = new Map();
  const hidden = hiddenColumns();
  const [sortKey, direction] = (query.get("sort") ?? "").split(":");
  let order = canSort(sortKey)
    ? { key: sortKey, descending: direction !== "up" }
    : { key: "created", descending: true };
  let grouping = query.get("group") ?? "";
  let limit = FIRST_ROWS;
  let dirty = false;
  let saving = 0;
  /** The filtered and sorted runs. @type {Run[]} */
  let shown = [];
  /** The ids of `shown`. @type {Set<string>} */
  let visible = new Set();
  /** The ids of the rows from top to bottom. @type {string[]} */
  let standing = [];

  const counts = h("span", { class: "counts", role: "status" });
  const filter = filterField({
    text: query.get("q") ?? "",
    runs: () => runs.all(),
    onChange: () => {
      limit = FIRST_ROWS;
      remember();
      draw();
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
      change: () => {
        grouping = groupSelect.value;
        remember();
        draw();
      },
    },
  });
  /** @type {HTMLElement[]} */
  let heads = [];
  const headRow = h("tr");
  const chooseAll = h("input", {
    type: "checkbox",
    "aria-label": "Choose all visible runs",
    on: {
      change: () => {
        selection.replace(chooseAll.checked ? shown.map(({ id }) => id) : []);
        draw();
      },
    },
  });
  const body = h("tbody");
  const nothing = h(
    "p",
    { class: "runs-nothing", hidden: true },
    "No run matches the filter. ",
    h("button", { class: "button small", type: "button", on: { click: () => filter.clear() } }, "Clear the filter"),
  );
  const more = h("button", {
    class: "button",
    type: "button",
    hidden: true,
    on: {
      click: () => {
        limit = Number.POSITIVE_INFINITY;
        draw();
      },
    },
  });
  const frame = h("div", { class: "runs-table" }, h("table", {}, h("thead", {}, headRow), body));
  const bulk = bulkBar({
    chosen: () => runs.all().filter(({ id }) => selection.has(id)),
    isVisible: (id) => visible.has(id),
    tags: knownTags,
    onRun: put,
    onGone: (gone) => gone.forEach(({ id }) => drop(id)),
    onNone: () => {
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
      { label: "Save as CSV", act: saveCsv },
      { label: "Import TensorBoard files…", act: () => openTensorboardImport(uploadLimit) },
      { label: "Deleted runs…", act: openTrash },
    ]);
  }

  /** @param {string} key @param {boolean} [keep] */
  function sortBy(key, keep = false) {
    const byText = key === "name" || key === "network" || key === "data" || key === "status";
    order = key === order.key && !keep ? { key, descending: !order.descending } : { key, descending: !byText };
    remember();
    draw();
    const column = COLUMNS.find((column) => column.key === key);
    announce(`Sorted by ${column?.title ?? settingTitle(key)}, ${order.descending ? "descending" : "ascending"}`);
  }

  /** Writes filter, order and grouping to the URL. */
  function remember() {
    clearTimeout(saving);
    saving = window.setTimeout(() => {
      const now = new URLSearchParams(location.search);
      const plain = order.key === "created" && order.descending;
      for (const [name, value] of [
        ["q", filter.text],
        ["sort", plain ? "" : `${order.key}:${order.descending ? "down" : "up"}`],
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
    const all = runs.all().filter((run) => !sweep || run.sweep === sweep);
    const { test } = filter.query();
    shown = sortRuns(all, order).filter(test);
    visible = new Set(shown.map(({ id }) => id));
    for (const [id, row] of rows) {
      if (!runs.has(id)) {
        row.element.remove();
        rows.delete(id);
      }
    }
    selection.keep((id) => runs.has(id));
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

    const running = all.filter((run) => run.status === "running").length;
    const queued = all.filter((run) => run.status === "queued").length;
    setText(
      counts,
      [
        shown.length < all.length ? `${shown.length} of ${plural(all.length, "run")}` : plural(all.length, "run"),
        running && `${running} running`,
        queued && `${queued} queued`,
      ]
        .filter(Boolean)
        .join(" · "),
    );
    for (const th of heads) {
      if (th.dataset.key === order.key) th.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    }
    showGroupings(all);
    showColumns();
    chooseAll.checked = shown.length > 0 && shown.every(({ id }) => selection.has(id));
    chooseAll.indeterminate = selection.size > 0 && !chooseAll.checked;
    bulk.show();
    frame.hidden = shown.length === 0;
    more.hidden = shown.length <= limit;
    setText(more, `Show all ${shown.length} runs; these are ${Math.min(limit, shown.length)}`);
    nothing.hidden = shown.length > 0 || all.length === 0;
    empty.hidden = all.length > 0;
    head.hidden = all.length === 0 && !sweep;
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
    if (grouping === "") return shown.slice(0, limit).map((run) => rowOf(run, paths).element);
    let left = limit;
    /** Runs that already have a row: a run with several tags is listed under the first. @type {Set<string>} */
    const placed = new Set();
    return grouped(shown, grouping, sweepName).flatMap(({ title: name, runs: members }) => {
      if (left <= 0) return [];
      const first = members.filter(({ id }) => !placed.has(id)).slice(0, left);
      first.forEach(({ id }) => placed.add(id));
      left -= first.length;
      return first.length === 0 ? [] : [groupHead(name, members), ...first.map((run) => rowOf(run, paths).element)];
    });
  }

  /** @param {string} name @param {Run[]} members */
  function groupHead(name, members) {
    const best = members.flatMap(({ summary }) => summary.best_validation_accuracy ?? []);
    const mean = best.length > 0 ? best.reduce((sum, value) => sum + value, 0) / best.length : null;
    const ids = members.map(({ id }) => id);
    const box = h("input", {
      type: "checkbox",
      "aria-label": `Choose ${name}`,
      on: {
        change: () => {
          selection.replace([
            ...new Set([...selection.ids().filter((id) => !ids.includes(id)), ...(box.checked ? ids : [])]),
          ]);
          draw();
        },
      },
    });
    box.checked = ids.every((id) => selection.has(id));
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
            plural(members.length, "run"),
            mean !== null && `best validation ${percent(mean)}${best.length > 1 ? " on average" : ""}`,
          ]
            .filter(Boolean)
            .join(" · "),
        ),
      ),
    );
  }

  /** The name of a sweep: the common part of its runs' names. @param {string} id */
  function sweepName(id) {
    const first = runs.all().find((run) => run.sweep === id);
    return first ? first.name.split(" · ")[0] : id;
  }

  /** @param {Run[]} all */
  function showGroupings(all) {
    const known = groupings(all);
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
        onEdit: (edited) => editLabels(edited, knownTags(), put),
        onChoose: ({ id }, on, range) => {
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
    const input = /** @type {HTMLInputElement} */ (filter.element.querySelector("input"));
    input.value = text;
    remember();
    draw();
  }

  /** @param {Run} run */
  async function remove(run) {
    const gone = await moveToTrash([run]);
    gone.forEach(({ id }) => drop(id));
    offerUndo(gone);
  }

  function knownTags() {
    return [...new Set(runs.all().flatMap(({ tags }) => tags))].sort();
  }

  /** Exports the visible runs. */
  function saveCsv() {
    const paths = [...new Set(shown.flatMap((run) => [...settingsOf(run).keys()]))];
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
    const lines = shown.map((run) => {
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
    if (runs.drop(id)) soon();
  }

  /** @param {Run} run */
  function put(run) {
    if (runs.put(run)) soon();
  }

  setInterval(() => rows.forEach((row) => row.showAge()), 10_000);
  return {
    element,
    draw,
    drop,
    put,
    returned: () => runs.returned(),
    /** Replaces all runs. @param {Run[]} list */
    replace(list) {
      runs.replace(list);
      soon();
    },
  };
}

/** A CSV cell; numbers stay numbers. @param {unknown} value */
function cellOf(value) {
  return typeof value === "number" ? value : exactNumber(value);
}
