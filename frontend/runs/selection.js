// The chosen rows. A click chooses one, Shift+click a range.

export class Selection {
  /** @type {Set<string>} */
  #chosen = new Set();
  /** @type {string | null} */
  #last = null;

  /** @param {string} id */
  has(id) {
    return this.#chosen.has(id);
  }

  get size() {
    return this.#chosen.size;
  }

  /** @returns {string[]} */
  ids() {
    return [...this.#chosen];
  }

  /**
   * @param {string} id
   * @param {boolean} on
   * @param {boolean} range
   * @param {string[]} order the ids of the rows from the top
   */
  set(id, on, range, order) {
    const [a, b] = [order.indexOf(this.#last ?? ""), order.indexOf(id)];
    const ids = range && a >= 0 && b >= 0 ? order.slice(Math.min(a, b), Math.max(a, b) + 1) : [id];
    for (const each of ids) on ? this.#chosen.add(each) : this.#chosen.delete(each);
    this.#last = id;
  }

  /** Replaces the selection. @param {string[]} ids */
  replace(ids) {
    this.#chosen = new Set(ids);
    this.#last = null;
  }

  /** Removes a deleted run. @param {string} id */
  drop(id) {
    this.#chosen.delete(id);
  }
}
