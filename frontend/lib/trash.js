// Deleting with undo: a run goes to the trash at once, and a toast offers to undo it.

import { deleteRun, listTrash, restoreRun } from "./api.js";
import { confirm } from "./dialog.js";
import { plural } from "./format.js";
import { attempt, toast } from "./shell.js";
import { safeSessionStorage } from "./storage.js";
import { isActive } from "./status.js";

/** @import { Run } from "./types" */

const PASSED_UNDO = "vivarium.deleted";
const HASH_PREFIX = "deleted=";

/** Asks for confirmation if a run is active. @param {Run[]} runs @returns {Promise<boolean>} */
async function confirmed(runs) {
  const active = runs.filter(isActive);
  if (active.length === 0) return true;
  const [first] = active;
  return confirm({
    title: active.length === 1 ? "Delete this run?" : `Delete ${plural(runs.length, "run")}?`,
    text: `${active.length === 1 ? `“${first.name}” is running or queued and` : `${active.length} of them are running or queued and`} will be stopped first. Deleted runs stay in the trash for seven days.`,
    yes: runs.length === 1 ? "Delete run" : "Delete runs",
    no: runs.length === 1 ? "Keep it" : "Keep them",
  });
}

/** Moves runs to the trash. @param {Run[]} runs @returns {Promise<Run[]>} the deleted runs */
export async function moveToTrash(runs) {
  if (!(await confirmed(runs))) return [];
  /** @type {Run[]} */
  const gone = [];
  await attempt(async () => {
    for (const run of runs) {
      await deleteRun(run.id);
      gone.push(run);
    }
  });
  return gone;
}

/** Shows a toast for deleted runs, with undo. @param {{ id: string, name: string }[]} runs */
export function offerUndo(runs) {
  if (runs.length === 0) return;
  const what = runs.length === 1 ? `“${runs[0].name}”` : plural(runs.length, "run");
  toast(`Deleted ${what}.`, "", {
    label: "Undo",
    act: async () => {
      // If one run cannot be restored, the others still are.
      const back = [];
      for (const { id } of runs) if (await attempt(() => restoreRun(id))) back.push(id);
      if (back.length === runs.length) toast(`${what} ${runs.length === 1 ? "is" : "are"} back.`);
      else if (back.length > 0) toast(`${back.length} of ${plural(runs.length, "run")} were restored.`);
    },
  });
}

/**
 * Passes the offer to undo on to the next page. Returns the suffix of its URL, which is empty unless browser storage is
 * unavailable.
 * @param {{ id: string, name: string }[]} runs
 */
export function passUndoOn(runs) {
  safeSessionStorage.setItem(PASSED_UNDO, JSON.stringify(runs.map(({ id, name }) => ({ id, name }))));
  return safeSessionStorage.lasts(PASSED_UNDO) ? "" : `#${HASH_PREFIX}${runs.map(({ id }) => id).join(",")}`;
}

/** Shows the offer that the previous page passed on. */
export async function takePassedUndo() {
  const text = safeSessionStorage.getItem(PASSED_UNDO);
  safeSessionStorage.removeItem(PASSED_UNDO);
  if (text) offerUndo(JSON.parse(text));
  if (!location.hash.startsWith(`#${HASH_PREFIX}`)) return;
  const ids = new Set(location.hash.slice(HASH_PREFIX.length + 1).split(","));
  history.replaceState(history.state, "", `${location.pathname}${location.search}`);
  // The URL is untrusted: only runs in the trash are offered.
  await attempt(async () => offerUndo((await listTrash()).filter(({ id }) => ids.has(id))));
}
