// The transports between a tab and the feed: a SharedWorker; without one, an elected leader tab; otherwise a feed of
// the tab's own.

import { FeedHost } from "./host.js";
import { serverFeed } from "./server.js";

/** @import { FromTab, ToTab } from "./host.js" */

/** @typedef {{ post: (message: FromTab) => void, close: () => void }} Transport */

/**
 * @typedef {{ onMessage: (message: ToTab) => void, onReady: () => void, onFailed: () => void }} Options `onReady`: there
 *   is a host, perhaps a new one, to say hello to; `onFailed`: the transport does not work
 */

/**
 * The name of the shared worker and channel. It includes the version, since tabs from an older server speak another
 * protocol.
 */
const sharedName = () => `vivarium ${document.querySelector('meta[name="assets"]')?.getAttribute("content") ?? ""}`;

/** The transports, the best first. @type {((options: Options) => Transport)[]} */
export const TRANSPORTS = [viaSharedWorker, viaLeaderTab, inThisTab];

/** @param {Options} options @returns {Transport} */
function viaSharedWorker({ onMessage, onReady, onFailed }) {
  const worker = new SharedWorker(new URL("./worker.js", import.meta.url), { type: "module", name: sharedName() });
  worker.addEventListener("error", onFailed);
  worker.port.addEventListener("message", ({ data }) => onMessage(data));
  worker.port.start();
  queueMicrotask(onReady);
  return {
    post: (message) => worker.port.postMessage(message),
    close: () => worker.port.close(),
  };
}

/** @param {Options} options @returns {Transport} */
function viaLeaderTab({ onMessage, onReady }) {
  const name = sharedName();
  const channel = new BroadcastChannel(name);
  const me = `${Date.now()}.${Math.random()}`;
  const waiting = new AbortController();
  /** @type {FeedHost | null} */
  let host = null;
  let resign = () => {};
  channel.addEventListener("message", ({ data: { to, from, message } }) => {
    if (to === "leader")
      host?.receive(from, message, (answer) => channel.postMessage({ to: from, from: "leader", message: answer }));
    else if (to === me) onMessage(message);
    else if (to === "all" && host === null) onReady();
  });
  // The tab that holds the lock is the leader until it is closed.
  const lead = () => {
    host = new FeedHost(serverFeed());
    channel.postMessage({ to: "all", from: me, message: null });
    onReady();
    return new Promise((/** @type {(value: null) => void} */ resolve) => (resign = () => resolve(null)));
  };
  navigator.locks.request(`${name} leader`, { signal: waiting.signal }, lead).catch(() => {});
  queueMicrotask(onReady);
  return {
    post: (message) =>
      host ? host.receive(me, message, onMessage) : channel.postMessage({ to: "leader", from: me, message }),
    close() {
      waiting.abort();
      host?.close();
      resign();
      channel.close();
    },
  };
}

/** @param {Options} options @returns {Transport} */
function inThisTab({ onMessage, onReady }) {
  const host = new FeedHost(serverFeed());
  queueMicrotask(onReady);
  return { post: (message) => host.receive("me", message, onMessage), close: () => host.close() };
}
