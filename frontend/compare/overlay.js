// The curves of several runs over one another, live: one chart for each figure.

import { getMetricsOf } from "../lib/api.js";
import { AXES, clock, epochAt, samplesAt } from "../chart/axis.js";
import { board } from "../chart/board.js";
import { csv } from "../chart/csv.js";
import { smoothingFor } from "../chart/view.js";
import { strokeOf } from "../lib/colours.js";
import { figure, percent } from "../lib/format.js";
import { RunLines } from "../run/lines.js";
import { refiner } from "../run/refine.js";
import { pointsFor } from "../run/resolution.js";
import { RunStore, SERIES } from "../run/store.js";
import { meanOf } from "./mean.js";

/** @import { Run, RunEvent } from "../lib/types" */
/** @import { AxisName } from "../chart/axis.js" */
/** @import { Line } from "../chart/frame.js" */
/** @import { View } from "../chart/view.js" */
/** @import { SeriesName } from "../run/store.js" */

/** @type {{ id: string, title: string, series: SeriesName, noisy: boolean, value: (value: number) => string }[]} */
export const CHARTS = [
  { id: "train_loss", title: "Training loss", series: "train_loss", noisy: true, value: figure },
  { id: "train_accuracy", title: "Training accuracy", series: "train_accuracy", noisy: true, value: percent },
  { id: "validation_loss", title: "Validation loss", series: "validation_loss", noisy: false, value: figure },
  { id: "validation_accuracy", title: "Validation accuracy", series: "validation_accuracy", noisy: false, value: percent },
];

/** Up to so many runs each step shows behind the smoothed line; behind more it would be fog. */
const MOST_RAW = 6;
/** Rows of an export for each run. */
const MOST_ROWS = 1_000_000;

/** One run, or several that differ by their seed alone. @typedef {{ id: string, label: string, runs: Run[] }} Member `id`: of the first run */
/** @typedef {{ run: Run, store: RunStore, lines: RunLines }} Followed */

/** The axis on which runs can be compared: steps of different batches do not mean the same. @param {Run[]} runs @returns {AxisName} */
export function axisFor(runs) {
  const differ = (/** @type {(run: Run) => unknown} */ of) => new Set(runs.map((run) => JSON.stringify(of(run)))).size > 1;
  if (differ((run) => run.spec.data)) return "epoch";
  return differ((run) => /** @type {any} */ (run.spec.training)?.batch_size) ? "samples" : "step";
}

/**
 * @param {Run[]} runs
 * @param {{ view: View, axis: AxisName, members: () => Member[], title: () => string, more?: HTMLElement[] }} wiring
 * `members`: what is drawn now; `axis`: the plain one of the page
 */
export function overlay(runs, { view, axis, members, title, more }) {
  /** @type {Map<string, Followed>} */
  const followed = new Map();
  const longest = () => Math.max(1, ...[...followed.values()].map(({ run, store }) => Math.max(run.summary.steps ?? 0, store.series.train_loss.x.last() || 0)));
  const smoothing = () => view.smoothing ?? smoothingFor(longest());
  let smoothedBy = 0;
  let loaded = false;
  for (const run of runs) follow(run);

  /** @param {Run} run */
  function follow(run) {
    const store = new RunStore();
    /** @type {Followed} */
    const entry = { run, store, lines: new RunLines(store, () => entry.run, view, smoothing) };
    followed.set(run.id, entry);
  }

  /** @param {typeof CHARTS[number]} which @returns {Line[]} */
  function linesOf({ series, noisy }) {
    const shown = members();
    const few = shown.reduce((sum, member) => sum + member.runs.length, 0) <= MOST_RAW;
    const smooth = noisy && smoothing() > 0;
    return shown.flatMap(({ id, label, runs: group }) => {
      /** @type {Line[]} */
      const drawn = [];
      const of = group.flatMap((run) => followed.get(run.id) ?? []);
      if (of.length === 0) return [];
      const look = { ...strokeOf(of[0].run), label, alpha: 1, markers: !noisy, counts: true };
      if (of.length > 1) {
        const { x, y, low, high } = meanOf(of.map(({ lines }) => lines.smooth(series)));
        drawn.push({ ...look, id, width: 2, x, y, length: x.length, band: { low, high }, counts: false });
        return drawn;
      }
      const [{ lines }] = of;
      const main = noisy ? lines.smooth(series) : { ...lines.raw(series), steps: undefined };
      const rawShows = few && smooth;
      if (rawShows) drawn.push({ ...look, ...lines.raw(series), id: `${id}.raw`, width: 1, dash: [], alpha: 0.22, quiet: true, markers: false });
      drawn.push({ ...look, ...main, id, width: noisy ? 1.8 : 1.6, counts: !rawShows });
      return drawn;
    });
  }

  /** @param {typeof CHARTS[number]} which */
  function gapsOf({ series }) {
    return members().flatMap((member) => member.runs.flatMap((run) => followed.get(run.id)?.lines.gaps([series]) ?? []));
  }

  /** @param {typeof CHARTS[number]} which */
  function numbersOf(which) {
    return {
      subtitle: title(),
      xLabel: AXES.find(({ name }) => name === view.axis)?.title ?? "",
      marks: gapsOf(which).map(({ x }) => x),
      csv: async () => csv(["run", "id", "step", "samples_seen", "epoch", "seconds", which.series], rows(which, await whole())),
      json: async () => ({ runs: members().flatMap((member) => member.runs).map(({ id, name, spec }) => ({ id, name, spec })), rows: [...rows(which, await whole())].map(([, id, step, samples_seen, epoch, seconds, value]) => ({ id, step, samples_seen, epoch, seconds, [which.series]: value })) }),
    };
  }

  /** The curves of what is drawn with every point. */
  async function whole() {
    const of = members().flatMap((member) => member.runs.flatMap((run) => followed.get(run.id) ?? []));
    const all = await getMetricsOf(of.map(({ run }) => run.id), { series: SERIES, points: MOST_ROWS });
    return of.map(({ run, lines }) => {
      const store = new RunStore();
      if (all[run.id]) store.load(all[run.id]);
      return { run, store, pace: lines.pace() };
    });
  }

  /** @param {typeof CHARTS[number]} which @param {Awaited<ReturnType<typeof whole>>} all @returns {Generator<import("../chart/csv.js").Cell[]>} */
  function* rows({ series }, all) {
    for (const { run, store, pace } of all) {
      const { x, y } = store.series[series];
      const seconds = clock(store.series.time.x, store.series.time.y);
      for (let i = 0; i < x.length; i += 1) {
        const step = x.data[i];
        yield [run.name, run.id, step, samplesAt(step, pace), epochAt(step, pace), seconds(step), y.data[i]];
      }
    }
  }

  function waiting() {
    if (members().length === 0) return "Every run is hidden.";
    if (!loaded) return "Loading the curves…";
    return [...followed.values()].some(({ run }) => run.status === "queued" || run.status === "running") ? "Waiting for the first points…" : "There is nothing to draw.";
  }

  const charts = board(
    view,
    CHARTS.map((which) => ({ ...which, entries: [], lines: () => linesOf(which), gaps: () => gapsOf(which), waiting, numbers: () => numbersOf(which) })),
    {
      axis,
      smoothing,
      more,
      onAxis: renewAll,
      onDraw: () => {
        if (smoothing() === smoothedBy) return;
        smoothedBy = smoothing();
        for (const { lines } of followed.values()) lines.renewSmoothing();
        charts.showTools();
      },
      onDrawn: () => {
        finer.check();
        document.documentElement.dataset.drawn = String(Number(document.documentElement.dataset.drawn ?? 0) + 1);
      },
    },
  );
  charts.element.classList.add("overlay");
  const finer = refiner({ runs: () => [...followed].map(([id, { store, lines }]) => ({ id, store, lines })), range: () => view.range, weight: smoothing, onData: charts.draw });

  function renewAll() {
    for (const { lines } of followed.values()) lines.renew();
  }

  return {
    element: charts.element,
    draw: charts.draw,
    viewed: charts.viewed,
    /** Lets one member stand out in every chart; "" for none. @param {string} id */
    highlight: (id) => charts.charts.forEach((chart) => chart.highlight(id)),
    /** @param {Run} run */
    showRun(run) {
      const known = followed.get(run.id);
      if (known) known.run = run;
      else follow(run);
      if (known?.run.summary.steps_per_epoch === null && run.summary.steps_per_epoch !== null) known.lines.renew();
      charts.draw();
    },
    /** @param {string} id */
    drop(id) {
      followed.delete(id);
      charts.draw();
    },
    /** Reads the curves so far. @param {string[]} [ids] of these runs; of all where none are named */
    async load(ids = [...followed.keys()]) {
      const by = smoothing();
      const all = await getMetricsOf(ids, { series: SERIES, points: pointsFor(followed.size), smooth: by });
      for (const [id, metrics] of Object.entries(all)) {
        const entry = followed.get(id);
        entry?.store.load(metrics, by);
        entry?.lines.renew();
      }
      loaded = true;
      finer.forget();
      charts.draw();
    },
    /** @param {string} id @param {RunEvent} event @returns {boolean} false when one before it is missing */
    take(id, event) {
      const entry = followed.get(id);
      if (!entry) return true;
      const taken = entry.store.apply(event);
      if (taken === "new") charts.draw();
      return taken !== "gap";
    },
    /** The last event that is drawn of a run. @param {string} id */
    lastSeq: (id) => followed.get(id)?.store.lastSeq ?? 0,
  };
}
