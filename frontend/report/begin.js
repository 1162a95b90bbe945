// Creates a report about runs and opens it.

import { createReport, RUNS_IN_ADDRESS, shortQuery } from "../lib/api.js";
import { reportAbout } from "./experiments.js";
import { withUsualFrontMatter } from "./front-matter.js";

/** @import { Run } from "../lib/types" */

/**
 * @param {string} title
 * @param {Run[]} runs
 * @param {string} [words] how the report names them; by default by id, or many by a selection
 */
export async function beginReport(title, runs, words) {
  words ??= await runsText(runs.map(({ id }) => id));
  const { url } = await createReport(withUsualFrontMatter(reportAbout(title, words, runs)));
  location.assign(url);
}

/** @param {string[]} ids */
const runsText = async (ids) =>
  ids.length <= RUNS_IN_ADDRESS ? ids.join(", ") : (await shortQuery(ids)).replace("=", " ");
