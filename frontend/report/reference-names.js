// References in the editor: {{ref curves}} is shown as what it will read as, {{Figure 1, curves}}, and written back as it
// was. The name stands in it, so that it is the same reference when figures are moved and numbers change.

import { referenceTo, resolveReference } from "./references.js";

/** @typedef {{ name: string, label: string }} Referable */

const SOURCE = /\{\{ref ([a-z][a-z0-9-]{0,39})\}\}/g;
const SHOWN = /\{\{(?:Figure|Table) \d+, ([a-z][a-z0-9-]{0,39})\}\}/g;

/** The text as the editor shows it. @param {string} source @param {Referable[]} figures those of the report */
export function showReferences(source, figures) {
  return source.replace(SOURCE, (written, name) => {
    try {
      return `{{${resolveReference(name, figures).label}, ${name}}}`;
    } catch {
      // The preview says what is wrong with it.
      return written;
    }
  });
}

/** The text as it is saved. @param {string} shown */
export const writeReferences = (shown) => shown.replace(SHOWN, (_, name) => referenceTo(name));
