// How the folds of a search stand: all are trained, then one after the other judges the images that it did not learn.

import { h } from "../lib/dom.js";
import { percent } from "../lib/format.js";
import { stateOf } from "../lib/status.js";

/** @import { LabelIssues } from "../lib/types" */

/** @param {LabelIssues} found */
export function foldList({ folds, progress }) {
  return h(
    "ol",
    { class: "fold-list" },
    ...folds.map((each) => {
      const { fold, url, status, share } = each;
      const { word, done } = progress ? judging(fold, progress) : { word: trainingWord(each), done: share };
      return h(
        "li",
        {},
        h("a", { href: url }, `Fold ${fold + 1}`),
        h(
          "div",
          {
            class: "bar",
            data: { tone: status === "failed" ? "bad" : "live" },
            vars: { share: done },
            role: "progressbar",
            "aria-label": `Fold ${fold + 1}`,
            "aria-valuemin": 0,
            "aria-valuemax": 100,
            "aria-valuenow": Math.round(done * 100),
          },
          h("span"),
        ),
        h("span", { class: "muted small" }, word),
      );
    }),
  );
}

/** @param {LabelIssues["folds"][number]} fold */
const trainingWord = ({ status, reason }) => stateOf({ status, reason, stopping: false, position: null }).word;

/** How far a fold's judgement is. @param {number} fold @param {NonNullable<LabelIssues["progress"]>} progress */
function judging(fold, progress) {
  if (fold < progress.fold) return { word: "judged", done: 1 };
  if (fold > progress.fold) return { word: "trained", done: 0 };
  return { word: `judging, ${percent(progress.share)}`, done: progress.share };
}
