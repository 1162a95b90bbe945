// Deleting a network with undo: its text is kept until the offer to bring it back is gone.

import { deleteNetwork, getNetwork, saveNetwork } from "../lib/api.js";
import { attempt, toast } from "../lib/shell.js";
import { safeLocalStorage, safeSessionStorage } from "../lib/storage.js";
import { draftKey, draftsOf, keepDraft, ownKey } from "./drafts.js";

const PASSED_UNDO = "vivarium.network.deleted";

/** A deleted network with what was not saved. @typedef {{ name: string, title: string, source: string, draft: string | null }} Deleted */

/** @param {string} name @returns {Promise<Deleted>} */
export async function deleteWithDraft(name) {
  // The stored text, which may be newer than the one that the page shows.
  const { title, source } = await getNetwork(name).catch(() => ({ title: name, source: "" }));
  await deleteNetwork(name);
  // What other tabs have not saved is theirs.
  const [draft] = draftsOf(draftKey(name, ""));
  if (draft) safeLocalStorage.removeItem(draft.key);
  return { name, title, source, draft: draft?.source ?? null };
}

/** @param {Deleted} deleted @param {() => void} [onBack] */
export function offerUndo({ name, title, source, draft }, onBack = () => {}) {
  toast(`“${title}” is deleted.`, "", {
    label: "Undo",
    act: () =>
      attempt(async () => {
        const { etag } = await saveNetwork(name, source, null);
        // The draft is one of the version that was just saved again.
        if (draft !== null) keepDraft(ownKey(draftKey(name, "")), draft, etag ?? "*");
        onBack();
      }),
  });
}

/** Passes the offer on to the next page. @param {Deleted} deleted */
export const passUndoOn = (deleted) => safeSessionStorage.setItem(PASSED_UNDO, JSON.stringify(deleted));

/** Shows the offer that the previous page passed on. @param {() => void} onBack */
export function takePassedUndo(onBack) {
  const text = safeSessionStorage.getItem(PASSED_UNDO);
  safeSessionStorage.removeItem(PASSED_UNDO);
  if (text) offerUndo(JSON.parse(text), onBack);
}
