// Serves the tabs of a browser from one feed. Each tab may have several streams, and may disappear without notice.

/** @import { Feed, FeedMessage, StreamRequest } from "./feed.js" */

/**
 * A message from a tab. `lock` names the Web Lock that it holds while it is open; `attachment` numbers the attachments of a
 * stream.
 * @typedef {{ kind: "hello", lock: string | null } | { kind: "attach", stream: number, attachment: number, request: StreamRequest } | {
 *   kind: "detach", stream: number } | { kind: "look" } | { kind: "ping" } | { kind: "bye" }} FromTab
 */

/**
 * A message to a tab. `messages`: new events of its streams, in order; `again`: the host does not know the tab, which must
 * say hello and attach again.
 * @typedef {{ kind: "messages", messages: [stream: number, attachment: number, message: FeedMessage][] } | { kind: "pong" } | { kind: "again"
 *   }} ToTab
 */

/** Longer than a minute, since browsers run the timers of hidden tabs once a minute. */
const TAB_TIMEOUT_MS = 180_000;
const SWEEP_MS = 30_000;
/** Events within a frame are sent in one message, since each message has an overhead. */
const BATCH_MS = 16;

export class FeedHost {
  /** @param {Feed} feed */
  constructor(feed) {
    this.feed = feed;
    /**
     * @type {Map<string, { send: (message: ToTab) => void, streams: Set<number>, heard: number, waiting: [number,
     *   number, FeedMessage][] }>}
     */
    this.tabs = new Map();
    this.sweeping = setInterval(() => {
      for (const [tab, { heard }] of this.tabs) if (Date.now() - heard > TAB_TIMEOUT_MS) this.drop(tab);
    }, SWEEP_MS);
  }

  /** @param {string} tab @param {FromTab} message @param {(message: ToTab) => void} send */
  receive(tab, message, send) {
    if (message.kind === "hello") {
      this.drop(tab);
      this.tabs.set(tab, { send, streams: new Set(), heard: Date.now(), waiting: [] });
      if (message.lock !== null) this.awaitEnd(tab, message.lock);
      send({ kind: "pong" });
      return;
    }
    const known = this.tabs.get(tab);
    if (!known) {
      if (message.kind !== "bye" && message.kind !== "detach") send({ kind: "again" });
      return;
    }
    known.heard = Date.now();
    if (message.kind === "ping") send({ kind: "pong" });
    else if (message.kind === "look") this.feed.look();
    else if (message.kind === "bye") this.drop(tab);
    else if (message.kind === "detach") {
      known.streams.delete(message.stream);
      this.feed.unsubscribe(`${tab} ${message.stream}`);
    } else {
      const { stream, attachment, request } = message;
      known.streams.add(stream);
      this.feed.subscribe(`${tab} ${stream}`, request, (content) =>
        this.send(tab, known.waiting, [stream, attachment, content]),
      );
    }
  }

  /** @param {string} tab @param {[number, number, FeedMessage][]} waiting @param {[number, number, FeedMessage]} message */
  send(tab, waiting, message) {
    waiting.push(message);
    if (waiting.length > 1) return;
    setTimeout(() => this.tabs.get(tab)?.send({ kind: "messages", messages: waiting.splice(0) }), BATCH_MS);
  }

  /**
   * Waits for the tab's lock, which the browser releases when the tab is gone.
   * @param {string} tab
   * @param {string} lock
   */
  awaitEnd(tab, lock) {
    const known = this.tabs.get(tab);
    try {
      navigator.locks?.request(lock, () => this.tabs.get(tab) === known && this.drop(tab))?.catch(() => {});
    } catch {
      // Without Web Locks, a tab is dropped when it stops sending.
    }
  }

  /** @param {string} tab */
  drop(tab) {
    for (const stream of this.tabs.get(tab)?.streams ?? []) this.feed.unsubscribe(`${tab} ${stream}`);
    this.tabs.delete(tab);
  }

  /** Drops all tabs and closes the feed. */
  close() {
    clearInterval(this.sweeping);
    for (const tab of [...this.tabs.keys()]) this.drop(tab);
    this.feed.close();
  }
}
