// The row of a sweep, which opens: below it are the rows of its runs.

import { siteUrl } from "../lib/base-path.js";
import { h, setAttribute, setText } from "../lib/dom.js";
import { ago, count, dateTime, duration, percent, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { dataTitle, networkTitle, settingLabel } from "../lib/setting-labels.js";
import { settingsOf } from "../lib/settings-diff.js";
import { badge } from "../lib/status.js";
import { COLUMNS } from "./columns.js";
import { sparkline } from "./sparkline.js";
import { asMade, range, sweepProgress, sweepState, sweepTitle } from "./sweeps.js";

/** @import { Run } from "../lib/types" */
/** @import { Item } from "../lib/menu.js" */
/** @import { Facts } from "./sweeps.js" */

/** @typedef {ReturnType<typeof sweepRow>} SweepRow */

/**
 * @param {string} id
 * @param {{
 *   onToggle: (open: boolean) => void,
 *   onChoose: (on: boolean) => void,
 *   onStop: () => void,
 *   onDelete: () => void,
 *   onMenu: (button: HTMLElement, items: Item[]) => void,
 * }} options
 */
export function sweepRow(id, { onToggle, onChoose, onStop, onDelete, onMenu }) {
  const url = siteUrl(`/sweeps/${encodeURIComponent(id)}`);
  let isOpen = false;
  /** The best run, whose curve the row shows. @type {Run | null} */
  let best = null;
  /** What `said` was made of. */
  let told = "";
  let said = { title: "", about: "" };
  const box = h("input", { type: "checkbox", on: { change: () => onChoose(box.checked) } });
  const chevron = icon("chevron", 14);
  chevron.classList.add("chevron");
  const disclosure = h(
    "button",
    {
      class: "button quiet icon small sweep-toggle",
      type: "button",
      on: {
        click: () => onToggle(!isOpen),
        keydown: (/** @type {KeyboardEvent} */ { key }) => {
          if (key === "ArrowRight" || key === "ArrowLeft") onToggle(key === "ArrowRight");
        },
      },
    },
    chevron,
  );
  const link = h("a", { href: url });
  const note = h("span", { class: "note" });
  const about = h("span", { class: "about" });
  const status = badge();
  const curve = sparkline("best run, ");
  const bar = h("div", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, h("span"));
  const done = h("small");
  const top = h("span");
  const mean = h("small");
  const stopButton = action("stop", "Stop the rest", onStop);
  const ranking = h("a", { class: "button quiet icon small", href: url, title: "Curves and ranking" }, icon("chart"));
  const deleteButton = action("trash", "Delete its runs", onDelete);
  const moreButton = h(
    "button",
    { class: "button quiet icon small row-more", type: "button", on: { click: () => onMenu(moreButton, actions()) } },
    icon("more"),
  );
  /** @returns {Item[]} */
  const actions = () => [
    ...(stopButton.hidden ? [] : [{ label: "Stop the rest", act: onStop }]),
    h("a", { href: url }, "Curves and ranking"),
    { label: "Delete its runs", act: onDelete },
  ];
  /** Cells by column key; the others are empty. @type {{ [key: string]: HTMLElement }} */
  const known = {
    name: h(
      "td",
      { class: "cell-name" },
      h("div", { class: "sweep-name" }, disclosure, h("div", {}, h("span", { class: "name-line" }, link), note, about)),
    ),
    status: h("td", { class: "cell-status" }, status.element),
    network: h("td", { class: "cell-network" }),
    data: h("td", { class: "col-data" }),
    progress: h("td", { class: "cell-progress" }, bar, done),
    curve: h("td", { class: "cell-curve" }, curve.element),
    validation: h("td", { class: "number cell-result" }, top, mean),
    test: h("td", { class: "number", title: "of the run that is best on validation" }),
    seconds: h("td", { class: "number col-seconds" }),
    created: h("td", { class: "number cell-started" }),
  };
  /** @type {{ [key: string]: HTMLElement }} */
  const cells = Object.fromEntries(
    COLUMNS.filter(({ key }) => key !== "settings").map(({ key, class: kind }) => [
      key,
      known[key] ?? h("td", { class: kind }),
    ]),
  );
  /** @type {Map<string, HTMLElement>} */
  let settings = new Map();
  const element = h(
    "tr",
    { class: "sweep-row", data: { sweep: id } },
    h("td", { class: "cell-choose" }, h("label", {}, box)),
    ...Object.values(cells),
    h("td", { class: "cell-actions" }, stopButton, ranking, deleteButton, moreButton),
  );
  /** @param {string[]} paths */
  function layOut(paths) {
    if (JSON.stringify([...settings.keys()]) === JSON.stringify(paths)) return;
    for (const cell of settings.values()) cell.remove();
    settings = new Map(paths.map((path) => [path, h("td", { class: "number col-settings" })]));
    cells.data.after(...settings.values());
  }

  /** What the settings of the runs say, which change only as runs come and go. @param {Run[]} runs @param {string[]} paths @param {boolean} complete */
  function showSettings(runs, paths, complete) {
    const key = JSON.stringify([paths, complete, ...runs.map(({ id: of, name }) => of + name)]);
    if (key === told) return;
    told = key;
    layOut(paths);
    said = sweepTitle(runs, complete);
    setText(known.network, several(runs, "network.kind", networkTitle, "networks"));
    setText(known.data, several(runs, "data.set", dataTitle, "data sets"));
    for (const [path, cell] of settings) {
      const having = asMade(runs).filter((run) => settingsOf(run).has(path));
      const values = having.map((run) => settingsOf(run).get(path) ?? null);
      const text = values.length > 0 ? range(path, values) : "–";
      setText(cell, text);
      cell.title = `${settingLabel(path)}: ${text}`;
    }
  }

  /** @param {Facts} facts */
  function showNames({ total, all }) {
    const { title, about: words } = said;
    setText(link, title);
    link.title = title;
    const matching = total < all ? `${count(total)} of ${plural(all, "run")}` : plural(all, "run");
    const line = [matching, words].filter(Boolean).join(" · ");
    for (const place of [note, about]) {
      setText(place, line);
      place.title = line;
    }
    element.classList.toggle("unnamed", words === "");
    disclosure.setAttribute("aria-expanded", String(isOpen));
    for (const [control, verb] of /** @type {[Element, string][]} */ ([
      [disclosure, isOpen ? "Close" : "Open"],
      [box, "Choose all runs of"],
      [stopButton, "Stop the rest of"],
      [ranking, "Curves and ranking of"],
      [deleteButton, "Delete the runs of"],
      [moreButton, "Actions of"],
      [bar, "Progress of"],
    ]))
      setAttribute(control, "aria-label", `${verb} ${title}`);
  }

  /** @param {Run[]} runs @param {Facts} facts @param {boolean} complete */
  function showFacts(runs, facts, complete) {
    const state = sweepState(runs, facts);
    status.showState(state);
    const share = complete ? sweepProgress(runs) : facts.done / Math.max(1, facts.all);
    bar.dataset.tone = state.tone;
    bar.style.setProperty("--share", String(share));
    setAttribute(bar, "aria-valuenow", String(Math.round(share * 100)));
    setText(done, `${count(facts.done)} of ${count(facts.all)} done`);
    setText(top, percent(facts.best?.summary.best_validation_accuracy));
    setText(known.test, percent(facts.best?.summary.test_accuracy));
    setText(mean, facts.mean === null ? "" : `mean ${percent(facts.mean)}`);
    const seconds = runs.reduce((sum, { summary }) => sum + (summary.seconds ?? 0), 0);
    setText(known.seconds, complete && seconds > 0 ? duration(seconds) : "–");
    known.seconds.title = "of all its runs together";
    const newest = runs.map(({ created }) => created).sort()[runs.length - 1];
    setText(known.created, ago(newest, Date.now()));
    known.created.title = dateTime(newest);
    stopButton.hidden = facts.done === facts.all;
  }

  return {
    element,
    showCurve: curve.show,
    /** The run whose curve the row shows. */
    get run() {
      return best;
    },
    /**
     * @param {Run[]} runs those that are loaded
     * @param {Facts} facts
     * @param {{ paths: string[], open: boolean, complete: boolean, chosen: boolean, some: boolean }} state `paths`: the
     *   settings with a column; `complete`: whether all runs are loaded; `some`: whether some of them are chosen
     */
    show(runs, facts, { paths, open, complete, chosen, some }) {
      isOpen = open;
      best = facts.best;
      showSettings(runs, paths, complete);
      showNames(facts);
      box.checked = chosen;
      box.indeterminate = some && !chosen;
      element.classList.toggle("chosen", chosen);
      showFacts(runs, facts, complete);
    },
    /** @param {Set<string>} hidden keys of columns */
    showColumns(hidden) {
      for (const [key, cell] of Object.entries(cells)) cell.hidden = hidden.has(key);
      for (const cell of settings.values()) cell.hidden = hidden.has("settings");
    },
  };
}

/** One title, or how many there are. @param {Run[]} runs @param {string} path @param {(name: string) => string} title @param {string} many */
function several(runs, path, title, many) {
  const names = new Set(runs.flatMap((run) => settingsOf(run).get(path) ?? []).map(String));
  const [first] = names;
  if (first === undefined) return "–";
  return names.size === 1 ? title(first) : `${names.size} ${many}`;
}

/** @param {import("../lib/icons.js").IconName} name @param {string} title @param {() => void} act */
function action(name, title, act) {
  return h("button", { class: "button quiet icon small", type: "button", title, on: { click: act } }, icon(name));
}
