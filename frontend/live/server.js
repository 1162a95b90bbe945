// The feed of this server. Addresses are relative to this module: the server may be below a path.

import { Feed } from "./feed.js";

const api = (/** @type {string} */ path) => new URL(`../../api/v1/${path}`, import.meta.url).href;

export const serverFeed = () => new Feed({ url: api("events"), select });

/** A short name for many runs, whose ids would fill an address. @param {string[]} runs */
async function select(runs) {
  try {
    const response = await fetch(api("selections"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ runs }),
    });
    return response.ok ? String((await response.json()).id) : null;
  } catch {
    // The stream itself finds out what is the matter.
    return null;
  }
}
