// The error page: the common parts, and the text of a network that is not there any more.

import { siteUrl } from "../lib/base-path.js";
import { h } from "../lib/dom.js";
import { startShell } from "../lib/shell.js";
import { safeLocalStorage } from "../lib/storage.js";
import { draftKey, draftsOf, keepDraft, ownKey } from "../network/drafts.js";

startShell();

const [, name] = /\/networks\/([a-z][a-z0-9_-]*)$/.exec(location.pathname) ?? [];
const [draft] = name === undefined ? [] : draftsOf(draftKey(name, ""));
if (name !== undefined && draft) offer(name, draft);

/** Offers the text of a deleted network. @param {string} network @param {import("../network/drafts.js").Draft & { key: string }} text */
function offer(network, { source, key }) {
  const open = () => {
    const search = `?file=${encodeURIComponent(network)}`;
    keepDraft(ownKey(draftKey("", search)), source, null);
    safeLocalStorage.removeItem(key);
    location.assign(siteUrl(`/networks/new${search}`));
  };
  document
    .querySelector(".error-page")
    ?.append(
      h("p", {}, `This browser has a text of ${network} that was not saved.`),
      h("button", { class: "button", type: "button", on: { click: open } }, "Open it as a new network"),
    );
}
