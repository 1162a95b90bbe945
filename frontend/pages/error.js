// The error page: the common parts, and what can be had back: a deleted run, the text of a network that is not there any
// more.

import { listTrash, restoreRun } from "../lib/api.js";
import { siteUrl } from "../lib/base-path.js";
import { byId, h, setText } from "../lib/dom.js";
import { ago, dateOnly } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt, startShell } from "../lib/shell.js";
import { safeLocalStorage } from "../lib/storage.js";
import { draftKey, draftsOf, keepDraft, ownKey } from "../network/drafts.js";

startShell();
const page = /** @type {HTMLElement} */ (byId("main").querySelector(".error-page"));
page.prepend(icon("search", 28));

const [, name] = /\/networks\/([a-z][a-z0-9_-]*)$/.exec(location.pathname) ?? [];
const [draft] = name === undefined ? [] : draftsOf(draftKey(name, ""));
if (name !== undefined && draft) offerText(name, draft);

const [, run] = /\/runs\/([0-9a-f-]{36})(\/|$)/.exec(location.pathname) ?? [];
if (run !== undefined) offerRun(run);

/**
 * Says what became of it, in place of what may be the reason, and offers to have it back.
 * @param {{ sign: import("../lib/icons.js").IconName, title: string, reason: string, action: string, act: () => void }} of
 */
function offer({ sign, title, reason, action, act }) {
  const part = (/** @type {string} */ selector) => /** @type {Element} */ (page.querySelector(selector));
  part("svg").replaceWith(icon(sign, 28));
  setText(part("h1"), title);
  setText(part(".error-reason"), reason);
  part(".error-status").remove();
  part(".primary").classList.remove("primary");
  part(".error-ways").prepend(h("button", { class: "button primary", type: "button", on: { click: act } }, action));
}

/** Offers a run that is in the trash. @param {string} id */
async function offerRun(id) {
  const deleted = (await listTrash().catch(() => [])).find((each) => each.id === id);
  if (!deleted) return;
  offer({
    sign: "trash",
    title: "This run was deleted",
    reason: `“${deleted.name}” was deleted ${ago(deleted.deleted, Date.now())}. It can be restored until ${dateOnly(deleted.until)}.`,
    action: "Restore it",
    act: () => attempt(() => restoreRun(id)).then((run) => run && location.reload()),
  });
}

/** Offers the text of a deleted network. @param {string} network @param {import("../network/drafts.js").Draft & { key: string }} text */
function offerText(network, { source, key }) {
  const open = () => {
    const search = `?file=${encodeURIComponent(network)}`;
    keepDraft(ownKey(draftKey("", search)), source, null);
    safeLocalStorage.removeItem(key);
    location.assign(siteUrl(`/networks/new${search}`));
  };
  offer({
    sign: "text",
    title: "This network was deleted",
    reason: `This browser has a text of ${network} that was not saved.`,
    action: "Open it as a new network",
    act: open,
  });
}
