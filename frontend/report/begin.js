// Begins a report about runs that are looked at, and goes there.

import { createReport } from "../lib/api.js";
import { reportOn } from "./experiments.js";

/** @import { Run } from "../lib/types" */

/** @param {string} title @param {Run[]} runs @param {string} [words] how a text names them; by their ids where nothing is said */
export async function beginReport(title, runs, words = runs.map(({ id }) => id).join(", ")) {
  const { url } = await createReport(reportOn(title, words, runs));
  location.assign(url);
}
