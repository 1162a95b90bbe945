// What can be done with a run's network beside taking it away: edit a copy of its text.

import { h } from "../lib/dom.js";
import { siteUrl } from "../lib/base-path.js";

/** @import { Run } from "../lib/types" */

/** @param {Run} run */
export function networkLinks({ id }) {
  return h(
    "p",
    { class: "links muted small" },
    h("a", { href: siteUrl(`/networks/new?run=${id}`) }, "Edit its network"),
  );
}
