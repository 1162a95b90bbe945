// Saves runs as CSV: one line per run, with its figures and all settings.

import { csv } from "../chart/csv.js";
import { download } from "../lib/dom.js";
import { exactNumber } from "../lib/format.js";
import { settingsOf } from "../lib/settings-diff.js";

/** @import { Run } from "../lib/types" */

const FIGURES = /** @type {const} */ ([
  "epoch",
  "step",
  "samples_seen",
  "train_loss",
  "train_accuracy",
  "validation_loss",
  "validation_accuracy",
  "best_validation_accuracy",
  "best_epoch",
  "test_loss",
  "test_accuracy",
  "parameters",
  "seconds",
  "peak_memory_bytes",
  "images_per_s",
]);

/** @param {Run[]} runs */
export function saveCsv(runs) {
  const paths = [...new Set(runs.flatMap((run) => [...settingsOf(run).keys()]))];
  const lines = runs.map((run) => {
    const settings = settingsOf(run);
    return [
      run.id,
      run.name,
      run.status,
      run.reason,
      run.created,
      run.tags.join(", "),
      run.notes,
      ...FIGURES.map((name) => run.summary[name]),
      ...paths.map((path) => (settings.has(path) ? cellOf(settings.get(path)) : null)),
    ];
  });
  const text = csv(["id", "name", "status", "reason", "created", "tags", "notes", ...FIGURES, ...paths], lines);
  download("runs.csv", new Blob([text], { type: "text/csv" }));
}

/** A CSV cell; numbers stay numbers. @param {unknown} value */
function cellOf(value) {
  return typeof value === "number" ? value : exactNumber(value);
}
