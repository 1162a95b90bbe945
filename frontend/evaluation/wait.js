// Waits for what the server computes, and shows how far it is.

import { h, setText } from "../lib/dom.js";
import { count } from "../lib/format.js";

/** @import { EvaluationProgress, RunEvaluation } from "../lib/types" */

/** Seconds after which the server tells the progress. */
export const WAIT = 1;

/**
 * Asks until the result is there.
 * @param {() => Promise<{ result: any, progress: EvaluationProgress | null }>} ask
 * @param {(progress: EvaluationProgress) => void} [onProgress]
 */
export async function untilReady(ask, onProgress = () => {}) {
  for (;;) {
    const { result, progress } = await ask();
    if (!progress) return result;
    onProgress(progress);
  }
}

/**
 * Asks for what belongs to an evaluation, also when the run has written its next checkpoint since.
 * @param {RunEvaluation} evaluation
 */
export const versionOf = ({ checkpoint: { name, version } }) => ({ checkpoint: name, version });

/** @type {{ [phase: string]: string }} */
const PHASES = {
  waiting: "Another evaluation goes first.",
  loading: "Reading the network and the data…",
  train: "Predicting the training samples",
  validation: "Predicting the validation samples",
  test: "Predicting the test samples",
  figures: "Computing figures and intervals…",
};

/** A card with the progress of an evaluation. */
export function progressCard() {
  const words = h("p", {}, "Asking for the evaluation…");
  const bar = h("div", { class: "bar", data: { tone: "live" } }, h("span"));
  const note = h(
    "p",
    { class: "muted small" },
    "The network predicts every sample once more; the figures are then kept. If you leave the page, this ends.",
  );
  return {
    element: h("div", { class: "card evaluation-wait", role: "status" }, words, bar, note),
    /** @param {EvaluationProgress} progress */
    show({ phase, share, done, total }) {
      setText(words, `${PHASES[phase] ?? phase}${total > 0 ? `: ${count(done)} of ${count(total)}` : ""}`);
      bar.style.setProperty("--share", String(share));
    },
  };
}
