// The newest state of every run, in whatever order states arrive: a response may be older than an event that the stream
// delivered in the meantime.

/** @import { Run } from "./types" */

export class RunStates {
  /** @type {Map<string, Run>} */
  #runs = new Map();
  /** Runs whose state may be from an earlier index, which counted changes differently. @type {Set<string>} */
  #old = new Set();

  /** @param {Run} run @returns {boolean} whether it was new */
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

  /** Marks all states as old after a reconnection, since the server may have a new index. */
  returned() {
    this.#old = new Set(this.#runs.keys());
  }

  /** Replaces all runs. @param {Run[]} list */
  replace(list) {
    const listed = new Set(list.map((run) => run.id));
    for (const id of this.#runs.keys()) if (!listed.has(id)) this.#runs.delete(id);
    list.forEach((run) => this.put(run));
  }

  /** Forgets all other runs. @param {Set<string>} ids */
  keep(ids) {
    for (const id of this.#runs.keys()) if (!ids.has(id)) this.#runs.delete(id);
  }

  /** @param {string} id @returns {Run | undefined} */
  get(id) {
    return this.#runs.get(id);
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
