// Creates a report about runs and opens it. Runs of an experiment get what the experiment asks.

import { createReport, getPresets, getSweep, listImages, RUNS_IN_ADDRESS, shortQuery } from "../lib/api.js";
import { lastImage } from "../lib/last-image.js";
import { settingsOf } from "../lib/settings-diff.js";
import { sweepTitle } from "../runs/sweeps.js";
import { experimentReport, reportAbout } from "./experiment-report.js";
import { nearnessOf, subjectOf } from "./experiment-runs.js";
import { EXPERIMENTS } from "./experiments.js";
import { withUsualFrontMatter } from "./front-matter.js";

/** @import { Preset, Run } from "../lib/types" */

/**
 * @param {string} title
 * @param {Run[]} runs
 * @param {string} [words] how the report names them; by default by id, or many by a selection
 */
export async function beginReport(title, runs, words) {
  words ??= await runsText(runs.map(({ id }) => id));
  // Without the presets a report asks less.
  const presets = await getPresets().catch(() => []);
  const { url } = await createReport(withUsualFrontMatter(await textAbout(title, runs, words, presets)));
  location.assign(url);
}

/** @param {string} title @param {Run[]} runs @param {string} words @param {Preset[]} presets */
async function textAbout(title, runs, words, presets) {
  const [, id] = /^sweep (\S+)$/.exec(words) ?? [];
  if (id) {
    const { spec } = await getSweep(id);
    const known = /** @type {import("../lib/types").SweepSpec} */ (spec);
    const name = sweepTitle(runs, true).title;
    const [near] = presets
      .map((preset) => ({ preset, nearness: nearnessOf(preset, known) }))
      .filter(({ nearness }) => nearness > 0)
      .sort((a, b) => b.nearness - a.nearness);
    const experiment = near && EXPERIMENTS.find(({ preset }) => preset === near.preset.id);
    const usable = runs.filter(({ status }) => status !== "failed");
    if (experiment && usable.length > 0) {
      const subject = subjectOf(id, known, usable, near.nearness === 3);
      return experimentReport([{ experiment, subject }], { presets, title: name });
    }
    return reportAbout(name, words, runs);
  }
  const preset = runs.length === 1 ? presets.find((known) => isOf(known, runs[0])) : undefined;
  const experiments = EXPERIMENTS.filter((known) => known.preset === preset?.id);
  if (experiments.length === 0) return reportAbout(title, words, runs, preset);
  const [run] = runs;
  const image = lastImage(
    run,
    await listImages().then(
      (images) => images.map((known) => known.id),
      () => [],
    ),
  );
  const subject = { runs: words, run, of: runs, image, exactly: true };
  return experimentReport(
    experiments.map((experiment) => ({ experiment, subject })),
    { presets, title },
  );
}

/** Whether a run has all settings of a preset for one run. @param {Preset} preset @param {Run} run */
export function isOf({ base, grid }, run) {
  if (Object.keys(grid).length > 0 || run.source) return false;
  const settings = settingsOf(run);
  const wanted = settingsOf(/** @type {any} */ ({ spec: structuredClone(base) }));
  return [...wanted].every(([path, value]) => JSON.stringify(settings.get(path)) === JSON.stringify(value));
}

/** @param {string[]} ids */
const runsText = async (ids) =>
  ids.length <= RUNS_IN_ADDRESS ? ids.join(", ") : (await shortQuery(ids)).replace("=", " ");
