// The page's streams from the server, and the banner that says when they are cut. All tabs of a browser share one
// connection, since a browser opens only six to a server.

import { byId, h } from "./dom.js";
import { icon } from "./icons.js";
import { TRANSPORTS } from "../live/transports.js";

/** @import { FromTab, ToTab } from "../live/host.js" */
/** @import { Told, Wish } from "../live/feed.js" */
/** @import { Transport } from "../live/transports.js" */

/**
 * @typedef {{
 *   url: () => string,
 *   on: { [event: string]: (data: any) => void },
 *   onReturn?: () => void,
 *   isOver?: () => Promise<boolean>,
 * }} Wiring `url` is asked again at each new beginning; `on`: by the name of the event, `message` for the log of a
 * single run; `onReturn` is called when a cut connection is back; `isOver` is asked when the server refuses, and says
 * whether to give up.
 */

/** A cut shorter than this is nobody's concern. */
const PATIENCE_MS = 1200;
const PING_MS = 10_000;
/** A busy machine may take a while to start the worker. */
const ANSWERS_WITHIN_MS = 25_000;

/** Something was changed on the server by this page; see `request` in api.js. */
const CHANGED = "vivarium:changed";

/** @type {Map<number, { attach: (renewed: boolean) => void, told: (turn: number, told: Told) => void }>} */
const streams = new Map();
let opened = 0;
/** @type {Transport | null} */
let link = null;
let way = 0;
let answered = 0;
let asked = 0;
/** Held while the page lives. @type {{ name: string, release: () => void } | null} */
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
    way = Math.min(way + 1, TRANSPORTS.length - 1);
    connect();
  };
  try {
    link = TRANSPORTS[way]({
      onMessage: (message) => mine && receive(message),
      onReady: () => mine && greet(),
      onFailed: next,
    });
  } catch {
    // This browser has no such thing, or forbids it.
    next();
  }
}

function disconnect() {
  try {
    link?.post({ kind: "bye" });
    link?.close();
  } catch {
    // It is gone already.
  }
  link = null;
}

/** Says who is here, to a host that may be new. */
async function greet() {
  const to = link;
  const name = await holdLock();
  if (link !== to) return;
  asked ||= Date.now();
  post({ kind: "hello", lock: name });
  for (const { attach } of streams.values()) attach(true);
}

/** A lock that is free when this page is gone. @returns {Promise<string | null>} */
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
    // No locks in this browser, or not where the connection is not secure.
    return null;
  }
}

/** @param {ToTab} message */
function receive(message) {
  answered = Date.now();
  asked = 0;
  if (message.kind === "again") greet();
  else if (message.kind === "told")
    for (const [stream, turn, told] of message.told) streams.get(stream)?.told(turn, told);
}

setInterval(() => {
  if (!link || streams.size === 0) return;
  if (asked > 0 && Date.now() - Math.max(asked, answered) > ANSWERS_WITHIN_MS) {
    // The host is gone without a word: another of its kind, once; then the next way.
    way = Math.min(way + (answered > 0 ? 0 : 1), TRANSPORTS.length - 1);
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

// A page kept for the back button may not hold a connection, and must catch up when shown again.
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
 * @param {Wiring} wiring
 */
export function openStream({ url, on, onReturn, isOver = async () => false }) {
  opened += 1;
  const stream = opened;
  let turn = 0;
  let cut = false;
  /** What came last of each run. @type {Map<string, number>} */
  const places = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let bannerTimer;

  /** @param {boolean} renewed after what came already, not from where the page begins anew */
  const attach = (renewed) => {
    turn += 1;
    const wish = wishOf(url());
    if (renewed) wish.runs = wish.runs.map(([id, after]) => [id, Math.max(after, places.get(id) ?? 0)]);
    else places.clear();
    post({ kind: "attach", stream, turn, wish });
  };

  const back = () => {
    clearTimeout(bannerTimer);
    bannerTimer = undefined;
    banner(stream, false);
    if (cut) onReturn?.();
    cut = false;
  };

  /** @param {number} of @param {Told} told */
  const told = (of, told) => {
    // Said to an attachment that was given up.
    if (of !== turn) return;
    if (told.kind === "event") {
      places.set(told.run, told.seq);
      (on[told.run] ?? on.message)?.(JSON.parse(told.text));
    } else if (told.kind === "run" || told.kind === "removed") on[told.kind]?.(JSON.parse(told.text));
    else if (told.kind === "open") back();
    else {
      cut = true;
      bannerTimer ??= setTimeout(() => banner(stream, true), PATIENCE_MS);
      if (told.kind === "refused") refused();
    }
  };

  const refused = async () => {
    if (await isOver()) close();
  };

  const close = () => {
    if (!streams.delete(stream)) return;
    clearTimeout(bannerTimer);
    banner(stream, false);
    post({ kind: "detach", stream });
  };

  streams.set(stream, { attach, told });
  if (link) attach(false);
  else connect();
  return { reconnect: () => streams.has(stream) && attach(false), close };
}

/** What an address of the stream asks for. @param {string} url @returns {Wish} */
function wishOf(url) {
  const query = new URL(url, location.href).searchParams;
  const ids = query.getAll("run");
  const after = (query.get("after") ?? "").split(".");
  return {
    runs: ids.map((id, i) => [id, Number(after[i]) || 0]),
    states: ids.length === 0 || query.get("include") === "status",
  };
}

/** @type {Set<number>} */
const lost = new Set();

/** @param {number} stream @param {boolean} isLost */
function banner(stream, isLost) {
  if (isLost) lost.add(stream);
  else lost.delete(stream);
  const place = byId("connection");
  if (lost.size > 0 === place.hasChildNodes()) return;
  place.replaceChildren(
    ...(lost.size > 0
      ? [
          h(
            "div",
            { class: "connection-lost" },
            icon("cloud"),
            "Connection lost. Training goes on; this page catches up when Vivarium answers.",
          ),
        ]
      : []),
  );
}
