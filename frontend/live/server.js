// The feed of this server. URLs are relative to this module, since the server may be below a base path.

import { Feed } from "./feed.js";

const api = (/** @type {string} */ path) => new URL(`../../api/v1/${path}`, import.meta.url).href;

export const serverFeed = () => new Feed({ url: api("events"), select, selectStates: select });

/** Stores a selection of runs and returns its id. @param {string[]} runs */
async function select(runs) {
  try {
    const response = await fetch(api("selections"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ runs }),
    });
    return response.ok ? String((await response.json()).id) : null;
  } catch {
    // The stream will report the error.
    return null;
  }
}
