// One event stream for many subscribers. A feed asks the server for the union of what they want, opens the stream
// again where that has grown, and gives each subscriber exactly the events that follow its own place, in order.
//
// A run that is over and whose log a subscriber has needs no stream. Where nobody needs one, none is open; `look`
// opens it for a moment, to see whether a run was resumed.

/** @typedef {{ runs: [id: string, after: number][], states: boolean, changes?: string | null }} StreamRequest `runs`: whose logs, after which event; `states`: of these runs too, or of all where none are named; `changes`: of all runs what changes after a place, INDEX.CHANGE */

/**
 * @typedef {{ kind: "event", run: string, text: string, seq: number }
 *   | { kind: "run" | "removed", id: string, text: string }
 *   | { kind: "many" }
 *   | { kind: "open" } | { kind: "cut" } | { kind: "refused" }} FeedMessage
 */

/** A wish and where it stands: `idle` when the run is over and its log is through, or the run is gone; `synced` when the open stream began at or before its place. @typedef {{ place: number, synced: boolean, idle: boolean }} Following */

/** A place among the changes of an index. @typedef {{ index: string, change: number }} ChangePlace */

/** @typedef {{ send: (message: FeedMessage) => void, states: boolean, all: boolean, changes: ChangePlace | null, runs: Map<string, Following> }} Subscriber */

/** @typedef {{ url: string, EventSource?: typeof EventSource, select?: (ids: string[]) => Promise<string | null>, selectStates?: (ids: string[]) => Promise<string | null> }} FeedOptions `url`: of the stream; `select`: gives a short name to many runs whose logs are asked for; `selectStates`: to many whose states are */

const OVER = new Set(["finished", "stopped", "failed"]);
/** Several tabs that open at once are one change. */
const SETTLE_MS = 30;
/** So many logs are asked for before anything is to be had of them; of more, only those that have something. */
const EAGER_LOGS = 50;
/** More states than these are asked for by a selection, or as all. */
const NAMED_STATES = 50;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;
/** The server gives a sign of life every 15 s. */
const SILENT_MS = 40_000;
const WATCH_MS = 5000;

export class Feed {
  /** @param {FeedOptions} options */
  constructor({ url, EventSource: Source = EventSource, select = async () => null, selectStates = async () => null }) {
    this.url = url;
    this.Source = Source;
    this.select = select;
    this.selectStates = selectStates;
    /** @type {Map<string, Subscriber>} */
    this.subscribers = new Map();
    /** The newest state of each run that was told. @type {Map<string, { changed: number, status: string, events: number, text: string }>} */
    this.known = new Map();
    /** Runs that are gone. @type {Set<string>} */
    this.gone = new Set();
    /** Of which index the states are, up to which change, and of which runs. */
    this.upto = {
      index: "",
      change: 0,
      /** @type {Set<string> | "all"} */ of: /** @type {Set<string> | "all"} */ (new Set()),
    };
    /** @type {EventSource | null} */
    this.source = null;
    /** The last event of each log that the open stream brings. @type {Map<string, number>} */
    this.places = new Map();
    /** Whose states it brings. @type {Set<string> | "all"} */
    this.covers = new Set();
    /** Where the changes of all runs begin that it brings. @type {ChangePlace | null} */
    this.changes = null;
    this.isOpen = false;
    this.looking = false;
    this.wasCut = false;
    this.wait = FIRST_WAIT_MS;
    this.heard = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.settling = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.retrying = undefined;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.watching = undefined;
    /** Counts streams, so that what an old one says late is not taken for the new one's. */
    this.generation = 0;
  }

  /** @param {string} key @param {StreamRequest} request @param {(message: FeedMessage) => void} send */
  subscribe(key, { runs, states, changes = null }, send) {
    /** @type {Map<string, Following>} */
    const following = new Map();
    for (const [id, after] of runs) {
      const place = this.places.get(id);
      following.set(id, {
        place: after,
        synced: this.isOpen && place !== undefined && place <= after,
        idle: this.gone.has(id),
      });
    }
    /** @type {Subscriber} */
    const subscriber = { send, states, all: states && runs.length === 0, changes: placeOf(changes), runs: following };
    this.subscribers.set(key, subscriber);
    if (this.isOpen) send({ kind: "open" });
    else if (this.wasCut) send({ kind: "cut" });
    this.recall(subscriber);
    this.refresh();
  }

  /** @param {string} key */
  unsubscribe(key) {
    if (this.subscribers.delete(key)) this.refresh();
  }

  /** Sees after runs that are over: somebody may have resumed them. */
  look() {
    if (this.source || this.looking || this.subscribers.size === 0) return;
    this.looking = true;
    this.refresh();
  }

  /** Tells a new subscriber the states that others were told. @param {Subscriber} subscriber */
  recall(subscriber) {
    const from = subscriber.changes;
    // Who shows a list knows what was so when it was read.
    const isNew = (/** @type {number} */ changed) =>
      !from || from.index !== this.upto.index || changed > from.change || subscriber.all;
    for (const [id, { text, changed }] of this.known)
      if (wantsState(subscriber, id) && (isNew(changed) || subscriber.runs.has(id)))
        subscriber.send({ kind: "run", id, text });
    for (const id of this.gone)
      if (wantsState(subscriber, id)) subscriber.send({ kind: "removed", id, text: JSON.stringify({ id }) });
    for (const [id, following] of subscriber.runs) this.updateIdle(id, following);
  }

  /** Whether there is still something to come. @param {string} id @param {Following} following */
  updateIdle(id, following) {
    const known = this.known.get(id);
    following.idle =
      this.gone.has(id) || (known !== undefined && OVER.has(known.status) && following.place >= known.events);
  }

  /** What the subscribers need together. */
  needs() {
    /** @type {Map<string, number>} */
    const logs = new Map();
    /** Logs that have nothing yet, and may soon. @type {Map<string, number>} */
    const later = new Map();
    /** @type {Set<string>} */
    const states = new Set();
    let all = false;
    let active = this.looking;
    /** @type {ChangePlace | null} */
    let changes = null;
    for (const subscriber of this.subscribers.values()) {
      if (subscriber.all) all = active = true;
      if (subscriber.changes) {
        active = true;
        changes = this.earlier(changes, subscriber.changes);
      }
      for (const [id, { place, idle }] of subscriber.runs) {
        states.add(id);
        if (idle) continue;
        active = true;
        const known = this.known.get(id);
        const into = known && (known.status === "running" || place < known.events) ? logs : later;
        into.set(id, Math.min(place, into.get(id) ?? place));
      }
    }
    for (const id of this.gone) {
      logs.delete(id);
      later.delete(id);
    }
    if (new Set([...logs.keys(), ...later.keys()]).size <= EAGER_LOGS)
      for (const [id, place] of later) logs.set(id, Math.min(place, logs.get(id) ?? place));
    return { active, logs, states: all ? /** @type {"all"} */ ("all") : states, changes };
  }

  /** The earlier one of two places; one in another index than the server's is none. @param {ChangePlace | null} a @param {ChangePlace} b */
  earlier(a, b) {
    if (a === null || (a.index !== this.upto.index && b.index === this.upto.index)) return b;
    return a.index === b.index && b.change < a.change ? b : a;
  }

  /** Looks, a moment later, whether the stream still brings what is needed. */
  refresh() {
    this.settling ??= setTimeout(() => {
      this.settling = undefined;
      this.review();
    }, SETTLE_MS);
  }

  review() {
    const { active, logs, states, changes } = this.needs();
    if (!active) {
      this.close();
      return;
    }
    const begins = this.changes;
    const hasChanges =
      changes === null || (begins !== null && begins.index === changes.index && begins.change <= changes.change);
    // While the server is away, the next try asks for what is needed then.
    if (this.retrying !== undefined) return;
    if (
      this.source === null ||
      !covers(this.covers, states) ||
      !hasChanges ||
      [...logs].some(([id, place]) => !this.places.has(id) || /** @type {number} */ (this.places.get(id)) > place)
    )
      this.open();
  }

  async open() {
    this.close();
    const generation = this.generation;
    const { logs, states, changes } = this.needs();
    const ids = [...logs.keys()];
    this.places = logs;
    this.covers = states;
    this.changes = changes;
    const name = ids.length > EAGER_LOGS ? await this.select(ids) : null;
    const many = states !== "all" && states.size > NAMED_STATES ? await this.selectStates([...states]) : null;
    if (generation !== this.generation) return;
    if (many === null && states !== "all" && states.size > NAMED_STATES) this.covers = "all";
    const query = name === null ? ids.map((id) => `run=${id}`) : [`selection=${name}`];
    if (ids.length > 0) query.push(`after=${[...logs.values()].join(".")}`);
    query.push(
      ...(this.covers === "all"
        ? ["status=all"]
        : many !== null
          ? [`status=${many}`]
          : this.covers.size === 0
            ? ["status=none"]
            : [...this.covers].map((id) => `status=${id}`)),
    );
    if (this.upto.index && covers(this.upto.of, this.covers))
      query.push(`since=${this.upto.index}.${this.upto.change}`);
    if (changes) query.push(`changes=${changes.index}.${changes.change}`);
    const source = new this.Source(`${this.url}?${query.join("&")}`);
    this.source = source;
    this.heard = Date.now();
    /** @param {(event: MessageEvent) => void} listener */
    const on = (/** @type {string} */ event, listener) =>
      source.addEventListener(event, (/** @type {any} */ message) => {
        if (generation !== this.generation) return;
        this.heard = Date.now();
        listener(message);
      });
    source.onopen = () => generation === this.generation && this.opened();
    source.onerror = () => generation === this.generation && this.failed(source.readyState === this.Source.CLOSED);
    for (const id of ids) on(ids.length === 1 ? "message" : id, (event) => this.logEvent(id, event.data));
    on("server", (event) => this.serverIndex(JSON.parse(event.data).index));
    on("run", (event) => this.state(event.data));
    on("removed", (event) => this.removed(JSON.parse(event.data).id, event.data));
    on("many", () => this.many());
    on("upto", (event) => this.upToDate(JSON.parse(event.data).change));
    on("alive", () => {});
    this.watching = setInterval(() => Date.now() - this.heard > SILENT_MS && this.failed(false), WATCH_MS);
  }

  opened() {
    this.heard = Date.now();
    this.isOpen = true;
    this.wait = FIRST_WAIT_MS;
    // It began at the least place of all.
    for (const { runs } of this.subscribers.values())
      for (const [id, following] of runs)
        following.synced = (this.places.get(id) ?? Number.POSITIVE_INFINITY) <= following.place;
    if (this.wasCut) this.sendAll({ kind: "open" });
    this.wasCut = false;
    this.review();
  }

  /** @param {boolean} refused by the server, which is there */
  failed(refused) {
    this.close();
    this.looking = false;
    if (!this.needs().active) return;
    this.wasCut = true;
    this.sendAll({ kind: refused ? "refused" : "cut" });
    this.retrying = setTimeout(() => {
      this.retrying = undefined;
      this.review();
    }, this.wait);
    // A server that is away may be back at any moment; one that refuses is not to be pressed.
    this.wait = Math.min(this.wait * (refused ? 2 : 1.25), LONGEST_WAIT_MS / (refused ? 1 : 5));
  }

  close() {
    this.generation += 1;
    clearTimeout(this.retrying);
    clearInterval(this.watching);
    this.retrying = undefined;
    this.source?.close();
    this.source = null;
    this.isOpen = false;
    this.places = new Map();
    this.covers = new Set();
    this.changes = null;
  }

  /** The index that the stream is of. @param {string} index */
  serverIndex(index) {
    if (index === this.upto.index) return;
    // Another one counts its changes anew.
    this.upto = { index, change: 0, of: new Set() };
    this.known.clear();
    this.gone.clear();
    for (const { runs } of this.subscribers.values()) for (const following of runs.values()) following.idle = false;
    const begin = { index, change: 0 };
    if (this.changes) this.changes = begin;
    for (const subscriber of this.subscribers.values()) {
      if (!subscriber.changes || subscriber.changes.index === index) continue;
      // Its list is of another index: whatever changed since is not told.
      subscriber.changes = begin;
      subscriber.send({ kind: "many" });
    }
  }

  /** More runs changed than the server tells one by one. */
  many() {
    for (const { changes, send } of this.subscribers.values()) if (changes) send({ kind: "many" });
  }

  /** @param {string} id @param {string} text */
  logEvent(id, text) {
    const seq = Number(JSON.parse(text).seq);
    this.places.set(id, Math.max(seq, this.places.get(id) ?? 0));
    let through = false;
    for (const { runs, send } of this.subscribers.values()) {
      const following = runs.get(id);
      if (!following?.synced || seq <= following.place) continue;
      following.place = seq;
      send({ kind: "event", run: id, text, seq });
      this.updateIdle(id, following);
      through ||= following.idle;
    }
    if (through) this.refresh();
  }

  /** @param {string} text */
  state(text) {
    const { id, changed, status, summary } = JSON.parse(text);
    const before = this.known.get(id);
    if (before && before.changed >= changed) return;
    this.gone.delete(id);
    this.known.set(id, { changed, status, events: summary.events, text });
    let turned = before?.status !== status;
    for (const subscriber of this.subscribers.values()) {
      if (wantsState(subscriber, id)) subscriber.send({ kind: "run", id, text });
      const following = subscriber.runs.get(id);
      if (!following) continue;
      const { idle } = following;
      this.updateIdle(id, following);
      turned ||= idle !== following.idle;
    }
    if (turned) this.refresh();
  }

  /** @param {string} id @param {string} text */
  removed(id, text) {
    if (this.gone.has(id)) return;
    this.gone.add(id);
    this.known.delete(id);
    for (const subscriber of this.subscribers.values()) {
      if (wantsState(subscriber, id) || subscriber.runs.has(id)) subscriber.send({ kind: "removed", id, text });
      const following = subscriber.runs.get(id);
      if (following) following.idle = true;
    }
    this.refresh();
  }

  /** States were told up to a change. @param {number} change */
  upToDate(change) {
    this.upto = { index: this.upto.index, change, of: this.covers };
    for (const subscriber of this.subscribers.values())
      if (subscriber.changes) subscriber.changes = { index: this.upto.index, change };
    this.looking = false;
    this.refresh();
  }

  /** @param {FeedMessage} message */
  sendAll(message) {
    for (const { send } of this.subscribers.values()) send(message);
  }
}

/** @param {Subscriber} subscriber @param {string} id */
const wantsState = ({ states, all, changes, runs }, id) => all || changes !== null || (states && runs.has(id));

/** @param {string | null} text INDEX.CHANGE @returns {ChangePlace | null} */
function placeOf(text) {
  const at = text?.lastIndexOf(".") ?? -1;
  return text && at > 0 ? { index: text.slice(0, at), change: Number(text.slice(at + 1)) || 0 } : null;
}

/** @param {Set<string> | "all"} has @param {Set<string> | "all"} needed */
const covers = (has, needed) => has === "all" || (needed !== "all" && [...needed].every((id) => has.has(id)));
