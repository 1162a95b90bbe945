// Keeps a report: saves it a moment after each change, tries again while the server is away, and holds what is not
// saved yet in the browser, so that neither a crash nor a closed tab loses a word. What was saved elsewhere in the
// meantime is never overwritten unasked.

import { Problem, saveReport } from "../lib/api.js";
import { safeLocalStorage } from "../lib/storage.js";

/** @import { Report } from "../lib/types" */
/** @import { SafeStorage } from "../lib/storage.js" */

const SAVE_AFTER_MS = 600;
const AGAIN_AFTER_MS = 3000;

/** @typedef {{ kind: "saved" | "saving" | "changed" | "conflict" } | { kind: "away", why: string }} State */

/**
 * @param {Report} report
 * @param {{ onState: (state: State) => void, onTitle: (title: string) => void, storage?: SafeStorage }} wiring
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
      // What is refused for what it is will be refused again, until it is changed.
      if (!conflict && !(error instanceof Problem && error.status >= 400 && error.status < 500))
        waiting = setTimeout(save, AGAIN_AFTER_MS);
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
    /** Whether something would be lost if nobody held it. */
    isSaved: () => text === saved,
    /** What an earlier visit had not saved: taken up again, or found to be in conflict. @returns {string | null} */
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
     * Settles a conflict: with the text of here, or with the other one.
     * @param {Report} other as it is saved now
     * @param {"mine" | "other"} which
     * @returns {string} the text that holds
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
