// The newest state of every run, in whatever order states arrive: an answer may be older than what the stream
// has told in the meantime.

/** @import { Run } from "./types" */

export class States {
  /** @type {Map<string, Run>} */
  #runs = new Map();
  /** Runs whose state was told by a server that may count changes anew. @type {Set<string>} */
  #old = new Set();

  /** @param {Run} run @returns {boolean} whether it is news */
  put(run) {
    const known = this.#runs.get(run.id);
    if (known && known.changed > run.changed && !this.#old.has(run.id)) return false;
    this.#old.delete(run.id);
    this.#runs.set(run.id, run);
    return true;
  }

  /** @param {string} id @returns {boolean} whether it was there */
  drop(id) {
    return this.#runs.delete(id);
  }

  /** What is known is taken for old until it is told again: the server was away, and its index may be new. */
  returned() {
    this.#old = new Set(this.#runs.keys());
  }

  /** Makes these the only runs. @param {Run[]} list */
  replace(list) {
    const listed = new Set(list.map((run) => run.id));
    for (const id of this.#runs.keys()) if (!listed.has(id)) this.#runs.delete(id);
    list.forEach((run) => this.put(run));
  }

  /** @param {string} id */
  has(id) {
    return this.#runs.has(id);
  }

  /** @returns {Run[]} */
  all() {
    return [...this.#runs.values()];
  }
}
