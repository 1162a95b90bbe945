// Caches what the page has shown, so that going back and playing the film need no new requests.

import { inspect, inspectPicture } from "../lib/api.js";

/** @import { Sheet, SlidingWindow } from "../lib/types" */

/** @typedef {{ [name: string]: string | number | null | undefined }} Query */
/** A page of tiles; `places` are those of its tiles in the picture, where they are shown in another order. @typedef {{ about: Sheet, picture: ImageBitmap, places?: number[] }} SheetPage */

/** About a hundred epochs of filters and maps. */
const MAX_ENTRIES = 600;

/** Windows have up to half a million numbers each. */
const MAX_WINDOWS = 8;

/** @type {Map<string, Promise<any>>} */
const entries = new Map();
/** @type {Map<string, Promise<any>>} */
const windows = new Map();

/**
 * @template T
 * @param {string} key
 * @param {() => Promise<T>} ask
 * @param {Map<string, Promise<any>>} [cache]
 * @param {number} [most] entries
 * @returns {Promise<T>}
 */
function cached(key, ask, cache = entries, most = MAX_ENTRIES) {
  const known = cache.get(key);
  if (known) {
    cache.delete(key);
    cache.set(key, known);
    return known;
  }
  const answer = isQuiet ? ask() : awaited(ask());
  cache.set(key, answer);
  // Errors are not cached: the next request may succeed.
  answer.catch(() => cache.get(key) === answer && cache.delete(key));
  for (const oldest of cache.keys()) {
    if (cache.size <= most) break;
    cache.delete(oldest);
  }
  return answer;
}

let waiting = 0;
/** Whether what is asked for now is not waited for. */
let isQuiet = false;
/** @type {(count: number) => void} */
let onWaiting = () => {};

/** Calls a listener with the number of answers that are waited for, whenever it changes. @param {(count: number) => void} listener */
export function watchWaiting(listener) {
  onWaiting = listener;
}

/** Asks for what nobody waits for yet, such as the next frames. @template T @param {() => T} ask @returns {T} */
export function quietly(ask) {
  isQuiet = true;
  try {
    return ask();
  } finally {
    isQuiet = false;
  }
}

/** Counts an answer as waited for. @template T @param {Promise<T>} answer @returns {Promise<T>} */
export function awaited(answer) {
  const count = (/** @type {number} */ by) => {
    waiting += by;
    onWaiting(waiting);
  };
  count(1);
  answer.then(
    () => count(-1),
    () => count(-1),
  );
  return answer;
}

/** @param {string} run @param {string} what @param {Query} query @param {string} stamp */
const keyOf = (run, what, query, stamp) => JSON.stringify([run, what, query, stamp]);

/**
 * Fetches a page of tiles and its picture. `stamp` identifies the state of a checkpoint, since “best” changes.
 * @param {string} run
 * @param {string} what `layers/NAME/filters` or `layers/NAME/features`
 * @param {Query} query
 * @param {string} stamp
 * @returns {Promise<SheetPage>}
 */
export function sheetPage(run, what, query, stamp) {
  return cached(keyOf(run, what, query, stamp), async () => {
    const [about, picture] = await Promise.all([
      inspect(run, what, query),
      inspectPicture(run, `${what}.png`, query).then((blob) => createImageBitmap(blob)),
    ]);
    return { about, picture };
  });
}

/**
 * Fetches the numbers without a picture.
 * @template T
 * @param {string} run
 * @param {string} what
 * @param {Query} query
 * @param {string} stamp
 * @returns {Promise<T>}
 */
export function numbers(run, what, query, stamp) {
  return cached(keyOf(run, `${what} numbers`, query, stamp), () => inspect(run, what, query));
}

/**
 * Fetches a layer's window.
 * @param {string} run
 * @param {string} layer
 * @param {Query} query
 * @param {string} stamp
 * @returns {Promise<SlidingWindow>}
 */
export function windowOf(run, layer, query, stamp) {
  const what = `layers/${encodeURIComponent(layer)}/window`;
  return cached(keyOf(run, what, query, stamp), () => inspect(run, what, query), windows, MAX_WINDOWS);
}

/**
 * Fetches a picture.
 * @param {string} run
 * @param {string} what
 * @param {Query} query
 * @param {string} stamp
 * @returns {Promise<ImageBitmap>}
 */
export function picture(run, what, query, stamp) {
  return cached(keyOf(run, what, query, stamp), async () => createImageBitmap(await inspectPicture(run, what, query)));
}
