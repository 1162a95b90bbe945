// Opens the comparison of runs. Many runs go by a selection, which the server keeps under a short name, so that the
// address can be shared whatever their number.

import { RUNS_IN_ADDRESS, shortQuery } from "./api.js";
import { attempt } from "./shell.js";
import { siteUrl } from "./base-path.js";

/**
 * Takes a click on a link to a comparison where its address would be too long.
 * @param {MouseEvent} event
 * @param {string[]} ids
 */
export function openComparison(event, ids) {
  if (ids.length <= RUNS_IN_ADDRESS) return;
  event.preventDefault();
  // Opened now: what is opened after an answer is taken for a window that nobody asked for.
  const tab = event.ctrlKey || event.metaKey || event.shiftKey ? open("", "_blank") : null;
  attempt(async () => {
    const address = siteUrl(`/compare?${await shortQuery(ids)}`);
    if (tab) tab.location.href = address;
    else location.assign(address);
  });
}
