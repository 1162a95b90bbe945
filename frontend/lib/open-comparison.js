// Opens the comparison of runs. Many runs are named by a selection, which is stored on the server, so that the URL
// stays short enough to share.

import { RUNS_IN_ADDRESS, shortQuery } from "./api.js";
import { attempt } from "./shell.js";
import { siteUrl } from "./base-path.js";

/**
 * Handles a click on a link to a comparison whose URL would be too long.
 * @param {MouseEvent} event
 * @param {string[]} ids
 */
export function openComparison(event, ids) {
  if (ids.length <= RUNS_IN_ADDRESS) return;
  event.preventDefault();
  // The window opens now: browsers block windows that open only after a response.
  const tab = event.ctrlKey || event.metaKey || event.shiftKey ? open("", "_blank") : null;
  attempt(async () => {
    const address = siteUrl(`/compare?${await shortQuery(ids)}`);
    if (tab) tab.location.href = address;
    else location.assign(address);
  });
}
