// The page's event streams, and the banner for a lost connection. All tabs of a browser share one connection, since
// browsers limit connections per server to six.

import { byId, h } from "./dom.js";
import { icon } from "./icons.js";
import { TRANSPORTS } from "../live/transports.js";

/** @import { FromTab, ToTab } from "../live/host.js" */
/** @import { FeedMessage, StreamRequest } from "../live/feed.js" */
/** @import { Transport } from "../live/transports.js" */

/**
 * @typedef {{
 *   url: () => string,
 *   on: { [event: string]: (data: any) => void },
 *   onReturn?: () => void,
 *   isOver?: () => Promise<boolean>,
 * }} Options `url` is called at each (re)connection; `on`: listeners by event name, `message` for the events of a single
 *   run, `many` where too many runs changed to be told; `onReturn` is called when a lost connection is back; `isOver` is called when the server refuses the stream,
 *   and decides whether to give up.
 */

/** A shorter interruption shows no banner. */
const PATIENCE_MS = 1200;
const PING_MS = 10_000;
/** Generous, since a busy machine may take a while to start the shared worker. */
const ANSWER_TIMEOUT_MS = 25_000;

/** The event after a change that this page made on the server; see `request` in api.js. */
const CHANGED = "vivarium:changed";

/** @type {Map<number, { attach: (renewed: boolean) => void, onMessage: (attachment: number, message: FeedMessage) => void }>} */
const streams = new Map();
let streamCount = 0;
/** @type {Transport | null} */
let link = null;
let transportIndex = 0;
let answered = 0;
let asked = 0;
/** The Web Lock that this page holds until it is closed. @type {{ name: string, release: () => void } | null} */
let lock = null;

/** @param {FromTab} message */
const post = (message) => link?.post(message);

function connect() {
  if (link) return;
  asked = 0;
  let mine = true;
  const next = () => {
    if (!mine) return;
    mine = false;
    disconnect();
    transportIndex = Math.min(transportIndex + 1, TRANSPORTS.length - 1);
    connect();
  };
  try {
    link = TRANSPORTS[transportIndex]({
      onMessage: (message) => mine && receive(message),
      onReady: () => mine && greet(),
      onFailed: next,
    });
  } catch {
    // The browser does not support or allow this transport.
    next();
  }
}

function disconnect() {
  try {
    link?.post({ kind: "bye" });
    link?.close();
  } catch {
    // The transport is closed already.
  }
  link = null;
}

/** Registers this tab and its streams with the host. */
async function greet() {
  const to = link;
  const name = await holdLock();
  if (link !== to) return;
  asked ||= Date.now();
  post({ kind: "hello", lock: name });
  for (const { attach } of streams.values()) attach(true);
}

/** Takes a lock that the browser releases when this page is gone. @returns {Promise<string | null>} */
async function holdLock() {
  if (lock) return lock.name;
  const name = `vivarium tab ${Date.now()} ${Math.random()}`;
  try {
    return await new Promise((resolve, reject) => {
      const held = () => {
        resolve(name);
        return new Promise(
          (/** @type {(value: null) => void} */ release) => (lock = { name, release: () => release(null) }),
        );
      };
      navigator.locks.request(name, held).catch(reject);
    });
  } catch {
    // Web Locks are missing in this browser or need a secure context.
    return null;
  }
}

/** @param {ToTab} message */
function receive(message) {
  answered = Date.now();
  asked = 0;
  if (message.kind === "again") greet();
  else if (message.kind === "messages")
    for (const [stream, attachment, content] of message.messages) streams.get(stream)?.onMessage(attachment, content);
}

setInterval(() => {
  if (!link || streams.size === 0) return;
  if (asked > 0 && Date.now() - Math.max(asked, answered) > ANSWER_TIMEOUT_MS) {
    // The host does not answer: reconnect once, then try the next transport.
    transportIndex = Math.min(transportIndex + (answered > 0 ? 0 : 1), TRANSPORTS.length - 1);
    answered = 0;
    disconnect();
    connect();
    return;
  }
  asked ||= Date.now();
  post({ kind: "ping" });
  if (document.visibilityState === "visible") post({ kind: "look" });
}, PING_MS);

addEventListener(CHANGED, () => post({ kind: "look" }));
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && post({ kind: "look" }));

// A page in the back/forward cache must not hold a connection, and catches up when it is shown again.
addEventListener("pagehide", () => {
  disconnect();
  lock?.release();
  lock = null;
});
addEventListener("pageshow", (event) => {
  if (event.persisted && streams.size > 0) connect();
});

/**
 * Opens a stream and keeps it open.
 * @param {Options} options
 */
export function openStream({ url, on, onReturn, isOver = async () => false }) {
  streamCount += 1;
  const stream = streamCount;
  let attachment = 0;
  let cut = false;
  /** The last sequence number of each run. @type {Map<string, number>} */
  const places = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let bannerTimer;

  /** @param {boolean} renewed continue after the events received so far, instead of starting from the URL */
  const attach = (renewed) => {
    attachment += 1;
    const request = requestOf(url());
    if (renewed) request.runs = request.runs.map(([id, after]) => [id, Math.max(after, places.get(id) ?? 0)]);
    else places.clear();
    post({ kind: "attach", stream, attachment, request });
  };

  const back = () => {
    clearTimeout(bannerTimer);
    bannerTimer = undefined;
    showBanner(stream, false);
    if (cut) onReturn?.();
    cut = false;
  };

  /** @param {number} of @param {FeedMessage} message */
  const onMessage = (of, message) => {
    // A message for an earlier attachment.
    if (of !== attachment) return;
    if (message.kind === "event") {
      places.set(message.run, message.seq);
      (on[message.run] ?? on.message)?.(JSON.parse(message.text));
    } else if (message.kind === "run" || message.kind === "removed") on[message.kind]?.(JSON.parse(message.text));
    else if (message.kind === "many") on.many?.(null);
    else if (message.kind === "open") back();
    else {
      cut = true;
      bannerTimer ??= setTimeout(() => showBanner(stream, true), PATIENCE_MS);
      if (message.kind === "refused") refused();
    }
  };

  const refused = async () => {
    if (await isOver()) close();
  };

  const close = () => {
    if (!streams.delete(stream)) return;
    clearTimeout(bannerTimer);
    showBanner(stream, false);
    post({ kind: "detach", stream });
  };

  streams.set(stream, { attach, onMessage });
  if (link) attach(false);
  else connect();
  return { reconnect: () => streams.has(stream) && attach(false), close };
}

/** The subscription that a stream's URL asks for. @param {string} url @returns {StreamRequest} */
function requestOf(url) {
  const query = new URL(url, location.href).searchParams;
  const ids = query.getAll("run");
  const after = (query.get("after") ?? "").split(".");
  const changes = query.get("changes");
  return {
    runs: ids.map((id, i) => [id, Number(after[i]) || 0]),
    states: (ids.length === 0 && changes === null) || query.get("include") === "status",
    changes,
  };
}

/** @type {Set<number>} */
const lostStreams = new Set();

/** @param {number} stream @param {boolean} isLost */
function showBanner(stream, isLost) {
  if (isLost) lostStreams.add(stream);
  else lostStreams.delete(stream);
  const place = byId("connection");
  if (lostStreams.size > 0 === place.hasChildNodes()) return;
  place.replaceChildren(
    ...(lostStreams.size > 0
      ? [
          h(
            "div",
            { class: "connection-lost" },
            icon("cloud"),
            "Connection lost. Training continues; this page catches up when Vivarium answers.",
          ),
        ]
      : []),
  );
}
