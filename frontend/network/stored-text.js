// A network's text between the editor and the server. Every change is kept in browser storage until it is saved, so
// that neither a crash nor a closed tab loses it (`drafts.js`). A version that was saved elsewhere in the meantime is never
// overwritten without asking. No DOM here.

import { getNetwork, saveNetwork } from "../lib/api.js";
import { Problem } from "../lib/request.js";
import { safeLocalStorage } from "../lib/storage.js";
import { draftKey, draftsOf, keepDraft, ownKey } from "./drafts.js";

/** @import { NetworkSource } from "./types" */

/** `conflict`: it was saved elsewhere too. @typedef {"saved" | "changed" | "saving" | "conflict"} State */

/**
 * @param {NetworkSource} network
 * @param {{
 *   key: string,
 *   onState: (state: State) => void,
 *   storage?: typeof safeLocalStorage,
 *   read?: (name: string) => Promise<NetworkSource>,
 *   write?: (name: string, source: string, etag: string | null) => Promise<NetworkSource>,
 * }} options
 */
export function storedText(
  network,
  { key, onState, storage = safeLocalStorage, read = getNetwork, write = saveNetwork },
) {
  let { name, source: saved } = network;
  /** The version that is edited; `null` for a new network. */
  let etag = network.name === "" ? null : (network.etag ?? "*");
  let text = saved;
  let isConflict = false;
  let isNew = network.name === "";

  /** The key of the draft here. */
  let own = ownKey(key);

  const state = () => (isConflict ? "conflict" : text === saved && !isNew ? "saved" : "changed");

  function hold() {
    if (text === saved) storage.removeItem(own);
    else keepDraft(own, text, etag, storage);
  }

  /** @param {NetworkSource} next */
  function adopt(next) {
    name = next.name;
    saved = next.source;
    etag = next.etag ?? "*";
    isNew = false;
    isConflict = false;
  }

  return {
    name: () => name,
    saved: () => saved,
    text: () => text,
    etag: () => etag,
    state,
    isNew: () => isNew,
    /** Whether a closed tab loses nothing. */
    isKept: () => text === saved || storage.lasts(own),
    /** The key of the draft of this tab. */
    draft: () => own,
    /** Keeps the text again, which another tab has taken over. */
    hold,
    /** @param {string} next */
    change(next) {
      if (next === text) return;
      text = next;
      hold();
      onState(state());
    },
    /**
     * Restores the newest text of an earlier visit. A tab that is open and has this text keeps it again.
     * @returns {boolean} whether there was one
     */
    recover() {
      for (const draft of draftsOf(key, storage)) {
        if (draft.source === saved) {
          storage.removeItem(draft.key);
          continue;
        }
        text = draft.source;
        isConflict = !isNew && draft.etag !== etag;
        keepDraft(own, text, draft.etag, storage);
        storage.removeItem(draft.key);
        return true;
      }
      return false;
    },
    /**
     * Saves the text, a new network under a name. A refusal is thrown and changes nothing; a version that was saved
     * elsewhere is no refusal but a conflict.
     * @param {string} as
     * @returns {Promise<boolean>} whether it is saved
     */
    async save(as = name) {
      if (isConflict) return false;
      if (!isNew && text === saved) return true;
      const sent = text;
      onState("saving");
      try {
        adopt(await write(as, sent, etag));
        // Until then the draft of a new network has the key of its address.
        storage.removeItem(own);
        key = draftKey(name, "");
        own = ownKey(key);
        hold();
        return true;
      } catch (error) {
        if (isNew || !(error instanceof Problem) || error.status !== 412) throw error;
        isConflict = true;
        return false;
      } finally {
        onState(state());
      }
    },
    /** Goes back to the saved text. */
    discard() {
      text = saved;
      isConflict = false;
      hold();
      onState(state());
      return text;
    },
    /**
     * Looks whether the text was saved elsewhere.
     * @returns {Promise<"same" | "newer" | "conflict">} `newer`: nothing was changed here, and the new text is adopted
     */
    async refresh() {
      if (isNew || isConflict) return isConflict ? "conflict" : "same";
      const now = await read(name);
      if (now.etag === etag || now.source === saved) {
        etag = now.etag ?? etag;
        return "same";
      }
      if (text === saved) {
        adopt(now);
        text = saved;
        onState(state());
        return "newer";
      }
      isConflict = true;
      onState(state());
      return "conflict";
    },
    /** The version that is saved now, or null if the network was deleted. */
    async other() {
      try {
        return await read(name);
      } catch (error) {
        if (error instanceof Problem && error.status === 404) return null;
        throw error;
      }
    },
    /** Saves a network again that was deleted elsewhere. */
    async saveAgain() {
      isConflict = false;
      isNew = true;
      etag = null;
      return this.save(name);
    },
    /** Resolves a conflict with the text here, which can then be saved over the other, or with the other text. @param {NetworkSource} now @param {"mine" | "other"} which */
    settle(now, which) {
      adopt(now);
      if (which === "other") text = saved;
      hold();
      onState(state());
      return text;
    },
  };
}
