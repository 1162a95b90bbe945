// A run's curves as they grow. Events are applied by sequence number: repeated ones are dropped, and a gap makes the
// page start again, so that no point is missing or doubled.

import { LineData } from "../chart/line-data.js";

/** @import { Metrics, RunEvent, StepsEvent, EpochEvent, ScalarsEvent } from "../lib/types" */

export const SERIES = /** @type {const} */ ([
  "train_loss",
  "train_accuracy",
  "time",
  "validation_loss",
  "validation_accuracy",
]);

/**
 * The series of every run, the learning rate, and imported tags with charts of their own.
 * @typedef {typeof SERIES[number] | "lr" | `tag:${string}`} SeriesName
 */
/** @typedef {{ [name in typeof SERIES[number]]: Series } & { [name: string]: Series }} AllSeries */

/**
 * The imported series with charts of their own.
 * @param {{ source: import("../lib/types").Source | null }[]} runs
 * @returns {{ name: SeriesName, title: string }[]}
 */
export function importedCurves(runs) {
  const sources = runs.flatMap(({ source }) => source ?? []);
  const tags = new Set(sources.flatMap(({ own }) => own ?? []));
  const lr = sources.some(({ series }) => series?.lr);
  return [
    ...(lr ? [{ name: /** @type {SeriesName} */ ("lr"), title: "Learning rate" }] : []),
    ...[...tags].sort().map((tag) => ({ name: /** @type {SeriesName} */ (`tag:${tag}`), title: tag })),
  ];
}

/** One curve over steps. */
export class Series extends LineData {
  constructor() {
    super();
    /** The number of points, including those that were never sent. */
    this.total = 0;
    /**
     * Whether some points were never sent. A zoom then requests them, and the server does the smoothing, which needs
     * all points.
     */
    this.thinned = false;
    /**
     * The moving average computed by the server; `value` is its last finite value.
     * @type {{ weight: number, data: LineData, value: number } | null}
     */
    this.smooth = null;
    /** @type {{ step: number, kind: string }[]} */
    this.notFinite = [];
  }

  /**
   * Adds a point. Steps are ascending; a repeated step is from a resumed run.
   * @param {number} step
   * @param {number | null} value
   * @param {string} [kind] the kind of a missing value
   */
  push(step, value, kind = "nan") {
    if (step <= this.x.last()) this.rewind(step);
    super.push(step, value ?? Number.NaN);
    this.total += 1;
    if (value === null) this.notFinite.push({ step, kind });
    if (this.smooth) {
      const { weight, data, value: last } = this.smooth;
      if (value !== null) this.smooth.value = Number.isFinite(last) ? last + (1 - weight) * (value - last) : value;
      // NaN stays NaN and is skipped.
      data.push(step, value === null ? Number.NaN : this.smooth.value);
    }
  }

  /** The measured value at an index, with infinities restored. @param {number} i */
  told(i) {
    const value = this.y.data[i];
    if (Number.isFinite(value)) return value;
    const step = this.x.data[i];
    let [low, high] = [0, this.notFinite.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.notFinite[middle].step < step) low = middle + 1;
      else high = middle;
    }
    const kind = this.notFinite[low]?.step === step ? this.notFinite[low].kind : "nan";
    return kind === "inf" ? Number.POSITIVE_INFINITY : kind === "-inf" ? Number.NEGATIVE_INFINITY : Number.NaN;
  }

  /** Removes a step and all steps after it. @param {number} step */
  rewind(step) {
    const length = this.x.length;
    super.rewind(step);
    if (this.smooth) {
      this.smooth.data.rewind(step);
      this.smooth.value = lastNumber(this.smooth.data.y);
    }
    this.total -= length - this.x.length;
    this.notFinite = this.notFinite.filter((gap) => gap.step < step);
  }

  /**
   * Sets the moving average computed by the server.
   * @param {number} weight
   * @param {{ x: number[], y: (number | null)[] }} line
   */
  smoothBy(weight, { x, y }) {
    const data = new LineData();
    x.forEach((step, i) => data.push(step, y[i] ?? Number.NaN));
    this.smooth = { weight, data, value: lastNumber(data.y) };
  }
}

export class RunStore {
  /** @param {SeriesName[]} [own] series with charts of their own */
  constructor(own = []) {
    this.lastSeq = 0;
    /** @type {SeriesName[]} */
    this.names = [...SERIES, ...own];
    this.series = emptySeries(this.names);
  }

  /**
   * Loads the curves so far.
   * @param {Metrics} metrics
   * @param {number} [weight] weight of its moving average
   */
  load(metrics, weight = 0) {
    this.series = emptySeries(this.names);
    for (const name of this.names) {
      const from = metrics.series[name];
      if (!from) continue;
      const series = this.series[name];
      const kinds = new Map(from.not_finite.map(({ x, kind }) => [x, kind]));
      from.x.forEach((step, i) => series.push(step, from.y[i], kinds.get(step) ?? "nan"));
      // Thinning leaves out points, including values that are not finite.
      const repeated = from.x.length - series.x.length;
      series.total = Math.max(series.x.length, from.total - repeated);
      series.thinned = series.total > series.x.length;
      series.notFinite = [...kinds].map(([step, kind]) => ({ step, kind })).sort((a, b) => a.step - b.step);
      if (series.thinned && from.smoothed) series.smoothBy(weight, from.smoothed);
    }
    this.lastSeq = metrics.last_seq;
  }

  /** Whether some points were never sent. */
  get thinned() {
    return this.names.some((name) => this.series[name].thinned);
  }

  /**
   * Inserts finer points of a range, and their moving average if its weight is the current one.
   * @param {Metrics} metrics
   * @param {number} weight
   */
  refine(metrics, weight) {
    for (const name of this.names) {
      const from = metrics.series[name];
      const series = this.series[name];
      if (!from || !series.thinned) continue;
      series.refine(from.x, from.y);
      if (from.smoothed && series.smooth?.weight === weight)
        series.smooth.data.refine(from.smoothed.x, from.smoothed.y);
    }
  }

  /**
   * Applies an event. Returns `new` if it was the next one, `old` if it was applied before, and `gap` without applying
   * it if an earlier one is missing.
   * @param {RunEvent} event
   * @returns {"new" | "old" | "gap"}
   */
  apply(event) {
    if (event.seq <= this.lastSeq) return "old";
    if (event.seq > this.lastSeq + 1) return "gap";
    this.lastSeq = event.seq;
    if (event.kind === "steps") this.steps(event);
    else if (event.kind === "epoch") this.epoch(event);
    else if (event.kind === "scalars") this.scalars(event);
    return "new";
  }

  /**
   * Removes a step and all steps after it, which a resumed run repeats.
   * @param {number} step
   */
  rewind(step) {
    for (const series of Object.values(this.series)) series.rewind(step);
  }

  /** @param {StepsEvent} event */
  steps({ first_step, loss, accuracy, lr, seconds, not_finite }) {
    const kind = not_finite ?? "nan";
    if (loss.length > 0 && first_step <= this.series.train_loss.x.last()) this.rewind(first_step);
    for (let i = 0; i < loss.length; i += 1) {
      this.series.train_loss.push(first_step + i, loss[i], kind);
      this.series.train_accuracy.push(first_step + i, accuracy[i] ?? null, kind);
      this.series.lr?.push(first_step + i, lr?.[i] ?? null, kind);
    }
    // The time is that of the last step; between, it is interpolated.
    if (loss.length > 0 && Number.isFinite(seconds)) this.series.time.push(first_step + loss.length - 1, seconds, kind);
  }

  /** @param {ScalarsEvent} event */
  scalars({ series: name, percent, step, value, not_finite }) {
    const series = this.names.find((known) => known === name);
    if (!series) return;
    step.forEach((at, i) => {
      const of = value[i];
      this.series[series].push(at, of !== null && percent ? of / 100 : of, not_finite ?? "nan");
    });
  }

  /** @param {EpochEvent} event */
  epoch({ step, validation, not_finite }) {
    if (!validation) return;
    const kind = validation.not_finite ?? not_finite ?? "nan";
    this.series.validation_loss.push(step, validation.loss, kind);
    this.series.validation_accuracy.push(step, validation.accuracy, kind);
  }
}

/** The last finite value. @param {import("../chart/column.js").Column} column */
function lastNumber({ data, length }) {
  for (let i = length - 1; i >= 0; i -= 1) if (Number.isFinite(data[i])) return data[i];
  return Number.NaN;
}

/** @param {SeriesName[]} names */
function emptySeries(names) {
  return /** @type {AllSeries} */ (Object.fromEntries(names.map((name) => [name, new Series()])));
}
