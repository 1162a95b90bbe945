// The page's one stream from the server, and the banner that says when it is cut.

import { byId, h } from "./dom.js";
import { icon } from "./icons.js";

/**
 * @typedef {{
 *   url: () => string,
 *   on: { [event: string]: (data: any, event: MessageEvent) => void },
 *   onReturn?: () => void,
 *   isOver?: () => Promise<boolean>,
 * }} Wiring `url` is asked again at each new connection; `onReturn` is called when a cut connection is
 * back; `isOver` is asked when the server refuses, and says whether to give up.
 */

/** A cut shorter than this is nobody's concern. */
const PATIENCE_MS = 1200;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

/**
 * Opens the stream and keeps it open. The browser comes back by itself after a cut, with the
 * place where it was; where it gives up (the server refused), this tries again.
 * @param {Wiring} wiring
 */
export function openStream({ url, on, onReturn, isOver = async () => false }) {
  /** @type {EventSource | null} */
  let source = null;
  let wasOpen = false;
  let wait = FIRST_WAIT_MS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let bannerTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retryTimer;

  const connect = () => {
    clearTimeout(retryTimer);
    source?.close();
    const opened = new EventSource(url());
    source = opened;
    opened.onopen = () => {
      clearTimeout(bannerTimer);
      bannerTimer = undefined;
      wait = FIRST_WAIT_MS;
      banner(false);
      if (wasOpen) onReturn?.();
      wasOpen = true;
    };
    opened.onerror = () => {
      bannerTimer ??= setTimeout(() => banner(true), PATIENCE_MS);
      if (opened.readyState === EventSource.CLOSED && source === opened) refused();
    };
    for (const [name, listener] of Object.entries(on)) {
      opened.addEventListener(name, (event) => listener(JSON.parse(event.data), event));
    }
  };

  const refused = async () => {
    if (await isOver()) {
      close();
      return;
    }
    retryTimer = setTimeout(connect, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  };

  const close = () => {
    clearTimeout(bannerTimer);
    clearTimeout(retryTimer);
    bannerTimer = undefined;
    banner(false);
    source?.close();
    source = null;
  };

  // A page kept for the back button may not hold a connection, and must catch up when shown again.
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => {
    if (event.persisted) connect();
  });
  connect();
  return { reconnect: connect, close };
}

/** @param {boolean} lost */
function banner(lost) {
  const place = byId("connection");
  if (lost === place.hasChildNodes()) return;
  place.replaceChildren(
    ...(lost ? [h("div", { class: "connection-lost" }, icon("cloud"), "Connection lost. Training goes on; this page catches up when Vivarium answers.")] : []),
  );
}
