// The requests of the server's API, by what they are about.

import { apiUrl } from "./base-path.js";
import { Problem, computed, formOf, json, queryString, request, upload } from "./request.js";

/**
 * @import { Preset, Run, RunSpec, Estimate, LrFinderLine, Plan, Schedule, Metrics, Statistics, Boundary, Point,
 *   DataSet, Deleted, Sweep, Tag, ImportOutcome, SweepCheck, SweepEstimate, SweepSpec, Report, ReportAbout, Draft,
 *   FitExamples, Gallery, Inside, Film, FrameAbout, SamplePage, UploadedImage, Runs, RunFacets,
 *   PhotoPredictions, UpdatesOfEpoch, InspectProgress,
 *   FormTable, SeenLabels, LabelEdit, LabelIssues } from "./types"
 */
/** @import { CheckedNetwork, NetworkCheck, NetworkSource } from "../network/types" */

/** Maximum number of runs per request. */
const RUNS_PER_REQUEST = 50;
/**
 * With more runs than this, a URL is long enough for proxies and mail programs to cut it; a selection names them
 * instead.
 */
export const RUNS_IN_ADDRESS = 50;

/** @param {string} id */
const run = (id) => `/runs/${encodeURIComponent(id)}`;

/**
 * What a list of runs is asked for. `search`: words and terms; `sort`: a column or the path of a setting, after a minus
 * for the descending order; `group`: a property by which the runs are grouped; `sweep`, `tag`, `selection`: only their
 * runs.
 * @typedef {{ search?: string, sort?: string, group?: string, sweep?: string | null, tag?: string, selection?: string }}
 *   RunQuery
 */

/**
 * A page of runs. `cursor`: the `next` of the page before.
 * @param {RunQuery & { limit?: number, cursor?: string | null }} query
 * @param {AbortSignal} [signal]
 * @returns {Promise<Runs>}
 */
export const listRuns = (query, signal) => json("GET", `/runs${queryString(query)}`, { signal });

/** The maximum number of runs per page. */
export const RUNS_PER_PAGE = 1000;

/** All runs that a query finds, page by page. @param {RunQuery} query @returns {Promise<Run[]>} */
export async function listAllRuns(query) {
  /** @type {Map<string, Run>} */
  const all = new Map();
  /** @type {string | null} */
  let cursor = null;
  do {
    const page = await listRuns({ ...query, limit: RUNS_PER_PAGE, cursor });
    for (const run of page.runs) all.set(run.id, run);
    cursor = page.next;
  } while (cursor !== null);
  return [...all.values()];
}

/**
 * The ids of all runs that a query finds. `value`: those of the group with this value, as JSON.
 * @param {RunQuery & { value?: string }} query
 * @returns {Promise<string[]>}
 */
export const listRunIds = async (query) => (await json("GET", `/runs/ids${queryString(query)}`)).ids;

/** Runs by id, without those that do not exist. @param {string[]} ids @returns {Promise<Run[]>} */
export async function getRuns(ids) {
  if (ids.length === 0) return [];
  if (ids.length > 4) {
    const { id } = await json("POST", "/selections", { body: { runs: ids } });
    return listAllRuns({ selection: id });
  }
  const found = await Promise.all(ids.map((id) => getRun(id).catch(goneAsNull)));
  return found.flatMap((run) => run ?? []);
}

/** @param {unknown} error */
function goneAsNull(error) {
  if (error instanceof Problem && error.status === 404) return null;
  throw error;
}

/** The values that runs have. @param {string | null} [sweep] @returns {Promise<RunFacets>} */
export const getFacets = (sweep) => json("GET", `/runs/facets${queryString({ sweep })}`);

/** @param {string} id @returns {Promise<Run>} */
export const getRun = (id) => json("GET", run(id));

/** @param {RunSpec} spec @returns {Promise<{ id: string, url: string }>} */
export const createRun = (spec) => json("POST", "/runs", { body: spec });

/** @param {SweepSpec} sweep @returns {Promise<{ id: string, url: string, runs: { id: string, url: string }[] }>} */
export const createSweep = (sweep) => json("POST", "/sweeps", { body: sweep });

/** @param {SweepSpec} sweep @param {AbortSignal} [signal] @returns {Promise<SweepCheck>} */
export const checkSweep = (sweep, signal) => json("POST", "/sweeps/check", { body: sweep, signal });

/** @param {SweepSpec} sweep @param {AbortSignal} [signal] @returns {Promise<SweepEstimate>} */
export const estimateSweep = (sweep, signal) => json("POST", "/sweeps/estimate", { body: sweep, signal });

/** The experiments that start with one click. @returns {Promise<Preset[]>} */
export const getPresets = async () => (await json("GET", "/presets")).presets;

/** @param {string} id @returns {Promise<Sweep>} */
export const getSweep = (id) => json("GET", `/sweeps/${encodeURIComponent(id)}`);

/** @param {string} id @returns {Promise<{ stopped: number }>} */
export const stopSweep = (id) => json("POST", `/sweeps/${encodeURIComponent(id)}/stop`);

/**
 * @param {string} id
 * @param {{ trials?: number, repeats?: number }} more
 * @returns {Promise<{ runs: { id: string }[] }>}
 */
export const growSweep = (id, more) => json("POST", `/sweeps/${encodeURIComponent(id)}/trials`, { body: more });

/**
 * @param {unknown} spec
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ spec: RunSpec, plan: Plan, schedule: Schedule }>}
 */
export const checkSpec = (spec, signal) => json("POST", "/specs/check", { body: spec, signal });

/** @param {unknown} spec @param {AbortSignal} [signal] @returns {Promise<Estimate>} */
export const estimateSpec = (spec, signal) => json("POST", "/specs/estimate", { body: spec, signal });

/**
 * Looks for a learning rate; each step and at last the result are told as they are made.
 * @param {unknown} spec
 * @param {(line: LrFinderLine) => void} onLine
 * @param {AbortSignal} signal aborting it ends the search
 */
export async function findLr(spec, onLine, signal) {
  const { body } = await request("POST", "/specs/find-lr", { body: spec, signal });
  if (!body) return;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(JSON.parse(line));
  }
}

/** @param {string} id @returns {Promise<Run>} */
export const stopRun = (id) => json("POST", `${run(id)}/stop`);

/** @param {string} id @returns {Promise<Run>} */
export const resumeRun = (id) => json("POST", `${run(id)}/resume`);

/** @param {string} id */
export const deleteRun = (id) => request("DELETE", run(id));

/** @param {string} id @returns {Promise<Run>} */
export const restoreRun = (id) => json("POST", `${run(id)}/restore`);

/** @returns {Promise<Deleted[]>} */
export const listTrash = async () => (await json("GET", "/trash")).runs;

/** @param {string} id */
export const deletePermanently = (id) => request("DELETE", `/trash/${encodeURIComponent(id)}`);

/** @param {string} id @param {{ name?: string, tags?: string[], notes?: string }} labels @returns {Promise<Run>} */
export const labelRun = (id, labels) => json("PATCH", run(id), { body: labels });

/**
 * The curves of runs by id, without deleted runs. `from` and `to` are positions on the axis.
 * @param {string[]} ids
 * @param {{
 *   series: readonly string[],
 *   points: number,
 *   x?: "step" | "samples" | "epoch" | "time",
 *   smooth?: number,
 *   from?: number,
 *   to?: number,
 *   signal?: AbortSignal,
 * }} query
 * @returns {Promise<{ [id: string]: Metrics }>}
 */
export async function getMetricsOf(ids, { series, signal, ...more }) {
  // Tags may contain commas.
  const query = queryString({
    series: series.some((name) => name.startsWith("tag:")) ? JSON.stringify(series) : series.join(","),
    ...more,
  });
  return inBatches(ids, async (part) => (await json("GET", `/metrics${query}&${runsQuery(part)}`, { signal })).runs);
}

/** @param {string[]} ids @returns {Promise<{ [id: string]: Statistics }>} */
export const getStatistics = (ids) =>
  inBatches(ids, async (part) => (await json("GET", `/statistics?${runsQuery(part)}`)).runs);

/**
 * Splits a request for many runs, which keeps the URLs and the waiting time short.
 * @template T
 * @param {string[]} ids
 * @param {(part: string[]) => Promise<{ [id: string]: T }>} ask
 * @returns {Promise<{ [id: string]: T }>}
 */
async function inBatches(ids, ask) {
  /** @type {string[][]} */
  const parts = [];
  for (let i = 0; i < ids.length; i += RUNS_PER_REQUEST) parts.push(ids.slice(i, i + RUNS_PER_REQUEST));
  /** @type {{ [id: string]: T }} */
  const all = {};
  const next = async () => {
    for (let part = parts.shift(); part; part = parts.shift()) Object.assign(all, await ask(part));
  };
  await Promise.all([next(), next()]);
  return all;
}

/** @param {string[]} ids */
export const runsQuery = (ids) => ids.map((id) => `run=${encodeURIComponent(id)}`).join("&");

/**
 * The query that names runs: by id, or many by a selection, which is stored on the server.
 * @param {string[]} ids
 * @returns {Promise<string>}
 */
export async function shortQuery(ids) {
  if (ids.length <= RUNS_IN_ADDRESS) return runsQuery(ids);
  return `selection=${(await json("POST", "/selections", { body: { runs: ids } })).id}`;
}

/** @param {string} id @returns {Promise<{ id: string, runs: string[], missing: number }>} */
export const getSelection = (id) => json("GET", `/selections/${encodeURIComponent(id)}`);

/**
 * @param {string} id
 * @param {number | "latest"} epoch
 * @returns {Promise<{ epochs: number[], boundary: Boundary | null }>}
 */
export const getBoundary = (id, epoch) => json("GET", `${run(id)}/boundaries?epoch=${epoch}`);

/**
 * The updates of a perceptron in an epoch.
 * @param {string} id
 * @param {number} epoch
 * @param {number} skip updates that are left out
 * @returns {Promise<UpdatesOfEpoch>}
 */
export const getUpdates = (id, epoch, skip) => json("GET", `${run(id)}/updates?epoch=${epoch}&skip=${skip}`);

/** @param {string} id @returns {Promise<{ points: Point[], classes: string[] | null }>} */
export const getPoints = (id) => json("GET", `${run(id)}/points`);

/**
 * @param {string} id
 * @returns {Promise<{ test: { loss: number | null, accuracy: number | null, confusion: number[][] } | null, classes:
 *   string[] | null }>}
 */
export const getTest = (id) => json("GET", `${run(id)}/test`);

/**
 * @typedef {{ split: string, checkpoint?: string, version?: string, wait?: number }} EvaluationQuery `version`: of an
 *   evaluation that was told; `wait`: seconds until the server answers
 */

/** @param {string} id @param {EvaluationQuery} query @param {AbortSignal} [signal] */
export const getEvaluation = (id, query, signal) => computed(`${run(id)}/evaluation${queryString(query)}`, signal);

/** @param {string} id @param {EvaluationQuery & { with: string }} query @param {AbortSignal} [signal] */
export const getEvaluationComparison = (id, query, signal) =>
  computed(`${run(id)}/evaluation/comparison${queryString(query)}`, signal);

/** @param {string} id @param {number[]} classes @param {EvaluationQuery} query @param {AbortSignal} [signal] */
export const getEvaluationCurves = (id, classes, query, signal) =>
  computed(`${run(id)}/evaluation/curves${queryString(query)}&${classes.map((of) => `class=${of}`).join("&")}`, signal);

/** The tags of an imported run. @param {string} id @returns {Promise<{ tags: Tag[], curves: string[] }>} */
export const getTags = (id) => json("GET", `${run(id)}/tags`);

/**
 * @param {string} id
 * @param {{ [tag: string]: string }} tags the curve that each is drawn as
 * @returns {Promise<Run>}
 */
export const assignTags = (id, tags) => json("PUT", `${run(id)}/tags`, { body: { tags } });

/** @param {string} id */
export const getLog = async (id) => (await request("GET", `${run(id)}/log`)).text();

/** @returns {Promise<ReportAbout[]>} */
export const listReports = async () => (await json("GET", "/reports")).reports;

/** @param {string} text @returns {Promise<ReportAbout>} */
export const createReport = (text) => json("POST", "/reports", { body: { text } });

/** @param {string} id */
const report = (id) => `/reports/${encodeURIComponent(id)}`;

/** @param {string} id @returns {Promise<Report>} */
export const getReport = (id) => json("GET", report(id));

/**
 * @param {string} id
 * @param {string} text
 * @param {string} revision the revision that was edited
 * @returns {Promise<ReportAbout>}
 */
export const saveReport = (id, text, revision) => json("PUT", report(id), { body: { text, revision } });

/** @param {string} id */
export const deleteReport = (id) => request("DELETE", report(id));

/** @param {string} id @returns {Promise<ReportAbout>} */
export const restoreReport = (id) => json("POST", `${report(id)}/restore`);

/** The settings of a run as the form has them. @returns {Promise<FormTable>} */
export const getForm = () => json("GET", "/form");

/** @param {string} name */
const network = (name) => `/networks/${encodeURIComponent(name)}`;

/** A network's text and its version. @param {string} name @returns {Promise<NetworkSource>} */
export const getNetwork = async (name) => withETag(await request("GET", network(name)));

/**
 * Saves a network's text.
 * @param {string} name
 * @param {string} source
 * @param {string | null} etag the version that was edited; `null` for a network that must not exist yet
 * @returns {Promise<NetworkSource>}
 */
export const saveNetwork = async (name, source, etag) =>
  withETag(
    await request("PUT", network(name), {
      body: { source },
      headers: etag === null ? { "if-none-match": "*" } : { "if-match": etag },
    }),
  );

/** @param {string} name */
export const deleteNetwork = (name) => request("DELETE", network(name));

/** @param {NetworkCheck} check @param {AbortSignal} [signal] @returns {Promise<CheckedNetwork>} */
export const checkNetwork = (check, signal) => json("POST", "/networks/check", { body: check, signal });

/** @param {Response} response */
const withETag = async (response) => ({ ...(await response.json()), etag: response.headers.get("etag") });

/** @returns {Promise<DataSet[]>} */
export const listDataSets = async () => (await json("GET", "/datasets")).datasets;

/** @param {string} set */
const dataSet = (set) => `/datasets/${encodeURIComponent(set)}`;

/** @param {string} set @returns {Promise<Gallery>} */
export const getGallery = (set) => json("GET", `${dataSet(set)}/gallery`);

/** @param {string} set @returns {Promise<FitExamples>} */
export const getFits = (set) => json("GET", `${dataSet(set)}/fits`);

/** @param {string} set @returns {Promise<SeenLabels>} */
export const getLabels = async (set) => withETag(await request("GET", `${dataSet(set)}/labels`));

/**
 * Changes labels.
 * @param {string} set
 * @param {string | null} etag of the labels that the change is made to; others are refused with status 412
 * @param {{ from?: string, changes?: LabelEdit[] }} body
 * @returns {Promise<SeenLabels>}
 */
export const changeLabels = async (set, etag, body) =>
  withETag(
    await request("PATCH", `${dataSet(set)}/labels`, { body, headers: etag === null ? {} : { "if-match": etag } }),
  );

/**
 * What the folds of a sweep say of labels; not `ready` while they are trained or judge.
 * @param {string} sweep
 * @param {{ skip: number, pair: { label: number, suggested: number } | null }} which `skip`: so many of the most suspicious
 *   images that nobody has looked at are left out; `pair`: only those with this label and this likelier class
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ found: LabelIssues, ready: boolean }>}
 */
export async function getLabelIssues(sweep, { skip, pair }, signal) {
  const query = new URLSearchParams({ skip: String(skip) });
  if (pair) {
    query.set("label", String(pair.label));
    query.set("suggested", String(pair.suggested));
  }
  const response = await request("GET", `/sweeps/${encodeURIComponent(sweep)}/label-issues?${query}`, { signal });
  return { found: await response.json(), ready: response.status === 200 };
}

/** @param {string} set */
export const deleteDataSet = (set) => request("DELETE", dataSet(set));

/** @param {string} set */
export const fetchDataSet = (set) => request("POST", `${dataSet(set)}/fetch`);

/** @param {string} set */
export const stopFetch = (set) => request("DELETE", `${dataSet(set)}/fetch`);

/**
 * @param {string} id
 * @param {{ set: string, title: string, skip_unreadable: boolean }} wish
 * @returns {Promise<{ set: string }>}
 */
export const acceptDraft = (id, wish) => json("POST", `/datasets/drafts/${encodeURIComponent(id)}`, { body: wish });

/** @param {string} id */
export const discardDraft = (id) => request("DELETE", `/datasets/drafts/${encodeURIComponent(id)}`);

/** @param {string} id @param {string | number} [checkpoint] @returns {Promise<Inside>} */
export const getInside = (id, checkpoint) =>
  json("GET", `${run(id)}/layers${checkpoint === undefined ? "" : `?checkpoint=${checkpoint}`}`);

/** What a page waits for while a network is opened. @param {string} id @returns {Promise<InspectProgress>} */
export const getInspectProgress = (id) => json("GET", `${run(id)}/layers/progress`);

/** @param {string} id @returns {Promise<Film>} */
export const getFilm = (id) => json("GET", `${run(id)}/film`);

/** @param {string} id @param {string} epoch @param {string} version @returns {Promise<FrameAbout>} */
export const getFrame = (id, epoch, version) => json("GET", `${run(id)}/film/${epoch}?v=${version}`);

/** @param {string} id @param {string | null} image @returns {Promise<{ image: string, pending: boolean }>} */
export const pinImage = (id, image) => json("PUT", `${run(id)}/pinned`, { body: { image } });

/**
 * @param {string} id
 * @param {{ [name: string]: string | number | null | undefined }} query
 * @returns {Promise<SamplePage>}
 */
export const getSamples = (id, query) => json("GET", `${run(id)}/samples${queryString(query)}`);

/**
 * Inspects a run; the result is JSON.
 * @param {string} id
 * @param {string} what
 * @param {{ [name: string]: string | number | null | undefined }} query
 * @param {AbortSignal} [signal]
 */
export const inspect = (id, what, query, signal) => json("GET", `${run(id)}/${what}${queryString(query)}`, { signal });

/**
 * Inspects a run; the result is a picture.
 * @param {string} id
 * @param {string} what
 * @param {{ [name: string]: string | number | null | undefined }} query
 * @param {AbortSignal} [signal]
 */
export const inspectPicture = async (id, what, query, signal) =>
  (await request("GET", `${run(id)}/${what}${queryString(query)}`, { signal })).blob();

/**
 * The URL of a picture.
 * @param {string} id
 * @param {string} what
 * @param {{ [name: string]: string | number | null | undefined }} query
 */
export const pictureUrl = (id, what, query) => apiUrl(`${run(id)}/${what}${queryString(query)}`);

/** @returns {Promise<UploadedImage[]>} */
export const listImages = async () => (await json("GET", "/images")).images;

/** @param {string} id */
export const deleteImage = (id) => request("DELETE", `/images/${encodeURIComponent(id)}`);

/**
 * @param {File} file
 * @param {{ onProgress: (sent: number, of: number) => void, signal: AbortSignal }} options
 * @returns {Promise<UploadedImage>}
 */
export const uploadImage = (file, options) => upload("/images", formOf("image", [file]), options);

/**
 * Classifies photos with a run's network: a row for each, in their order.
 * @param {string} id
 * @param {{ file: File, path: string }[]} photos
 * @param {number} top how many classes of each
 * @param {AbortSignal} signal
 * @returns {Promise<PhotoPredictions>}
 */
export function predictPhotos(id, photos, top, signal) {
  const form = new FormData();
  for (const { file, path } of photos) form.append("image", file, path);
  return upload(`${run(id)}/predict?top=${top}`, form, { onProgress: () => {}, signal });
}

/**
 * @param {File} file
 * @param {{ onProgress: (sent: number, of: number) => void, signal: AbortSignal }} options
 * @returns {Promise<Draft>}
 */
export const uploadDataSet = (file, options) => upload("/datasets", formOf("file", [file]), options);

/**
 * Imports an ONNX file as a network.
 * @param {File} file
 * @param {{ onProgress: (sent: number, of: number) => void, signal: AbortSignal }} options
 * @returns {Promise<{ name: string, input: number[], classes: number, notes: string[] }>}
 */
export const importNetwork = (file, options) => upload("/networks/import", formOf("file", [file]), options);

/**
 * Uploads TensorBoard event files with their paths, or zips of log directories.
 * @param {{ file: File, path: string }[]} files
 * @param {string} name the name of the runs; "" for the names of their folders
 * @param {{ onProgress: (sent: number, of: number) => void, signal: AbortSignal }} options
 * @returns {Promise<ImportOutcome>}
 */
export function uploadTensorboard(files, name, options) {
  const form = new FormData();
  form.append("name", name);
  for (const { file, path } of files) form.append("file", file, path);
  return upload("/tensorboard", form, options);
}

/**
 * The URL of runs as TensorBoard event files: one file, or a zip for several runs.
 * @param {string[]} ids
 */
export const tensorboardLink = (ids) => tensorboardAddress(ids, runsQuery(ids));

/** Like `tensorboardLink`, but short for any number of runs. @param {string[]} ids */
export const tensorboardUrl = async (ids) => tensorboardAddress(ids, await shortQuery(ids));

/** @param {string[]} ids @param {string} query */
const tensorboardAddress = (ids, query) =>
  apiUrl(ids.length === 1 ? `${run(ids[0])}/tensorboard` : `/tensorboard?${query}`);
