// The columns of the runs table: titles, sort keys, visibility.

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
 *   unsorted?: boolean,
 * }} Column `more` qualifies the title, `about` explains it; `optional`: can be hidden; `hidden`: by default; `unsorted`:
 *   runs cannot be sorted by it
 */

/** Qualifies a run's training loss wherever it is a single number. */
export const EPOCH_MEAN = "epoch mean";
export const EPOCH_MEAN_TITLE =
  "Mean over the steps of the last complete epoch; in the first epoch, over the steps so far. Charts show the loss of each step and a moving average.";

/** The columns in order. `settings` stands for the columns of settings that differ. @type {Column[]} */
export const COLUMNS = [
  { key: "name", title: "Name", class: "cell-name" },
  { key: "status", title: "Status", class: "" },
  {
    key: "curve",
    title: "Curve",
    class: "",
    about: "Validation accuracy over the epochs; before the third epoch, the training loss of the steps.",
    optional: true,
    unsorted: true,
  },
  { key: "validation", title: "Best validation", class: "number cell-result", optional: true },
  { key: "test", title: "Test", class: "number", optional: true },
  { key: "network", title: "Network", class: "", optional: true },
  { key: "data", title: "Data", class: "col-data", optional: true },
  { key: "settings", title: "Settings", class: "col-settings", optional: true, unsorted: true },
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
  { key: "parameters", title: "Parameters", class: "number", optional: true, hidden: true },
  { key: "memory", title: "Peak memory", class: "number", optional: true, hidden: true },
  { key: "speed", title: "Samples/s", class: "number col-speed", optional: true },
  { key: "seconds", title: "Time", class: "number col-seconds", optional: true },
  { key: "created", title: "Started", class: "number", optional: true },
];

const STORED = "vivarium.columns";

/** The keys of hidden columns. @returns {Set<string>} */
export function hiddenColumns() {
  try {
    const stored = JSON.parse(safeLocalStorage.getItem(STORED) ?? "null");
    if (Array.isArray(stored))
      return new Set(stored.filter((key) => COLUMNS.some((column) => column.key === key && column.optional)));
  } catch {
    // Invalid data: use the defaults.
  }
  return new Set(COLUMNS.filter(({ hidden }) => hidden).map(({ key }) => key));
}

/** Whether the user chose the columns. Then all of them show, even in a narrow window. */
export function isCustomised() {
  return safeLocalStorage.getItem(STORED) !== null;
}

/** @param {Set<string>} hidden */
export function rememberColumns(hidden) {
  safeLocalStorage.setItem(STORED, JSON.stringify([...hidden]));
}
