// Fetches the main curves of the runs in sight: many runs per request, few requests at a time, and none twice.

import { getMetricsOf } from "../lib/api.js";
import { isActive } from "../lib/status.js";
import { curveIn, mainCurve } from "./sparkline.js";

/** @import { Run } from "../lib/types" */
/** @import { Curve, CurveName } from "./sparkline.js" */

/** Points of a curve: the picture has few pixels. */
const POINTS = 32;
/** The moving average of training losses. */
const SMOOTH = 0.9;
const RUNS_PER_REQUEST = 20;
const MOST_REQUESTS = 2;
/** Rows come into sight together. */
const GATHER_MS = 100;
/** The curve of a run that trains is asked for again after this time. */
const FRESH_MS = 10_000;

/** Takes a curve. @typedef {(curve: Curve | null) => void} Take */

/** `takes`: of the rows that show the curve, a run's own and that of its sweep. @typedef {{ run: Run, name: CurveName, takes: Set<Take> }} Wish */

export class CurveLoader {
  /** @type {Map<string, { version: string, at: number, curve: Curve | null }>} */
  #known = new Map();
  /** The newest wishes come first: they are those in sight. @type {Map<string, Wish>} */
  #wishes = new Map();
  /** @type {Set<string>} */
  #asked = new Set();
  #requests = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;

  /** @param {{ ask?: typeof getMetricsOf, now?: () => number }} [options] */
  constructor({ ask = getMetricsOf, now = Date.now } = {}) {
    this.ask = ask;
    this.now = now;
  }

  /**
   * Asks for a run's curve unless it is known.
   * @param {Run} run
   * @param {Take} take gets the curve, now or later
   */
  want(run, take) {
    const name = mainCurve(run);
    if (name === null) return;
    const known = this.#known.get(run.id);
    if (known) take(known.curve);
    if (known?.version === versionOf(run)) return;
    if (known && isActive(run) && this.now() - known.at < FRESH_MS) return;
    const takes = this.#wishes.get(run.id)?.takes ?? new Set();
    takes.add(take);
    this.#wishes.delete(run.id);
    this.#wishes.set(run.id, { run, name, takes });
    this.#soon();
  }

  /** Drops a wish: the row is out of sight. @param {string} id @param {Take} take */
  drop(id, take) {
    const takes = this.#wishes.get(id)?.takes;
    takes?.delete(take);
    if (takes?.size === 0) this.#wishes.delete(id);
  }

  #soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#go();
    }, GATHER_MS);
  }

  #go() {
    while (this.#requests < MOST_REQUESTS) {
      const batch = this.#next();
      if (batch.length === 0) return;
      this.#requests += 1;
      this.#fetch(batch).finally(() => {
        this.#requests -= 1;
        this.#go();
      });
    }
  }

  /** The next runs to ask for, with the same curve. @returns {Wish[]} */
  #next() {
    const open = [...this.#wishes.values()].reverse().filter(({ run }) => !this.#asked.has(run.id));
    const batch = open.filter(({ name }) => name === open[0].name).slice(0, RUNS_PER_REQUEST);
    for (const { run } of batch) {
      this.#wishes.delete(run.id);
      this.#asked.add(run.id);
    }
    return batch;
  }

  /** @param {Wish[]} batch */
  async #fetch(batch) {
    const [{ name }] = batch;
    const ids = batch.map(({ run }) => run.id);
    const smooth = name === "train_loss" ? { smooth: SMOOTH } : {};
    try {
      const found = await this.ask(ids, { series: [name], points: POINTS, ...smooth });
      for (const { run, takes } of batch) {
        const metrics = found[run.id];
        const curve = metrics ? curveIn(metrics, name) : null;
        this.#known.set(run.id, { version: versionOf(run), at: this.now(), curve });
        for (const take of takes) take(curve);
      }
    } catch {
      // A row without its picture says the same in figures. It is asked for again when it comes into sight.
    } finally {
      for (const id of ids) this.#asked.delete(id);
    }
  }
}

/** What changes with a run's curves. @param {Run} run */
const versionOf = (run) => `${run.status} ${run.summary.events} ${mainCurve(run)}`;
