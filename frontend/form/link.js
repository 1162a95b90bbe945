// The draft that a link to the form asks for: `/new?spec=` and a RunSpec as JSON. No DOM here.

import { draftOf } from "./draft.js";
import { networksFor } from "./table.js";

/** @import { FormTable } from "../lib/types" */
/** @import { Draft } from "./draft.js" */

/**
 * The draft of a RunSpec as text, or what is wrong with it. Values of settings are left for the server to check.
 * @param {FormTable} table
 * @param {string} text
 * @returns {{ draft: Draft, fault: "" } | { draft: null, fault: string }}
 */
export function draftOfLink(table, text) {
  const fault = (/** @type {string} */ message) => ({ draft: null, fault: message });
  /** @type {any} */
  let spec;
  try {
    spec = JSON.parse(text);
  } catch {
    return fault("is no JSON");
  }
  const [set, kind] = [spec?.data?.set, spec?.network?.kind];
  if (!table.data_sets.some((row) => row.set === set))
    return fault(
      `has no data set of this server in data.set; there are ${named(table.data_sets.map((row) => row.set))}`,
    );
  const networks = networksFor(table, set).map((row) => row.kind);
  if (!networks.includes(kind)) return fault(`has no network for ${set} in network.kind; there are ${named(networks)}`);
  try {
    return { draft: draftOf(table, spec), fault: "" };
  } catch {
    return fault("has a setting of the wrong type");
  }
}

/** @param {string[]} names */
const named = (names) => names.join(", ");
