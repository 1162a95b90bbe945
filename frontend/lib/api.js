// Requests to the server. What it refuses becomes a Problem with its words.

/** @import { FieldError, ProblemDocument, Run, RunSpec, Estimate, Plan, Schedule, Metrics, Boundary, Point, Json, DataSet, Draft, Gallery } from "./types" */

/** A refusal or a failure, in words that can be shown. */
export class Problem extends Error {
  /** @param {Partial<ProblemDocument>} document */
  constructor(document) {
    super(document.detail || document.title || "The request failed.");
    this.title = document.title ?? "The request failed";
    this.status = document.status ?? 0;
    /** @type {FieldError[]} */
    this.errors = document.errors ?? [];
  }
}

const silence = () => new Problem({ title: "Vivarium does not answer", detail: "Vivarium does not answer. Is it still running?" });

/**
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {{ body?: unknown, signal?: AbortSignal }} [options]
 * @returns {Promise<Response>}
 */
async function request(method, path, { body, signal } = {}) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      signal,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw silence();
  }
  if (response.ok) return response;
  throw refusal(response.status, response.statusText, await response.text());
}

/** What a server says when it refuses. @param {number} status @param {string} title @param {string} text */
function refusal(status, title, text) {
  /** @type {Partial<ProblemDocument>} */
  let document = { title, status, detail: text.slice(0, 500) };
  try {
    document = { ...document, ...JSON.parse(text) };
  } catch {
    // Not a problem document; its text says enough.
  }
  return new Problem(document);
}

/** @param {string} method @param {string} path @param {{ body?: unknown, signal?: AbortSignal }} [options] */
const json = async (method, path, options) => (await request(method, path, options)).json();

/** @param {string} id */
const run = (id) => `/runs/${encodeURIComponent(id)}`;

/** @returns {Promise<Run[]>} */
export const listRuns = async () => (await json("GET", "/runs")).runs;

/** @param {string} id @returns {Promise<Run>} */
export const getRun = (id) => json("GET", run(id));

/** @param {RunSpec} spec @returns {Promise<{ id: string, url: string }>} */
export const createRun = (spec) => json("POST", "/runs", { body: spec });

/**
 * @param {{ base: RunSpec, grid: { [path: string]: Json[] }, repeats: number }} sweep
 * @returns {Promise<{ id: string, url: string, runs: { id: string, url: string }[] }>}
 */
export const createSweep = (sweep) => json("POST", "/sweeps", { body: sweep });

/** @param {unknown} spec @param {AbortSignal} [signal] @returns {Promise<{ spec: RunSpec, plan: Plan, schedule: Schedule }>} */
export const checkSpec = (spec, signal) => json("POST", "/specs/check", { body: spec, signal });

/** @param {unknown} spec @param {AbortSignal} [signal] @returns {Promise<Estimate>} */
export const estimateSpec = (spec, signal) => json("POST", "/specs/estimate", { body: spec, signal });

/** @param {string} id @returns {Promise<Run>} */
export const stopRun = (id) => json("POST", `${run(id)}/stop`);

/** @param {string} id @returns {Promise<Run>} */
export const resumeRun = (id) => json("POST", `${run(id)}/resume`);

/** @param {string} id */
export const deleteRun = (id) => request("DELETE", run(id));

/** @param {string} id @param {{ name?: string, tags?: string[], notes?: string }} labels @returns {Promise<Run>} */
export const labelRun = (id, labels) => json("PATCH", run(id), { body: labels });

/** @param {string} id @param {string[]} series @param {number} points @returns {Promise<Metrics>} */
export const getMetrics = (id, series, points) => json("GET", `${run(id)}/metrics?series=${series.join(",")}&x=step&points=${points}`);

/** @param {string} id @param {number | "latest"} epoch @returns {Promise<{ epochs: number[], boundary: Boundary | null }>} */
export const getBoundary = (id, epoch) => json("GET", `${run(id)}/boundaries?epoch=${epoch}`);

/** @param {string} id @returns {Promise<{ points: Point[], classes: string[] | null }>} */
export const getPoints = (id) => json("GET", `${run(id)}/points`);

/** @param {string} id */
export const getLog = async (id) => (await request("GET", `${run(id)}/log`)).text();

/** @returns {Promise<DataSet[]>} */
export const listDataSets = async () => (await json("GET", "/datasets")).datasets;

/** @param {string} set */
const dataSet = (set) => `/datasets/${encodeURIComponent(set)}`;

/** @param {string} set @returns {Promise<Gallery>} */
export const getGallery = (set) => json("GET", `${dataSet(set)}/gallery`);

/** @param {string} set */
export const deleteDataSet = (set) => request("DELETE", dataSet(set));

/** @param {string} set */
export const fetchDataSet = (set) => request("POST", `${dataSet(set)}/fetch`);

/** @param {string} set */
export const stopFetch = (set) => request("DELETE", `${dataSet(set)}/fetch`);

/** @param {string} id @param {{ set: string, title: string, skip_unreadable: boolean }} wish @returns {Promise<{ set: string }>} */
export const acceptDraft = (id, wish) => json("POST", `/datasets/drafts/${encodeURIComponent(id)}`, { body: wish });

/** @param {string} id */
export const discardDraft = (id) => request("DELETE", `/datasets/drafts/${encodeURIComponent(id)}`);

/**
 * Sends a zip; `fetch` does not say how far a body has gone.
 * @param {File} file
 * @param {{ onProgress: (sent: number, of: number) => void, signal: AbortSignal }} options
 * @returns {Promise<Draft>}
 */
export function uploadDataSet(file, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("file", file);
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/datasets");
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    request.addEventListener("load", () => {
      if (request.status === 201) resolve(JSON.parse(request.responseText));
      else reject(refusal(request.status, request.statusText, request.responseText));
    });
    request.addEventListener("error", () => reject(silence()));
    request.addEventListener("abort", () => reject(new Problem({ title: "Stopped", detail: "The upload was stopped." })));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
