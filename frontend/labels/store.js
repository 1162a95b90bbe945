// The labels of a set as this page knows them, and changes to them: one request after another, each refused where the
// labels were changed elsewhere meanwhile. No DOM here.

import { changeLabels, getLabels } from "../lib/api.js";
import { Problem } from "../lib/request.js";

/** @import { LabelEdit, SeenLabels } from "../lib/types" */

/** What a set's labels say of an image: its class, `null` where it is excluded, and whether somebody kept it as it is. */
/** @typedef {{ class: number | null, kept: boolean }} LabelState */

/** @param {LabelState} a @param {LabelState} b */
export const isSame = (a, b) => a.class === b.class && a.kept === b.kept;

/**
 * @param {SeenLabels} first
 * @param {(labels: SeenLabels) => void} onChange called with all labels that come later
 * @param {{ change?: typeof changeLabels, get?: typeof getLabels }} [requests]
 */
export function labelStore(first, onChange, { change = changeLabels, get = getLabels } = {}) {
  let labels = first;
  /** @type {Map<number, number | null>} */
  let corrected = new Map();
  /** @type {Set<number>} */
  let kept = new Set();
  /** The last request; the next one waits for it. @type {Promise<unknown>} */
  let last = Promise.resolve();
  index();

  function index() {
    corrected = new Map(labels.corrections.map((correction) => [correction.sample, correction.class]));
    kept = new Set(labels.kept.map(({ sample }) => sample));
  }

  /** @param {SeenLabels} next */
  function take(next) {
    const isReplaced = next.sha256 !== labels.sha256;
    if (isReplaced) throw new Error("The data set was replaced: these are other images. Load the page again.");
    labels = next;
    index();
    onChange(labels);
  }

  /** @param {{ from?: string, changes?: LabelEdit[] }} body @param {() => boolean} isAsSeen */
  async function send(body, isAsSeen) {
    while (isAsSeen()) {
      try {
        take(await change(labels.set, labels.etag, body));
        return true;
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 412) throw error;
        take(await get(labels.set));
      }
    }
    return false;
  }

  return {
    labels: () => labels,
    /** @param {number} sample @param {number} imported the class with which it was imported @returns {LabelState} */
    stateOf: (sample, imported) => ({
      class: corrected.has(sample) ? (corrected.get(sample) ?? null) : imported,
      kept: kept.has(sample),
    }),
    /**
     * Sends a change after those before it.
     * @param {{ from?: string, changes?: LabelEdit[] }} body
     * @param {() => boolean} [isAsSeen] whether the labels are still those that the user saw
     * @returns {Promise<boolean>} `false` where they are not; nothing is changed then
     */
    change(body, isAsSeen = () => true) {
      const turn = last.then(() => send(body, isAsSeen));
      last = turn.catch(() => {});
      return turn;
    },
    /** Asks for what others changed. */
    async refresh() {
      const next = await get(labels.set);
      take(next);
    },
  };
}
