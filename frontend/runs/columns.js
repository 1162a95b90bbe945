// The columns of the table: what they are called, what they sort by, whether they show.

import { safeLocalStorage } from "../lib/storage.js";

/**
 * @typedef {{
 *   key: string,
 *   title: string,
 *   class: string,
 *   more?: string,
 *   about?: string,
 *   optional?: boolean,
 *   hidden?: boolean,
 * }} Column `more`: what kind of figure it is, and `about` in a sentence; `optional`: one may hide it; `hidden`: at
 *   first
 */

/** What a run's training loss is wherever it is told in one number. */
export const EPOCH_MEAN = "epoch mean";
export const EPOCH_MEAN_TITLE =
  "The mean over the steps of the last whole epoch; in the first epoch, over its steps so far. A chart has the loss of each step, and its average over the steps before.";

/** In order; `settings` stands for as many columns as there are settings that differ. @type {Column[]} */
export const COLUMNS = [
  { key: "status", title: "Status", class: "" },
  { key: "name", title: "Name", class: "" },
  { key: "network", title: "Network", class: "", optional: true },
  { key: "data", title: "Data", class: "col-data", optional: true },
  { key: "settings", title: "Settings", class: "col-settings", optional: true },
  { key: "progress", title: "Progress", class: "", optional: true },
  {
    key: "train_loss",
    title: "Training loss",
    class: "number",
    more: EPOCH_MEAN,
    about: EPOCH_MEAN_TITLE,
    optional: true,
    hidden: true,
  },
  { key: "loss", title: "Validation loss", class: "number", optional: true, hidden: true },
  { key: "last", title: "Last validation", class: "number", optional: true, hidden: true },
  { key: "validation", title: "Best validation", class: "number", optional: true },
  { key: "test", title: "Test", class: "number", optional: true },
  { key: "parameters", title: "Parameters", class: "number", optional: true, hidden: true },
  { key: "memory", title: "Peak memory", class: "number", optional: true, hidden: true },
  { key: "speed", title: "Images/s", class: "number col-speed", optional: true },
  { key: "seconds", title: "Time", class: "number", optional: true },
  { key: "created", title: "Started", class: "number", optional: true },
];

const STORED = "vivarium.columns";

/** The keys of columns that do not show. @returns {Set<string>} */
export function hiddenColumns() {
  try {
    const stored = JSON.parse(safeLocalStorage.getItem(STORED) ?? "null");
    if (Array.isArray(stored))
      return new Set(stored.filter((key) => COLUMNS.some((column) => column.key === key && column.optional)));
  } catch {
    // Then it is as at first.
  }
  return new Set(COLUMNS.filter(({ hidden }) => hidden).map(({ key }) => key));
}

/** Whether somebody chose the columns: then all of them show, however narrow the window is. */
export function isCustomised() {
  return safeLocalStorage.getItem(STORED) !== null;
}

/** @param {Set<string>} hidden */
export function rememberColumns(hidden) {
  safeLocalStorage.setItem(STORED, JSON.stringify([...hidden]));
}
