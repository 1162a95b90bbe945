// The heads of the table's columns, and the sort menu of narrow windows.

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { settingLabel } from "../lib/setting-labels.js";
import { COLUMNS } from "./columns.js";

/** @import { Column } from "./columns.js" */
/** @import { Order } from "./order.js" */

/** @param {{ chooseAll: HTMLElement, onSort: (key: string, keep: boolean) => void }} options */
export function tableHeads({ chooseAll, onSort }) {
  const row = h("tr");
  const menu = h("select", {
    class: "input phone-only",
    "aria-label": "Sort runs by",
    on: { change: () => onSort(menu.value, true) },
  });
  /** @type {HTMLElement[]} */
  let heads = [];
  let shown = "";

  /** @param {string[]} paths */
  function build(paths) {
    const columns = COLUMNS.flatMap((column) =>
      column.key === "settings"
        ? paths.map((path) => ({ key: path, title: settingLabel(path), class: "number col-settings" }))
        : [column],
    );
    const focused = row.contains(document.activeElement)
      ? document.activeElement?.closest("th")?.dataset.key
      : undefined;
    heads = columns.map((/** @type {Column} */ column) =>
      h(
        "th",
        {
          scope: "col",
          class: column.class,
          title: column.about,
          data: { key: column.key },
        },
        column.unsorted ? h("span", { class: "sort" }, column.title) : sortButton(column),
      ),
    );
    row.replaceChildren(
      h("th", { scope: "col", class: "cell-choose" }, h("label", {}, chooseAll)),
      ...heads,
      h("th", { scope: "col", class: "cell-actions" }, h("span", { class: "visually-hidden" }, "Actions")),
    );
    const sorted = columns.filter((/** @type {Column} */ { unsorted }) => !unsorted);
    menu.replaceChildren(...sorted.reverse().map(({ key, title }) => h("option", { value: key }, `Sort: ${title}`)));
    if (focused) row.querySelector(`th[data-key="${focused}"]`)?.querySelector("button")?.focus();
  }

  /** @param {Column} column */
  function sortButton({ key, title, more }) {
    return h(
      "button",
      { class: "sort", type: "button", on: { click: () => onSort(key, false) } },
      more ? `${title}, ${more}` : title,
      icon("down", 12),
    );
  }

  return {
    row,
    menu,
    get count() {
      return heads.length;
    },
    /** @param {string[]} paths the settings with a column @param {Order} order @param {Set<string>} hidden */
    show(paths, order, hidden) {
      const text = JSON.stringify(paths);
      if (shown !== text) build(paths);
      shown = text;
      menu.value = order.key;
      for (const head of heads) {
        head.hidden = hidden.has(head.classList.contains("col-settings") ? "settings" : String(head.dataset.key));
        if (head.dataset.key === order.key)
          head.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      }
    },
  };
}
