// The data page: all data sets with galleries, uploads, and downloads of known sets. The address of a set has it first.

import { listDataSets } from "../lib/api.js";
import { siteUrl } from "../lib/base-path.js";
import { byId, h, pageData } from "../lib/dom.js";
import { announce, attempt, startShell } from "../lib/shell.js";
import { openSets } from "../data/open-sets.js";
import { setCard } from "../data/set.js";
import { uploadPart } from "../data/upload.js";

/** @import { DataSet } from "../lib/types" */

/** Polling interval for the progress of a download, in milliseconds. */
const POLL_MS = 400;

startShell();

/** `open`: the set of the address. @type {{ datasets: DataSet[], upload_limit: number, data_dir: string, open: string | null }} */
const { datasets, upload_limit: limit, data_dir: folder, open } = pageData();
const first = datasets.find(({ set }) => set === open);
let known = datasets;
const titleOf = (/** @type {string} */ set) => known.find((other) => other.set === set)?.title ?? set;
const opened = openSets({
  titleOf,
  replace: (url, title) => {
    history.replaceState(history.state, "", url);
    document.title = `${title} · Vivarium`;
  },
});
/** @type {Map<string, ReturnType<typeof setCard>>} */
const cards = new Map();
/** Where the set of the address stands, above all others. */
const firstGroup = group("This data set", (set) => set.set === open, "visually-hidden");
const groups = [
  group("Your own", (set) => set.set !== open && isOwn(set)),
  group("Images", (set) => set.set !== open && set.dimensions === 3 && !isOwn(set)),
  group("Points in the plane", (set) => set.set !== open && set.dimensions === 2),
];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let next;

byId("page").append(
  h(
    "header",
    { class: "page-head" },
    first ? h("a", { class: "crumb", href: siteUrl("/data") }, "Data") : null,
    h("h1", {}, first?.title ?? "Data"),
    first
      ? null
      : h(
          "p",
          { class: "muted" },
          "What runs learn from: sets that come with Vivarium, sets from the web, and your own images.",
        ),
  ),
  firstGroup.element,
  ...(first ? [h("h2", { class: "sets-title sets-others" }, "Other data")] : []),
  uploadPart({
    limit,
    titleOf,
    accepted: (set) => {
      announce(`${set} is there`);
      void refresh().then(() => cards.get(set)?.reveal());
    },
  }),
  ...groups.map(({ element }) => element),
);
show(datasets);
if (open) cards.get(open)?.open();

/** @param {string} title @param {(set: DataSet) => boolean} of @param {string} [look] of the heading */
function group(title, of, look = "sets-title") {
  const list = h("div", { class: "sets" });
  return { of, list, element: h("section", { "aria-label": title }, h("h2", { class: look }, title), list) };
}

/** Whether users brought it. @param {DataSet} set */
function isOwn(set) {
  return set.dimensions === 3 && !set.can_fetch && set.state.kind !== "built_in";
}

/** @param {DataSet[]} sets */
function show(sets) {
  known = sets;
  for (const [name, card] of cards) {
    if (sets.some(({ set }) => set === name)) continue;
    card.element.remove();
    cards.delete(name);
    opened.toggled(name, false);
  }
  for (const { of, list, element } of [firstGroup, ...groups]) {
    const own = sets.filter(of);
    element.hidden = own.length === 0;
    own.forEach((set, place) => {
      const toggled = (/** @type {boolean} */ isOpen) => opened.toggled(set.set, isOpen);
      const card = cards.get(set.set) ?? setCard(set, { folder, changed: refresh, toggled });
      cards.set(set.set, card);
      card.show(set);
      // Only cards in the wrong place are moved, which keeps focus in the others.
      if (list.children[place] !== card.element) list.insertBefore(card.element, list.children[place] ?? null);
    });
  }
  clearTimeout(next);
  if (sets.some((set) => set.fetch?.active)) next = setTimeout(refresh, POLL_MS);
}

async function refresh() {
  const sets = await attempt(listDataSets);
  if (sets) show(sets);
}
