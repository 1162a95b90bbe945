// The table of figure kinds. Dialog, validation and drawing follow from it.

import { FigureError } from "../block.js";
import { arithmetic } from "./arithmetic.js";
import { boundary } from "./boundary.js";
import { confusion } from "./confusion.js";
import { curve } from "./curve.js";
import { features, filters, photo } from "./pictures.js";
import { parallelFigure, scatterFigure } from "./plots.js";
import { mistakes } from "./mistakes.js";
import { settings } from "./settings.js";
import { figures, ranking } from "./tables.js";
import { NAME } from "../references.js";
import { listOf } from "./members.js";

/** @import { Block } from "../block.js" */
/** @import { Sources } from "../sources.js" */
/** @import { Run } from "../../lib/types" */

/**
 * A setting of a figure. `runs` and `run` name runs; `layer` a layer of `run`; `image` an input image; `checkpoint` the
 * best or the last one, or an epoch of the film; `several` any of the options. `value` is the default; a field without
 * one is required. `start` is what the dialog begins a new figure with, if that is not the default.
 * @typedef {{
 *   name: string,
 *   label: string,
 *   type: "runs" | "run" | "layer" | "image" | "checkpoint" | "choice" | "several" | "number" | "text" | "name",
 *   value?: string,
 *   start?: string,
 *   options?: [value: string, label: string][],
 *   min?: number,
 *   max?: number,
 *   help?: string,
 * }} Field
 */

/** Values by field name. @typedef {{ [name: string]: string }} Values */

/**
 * A drawn figure. `note` is a legend below it; `terms` explain its words, each once in a report.
 * @typedef {{ body: Element, caption: string, runs: Run[], note?: Element | string, terms?: string[] }} Drawn
 */

/**
 * @typedef {{
 *   kind: string,
 *   title: string,
 *   about: string,
 *   is: "figure" | "table",
 *   fields: Field[],
 *   draw: (values: Values, sources: Sources) => Promise<Drawn>,
 * }} Kind
 */

/** @type {Field} */
const CAPTION = {
  name: "caption",
  label: "Caption",
  type: "text",
  value: "",
  help: "Empty: a description of the figure.",
};

/** @type {Field} */
const OWN_NAME = {
  name: "name",
  label: "Name",
  type: "name",
  value: "",
  help: "To refer to it in the text: {{ref name}} becomes its number.",
};

/** @type {Kind[]} */
export const KINDS = [
  curve,
  figures,
  ranking,
  settings,
  scatterFigure,
  parallelFigure,
  filters,
  features,
  confusion,
  mistakes,
  boundary,
  arithmetic,
  photo,
].map((kind) => ({ ...kind, fields: [...kind.fields, CAPTION, OWN_NAME] }));

/** @param {string} name @returns {Kind} */
export function kindNamed(name) {
  const kind = KINDS.find(({ kind: known }) => known === name);
  if (!kind)
    throw new FigureError(
      `“${name}” is not a kind of figure; choose one of ${KINDS.map(({ kind: known }) => known).join(", ")}.`,
    );
  return kind;
}

/**
 * The validated settings of a block, with defaults.
 * @param {Kind} kind
 * @param {Block["settings"]} settings
 * @returns {Values}
 */
export function valuesOf(kind, settings) {
  for (const name of settings.keys()) {
    if (!kind.fields.some((field) => field.name === name))
      throw new FigureError(
        `“${name}” is not a setting of a ${kind.kind}; choose one of ${kind.fields.map((field) => field.name).join(", ")}.`,
      );
  }
  return Object.fromEntries(kind.fields.map((field) => [field.name, checked(field, settings.get(field.name))]));
}

/** @param {Field} field @param {string | undefined} said */
function checked({ name, label, type, value, options, min, max }, said) {
  if (said === undefined || said === "") {
    if (value === undefined) throw new FigureError(`${label} is missing: it needs a line “${name}: …”.`);
    return value;
  }
  if (type === "choice" && !options?.some(([known]) => known === said))
    throw new FigureError(`${name} must be one of ${options?.map(([known]) => known).join(", ")}, not “${said}”.`);
  if (type === "several") {
    const unknown = listOf(said).find((word) => !options?.some(([known]) => known === word));
    if (unknown !== undefined || listOf(said).length === 0)
      throw new FigureError(
        `${name} must be of ${options?.map(([known]) => known).join(", ")}, with commas between, not “${unknown ?? said}”.`,
      );
  }
  if (type === "checkpoint" && !/^(best|last|\d{1,9})$/.test(said))
    throw new FigureError(`${name} must be best, last or the number of an epoch of the film, not “${said}”.`);
  if (type === "name" && !NAME.test(said))
    throw new FigureError(
      `${name} must begin with a small letter and have only small letters, digits and hyphens, not “${said}”.`,
    );
  if (type === "number") {
    const number = Number(said);
    if (
      !Number.isFinite(number) ||
      number < (min ?? Number.NEGATIVE_INFINITY) ||
      number > (max ?? Number.POSITIVE_INFINITY)
    )
      throw new FigureError(
        `${name} must be a number${min === undefined ? "" : ` from ${min}`}${max === undefined ? "" : ` to ${max}`}, not “${said}”.`,
      );
  }
  return said;
}
