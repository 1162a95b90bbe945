// Drafts: texts that are not saved yet, in browser storage. Every tab has a key of its own, so that tabs with the same
// network do not overwrite each other's text, and removes only what it has taken over. No DOM here.

import { safeLocalStorage } from "../lib/storage.js";

/** `etag`: the version that was edited; `at`: when, in milliseconds. @typedef {{ source: string, etag: string | null, at: number }} Draft */

const PREFIX = "vivarium.network.";

/** The key of a network's drafts: by name, and for a new network by its address. @param {string} name @param {string} search */
export const draftKey = (name, search) => `${PREFIX}${name === "" ? `new${search}` : name}`;

/** The key of this tab's draft. @param {string} key */
export const ownKey = (key) => `${key}~${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;

/** Whether a key of the storage is that of a draft of a network. @param {string} key @param {string} stored */
export const isDraftOf = (key, stored) => stored === key || stored.startsWith(`${key}~`);

/**
 * The drafts of a network, the newest first.
 * @param {string} key
 * @param {typeof safeLocalStorage} [storage]
 * @returns {(Draft & { key: string })[]}
 */
export function draftsOf(key, storage = safeLocalStorage) {
  const drafts = storage
    .keys()
    .filter((stored) => isDraftOf(key, stored))
    .flatMap((stored) => {
      const draft = parse(storage.getItem(stored));
      return draft ? [{ ...draft, key: stored }] : [];
    });
  return drafts.sort((a, b) => b.at - a.at);
}

/** @param {string} key @param {string} source @param {string | null} etag @param {typeof safeLocalStorage} [storage] */
export function keepDraft(key, source, etag, storage = safeLocalStorage) {
  storage.setItem(key, JSON.stringify({ source, etag, at: Date.now() }));
}

/** @param {string | null} text @returns {Draft | null} */
function parse(text) {
  try {
    const draft = JSON.parse(text ?? "null");
    if (typeof draft?.source !== "string") return null;
    return { source: draft.source, etag: draft.etag ?? null, at: Number(draft.at) || 0 };
  } catch {
    return null;
  }
}
