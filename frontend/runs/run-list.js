// The runs that the server finds, page by page, kept up to date.
//
// The server decides which runs match, and in what order. A run that is shown is updated in place as its state arrives;
// whatever may change which runs are shown asks the server again for as many as there are.

import { listRunIds, listRuns, RUNS_PER_PAGE } from "../lib/api.js";
import { Problem } from "../lib/request.js";
import { RunStates } from "../lib/states.js";
import { tokenize } from "./query.js";

/** @import { RunQuery } from "../lib/api.js" */
/** @import { Run, RunGroup, Runs } from "../lib/types" */

/** The runs of a page. */
export const PAGE = 100;
/** Runs that came or went are asked for after this time, since they often come together. */
const SOON_MS = 200;
/** While runs train, an order or a filter is asked for again at most this often. */
const LATER_MS = 2000;
/** The least time between two answers and questions. */
const PAUSE_MS = 400;

export class RunList {
  #states = new RunStates();
  /** The ids of the loaded runs in order. @type {string[]} */
  #order = [];
  /** @type {RunQuery} */
  #query = {};
  /** @type {string | null} */
  #next = null;
  #turn = 0;
  #changes = 0;
  #asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #again = undefined;
  #due = Number.POSITIVE_INFINITY;
  /** @type {Promise<string[]> | null} */
  #matching = null;
  #loadingMore = false;

  /**
   * @param {{ changes: string, onChange: () => void, onProblem: (error: unknown) => void }} options `changes`: the place
   *   among the server's changes at which the page was read; `onChange`: the list is another
   */
  constructor({ changes, onChange, onProblem }) {
    this.#changes = Number(changes.slice(changes.lastIndexOf(".") + 1));
    this.onChange = onChange;
    this.onProblem = onProblem;
    /** How many runs match. */
    this.total = 0;
    /** How many runs there are by status, whether they match or not. @type {{ [status: string]: number }} */
    this.statuses = {};
    /** @type {RunGroup[]} */
    this.groups = [];
    /** What is wrong with terms of the search, which are left out. @type {string[]} */
    this.faults = [];
    this.isLoaded = false;
  }

  /** The loaded runs, in order. @returns {Run[]} */
  runs() {
    return this.#order.flatMap((id) => this.#states.get(id) ?? []);
  }

  /** @param {string} id @returns {Run | undefined} a loaded run */
  get(id) {
    return this.#states.get(id);
  }

  get hasMore() {
    return this.#next !== null;
  }

  /** All runs, whether they match or not. */
  get all() {
    return Object.values(this.statuses).reduce((sum, count) => sum + count, 0);
  }

  /** Whether its runs depend on more than on which there are. */
  get #isPlain() {
    const { search, sort, group } = this.#query;
    return !search && !group && (!sort || sort === "-created");
  }

  /** Takes a first page that came with the document. @param {RunQuery} query @param {Runs} page */
  begin(query, page) {
    this.#query = query;
    this.#take([page]);
  }

  /** Asks for other runs. @param {RunQuery} query */
  async ask(query) {
    this.#query = query;
    this.faults = [];
    await this.#load(PAGE);
  }

  /** Asks for the next page. */
  async more() {
    if (this.#next === null || this.#loadingMore) return;
    this.#loadingMore = true;
    const turn = this.#turn;
    try {
      const page = await listRuns({ ...this.#told(), limit: PAGE, cursor: this.#next });
      if (turn === this.#turn) this.#append(page);
    } catch (error) {
      this.onProblem(error);
    } finally {
      this.#loadingMore = false;
    }
    this.onChange();
  }

  /** The ids of all runs that match. @returns {Promise<string[]>} */
  matching() {
    if (this.#next === null) return Promise.resolve([...this.#order]);
    this.#matching ??= listRunIds({ ...this.#told(), group: "" });
    this.#matching.catch(() => (this.#matching = null));
    return this.#matching;
  }

  /** The ids of the runs of a group. @param {RunGroup} group */
  ofGroup({ value }) {
    return listRunIds({ ...this.#told(), value: JSON.stringify(value) });
  }

  /** The ids of the runs of a sweep that match. @param {string} sweep */
  ofSweep(sweep) {
    return listRunIds({ ...this.#told(), group: "sweep", value: JSON.stringify(sweep) });
  }

  /** The best run of a sweep that matches, and with it the figures of the sweep. @param {string} sweep @returns {Promise<Runs>} */
  bestOfSweep(sweep) {
    return listRuns({ ...this.#told(), sweep, group: "sweep", sort: "-validation", limit: 1 });
  }

  /** The query without terms that are not understood. */
  #told() {
    const { search = "", ...query } = this.#query;
    const words = tokenize(search).map(({ text }) => text);
    return { ...query, search: words.filter((word) => !this.faulty.has(word)).join(" ") };
  }

  /** Terms that are not understood. @type {Set<string>} */
  faulty = new Set();

  /** Asks again for the runs that are shown. */
  async refresh() {
    await this.#load(Math.max(PAGE, this.#order.length));
  }

  /** @param {number} count */
  async #load(count) {
    this.#turn += 1;
    this.#matching = null;
    const turn = this.#turn;
    this.#dropTimer();
    try {
      const pages = await this.#pages(count, turn);
      if (turn === this.#turn) this.#take(pages);
    } catch (error) {
      if (turn !== this.#turn) return;
      if (this.#noteFaults(error)) {
        await this.#load(count);
        return;
      }
      this.onProblem(error);
    }
    this.#asked = Date.now();
    this.onChange();
  }

  /** @param {number} count @param {number} turn */
  async #pages(count, turn) {
    const before = this.faulty;
    this.faulty = this.faults.length > 0 ? before : new Set();
    /** @type {Runs[]} */
    const pages = [];
    for (let left = count; left > 0; left -= RUNS_PER_PAGE) {
      const cursor = pages[pages.length - 1]?.next ?? null;
      if ((pages.length > 0 && cursor === null) || turn !== this.#turn) break;
      pages.push(await listRuns({ ...this.#told(), limit: Math.min(left, RUNS_PER_PAGE), cursor }));
    }
    return pages;
  }

  /** Notes terms that the server does not understand; false if something else is wrong. @param {unknown} error */
  #noteFaults(error) {
    if (!(error instanceof Problem) || error.status !== 422) return false;
    const faults = error.errors.filter(({ path, value }) => path === "search" && typeof value === "string");
    const fresh = faults.filter(({ value }) => !this.faulty.has(String(value)));
    if (fresh.length === 0) return false;
    this.faulty = new Set([...this.faulty, ...fresh.map(({ value }) => String(value))]);
    this.faults = [...this.faults, ...fresh.map(({ message }) => message)];
    return true;
  }

  /** @param {Runs[]} pages */
  #take(pages) {
    const [first] = pages;
    this.#order = [];
    this.groups = [];
    this.total = 0;
    if (first) this.statuses = first.statuses;
    for (const page of pages) this.#append(page);
    this.#states.keep(new Set(this.#order));
    this.isLoaded = true;
  }

  /** @param {Runs} page */
  #append({ runs, next, total, groups, statuses }) {
    const known = new Set(this.#order);
    for (const run of runs) {
      this.#states.put(run);
      if (!known.has(run.id)) this.#order.push(run.id);
    }
    for (const group of groups) {
      const last = this.groups[this.groups.length - 1];
      // A group that the page before began.
      if (last && JSON.stringify(last.value) === JSON.stringify(group.value)) last.listed += group.listed;
      else this.groups.push({ ...group });
    }
    this.#next = next;
    this.total = total;
    this.statuses = statuses;
  }

  /** Takes a state that the stream or a request told. @param {Run} run */
  put(run) {
    const known = this.#states.get(run.id);
    if (known) {
      if (!this.#states.put(run)) return;
      if (known.status !== run.status) this.#soon(SOON_MS);
      else if (!this.#isPlain) this.#soon(LATER_MS);
      this.onChange();
    } else if (run.changed > this.#changes) this.#soon(this.#isPlain || run.summary.events === 0 ? SOON_MS : LATER_MS);
  }

  /** Takes out a run that is gone. @param {string} id */
  drop(id) {
    if (this.#states.drop(id)) {
      this.#order = this.#order.filter((other) => other !== id);
      this.total -= 1;
      this.onChange();
    }
    this.#soon(SOON_MS);
  }

  /** After a lost connection: the server may have another index. */
  returned() {
    this.#states.returned();
    this.#changes = 0;
    this.#soon(0);
  }

  /** More runs changed than were told. */
  many() {
    this.#soon(PAUSE_MS);
  }

  /** @param {number} ms */
  #soon(ms) {
    const due = Math.max(Date.now() + ms, this.#asked + PAUSE_MS);
    if (due >= this.#due) return;
    this.#dropTimer();
    this.#due = due;
    this.#again = setTimeout(() => this.refresh(), due - Date.now());
  }

  #dropTimer() {
    clearTimeout(this.#again);
    this.#due = Number.POSITIVE_INFINITY;
  }
}
