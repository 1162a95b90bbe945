// Serves the tabs of a browser from one feed: each tab may have several streams, and may die without a word.

/** @import { Feed, Told, Wish } from "./feed.js" */

/**
 * What a tab says. `lock` names a Web Lock that it holds while it lives; `turn` tells attachments of a stream apart.
 * @typedef {{ kind: "hello", lock: string | null }
 *   | { kind: "attach", stream: number, turn: number, wish: Wish }
 *   | { kind: "detach", stream: number }
 *   | { kind: "look" } | { kind: "ping" } | { kind: "bye" }} FromTab
 */

/**
 * What it is told. `told`: the newest of each of its streams, in order; `again`: it must say hello and attach once
 * more, since the host does not know it.
 * @typedef {{ kind: "told", told: [stream: number, turn: number, told: Told][] } | { kind: "pong" } | { kind: "again"
 *   }} ToTab
 */

/** Browsers wake the timers of hidden tabs once a minute. */
const DEAD_MS = 180_000;
const SWEEP_MS = 30_000;
/** A message costs more than what is in it: what comes within a frame goes together. */
const TOGETHER_MS = 16;

export class FeedHost {
  /** @param {Feed} feed */
  constructor(feed) {
    this.feed = feed;
    /**
     * @type {Map<string, { send: (message: ToTab) => void, streams: Set<number>, heard: number, waiting: [number,
     *   number, Told][] }>}
     */
    this.tabs = new Map();
    this.sweeping = setInterval(() => {
      for (const [tab, { heard }] of this.tabs) if (Date.now() - heard > DEAD_MS) this.drop(tab);
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
      const { stream, turn, wish } = message;
      known.streams.add(stream);
      this.feed.subscribe(`${tab} ${stream}`, wish, (told) => this.tell(tab, known.waiting, [stream, turn, told]));
    }
  }

  /** @param {string} tab @param {[number, number, Told][]} waiting @param {[number, number, Told]} told */
  tell(tab, waiting, told) {
    waiting.push(told);
    if (waiting.length > 1) return;
    setTimeout(() => this.tabs.get(tab)?.send({ kind: "told", told: waiting.splice(0) }), TOGETHER_MS);
  }

  /** The lock is free when the tab is gone, however it went. @param {string} tab @param {string} lock */
  awaitEnd(tab, lock) {
    const known = this.tabs.get(tab);
    try {
      navigator.locks?.request(lock, () => this.tabs.get(tab) === known && this.drop(tab))?.catch(() => {});
    } catch {
      // No locks here: silence tells.
    }
  }

  /** @param {string} tab */
  drop(tab) {
    for (const stream of this.tabs.get(tab)?.streams ?? []) this.feed.unsubscribe(`${tab} ${stream}`);
    this.tabs.delete(tab);
  }

  /** Ends it all. */
  close() {
    clearInterval(this.sweeping);
    for (const tab of [...this.tabs.keys()]) this.drop(tab);
    this.feed.close();
  }
}
