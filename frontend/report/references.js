// References in a report's text: {{ref noise}} becomes “Figure 3”, the number of the figure or table named “noise”.

import { FigureError } from "./block.js";

const REFERENCE = /^ref\s+(\S+)$/;
/** The name of a figure. */
export const NAME = /^[a-z][a-z0-9-]{0,39}$/;

/** The name that the text between the braces refers to; null if it is something else. @param {string} words */
export const referredName = (words) => REFERENCE.exec(words)?.[1] ?? null;

/** The source text of a reference. @param {string} name */
export const referenceTo = (name) => `{{ref ${name}}}`;

/**
 * @template {{ name: string, label: string }} T
 * @param {string} name
 * @param {T[]} figures those of the report, in order
 * @returns {T}
 */
export function resolveReference(name, figures) {
  const found = figures.filter((figure) => figure.name === name);
  if (found.length === 1) return found[0];
  if (found.length > 1) throw new FigureError(`${found.length} figures are named “${name}”; a name must be unique.`);
  const names = [...new Set(figures.map((figure) => figure.name).filter(Boolean))];
  throw new FigureError(
    `No figure or table is named “${name}”${names.length > 0 ? `; there are ${names.join(", ")}` : ""}.`,
  );
}

/** An unused name for a figure: its kind, with a number if needed. @param {string} kind @param {string[]} taken */
export function freeName(kind, taken) {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? kind : `${kind}-${number}`;
    if (!taken.includes(name)) return name;
  }
}
