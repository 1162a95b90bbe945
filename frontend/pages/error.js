// The error page: the common parts, and what can be had back: a deleted run, the text of a network that is not there any
// more.

import { listTrash, restoreRun } from "../lib/api.js";
import { siteUrl } from "../lib/base-path.js";
import { h } from "../lib/dom.js";
import { ago } from "../lib/format.js";
import { attempt, startShell } from "../lib/shell.js";
import { safeLocalStorage } from "../lib/storage.js";
import { draftKey, draftsOf, keepDraft, ownKey } from "../network/drafts.js";

startShell();

const [, name] = /\/networks\/([a-z][a-z0-9_-]*)$/.exec(location.pathname) ?? [];
const [draft] = name === undefined ? [] : draftsOf(draftKey(name, ""));
if (name !== undefined && draft) offerText(name, draft);

const [, run] = /\/runs\/([0-9a-f-]{36})(\/|$)/.exec(location.pathname) ?? [];
if (run !== undefined) offerRun(run);

/** Offers what is not lost, before the ways to other pages. @param {string} words @param {string} action @param {() => void} act */
function offer(words, action, act) {
  const button = h("button", { class: "button", type: "button", on: { click: act } }, action);
  document.querySelector(".error-ways")?.before(h("p", { class: "error-offer" }, words, button));
}

/** Offers a run that is in the trash. @param {string} id */
async function offerRun(id) {
  const deleted = (await listTrash().catch(() => [])).find((each) => each.id === id);
  if (!deleted) return;
  const restore = () => attempt(() => restoreRun(id)).then((run) => run && location.reload());
  offer(`“${deleted.name}” was deleted ${ago(deleted.deleted, Date.now())}.`, "Restore it", restore);
}

/** Offers the text of a deleted network. @param {string} network @param {import("../network/drafts.js").Draft & { key: string }} text */
function offerText(network, { source, key }) {
  const open = () => {
    const search = `?file=${encodeURIComponent(network)}`;
    keepDraft(ownKey(draftKey("", search)), source, null);
    safeLocalStorage.removeItem(key);
    location.assign(siteUrl(`/networks/new${search}`));
  };
  offer(`This browser has a text of ${network} that was not saved.`, "Open it as a new network", open);
}
