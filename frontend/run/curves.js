// The charts of a run: loss and accuracy, and charts of imported series.

import { formatLoss, formatNumber, percent } from "../lib/format.js";
import { tensorboardUrl, getMetricsOf } from "../lib/api.js";
import { axisUnit, secondsAt, epochAt, samplesAt } from "../chart/axis.js";
import { ACCURACY, LOSS } from "../chart/units.js";
import { chartGroup } from "../chart/chart-group.js";
import { csv } from "../chart/csv.js";
import { readView, defaultSmoothing } from "../chart/view.js";
import { isActive } from "../lib/status.js";
import { isDeep, isVast } from "./log-axis.js";
import { RunLines } from "./lines.js";
import { refiner } from "./refine.js";
import { importedCurves, RunStore } from "./store.js";

/** @import { Run } from "../lib/types" */
/** @import { Points } from "./lines.js" */
/** @import { SeriesName } from "./store.js" */
/** @import { Line, Unit } from "../chart/plot-data.js" */
/** @import { Column } from "../chart/column.js" */
/** @import { Entry } from "../chart/legend.js" */

/** The legend entry of the training line. */
const SMOOTHED = "training, smoothed";
const RAW = "training, each step";

/** @type {Entry[]} */
const ENTRIES = [
  { id: "train", label: SMOOTHED, token: "--data-1", dash: [], alpha: 1 },
  { id: "train.raw", label: "each step", token: "--data-1", dash: [], alpha: 0.4 },
  { id: "validation", label: "validation", token: "--data-2", dash: [7, 4], alpha: 1 },
];

/**
 * @typedef {{
 *   id: string,
 *   title: string,
 *   train: SeriesName,
 *   validation: SeriesName | null,
 *   unit: Unit,
 *   leaps?: boolean,
 *   isLogByItself?: boolean,
 *   value: (value: number) => string,
 * }} Which
 */

/** A run that diverged within these steps has accuracies of a few batches, which say nothing. */
const FIRST_STEPS = 20;

/** @param {Run} run */
const endedAtOnce = ({ reason, summary }) => reason === "diverged" && Number(summary.step) <= FIRST_STEPS;

/** @type {Which[]} */
const DEFAULT_ENTRIES = [
  {
    id: "loss",
    title: "Loss",
    train: "train_loss",
    validation: "validation_loss",
    unit: LOSS,
    leaps: true,
    isLogByItself: true,
    value: formatLoss,
  },
  {
    id: "accuracy",
    title: "Accuracy",
    train: "train_accuracy",
    validation: "validation_accuracy",
    unit: ACCURACY,
    value: percent,
  },
];

/** @param {Run} run */
export const importedSeries = (run) => importedCurves([run]).map(({ name }) => name);

/** Spreadsheets open at most about this many rows. */
const MAX_ROWS = 1_000_000;

/** @param {RunStore} store @param {() => Run} run */
export function curves(store, run) {
  /** @type {Which[]} */
  const CHARTS = [
    ...DEFAULT_ENTRIES,
    ...importedCurves([run()]).map(({ name, title }, i) => ({
      id: `own${i + 1}`,
      title,
      train: name,
      validation: null,
      unit: { name: title, size: 1 },
      value: formatNumber,
    })),
  ];
  const view = readView(
    location.search,
    CHARTS.map(({ id }) => id),
  );
  /** The default smoothing grows with the run in jumps, so that the average is not recomputed at each step. */
  const smoothing = () => {
    const { x, total } = store.series.train_loss;
    if (run().source) return view.smoothing ?? defaultSmoothing(total);
    const done = x.length > 0 ? x.data[x.length - 1] : (run().summary.step ?? 0);
    return (
      view.smoothing ??
      defaultSmoothing(Math.min(run().summary.steps ?? Number.POSITIVE_INFINITY, 2 ** Math.ceil(Math.log2(done + 1))))
    );
  };
  let smoothedBy = smoothing();
  const derived = new RunLines(store, run, view, smoothing);

  /**
   * The current name of a legend entry. Without smoothing, the training line shows each step, and there is no raw line
   * behind it.
   * @param {string} id
   * @returns {string | null}
   */
  function nameOf(id) {
    const smooth = smoothing() > 0;
    if (id === "train") return smooth ? SMOOTHED : RAW;
    return id === "train.raw" && !smooth ? null : (ENTRIES.find((entry) => entry.id === id)?.label ?? null);
  }

  /** The same in a chart of training and validation: a run that is over may have no validation. @param {Which} which */
  const nameIn = (which) => (/** @type {string} */ id) => {
    const isNone = id === "validation" && which.validation && store.series[which.validation].x.length === 0;
    return isNone && !isActive(run()) ? null : nameOf(id);
  };

  /** The current name of a legend entry in an imported series' chart. @param {string} id @returns {string | null} */
  function ownNameOf(id) {
    const smooth = smoothing() > 0;
    if (id === "train") return smooth ? "smoothed" : "each value";
    return smooth ? "each value" : null;
  }

  /** @param {Which} which @returns {Line[]} */
  function linesOf({ id, train, validation, unit }) {
    const { hidden } = view.charts[id];
    const smooth = smoothing() > 0;
    /** @type {Line[]} */
    const lines = [];
    /** @param {Entry} entry @param {Points} points @param {Partial<Line>} more */
    const add = (entry, points, more) => {
      if (!hidden.has(entry.id))
        lines.push({ ...entry, width: 2, markers: false, counts: true, unit, ...points, ...more });
    };
    if (smooth) add(ENTRIES[1], derived.raw(train), { width: 1, alpha: 0.3 });
    const rawShows = smooth && !hidden.has(ENTRIES[1].id);
    add(ENTRIES[0], derived.smooth(train), {
      label: (validation ? nameOf : ownNameOf)("train") ?? "",
      width: smooth ? 2 : 1.2,
      counts: !rawShows,
    });
    if (validation) add(ENTRIES[2], derived.raw(validation), { markers: true });
    return lines;
  }

  /** @param {Which} which */
  const gapsOf = ({ train, validation }) => derived.gaps(validation ? [train, validation] : [train]);

  /** @param {Which} which */
  function numbersOf(which) {
    const names = which.validation ? [which.train, which.validation] : [which.train];
    return {
      subtitle: run().name,
      xLabel: axisUnit(view.axis),
      marks: gapsOf(which).map(({ x }) => x),
      tensorboard: () => tensorboardUrl([run().id]),
      csv: async () => csv(["run", "step", "samples_seen", "epoch", "seconds", ...names], rows(which, await whole())),
      json: async () => ({
        run: run().id,
        name: run().name,
        spec: run().spec,
        rows: [...rows(which, await whole())].map(([, step, samples_seen, epoch, seconds, ...values]) => ({
          step,
          samples_seen,
          epoch,
          seconds,
          ...Object.fromEntries(names.map((name, i) => [name, values[i]])),
        })),
      }),
    };
  }

  /** Fetches the curves with every point. */
  async function whole() {
    if (!store.thinned) return store;
    const { [run().id]: metrics } = await getMetricsOf([run().id], { series: store.names, points: MAX_ROWS });
    const all = new RunStore(importedSeries(run()));
    if (metrics) all.load(metrics);
    return all;
  }

  /**
   * The rows of an export, one per step.
   * @param {Which} which
   * @param {RunStore} all
   * @returns {Generator<import("../chart/csv.js").Cell[]>}
   */
  function* rows({ train, validation }, all) {
    const [steps, epochs] = [all.series[train], validation ? all.series[validation] : null];
    const seconds = secondsAt(all.series.time.x, all.series.time.y);
    const pace = derived.pace();
    // Imported runs have neither samples nor epochs.
    const place = (/** @type {number} */ step) =>
      run().source ? [null, null] : [samplesAt(step, pace), epochAt(step, pace)];
    const at = (/** @type {import("../chart/column.js").Column} */ x, /** @type {number} */ i) =>
      i < x.length ? x.data[i] : Number.POSITIVE_INFINITY;
    const inEpochs = (/** @type {number} */ j) => (epochs ? at(epochs.x, j) : Number.POSITIVE_INFINITY);
    for (let i = 0, j = 0; i < steps.x.length || j < (epochs?.x.length ?? 0); ) {
      const step = Math.min(at(steps.x, i), inEpochs(j));
      const [trained, validated] = [at(steps.x, i) === step, inEpochs(j) === step];
      yield [
        run().name,
        step,
        ...place(step),
        seconds(step),
        trained ? steps.told(i) : null,
        ...(epochs ? [validated ? epochs.told(j) : null] : []),
      ];
      i += Number(trained);
      j += Number(validated);
    }
  }

  function renewSmoothing() {
    smoothedBy = smoothing();
    charts.showTools();
  }

  /** Says why there is nothing to draw yet. */
  function waiting() {
    const { status, summary, source } = run();
    if (source) return store.lastSeq > 0 ? "The imported files have no such curve." : "Loading the curve…";
    if (summary.step) return "Loading the curve…";
    if (status === "queued") return "The run is queued.";
    return status === "running" ? "Waiting for the first step…" : "No step was trained.";
  }

  /** Whether the loss was once so low: an axis that changes to and fro cannot be read. */
  let wasDeep = false;
  /** Whether losses can be read on a logarithmic axis alone. @param {Column} values */
  function isLog(values) {
    if (run().reason === "diverged") return isVast(values);
    wasDeep = wasDeep || isDeep(values);
    return wasDeep;
  }

  /** The last event that a drawing in progress has. */
  let measured = 0;
  const charts = chartGroup(
    view,
    CHARTS.map((which) => ({
      ...which,
      entries: which.validation ? ENTRIES : ENTRIES.slice(0, 2),
      nameOf: which.validation ? nameIn(which) : ownNameOf,
      lines: () => linesOf(which),
      isLog: () => which.isLogByItself === true && isLog(store.series[which.train].y),
      isAbsent: () => which.id === "accuracy" && endedAtOnce(run()),
      gaps: () => gapsOf(which),
      waiting,
      numbers: () => numbersOf(which),
    })),
    {
      axis: "step",
      axes: run().source ? ["step", "time"] : undefined,
      smoothing,
      onDraw: () => {
        measured = store.lastSeq;
        if (smoothing() !== smoothedBy) renewSmoothing();
      },
      onDrawn: () => {
        finer.check();
        document.documentElement.dataset.lastSeqDrawn = String(measured);
      },
    },
  );
  const finer = refiner({
    runs: () => [{ id: run().id, store, lines: derived }],
    range: () => view.range,
    weight: smoothing,
    onData: charts.draw,
  });

  return {
    element: charts.element,
    draw: charts.draw,
    smoothing,
    /** Restarts after the curves were fetched again. */
    renew() {
      finer.forget();
      charts.showTools();
      charts.draw();
    },
  };
}
