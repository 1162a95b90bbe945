// The table of runs: sorted, filtered, and brought up to date row by row.

import { h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { announce } from "../lib/shell.js";
import { stateOf } from "../lib/status.js";
import { matches, sorted } from "./order.js";
import { COLUMNS, runRow } from "./row.js";
import { States } from "./states.js";

/** @import { Run } from "../lib/types" */
/** @import { Row } from "./row.js" */

/** @param {{ sweep: string | null, empty: HTMLElement }} options `empty` is shown while there is no run at all */
export function runsTable({ sweep, empty }) {
  const runs = new States();
  /** @type {Map<string, Row>} */
  const rows = new Map();
  /** @type {Set<string>} */
  const fresh = new Set();
  let order = { key: "created", descending: true };
  let dirty = false;

  const counts = h("span", { class: "counts", role: "status" });
  const filter = h("input", { class: "input", type: "search", placeholder: "Filter runs", title: "By name, network, data, status", "aria-label": "Filter runs", on: { input: () => draw() } });
  const sortSelect = h(
    "select",
    { class: "input phone-only", "aria-label": "Sort runs by", on: { change: () => sortBy(sortSelect.value, true) } },
    ...[...COLUMNS].reverse().filter(({ key }) => key).map(({ key, title }) => h("option", { value: key }, title)),
  );
  const heads = COLUMNS.map(({ key, title, class: kind }) =>
    key
      ? h("th", { scope: "col", class: kind, data: { key } }, h("button", { class: "sort", type: "button", on: { click: () => sortBy(key) } }, title, icon("down", 12)))
      : h("th", { scope: "col", class: kind }, h("span", { class: "sort" }, title)),
  );
  const body = h("tbody");
  const nothing = h("p", { class: "muted", hidden: true }, "No run matches the filter.");
  const frame = h(
    "div",
    { class: "runs-table" },
    h("table", {}, h("thead", {}, h("tr", {}, ...heads, h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, "Actions")))), body),
  );
  const title = sweep ? "Runs of one sweep" : "Runs";
  const head = h(
    "div",
    { class: "runs-head" },
    h("h2", {}, title),
    counts,
    sweep && h("a", { class: "button small", href: "/" }, "Show all runs"),
    h("div", { class: "tools" }, filter, sortSelect),
  );
  const element = h("section", { "aria-label": title }, head, frame, nothing, empty);

  /** @param {string} key @param {boolean} [keep] */
  function sortBy(key, keep = false) {
    const byText = key === "name" || key === "network" || key === "data" || key === "status";
    order = key === order.key && !keep ? { key, descending: !order.descending } : { key, descending: !byText };
    draw();
    const column = COLUMNS.find((column) => column.key === key);
    announce(`Sorted by ${column?.title}, ${order.descending ? "descending" : "ascending"}`);
  }

  /** Draws at the next frame, once, however much has changed. */
  function soon() {
    if (dirty) return;
    dirty = true;
    requestAnimationFrame(draw);
  }

  function draw() {
    dirty = false;
    const all = runs.all().filter((run) => !sweep || run.sweep === sweep);
    const shown = sorted(all, order).filter((run) => matches(run, filter.value, stateOf(run).word));
    for (const [id, row] of rows) {
      if (!runs.has(id)) {
        row.element.remove();
        rows.delete(id);
      }
    }
    const focused = document.activeElement;
    shown.forEach((run, at) => {
      const row = rowOf(run);
      if (body.children[at] !== row.element) body.insertBefore(row.element, body.children[at] ?? null);
    });
    while (body.children.length > shown.length) body.lastChild?.remove();
    if (focused instanceof HTMLElement && focused !== document.activeElement && body.contains(focused)) focused.focus();

    const running = all.filter((run) => run.status === "running").length;
    const queued = all.filter((run) => run.status === "queued").length;
    setText(counts, [plural(all.length, "run"), running && `${running} running`, queued && `${queued} queued`].filter(Boolean).join(" · "));
    for (const th of heads) {
      if (th.dataset.key === order.key) th.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    }
    sortSelect.value = order.key;
    frame.hidden = shown.length === 0;
    nothing.hidden = shown.length > 0 || all.length === 0;
    empty.hidden = all.length > 0;
    head.hidden = all.length === 0 && !sweep;
  }

  /** @param {Run} run */
  function rowOf(run) {
    let row = rows.get(run.id);
    if (!row) {
      row = runRow(run, () => drop(run.id));
      rows.set(run.id, row);
    }
    row.show(run);
    row.element.classList.toggle("fresh", fresh.has(run.id));
    return row;
  }

  /** @param {string} id */
  function drop(id) {
    if (runs.drop(id)) soon();
  }

  setInterval(() => rows.forEach((row) => row.showAge()), 10_000);
  return {
    element,
    draw,
    drop,
    /** @param {Run} run */
    put(run) {
      if (runs.put(run)) soon();
    },
    returned: () => runs.returned(),
    /** Makes these the only runs. @param {Run[]} list */
    replace(list) {
      runs.replace(list);
      soon();
    },
    /** Marks runs that have just been started, and shows the first. @param {string[]} ids */
    highlight(ids) {
      for (const id of ids) fresh.add(id);
      setTimeout(() => ids.forEach((id) => fresh.delete(id)), 3_000);
      draw();
      element.scrollIntoView({ block: "nearest", behavior: "smooth" });
    },
  };
}
