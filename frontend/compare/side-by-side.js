// The evaluation of two runs side by side, on the same test samples.

/** @import { Run } from "../lib/types" */

/** Its address; null unless exactly two of the runs were trained by Vivarium. @param {Run[]} runs */
export function sideBySideUrl(runs) {
  const [first, second, ...more] = runs.filter(({ source }) => !source);
  return second && more.length === 0 ? `${first.url}/evaluation?with=${second.id}` : null;
}
