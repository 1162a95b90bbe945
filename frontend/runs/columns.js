// The columns of the table: what they are called, what they sort by, whether they show.

import { forBrowser } from "../lib/storage.js";

/** @typedef {{ key: string, title: string, class: string, optional?: boolean, hidden?: boolean }} Column `optional`: one may hide it; `hidden`: at first */

/** In order; `settings` stands for as many columns as there are settings that differ. @type {Column[]} */
export const COLUMNS = [
  { key: "status", title: "Status", class: "" },
  { key: "name", title: "Name", class: "" },
  { key: "network", title: "Network", class: "", optional: true },
  { key: "data", title: "Data", class: "col-data", optional: true },
  { key: "settings", title: "Settings", class: "col-settings", optional: true },
  { key: "progress", title: "Progress", class: "", optional: true },
  { key: "train_loss", title: "Training loss", class: "number", optional: true, hidden: true },
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
    const stored = JSON.parse(forBrowser.getItem(STORED) ?? "null");
    if (Array.isArray(stored)) return new Set(stored.filter((key) => COLUMNS.some((column) => column.key === key && column.optional)));
  } catch {
    // Then it is as at first.
  }
  return new Set(COLUMNS.filter(({ hidden }) => hidden).map(({ key }) => key));
}

/** Whether somebody chose the columns: then all of them show, however narrow the window is. */
export function areOwn() {
  return forBrowser.getItem(STORED) !== null;
}

/** @param {Set<string>} hidden */
export function rememberColumns(hidden) {
  forBrowser.setItem(STORED, JSON.stringify([...hidden]));
}
