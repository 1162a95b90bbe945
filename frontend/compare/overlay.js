// The overlaid curves of several runs, live: one chart for each metric.

import { tensorboardUrl, getMetricsOf } from "../lib/api.js";
import { axisUnit, secondsAt, epochAt, samplesAt } from "../chart/axis.js";
import { chartGroup } from "../chart/chart-group.js";
import { csv } from "../chart/csv.js";
import { defaultSmoothing } from "../chart/view.js";
import { RunLines } from "../run/lines.js";
import { refiner } from "../run/refine.js";
import { pointsFor } from "../run/resolution.js";
import { RunStore } from "../run/store.js";
import { commonPartButton } from "./common-part.js";
import { memberLines } from "./lines.js";

/** @import { Run, RunEvent } from "../lib/types" */
/** @import { AxisName } from "../chart/axis.js" */
/** @import { View } from "../chart/view.js" */
/** @import { MetricChart } from "./lines.js" */
/** @import { Member } from "./members.js" */

/** Maximum rows of an export per run. */
const MAX_ROWS = 1_000_000;

/** @typedef {{ run: Run, store: RunStore, lines: RunLines }} Followed */

/**
 * @param {Run[]} runs
 * @param {{
 *   which: MetricChart[],
 *   view: View,
 *   axis: AxisName,
 *   members: () => Member[],
 *   title: () => string,
 *   more?: HTMLElement[],
 * }} options `which`: the charts; `members`: the drawn members; `axis`: the page's default axis
 */
export function overlay(runs, { which: charted, view, axis, members, title, more }) {
  const own = charted.map(({ series }) => series).filter((name) => name === "lr" || name.startsWith("tag:"));
  /** @type {Map<string, Followed>} */
  const followed = new Map();
  const lengthOf = (/** @type {Pick<Followed, "run" | "store">} */ { run, store }) =>
    run.source
      ? store.series.train_loss.total
      : Math.max(run.summary.steps ?? 0, store.series.train_loss.x.last() || 0);
  const smoothing = () => view.smoothing ?? defaultSmoothing(Math.max(1, ...[...followed.values()].map(lengthOf)));
  let smoothedBy = 0;
  let loaded = false;
  for (const run of runs) follow(run);

  /** @param {Run} run */
  function follow(run) {
    const store = new RunStore(own);
    /** @type {Followed} */
    const entry = { run, store, lines: new RunLines(store, () => entry.run, view, smoothing) };
    followed.set(run.id, entry);
  }

  /** @param {MetricChart} which */
  function gapsOf({ series }) {
    return members().flatMap((member) =>
      member.runs.flatMap((run) => followed.get(run.id)?.lines.gaps([series]) ?? []),
    );
  }

  /** @param {MetricChart} which */
  function numbersOf(which) {
    return {
      subtitle: title(),
      xLabel: axisUnit(view.axis),
      marks: gapsOf(which).map(({ x }) => x),
      tensorboard: () => tensorboardUrl(members().flatMap((member) => member.runs.map(({ id }) => id))),
      csv: async () =>
        csv(["run", "id", "step", "samples_seen", "epoch", "seconds", which.series], rows(which, await whole())),
      json: async () => ({
        runs: members()
          .flatMap((member) => member.runs)
          .map(({ id, name, spec }) => ({ id, name, spec })),
        rows: [...rows(which, await whole())].map(([, id, step, samples_seen, epoch, seconds, value]) => ({
          id,
          step,
          samples_seen,
          epoch,
          seconds,
          [which.series]: value,
        })),
      }),
    };
  }

  /** Fetches the drawn curves with every point. */
  async function whole() {
    const of = members().flatMap((member) => member.runs.flatMap((run) => followed.get(run.id) ?? []));
    const all = await getMetricsOf(
      of.map(({ run }) => run.id),
      { series: new RunStore(own).names, points: MAX_ROWS },
    );
    return of.map(({ run, lines }) => {
      const store = new RunStore(own);
      if (all[run.id]) store.load(all[run.id]);
      return { run, store, pace: lines.pace() };
    });
  }

  /**
   * @param {MetricChart} which
   * @param {Awaited<ReturnType<typeof whole>>} all
   * @returns {Generator<import("../chart/csv.js").Cell[]>}
   */
  function* rows({ series }, all) {
    for (const { run, store, pace } of all) {
      const curve = store.series[series];
      const { x } = curve;
      const seconds = secondsAt(store.series.time.x, store.series.time.y);
      for (let i = 0; i < x.length; i += 1) {
        const step = x.data[i];
        yield [run.name, run.id, step, samplesAt(step, pace), epochAt(step, pace), seconds(step), curve.told(i)];
      }
    }
  }

  function waiting() {
    if (members().length === 0) return "Every run is hidden.";
    if (!loaded) return "Loading the curves…";
    return [...followed.values()].some(({ run }) => run.status === "queued" || run.status === "running")
      ? "Waiting for the first points…"
      : "There is nothing to draw.";
  }

  /** Whether no run has such a curve, and none will. @param {MetricChart} which */
  function isAbsent({ series }) {
    const all = [...followed.values()];
    const over = loaded && !all.some(({ run }) => run.status === "queued" || run.status === "running");
    return over && charted[0].series !== series && all.every(({ store }) => store.series[series].x.length === 0);
  }

  /** What the shown runs have of the chosen axis. @returns {[first: number, last: number][]} */
  const spans = () =>
    members().flatMap((member) =>
      member.runs.flatMap((run) => {
        const lines = followed.get(run.id)?.lines;
        const known = charted.flatMap(({ series }) => {
          const { x, length } = lines?.raw(series) ?? { x: [], length: 0 };
          return length > 0 ? [x[0] > 0 ? x[0] : x[Math.min(1, length - 1)], x[length - 1]] : [];
        });
        return known.length > 0 ? [/** @type {[number, number]} */ ([Math.min(...known), Math.max(...known)])] : [];
      }),
    );
  const common = commonPartButton(view, {
    spans,
    unit: () => axisUnit(view.axis),
    onView: () => charts.viewed(),
  });

  const charts = chartGroup(
    view,
    charted.map((which) => ({
      ...which,
      detail: () => (which.noisy && smoothing() > 0 ? "smoothed" : ""),
      entries: [],
      noun: "run",
      isAbsent: () => isAbsent(which),
      lines: () => memberLines(which, members(), (id) => followed.get(id)?.lines, smoothing()),
      gaps: () => gapsOf(which),
      waiting,
      numbers: () => numbersOf(which),
    })),
    {
      axis,
      smoothing,
      more: [common.element, ...(more ?? [])],
      onDraw: () => {
        common.show();
        if (smoothing() === smoothedBy) return;
        smoothedBy = smoothing();
        charts.showTools();
      },
      onDrawn: () => {
        finer.check();
        document.documentElement.dataset.drawn = String(Number(document.documentElement.dataset.drawn ?? 0) + 1);
      },
    },
  );
  charts.element.classList.add("overlay");
  const finer = refiner({
    runs: () => [...followed].map(([id, { store, lines }]) => ({ id, store, lines })),
    range: () => view.range,
    weight: smoothing,
    onData: charts.draw,
  });

  return {
    element: charts.element,
    draw: charts.draw,
    viewed: charts.viewed,
    /** Highlights a member in every chart; "" for none. @param {string} id */
    highlight: (id) => charts.charts.forEach((chart) => chart.highlight(id)),
    /** @param {Run} run */
    showRun(run) {
      const known = followed.get(run.id);
      if (known) known.run = run;
      else follow(run);
      charts.draw();
    },
    /** @param {string} id */
    drop(id) {
      followed.delete(id);
      charts.draw();
    },
    /** Fetches the curves so far. @param {string[]} [ids] all runs by default */
    async load(ids = [...followed.keys()]) {
      const by = smoothing();
      const all = await getMetricsOf(ids, {
        series: new RunStore(own).names,
        points: pointsFor(followed.size),
        smooth: by,
      });
      for (const [id, metrics] of Object.entries(all)) {
        const entry = followed.get(id);
        entry?.store.load(metrics, by);
      }
      // A run that diverged is short for another reason.
      if (!loaded && [...followed.values()].every(({ run }) => run.reason === "completed")) common.begin();
      loaded = true;
      finer.forget();
      charts.draw();
    },
    /** @param {string} id @param {RunEvent} event @returns {boolean} false if an earlier event is missing */
    take(id, event) {
      const entry = followed.get(id);
      if (!entry) return true;
      const taken = entry.store.apply(event);
      if (taken === "new") charts.draw();
      return taken !== "gap";
    },
    /** The sequence number of a run's last applied event. @param {string} id */
    lastSeq: (id) => followed.get(id)?.store.lastSeq ?? 0,
  };
}
