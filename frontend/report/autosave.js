// Saves a report shortly after each change and retries while the server cannot be reached. Unsaved text is also kept in
// browser storage, so that neither a crash nor a closed tab loses it. A version that was saved elsewhere in the
// meantime is never overwritten without asking.

import { saveReport } from "../lib/api.js";
import { Problem } from "../lib/request.js";
import { safeLocalStorage } from "../lib/storage.js";

/** @import { Report } from "../lib/types" */
/** @import { SafeStorage } from "../lib/storage.js" */

const SAVE_AFTER_MS = 600;
const RETRY_AFTER_MS = 3000;

/** @typedef {{ kind: "saved" | "saving" | "changed" | "conflict" } | { kind: "away", why: string }} State */

/**
 * @param {Report} report
 * @param {{ onState: (state: State) => void, onTitle: (title: string) => void, storage?: SafeStorage }} options
 */
export function autosave(report, { onState, onTitle, storage = safeLocalStorage }) {
  const key = `vivarium.report.${report.id}`;
  let revision = report.revision;
  let saved = report.text;
  let text = report.text;
  let saving = false;
  let conflict = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;

  async function save() {
    clearTimeout(waiting);
    if (saving || conflict || text === saved) return;
    saving = true;
    onState({ kind: "saving" });
    const sent = text;
    try {
      const about = await saveReport(report.id, sent, revision);
      revision = about.revision;
      saved = sent;
      onTitle(about.title);
      if (text === saved) hold(null);
      onState({ kind: text === saved ? "saved" : "changed" });
    } catch (error) {
      conflict = error instanceof Problem && error.status === 409;
      const words = error instanceof Error ? error.message : String(error);
      onState(conflict ? { kind: "conflict" } : { kind: "away", why: words });
      // A refused text would be refused again, so there is no retry until it changes.
      if (!conflict && !(error instanceof Problem && error.status >= 400 && error.status < 500))
        waiting = setTimeout(save, RETRY_AFTER_MS);
    } finally {
      saving = false;
    }
    if (conflict || text === sent) return;
    clearTimeout(waiting);
    waiting = setTimeout(save, SAVE_AFTER_MS);
  }

  /** @param {{ text: string, revision: string } | null} draft */
  function hold(draft) {
    if (draft) storage.setItem(key, JSON.stringify(draft));
    else storage.removeItem(key);
  }

  return {
    /** @param {string} next */
    change(next) {
      if (next === text) return;
      text = next;
      hold(text === saved ? null : { text, revision });
      if (conflict) return;
      onState({ kind: "changed" });
      clearTimeout(waiting);
      waiting = setTimeout(save, SAVE_AFTER_MS);
    },
    save,
    /** Whether everything is saved. */
    isSaved: () => text === saved,
    /** Restores the unsaved text of an earlier visit, which may be in conflict. @returns {string | null} */
    recover() {
      try {
        const draft = JSON.parse(storage.getItem(key) ?? "null");
        if (!draft || typeof draft.text !== "string" || draft.text === saved) return null;
        text = draft.text;
        conflict = draft.revision !== revision;
        onState(conflict ? { kind: "conflict" } : { kind: "changed" });
        if (!conflict) waiting = setTimeout(save, SAVE_AFTER_MS);
        return text;
      } catch {
        return null;
      }
    },
    /**
     * Resolves a conflict with either text.
     * @param {Report} other as it is saved now
     * @param {"mine" | "other"} which
     * @returns {string} the resulting text
     */
    settle(other, which) {
      revision = other.revision;
      saved = other.text;
      conflict = false;
      if (which === "other") {
        text = other.text;
        hold(null);
        onState({ kind: "saved" });
      } else {
        onState({ kind: "changed" });
        save();
      }
      return text;
    },
  };
}
