// Settings in the form's address: `set=PATH:VALUE`, which may be there several times.

import { setField } from "./draft.js";
import { fieldsOf } from "./table.js";

/** @import { FormTable } from "../lib/types" */
/** @import { Draft } from "./draft.js" */

/**
 * Lays settings over a draft, as if they were typed: the form checks them like all others.
 * @param {FormTable} table
 * @param {Draft} draft
 * @param {string[]} settings each a path, a colon and a value
 * @returns {string[]} the paths that the form has no field for
 */
export function setFromUrl(table, draft, settings) {
  const fields = new Map(fieldsOf(table, draft).map((field) => [field.path, field]));
  /** @type {string[]} */
  const unknown = [];
  for (const setting of settings) {
    const [path, ...rest] = setting.split(":");
    const field = fields.get(path);
    const text = rest.join(":");
    if (field) setField(table, draft, field, field.kind.type === "switch" ? text === "true" : text);
    else unknown.push(path);
  }
  return unknown;
}
