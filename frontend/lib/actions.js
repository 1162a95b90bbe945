// Actions on runs that every page offers. Deleting is in `trash.js`.

import * as api from "./api.js";
import { attempt } from "./shell.js";

/** @import { Run } from "./types" */

/** @param {Run} run */
export const stop = (run) => attempt(() => api.stopRun(run.id));

/** @param {Run} run */
export const resume = (run) => attempt(() => api.resumeRun(run.id));
