// The word, shape and tone of a run's state, the same on every page.

import { h, s } from "./dom.js";

/** @import { Run } from "./types" */

/** @typedef {"calm" | "live" | "good" | "warn" | "bad"} Tone */
/** @typedef {{ word: string, tone: Tone, shape: keyof typeof SHAPES }} State */

const SHAPES = {
  ring: () =>
    s("circle", { cx: 6, cy: 6, r: 4, stroke: "currentColor", "stroke-width": 1.6, "stroke-dasharray": "2 1.6" }),
  dot: () => s("circle", { class: "beat", cx: 6, cy: 6, r: 4, fill: "currentColor" }),
  check: () => line("M2 6.5l2.6 2.6L10 3.2"),
  flag: () => line("M3 11V1.8h6.5L7.8 4.4l1.7 2.6H3"),
  zigzag: () => line("M1 8l2.5-3 2 2.5L8 2l3 4"),
  square: () => s("rect", { x: 2.5, y: 2.5, width: 7, height: 7, rx: 1, fill: "currentColor" }),
  cross: () => line("M2.5 2.5l7 7M9.5 2.5l-7 7"),
  pause: () => line("M4 2.5v7M8 2.5v7"),
};

/** @param {string} d */
function line(d) {
  return s("path", {
    d,
    stroke: "currentColor",
    "stroke-width": 1.8,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  });
}

/** @param {Pick<Run, "status" | "reason" | "stopping" | "position"> & Partial<Pick<Run, "job">>} run @returns {State} */
export function stateOf(run) {
  switch (run.status) {
    case "queued":
      if (run.stopping) return { word: "stopping", tone: "warn", shape: "dot" };
      if (run.job) return { word: "waiting in Slurm", tone: "calm", shape: "ring" };
      return { word: run.position ? `queued, ${ordinal(run.position)}` : "queued", tone: "calm", shape: "ring" };
    case "running":
      return run.stopping
        ? { word: "stopping", tone: "warn", shape: "dot" }
        : { word: run.job?.host ? `running on ${run.job.host}` : "running", tone: "live", shape: "dot" };
    case "finished":
      if (run.reason === "diverged") return { word: "diverged", tone: "warn", shape: "zigzag" };
      if (run.reason === "early_stopped") return { word: "stopped early", tone: "good", shape: "flag" };
      return { word: "finished", tone: "good", shape: "check" };
    case "stopped":
      return { word: "stopped", tone: "calm", shape: "square" };
    case "failed":
      return { word: "failed", tone: "bad", shape: "cross" };
    default:
      return { word: "interrupted", tone: "warn", shape: "pause" };
  }
}

/** @param {number} place */
function ordinal(place) {
  const tens = place % 100;
  const suffix = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][place % 10] ?? "th");
  return `${place}${suffix}`;
}

/** A state badge and its update function. */
export function badge() {
  const shape = s("svg", { viewBox: "0 0 12 12", width: 12, height: 12, fill: "none", "aria-hidden": "true" });
  const word = h("span");
  const element = h("span", { class: "badge" }, shape, word);
  /** @param {State} state */
  const showState = (state) => {
    if (element.dataset.shape !== state.shape) shape.replaceChildren(SHAPES[state.shape]());
    element.dataset.shape = state.shape;
    element.dataset.tone = state.tone;
    if (word.textContent !== state.word) word.textContent = state.word;
  };
  /** @param {Run} run */
  const show = (run) => {
    showState(stateOf(run));
    element.dataset.status = run.status;
    const title = run.job?.text ?? "";
    if (element.title !== title) element.title = title;
  };
  return { element, show, showState };
}

/** Whether the run is queued or running. @param {Run} run */
export const isActive = (run) => run.status === "queued" || run.status === "running";

/** @param {Run} run */
export const canStop = (run) => isActive(run) && !run.stopping;

/** @param {Run} run */
export const canResume = (run) => run.status === "stopped" || run.status === "failed" || run.status === "interrupted";
