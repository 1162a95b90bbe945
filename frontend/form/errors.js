// Assigns errors to fields.

/** @import { FieldError } from "../lib/types" */

/**
 * Groups errors by the path of the nearest field: an error in a list item belongs to the list. Errors without a visible
 * field are returned apart.
 * @param {FieldError[]} errors
 * @param {Set<string>} paths
 */
export function placeErrors(errors, paths) {
  /** @type {Map<string, string[]>} */
  const placed = new Map();
  /** @type {FieldError[]} */
  const apart = [];
  for (const error of errors) {
    const path = nearest(error.path, paths);
    if (path === undefined) {
      apart.push(error);
      continue;
    }
    // A control has no null: it is left empty.
    const message = error.message.replace(/, or null$/, ", or empty");
    const text = path === error.path ? message : `number ${itemOf(error.path, path)} ${message}`;
    placed.set(path, [...(placed.get(path) ?? []), text]);
  }
  return { placed, apart };
}

/** @param {string} path @param {Set<string>} paths */
function nearest(path, paths) {
  for (let rest = path; rest !== ""; rest = rest.slice(0, Math.max(0, rest.lastIndexOf(".")))) {
    if (paths.has(rest)) return rest;
  }
  return undefined;
}

/** The position of a list's item, counted from 1. @param {string} path @param {string} list */
function itemOf(path, list) {
  const index = Number(path.slice(list.length + 1));
  return Number.isInteger(index) ? index + 1 : path.slice(list.length + 1);
}
