// What a comparison found, below its curves: the ranking, settings, parallel coordinates, figures and charts of costs.

import { h } from "../lib/dom.js";
import { parallel } from "./parallel.js";
import { rankingNote, rankingTable } from "./ranking.js";
import { scatterPlots } from "./scatter.js";
import { fill } from "./slot.js";
import { resultsTable, settingsTable, tableCard } from "./tables.js";

/** @import { Statistics } from "../lib/types" */
/** @import { Member } from "./members.js" */

/** A table of settings with more columns or rows has a row of its own. */
const WIDE_COLUMNS = 4;
const LONG_ROWS = 8;

/**
 * @param {{ onLook: (id: string) => void, onOnly: (ids: Set<string>) => void }} options `onLook`: the pointer is at a
 *   member, or at none (""); `onOnly`: the members that alone are to be drawn
 */
export function compareResults({ onLook, onOnly }) {
  const coordinates = parallel({ onLook, onOnly });
  const slots = Array.from({ length: 4 }, () => h("div", { class: "compare-slot", hidden: true }));
  const [ranking, figures, settings, costs] = slots;
  // Narrow tables share a row where there is room.
  const narrow = h("div", { class: "compare-narrow" }, ranking, settings);
  const element = h("div", { class: "compare-tables" }, narrow, coordinates.element, figures, costs);
  /** @type {Member[]} */
  let members = [];
  /** Counts how often results were shown. */
  let shows = 0;
  /** The width for which the charts of costs are drawn, so that their text has the size of all others. */
  let costsWidth = -1;
  new ResizeObserver(() => costsWidth >= 0 && costsWidth !== element.clientWidth && showCosts()).observe(element);

  function showRanking() {
    const rank = rankingTable(members, { explained: true });
    fill(ranking, rank && tableCard("Ranking", rankingNote(members), rank));
  }

  /** @param {{ [id: string]: Statistics }} statistics */
  function showFigures(statistics) {
    const means = members.some(({ runs }) => runs.length > 1) ? "Means and standard deviations over seeds. " : "";
    const note = `${means}Losses and accuracies are those of the last epoch, and below the means over epochs with their standard deviation.`;
    fill(figures, tableCard("Figures", note, resultsTable(members, statistics)));
  }

  function showSettings() {
    const differ = settingsTable(members);
    const { length = 0 } = differ?.rows[0].cells ?? {};
    settings.classList.toggle("is-wide", length > WIDE_COLUMNS || (differ?.rows.length ?? 0) > LONG_ROWS);
    fill(settings, differ && tableCard("Settings that differ", "Everything else is the same in all of them.", differ));
  }

  function showCosts() {
    costsWidth = element.clientWidth;
    fill(costs, scatterPlots(members, onLook, costsWidth));
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
