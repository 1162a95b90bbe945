// The figure of a confusion matrix: of the test split, or of another split, checkpoint or epoch of the film.

import { getEvaluation, getFilm, getFrame, getTest } from "../../lib/api.js";
import { percent } from "../../lib/format.js";
import { confusionMatrix } from "../../lib/confusion-matrix.js";
import { runName } from "../../lib/run-name.js";
import { untilReady, WAIT } from "../../evaluation/wait.js";
import { FigureError } from "../block.js";
import { CHECKPOINT, checkpointWords, isFrame, RUN } from "./inspect.js";

/** @import { Run, RunEvaluation } from "../../lib/types" */
/** @import { Sources } from "../sources.js" */
/** @import { Field, Kind, Values } from "./index.js" */

/** @type {Field} */
export const SPLIT = {
  name: "split",
  label: "Samples",
  type: "choice",
  value: "test",
  options: [
    ["test", "Test"],
    ["validation", "Validation"],
    ["train", "Training"],
  ],
};

/** @type {{ [split: string]: string }} */
export const SPLIT_WORDS = { test: "the test split", validation: "the validation split", train: "the training split" };

/** @type {Kind} */
export const confusion = {
  kind: "confusion",
  title: "Confusion matrix",
  about: "True and predicted classes, after any epoch of the film or with the best or last weights",
  is: "table",
  fields: [RUN, { ...SPLIT, help: "An epoch of the film has the matrix of the validation split." }, CHECKPOINT],
  async draw(values, sources) {
    const run = await sources.runOf(values.run);
    const { matrix, classes, accuracy, split } = await matrixOf(run, values, sources);
    const body = confusionMatrix(
      matrix,
      matrix.map((_, i) => classes?.[i] ?? String(i)),
    );
    const right = accuracy === null ? "" : ` ${percent(accuracy)} are correct.`;
    return {
      body,
      runs: [run],
      caption: `Confusion matrix of “${runName(run)}” on ${SPLIT_WORDS[split]}, ${checkpointWords(run, values.checkpoint)}: rows are the true classes, columns the predicted ones.${right}`,
    };
  },
};

/**
 * @param {Run} run
 * @param {Values} values
 * @param {Sources} sources
 * @returns {Promise<{ matrix: number[][], classes: string[] | null | undefined, accuracy: number | null, split: string }>}
 */
async function matrixOf(run, { split, checkpoint }, sources) {
  if (isFrame(checkpoint)) {
    const film = await sources.once("film", [run], () => getFilm(run.id));
    const frame = film.frames.find(({ name }) => name === checkpoint);
    if (!frame)
      throw new FigureError(
        film.epochs.length > 0
          ? `The film of “${runName(run)}” has no frame ${checkpoint}; it has ${film.frames.map(({ name }) => name).join(", ")}.`
          : `“${runName(run)}” has no film.`,
      );
    const { confusion: matrix, validation_accuracy: accuracy } = await sources.once(`frame ${checkpoint}`, [run], () =>
      getFrame(run.id, frame.name, frame.version),
    );
    if (!matrix) throw new FigureError(`“${runName(run)}” has no validation split, so its film has no matrix.`);
    return { matrix, classes: run.summary.classes, accuracy, split: "validation" };
  }
  // The run has made this one itself.
  if (split === "test" && checkpoint === "best") {
    const { test, classes } = await sources.once("test", [run], () => getTest(run.id));
    if (test) return { matrix: test.confusion, classes, accuracy: test.accuracy, split };
    if (run.status !== "finished") throw new FigureError(`“${runName(run)}” has no test result yet.`);
  }
  const { confusion: matrix, classes, accuracy } = await evaluationOf(run, { split, checkpoint }, sources);
  if (!matrix) throw new FigureError(`A matrix of ${classes.length} classes would not be readable.`);
  return { matrix, classes, accuracy: accuracy.value, split };
}

/**
 * The evaluation of a run, which the server computes once.
 * @param {Run} run
 * @param {{ split: string, checkpoint: string }} query
 * @param {Sources} sources
 * @returns {Promise<RunEvaluation>}
 */
export const evaluationOf = (run, query, sources) =>
  sources.once(`evaluation ${JSON.stringify(query)}`, [run], () =>
    untilReady(() => getEvaluation(run.id, { ...query, wait: WAIT })),
  );
