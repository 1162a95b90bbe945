// How the folds of a search stand, until their judgement is there.

import { h } from "../lib/dom.js";
import { percent } from "../lib/format.js";
import { stateOf } from "../lib/status.js";

/** @import { LabelIssues } from "../lib/types" */

/** @param {LabelIssues} found */
export function foldList({ folds, progress }) {
  return h(
    "ol",
    { class: "fold-list" },
    ...folds.map(({ fold, url, status, reason, share }) => {
      const isJudging = progress?.fold === fold;
      const done = isJudging ? progress.share : share;
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
        h(
          "span",
          { class: "muted small" },
          isJudging
            ? `judging, ${percent(progress.share)}`
            : stateOf({ status, reason, stopping: false, position: null }).word,
        ),
      );
    }),
  );
}
