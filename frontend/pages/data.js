// The data page: all data sets with galleries, uploads, and downloads of known sets; or one set, at its address.

import { listDataSets } from "../lib/api.js";
import { siteUrl } from "../lib/base-path.js";
import { byId, h, pageData } from "../lib/dom.js";
import { announce, attempt, startShell } from "../lib/shell.js";
import { openSets, setUrl } from "../data/open-sets.js";
import { setCard } from "../data/set.js";
import { uploadPart } from "../data/upload.js";

/** @import { DataSet } from "../lib/types" */

/** Polling interval for the progress of a download, in milliseconds. */
const POLL_MS = 400;

startShell();

/** `open`: the set of the address. @type {{ datasets: DataSet[], upload_limit: number, data_dir: string, open: string | null }} */
const { datasets, upload_limit: limit, data_dir: folder, open } = pageData();
const single = datasets.find(({ set }) => set === open);
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
const groups = single
  ? [group("This data set", ({ set }) => set === open, "visually-hidden")]
  : [
      group("Your own", isOwn),
      group("Images", (set) => set.dimensions === 3 && !isOwn(set)),
      group("Points in the plane", (set) => set.dimensions === 2),
    ];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let next;

const lists = groups.map(({ element }) => element);
byId("page").append(...(single ? [setHead(single), ...lists, otherSets(single)] : [head(), upload(), ...lists]));
show(datasets);
if (single) cards.get(single.set)?.open();

function head() {
  const about = "What runs learn from: sets that come with Vivarium, sets from the web, and your own images.";
  return h("header", { class: "page-head" }, h("h1", {}, "Data"), h("p", { class: "muted" }, about));
}

function upload() {
  return uploadPart({
    limit,
    titleOf,
    accepted: (set) => {
      announce(`${set} is there`);
      void refresh().then(() => cards.get(set)?.reveal());
    },
  });
}

/** @param {DataSet} set */
function setHead({ title }) {
  const all = h("a", { class: "crumb", href: siteUrl("/data") }, "Data");
  return h("header", { class: "page-head" }, all, h("h1", {}, title));
}

/** Links to the other sets. @param {DataSet} set */
function otherSets({ set }) {
  const others = datasets.filter((other) => other.set !== set);
  const link = (/** @type {DataSet} */ other) =>
    h("li", {}, h("a", { class: "button small", href: setUrl(other.set) }, other.title));
  return h(
    "nav",
    { "aria-label": "Other data sets" },
    h("h2", { class: "sets-title" }, "Other data sets"),
    h("ul", { class: "other-sets" }, ...others.map(link)),
  );
}

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
  if (single && !sets.some(({ set }) => set === single.set)) location.replace(siteUrl("/data"));
  for (const { of, list, element } of groups) {
    const own = sets.filter(of);
    element.hidden = own.length === 0;
    own.forEach((set, place) => {
      // A set's own page keeps its address, open or closed.
      const toggled = (/** @type {boolean} */ isOpen) => opened.toggled(set.set, isOpen || single !== undefined);
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
