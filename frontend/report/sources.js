// The data of runs for a report. Each request is cached per state of its runs, so that redrawing a figure while typing
// costs nothing.

import { getMetricsOf, getSelection, getStatistics, listRuns, inspect } from "../lib/api.js";
import { FigureError } from "./block.js";

/** @import { Metrics, Run, Statistics } from "../lib/types" */

/** Minimum length of an abbreviated id. */
const MIN_ID = 8;

export class Sources {
  /** @param {Run[]} runs all runs */
  constructor(runs) {
    /** @type {Map<string, Run>} */
    this.runs = new Map(runs.map((run) => [run.id, run]));
    /** @type {Map<string, Promise<any>>} */
    this.cache = new Map();
    /** The runs of named selections. @type {Map<string, string[]>} */
    this.selections = new Map();
  }

  /** Fetches the runs again; true if one has changed. */
  async refresh() {
    const before = this.runs;
    const runs = await listRuns();
    this.runs = new Map(runs.map((run) => [run.id, run]));
    return runs.length !== before.size || runs.some((run) => before.get(run.id)?.changed !== run.changed);
  }

  /** A run by its id or an unambiguous prefix of it. @param {string} id @returns {Run} */
  run(id) {
    const exact = this.runs.get(id);
    if (exact) return exact;
    const found = id.length >= MIN_ID ? [...this.runs.values()].filter((run) => run.id.startsWith(id)) : [];
    if (found.length === 1) return found[0];
    throw new FigureError(
      found.length > 1
        ? `“${id}” begins the id of ${found.length} runs.`
        : `There is no run “${id}”: it may have been deleted.`,
    );
  }

  /** Like `find`, but fetches a selection first. @param {string} words @returns {Promise<Run[]>} */
  async runsOf(words) {
    const [kind, name] = words.trim().split(/\s+/);
    if (kind === "selection" && name && !this.selections.has(name))
      this.selections.set(name, (await getSelection(name)).runs);
    return this.find(words);
  }

  /**
   * Runs as a report names them: comma-separated ids, `sweep ID`, `selection ID` or `tag WORD`; in the order of
   * creation. Deleted runs of a sweep or selection are left out.
   * @param {string} words
   * @returns {Run[]}
   */
  find(words) {
    const [kind, ...rest] = words.trim().split(/\s+/);
    const what = rest.join(" ");
    const all = [...this.runs.values()];
    /** @type {Run[]} */
    let found;
    if (kind === "sweep" && what) found = all.filter(({ sweep }) => sweep === what);
    else if (kind === "selection" && what)
      found = (this.selections.get(what) ?? []).flatMap((id) => this.runs.get(id) ?? []);
    else if (kind === "tag" && what) found = all.filter(({ tags }) => tags.includes(what));
    else
      found = [
        ...new Set(
          words
            .split(/[\s,]+/)
            .filter(Boolean)
            .map((id) => this.run(id)),
        ),
      ];
    if (found.length === 0)
      throw new FigureError(
        words.trim() === "" ? "No runs are named." : `There are no runs for “${words}”: they may have been deleted.`,
      );
    return found.sort((a, b) => a.number - b.number);
  }

  /**
   * Caches a request per state of its runs.
   * @template T
   * @param {string} what
   * @param {Run[]} runs
   * @param {() => Promise<T>} ask
   * @returns {Promise<T>}
   */
  once(what, runs, ask) {
    const key = `${what} ${runs.map(({ id, changed }) => `${id}.${changed}`).join()}`;
    const known = this.cache.get(key);
    if (known) return known;
    const answer = ask();
    this.cache.set(key, answer);
    // Errors are not cached: the next request may succeed.
    answer.catch(() => this.cache.delete(key));
    return answer;
  }

  /**
   * @param {Run[]} runs
   * @param {Parameters<typeof getMetricsOf>[1]} query
   * @returns {Promise<{ [id: string]: Metrics }>}
   */
  metrics(runs, query) {
    return this.once(`metrics ${JSON.stringify(query)}`, runs, () =>
      getMetricsOf(
        runs.map(({ id }) => id),
        query,
      ),
    );
  }

  /** @param {Run[]} runs @returns {Promise<{ [id: string]: Statistics }>} */
  statistics(runs) {
    return this.once("statistics", runs, () => getStatistics(runs.map(({ id }) => id)));
  }

  /**
   * The result of an inspection request.
   * @template T
   * @param {Run} run
   * @param {string} what
   * @param {{ [name: string]: string | number | null | undefined }} [query]
   * @returns {Promise<T>}
   */
  inspect(run, what, query = {}) {
    return this.once(`${what} ${JSON.stringify(query)}`, [run], () => inspect(run.id, what, query));
  }
}
