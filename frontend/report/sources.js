// The data of runs for a report: those that it names, which are fetched when they are first named. Each request is cached
// per state of its runs, so that redrawing a figure while typing costs nothing.

import { getMetricsOf, getRuns, getSelection, getStatistics, inspect, listAllRuns, listRuns } from "../lib/api.js";
import { Problem } from "../lib/request.js";
import { FigureError } from "./block.js";

/** @import { Metrics, Run, Statistics } from "../lib/types" */

/** Minimum length of an abbreviated id. */
const MIN_ID = 8;

/** A number of a run in the text. */
const NUMBER = /\{\{\s*([0-9a-f-]{8,36})\s/g;
/** Runs that a dialog offers. */
const OFFERED = 100;

export class Sources {
  /** @param {Run[]} runs those that are known */
  constructor(runs = []) {
    /** @type {Map<string, Run>} */
    this.runs = new Map(runs.map((run) => [run.id, run]));
    /** @type {Map<string, Promise<any>>} */
    this.cache = new Map();
    /** The runs of named selections. @type {Map<string, string[]>} */
    this.selections = new Map();
    /** What was asked for, as a report names runs. @type {Map<string, Promise<Run[]>>} */
    this.asked = new Map();
  }

  /** Fetches the runs again that were asked for; true if one has changed. */
  async refresh() {
    const before = this.runs;
    const fetched = await Promise.all([...this.asked.keys()].map((words) => this.#fetch(words)));
    const runs = new Map(fetched.flat().map((run) => [run.id, run]));
    this.runs = runs;
    return runs.size !== before.size || [...runs.values()].some((run) => before.get(run.id)?.changed !== run.changed);
  }

  /** Fetches the runs that words name, unless that was done. @param {string} words as in `find` */
  async load(words) {
    const key = words.trim();
    if (key === "") return;
    let fetching = this.asked.get(key);
    if (!fetching) {
      fetching = this.#fetch(key);
      this.asked.set(key, fetching);
      // The next request may succeed.
      fetching.catch(() => this.asked.delete(key));
    }
    for (const run of await fetching) if (!this.runs.has(run.id)) this.runs.set(run.id, run);
  }

  /** Fetches the runs whose numbers are in a text; null if all are known. @param {string} text */
  loadNumbers(text) {
    const ids = new Set([...text.matchAll(NUMBER)].map(([, id]) => id));
    // Those that are being fetched are waited for.
    const unknown = [...ids].filter((id) => !this.runs.has(id));
    if (unknown.length === 0) return null;
    return Promise.allSettled(unknown.map((id) => this.load(id)));
  }

  /** The newest runs, to choose from. */
  async offer() {
    const { runs } = await listRuns({ limit: OFFERED });
    for (const run of runs) this.runs.set(run.id, run);
  }

  /** @param {string} words @returns {Promise<Run[]>} the runs of these words that exist */
  async #fetch(words) {
    const [kind, ...rest] = words.split(/\s+/);
    const what = rest.join(" ");
    if (kind === "sweep" && what) return listAllRuns({ sweep: what });
    if (kind === "tag" && what) return listAllRuns({ tag: what });
    if (kind === "selection" && what) return this.#ofSelection(what);
    const ids = [...new Set(words.split(/[\s,]+/).filter((id) => /^[0-9a-f-]{8,36}$/.test(id)))];
    const whole = ids.filter((id) => id.length === 36);
    const parts = ids.filter((id) => id.length < 36);
    const found = await Promise.all([
      getRuns(whole),
      ...parts.map(async (part) => (await listRuns({ search: `id:${part}` })).runs),
    ]);
    return found.flat();
  }

  /** @param {string} name */
  async #ofSelection(name) {
    try {
      const [{ runs: ids }, runs] = await Promise.all([getSelection(name), listAllRuns({ selection: name })]);
      this.selections.set(name, ids);
      return runs;
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return [];
      throw error;
    }
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
        : `There is no run “${id.slice(0, MIN_ID)}”: it may have been deleted.`,
    );
  }

  /** Like `find`, but fetches the runs first. @param {string} words @returns {Promise<Run[]>} */
  async runsOf(words) {
    await this.load(words);
    return this.find(words);
  }

  /** Like `run`, but fetches it first. @param {string} id @returns {Promise<Run>} */
  async runOf(id) {
    if (!this.runs.has(id)) await this.load(id);
    return this.run(id);
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
