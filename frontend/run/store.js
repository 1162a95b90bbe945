// A run's curves as they grow. Everything is known by the number of its event: what came before
// is dropped, what skips ahead asks for a fresh start, so no point is missing and none is twice.

import { Column } from "../chart/column.js";

/** @import { Metrics, RunEvent, StepsEvent, EpochEvent } from "../lib/types" */

export const SERIES = /** @type {const} */ (["train_loss", "train_accuracy", "time", "validation_loss", "validation_accuracy"]);

/** @typedef {typeof SERIES[number]} SeriesName */

/** One curve over steps. */
export class Series {
  constructor() {
    this.x = new Column();
    /** Not a number where the value is not finite. */
    this.y = new Column();
    /** Points there are, with those that were never sent. */
    this.total = 0;
    /** @type {{ step: number, kind: string }[]} */
    this.notFinite = [];
  }

  /** Steps come in order; one that was there already is done again, by a run that was resumed. @param {number} step @param {number | null} value @param {string} kind what a missing value is */
  push(step, value, kind) {
    if (step <= this.x.last()) this.rewind(step);
    this.x.push(step);
    this.y.push(value ?? Number.NaN);
    this.total += 1;
    if (value === null) this.notFinite.push({ step, kind });
  }

  /** Forgets a step and all after it. @param {number} step */
  rewind(step) {
    let length = this.x.length;
    while (length > 0 && this.x.data[length - 1] >= step) length -= 1;
    this.total -= this.x.length - length;
    this.x.truncate(length);
    this.y.truncate(length);
    this.notFinite = this.notFinite.filter((gap) => gap.step < step);
  }
}

export class RunStore {
  constructor() {
    this.lastSeq = 0;
    /** @type {{ [name in SeriesName]: Series }} */
    this.series = emptySeries();
  }

  /** Starts from what the server has so far. @param {Metrics} metrics */
  load(metrics) {
    this.series = emptySeries();
    for (const name of SERIES) {
      const from = metrics.series[name];
      if (!from) continue;
      const series = this.series[name];
      const kinds = new Map(from.not_finite.map(({ x, kind }) => [x, kind]));
      from.x.forEach((step, i) => series.push(step, from.y[i], kinds.get(step) ?? "nan"));
      // Thinning leaves out points, and gaps among them.
      const repeated = from.x.length - series.x.length;
      series.total = Math.max(series.x.length, from.total - repeated);
      series.notFinite = [...kinds].map(([step, kind]) => ({ step, kind })).sort((a, b) => a.step - b.step);
    }
    this.lastSeq = metrics.last_seq;
  }

  /**
   * Takes an event: `new` when it was the next, `old` when it was here already, `gap` when one
   * before it is missing; then nothing is taken.
   * @param {RunEvent} event @returns {"new" | "old" | "gap"}
   */
  apply(event) {
    if (event.seq <= this.lastSeq) return "old";
    if (event.seq > this.lastSeq + 1) return "gap";
    this.lastSeq = event.seq;
    if (event.kind === "steps") this.steps(event);
    else if (event.kind === "epoch") this.epoch(event);
    return "new";
  }

  /** @param {StepsEvent} event */
  steps({ first_step, loss, accuracy, seconds, not_finite }) {
    const kind = not_finite ?? "nan";
    for (let i = 0; i < loss.length; i += 1) {
      this.series.train_loss.push(first_step + i, loss[i], kind);
      this.series.train_accuracy.push(first_step + i, accuracy[i] ?? null, kind);
    }
    // The time is known at the last of them; between lies a straight line.
    if (loss.length > 0 && Number.isFinite(seconds)) this.series.time.push(first_step + loss.length - 1, seconds, kind);
  }

  /** @param {EpochEvent} event */
  epoch({ step, validation, not_finite }) {
    if (!validation) return;
    this.series.validation_loss.push(step, validation.loss, not_finite ?? "nan");
    this.series.validation_accuracy.push(step, validation.accuracy, not_finite ?? "nan");
  }
}

function emptySeries() {
  return /** @type {{ [name in SeriesName]: Series }} */ (Object.fromEntries(SERIES.map((name) => [name, new Series()])));
}
