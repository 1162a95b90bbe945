// Begins a report about runs that are looked at, and goes there.

import { createReport, RUNS_IN_ADDRESS, shortQuery } from "../lib/api.js";
import { reportAbout } from "./experiments.js";

/** @import { Run } from "../lib/types" */

/**
 * @param {string} title
 * @param {Run[]} runs
 * @param {string} [words] how a text names them; by their ids, or many by a selection, where nothing is said
 */
export async function beginReport(title, runs, words) {
  words ??= await named(runs.map(({ id }) => id));
  const { url } = await createReport(reportAbout(title, words, runs));
  location.assign(url);
}

/** @param {string[]} ids */
const named = async (ids) =>
  ids.length <= RUNS_IN_ADDRESS ? ids.join(", ") : (await shortQuery(ids)).replace("=", " ");
