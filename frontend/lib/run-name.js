// The name of a run as pages show it. In a sweep the server ends a run's name with its settings, by their paths:
// “Learning rate · lr 0.1”. A page says them in the form's words.

import { networkTitle, settingPhrase } from "./setting-labels.js";
import { settingsOf } from "./settings-diff.js";

/** @import { Json, Run } from "./types" */

/** Between the name of a sweep and the settings of a run. */
const BETWEEN = " · ";

/** @param {Pick<Run, "name" | "spec" | "source">} run */
export function runName({ name, spec, source }) {
  const at = name.lastIndexOf(BETWEEN);
  if (at < 0 || source) return name;
  const kind = spec.network?.kind;
  const settings = [...settingsOf(/** @type {Run} */ ({ spec }))];
  const parts = name.slice(at + BETWEEN.length).split(", ");
  const said = parts.map((part) => {
    if (part === kind) return networkTitle(part);
    const found = settings.find(([path, value]) => part === `${lastOf(path)} ${plain(value)}`);
    return found ? settingPhrase(found[0], found[1], kind) : part;
  });
  return `${name.slice(0, at)}${BETWEEN}${said.join(", ")}`;
}

/** @param {string} path */
const lastOf = (path) => path.slice(path.lastIndexOf(".") + 1).replaceAll("_", " ");

/** @param {Json} value */
const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));
