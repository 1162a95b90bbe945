// The order of the runs table.

import { COLUMNS } from "./columns.js";

/** @import { Run } from "../lib/types" */

/** @typedef {{ key: string, descending: boolean }} Order */

/** Whether the table can be sorted by a column key or setting path. @param {string} key */
const canSort = (key) => key.includes(".") || COLUMNS.some((column) => column.key === key && !column.unsorted);

/** The newest runs first. @type {Order} */
export const NEWEST = { key: "created", descending: true };

/** Reads an order from a URL: "name:up", "validation:down"; an unknown one becomes the default. @param {string} text @returns {Order} */
export function readOrder(text) {
  const [key, direction] = text.split(":");
  return canSort(key) ? { key, descending: direction !== "up" } : NEWEST;
}

/** An order in a URL; "" for the default. @param {Order} order */
export function writeOrder({ key, descending }) {
  if (key === NEWEST.key && descending === NEWEST.descending) return "";
  return `${key}:${descending ? "down" : "up"}`;
}

/** An order as the server takes it. @param {Order} order */
export const sortOf = ({ key, descending }) => `${descending ? "-" : ""}${key}`;

/** The completed fraction of a run, 0 to 1. @param {Run} run */
export function progressOf({ summary: { step, steps } }) {
  return step !== null && steps ? Math.min(1, step / steps) : 0;
}
