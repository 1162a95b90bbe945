// The shared worker, which serves one event stream to all tabs of a browser.

import { FeedHost } from "./host.js";
import { serverFeed } from "./server.js";

/** @import { FromTab, ToTab } from "./host.js" */

const host = new FeedHost(serverFeed());
let ports = 0;

addEventListener("connect", (event) => {
  const [port] = /** @type {MessageEvent} */ (event).ports;
  ports += 1;
  const tab = String(ports);
  /** @param {ToTab} message */
  const send = (message) => port.postMessage(message);
  port.addEventListener("message", (/** @type {MessageEvent<FromTab>} */ { data }) => host.receive(tab, data, send));
  // Only some browsers fire this event.
  port.addEventListener("close", () => host.drop(tab));
  port.start();
});
