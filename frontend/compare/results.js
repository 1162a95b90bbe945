// What a comparison found, below its curves: the ranking, settings, parallel coordinates, figures and charts of costs.

import { h } from "../lib/dom.js";
import { fairnessNotice } from "./fairness.js";
import { RESULTS, RESULTS_APART } from "./columns.js";
import { parallel } from "./parallel.js";
import { rankingAbout, rankingTable } from "./ranking.js";
import { scatterPlots } from "./scatter.js";
import { settingChart } from "./setting-chart.js";
import { fill } from "./slot.js";
import { settingsTable } from "./settings.js";
import { resultsTable, tableCard } from "./tables.js";

/** @import { Statistics } from "../lib/types" */
/** @import { Member } from "./members.js" */

/** A table of settings with more columns or rows has a row of its own. */
const WIDE_COLUMNS = 4;
const LONG_ROWS = 5;

/**
 * @param {{
 *   onLook: (id: string) => void,
 *   onOnly: (ids: Set<string>) => void,
 *   grow?: string,
 *   grid?: { [path: string]: unknown },
 * }} options `onLook`: the pointer is at a member, or at none (""); `onOnly`: the members that alone are to be drawn;
 *   `grow`: the label of the button that gives each setting one more seed; `grid`: what a sweep varies
 */
export function compareResults({ onLook, onOnly, grow, grid }) {
  const coordinates = parallel({ onLook, onOnly });
  const slots = Array.from({ length: 5 }, () => h("div", { class: "compare-slot", hidden: true }));
  const [ranking, course, figures, settings, costs] = slots;
  // Narrow tables share a row where there is room.
  const narrow = h("div", { class: "compare-narrow" }, ranking, course, settings);
  const element = h("div", { class: "compare-tables" }, narrow, coordinates.element, figures, costs);
  /** @type {Member[]} */
  let members = [];
  /** Whether the means over epochs are shown: their deviations are those of a course, not of chance. */
  let hasMeans = false;
  /** Counts how often results were shown. */
  let shows = 0;
  /** The width for which charts are drawn, so that their text has the size of all others. */
  let drawnWidth = -1;
  new ResizeObserver(() => {
    if (drawnWidth < 0 || drawnWidth === element.clientWidth) return;
    showCourse();
    showCosts();
  }).observe(element);

  const areAlike = () => fairnessNotice(members, grid) === null;

  function showRanking() {
    const alike = areAlike();
    const rank = rankingTable(members, { explained: true, alike });
    fill(ranking, rank && tableCard("Ranking", rankingAbout(members, { grow, alike }), rank));
  }

  /** Drawn as wide as its place beside the ranking, which has it first. */
  function showCourse() {
    fill(course, settingChart(members, 0, onLook));
    if (!course.hidden) fill(course, settingChart(members, course.clientWidth, onLook));
  }

  /** @param {{ [id: string]: Statistics }} statistics */
  function showFigures(statistics) {
    const means = members.some(({ runs }) => runs.length > 1) ? "Means and standard deviations over seeds. " : "";
    const best = areAlike()
      ? "green is the best of a column."
      : "green is the best of a column, of those that do not depend on how long a run was trained.";
    const note = `${means}Losses and accuracies are those of the last epoch; ${best} `;
    const more = h(
      "button",
      { type: "button", class: "button small", "aria-pressed": String(hasMeans), on: { click: toggleMeans } },
      "Means over epochs",
    );
    const card = tableCard(
      "Figures",
      [note, more],
      resultsTable(members, statistics, areAlike() ? RESULTS : RESULTS_APART),
    );
    card.classList.add("figures-card");
    card.classList.toggle("has-means", hasMeans);
    fill(figures, card);
  }

  /** @param {Event} event */
  function toggleMeans({ currentTarget }) {
    hasMeans = !hasMeans;
    const button = /** @type {HTMLElement} */ (currentTarget);
    button.setAttribute("aria-pressed", String(hasMeans));
    button.closest(".figures-card")?.classList.toggle("has-means", hasMeans);
  }

  function showSettings() {
    const differ = settingsTable(members);
    const { length = 0 } = differ?.rows[0].cells ?? {};
    settings.classList.toggle("is-wide", length > WIDE_COLUMNS || (differ?.rows.length ?? 0) > LONG_ROWS);
    fill(settings, differ && tableCard("Settings that differ", "Everything else is the same in all of them.", differ));
  }

  function showCosts() {
    drawnWidth = element.clientWidth;
    fill(costs, scatterPlots(members, onLook, drawnWidth));
  }

  return {
    element,
    /**
     * Shows each table and chart in a task of its own, so that the page answers in between.
     * @param {Member[]} now @param {{ [id: string]: Statistics }} statistics
     */
    async show(now, statistics) {
      members = now;
      shows += 1;
      const mine = shows;
      const parts = [
        showRanking,
        showCourse,
        () => coordinates.show(members),
        () => showFigures(statistics),
        showSettings,
        showCosts,
      ];
      for (const part of parts) {
        part();
        await new Promise((resolve) => setTimeout(resolve));
        // A newer one shows everything.
        if (mine !== shows) return;
      }
    },
  };
}
