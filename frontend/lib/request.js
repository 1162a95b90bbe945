// Requests to the server's API: how one is sent, and what a refusal is. A refused request throws a `Problem` with the
// server's message.

import { apiUrl } from "./base-path.js";

/** @import { EvaluationProgress, FieldError, ProblemDocument } from "./types" */

/** A refused or failed request, with a message for users. */
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

const noAnswer = () =>
  new Problem({ title: "Vivarium does not answer", detail: "Vivarium does not answer. Is it still running?" });

/**
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {{ body?: unknown, signal?: AbortSignal, headers?: { [name: string]: string } }} [options]
 * @returns {Promise<Response>}
 */
export async function request(method, path, { body, signal, headers = {} } = {}) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(apiUrl(path), {
      method,
      signal,
      headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw noAnswer();
  }
  if (method !== "GET") changed();
  if (response.ok) return response;
  throw refusal(response.status, response.statusText, await response.text());
}

/** Tells the page's stream that something may have changed, since it stops following finished runs. */
function changed() {
  globalThis.dispatchEvent?.(new Event("vivarium:changed"));
}

/** The problem for an error response. @param {number} status @param {string} title @param {string} text */
function refusal(status, title, text) {
  /** @type {Partial<ProblemDocument>} */
  let document = { title, status, detail: text.slice(0, 500) };
  try {
    document = { ...document, ...JSON.parse(text) };
  } catch {
    // Not a problem document: its text is used.
  }
  return new Problem(document);
}

/** @param {string} method @param {string} path @param {{ body?: unknown, signal?: AbortSignal }} [options] */
export const json = async (method, path, options) => (await request(method, path, options)).json();

/**
 * A result that the server computes, or how far it is. The same request is then sent again.
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ result: any, progress: null } | { result: null, progress: EvaluationProgress }>}
 */
export async function computed(path, signal) {
  const response = await request("GET", path, { signal });
  const body = await response.json();
  return response.status === 202 ? { result: null, progress: body.progress } : { result: body, progress: null };
}

/**
 * A query string; parameters without a value are left out.
 * @param {{ [name: string]: string | number | null | undefined }} query
 */
export function queryString(query) {
  const said = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return said.length === 0 ? "" : `?${new URLSearchParams(said.map(([name, value]) => [name, String(value)]))}`;
}

/** @param {string} field @param {File[]} files */
export function formOf(field, files) {
  const form = new FormData();
  for (const file of files) form.append(field, file);
  return form;
}

/**
 * Sends files with XMLHttpRequest, because `fetch` does not report upload progress.
 * @param {string} path below /api/v1
 * @param {FormData} form
 * @param {{ onProgress: (sent: number, of: number) => void, signal: AbortSignal }} options
 * @returns {Promise<any>}
 */
export function upload(path, form, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", apiUrl(path));
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    request.addEventListener("load", () => {
      changed();
      if (request.status === 201 || request.status === 200) resolve(JSON.parse(request.responseText));
      else reject(refusal(request.status, request.statusText, request.responseText));
    });
    request.addEventListener("error", () => reject(noAnswer()));
    request.addEventListener("abort", () =>
      reject(new Problem({ title: "Stopped", detail: "The upload was stopped." })),
    );
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
