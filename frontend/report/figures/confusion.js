// The figure of the confusion matrix on the test split.

import { getTest } from "../../lib/api.js";
import { percent } from "../../lib/format.js";
import { confusionMatrix } from "../../lib/confusion-matrix.js";
import { FigureError } from "../block.js";
import { RUN } from "./inspect.js";

/** @import { Kind } from "./index.js" */

/** @type {Kind} */
export const confusion = {
  kind: "confusion",
  title: "Confusion matrix",
  about: "True and predicted classes of the test split",
  is: "table",
  fields: [RUN],
  async draw(values, sources) {
    const run = await sources.runOf(values.run);
    const { test, classes } = await sources.once("test", [run], () => getTest(run.id));
    if (!test) throw new FigureError(`“${run.name}” has no test result yet.`);
    const body = confusionMatrix(
      test.confusion,
      test.confusion.map((_, i) => classes?.[i] ?? String(i)),
    );
    return {
      body,
      runs: [run],
      caption: `Confusion matrix of “${run.name}” on the test split: rows are the true classes, columns the predicted ones. ${percent(test.accuracy)} are correct.`,
    };
  },
};
