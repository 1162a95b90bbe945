// The settings of runs in the words of the form: labels, choices, and which values are the form's defaults.

import { getForm } from "../lib/api.js";
import { settingLabel, settingValue } from "../lib/setting-labels.js";
import { differingSettings, settingsOf } from "../lib/settings-diff.js";
import { dataSet, defaultOf, defaultVariant, fieldsOf, groupsFor, network } from "../form/table.js";

/** @import { Choices } from "../form/table.js" */
/** @import { Field, FormTable, Group, Json, Run } from "../lib/types" */

/** Settings that a reader asks for, even where they have their defaults. */
const ALWAYS = new Set([
  "data.set",
  // Points in the plane are made from these.
  "data.samples",
  "data.noise",
  "data.classes",
  "network.kind",
  "training.epochs",
  "training.batch_size",
  "training.optimizer.kind",
  "training.optimizer.lr",
  "training.seed",
]);
/** Settings of the machine, which do not change what is learnt. */
const OF_THE_MACHINE = /^(device$|resources\.|training\.threads$)/;
/** @type {Promise<FormTable | null> | null} */
let asked = null;

/** The form's table; null if it cannot be read. */
export function formTable() {
  asked ??= getForm().catch(() => {
    asked = null;
    return null;
  });
  return asked;
}

/** A setting of one run in words. `usual`: whether it has the form's default. @typedef {{ label: string, value: string, usual: boolean }} Words */

/** @param {FormTable | null} table @param {Run} run @param {string} path @returns {Words} */
export function settingWords(table, run, path) {
  const settings = settingsOf(run);
  const value = settings.get(path);
  const kind = run.spec.network?.kind;
  const plain = { label: settingLabel(path, kind), value: valueWords(path, value), usual: false };
  if (!table || run.source) return plain;
  if (path === "data.set") return { ...plain, value: dataSet(table, String(value))?.title ?? plain.value };
  if (path === "network.kind") return { ...plain, value: network(table, String(value))?.title ?? plain.value };
  const choices = choicesOf(table, run);
  const field = fieldsOf(table, choices).find((known) => known.path === path);
  if (field)
    return {
      label: field.label,
      value: fieldWords(field, value),
      usual: same(value, defaultOf(table, choices, field)),
    };
  const group = groupsFor(table, choices).find(({ path: of, selector }) => path === of || path === `${of}.${selector}`);
  return group ? groupWords(table, choices, group, value) : plain;
}

/** @param {FormTable} table @param {Choices} choices @param {Group} group @param {Json | undefined} value @returns {Words} */
function groupWords(table, choices, group, value) {
  const chosen = value ?? null;
  const variant = group.variants.find((known) => known.value === chosen);
  return {
    label: group.label,
    value: variant?.label ?? valueWords(group.path, value),
    usual: same(chosen, defaultVariant(table, choices, group)),
  };
}

/** The choices that a run was made of. @param {FormTable} table @param {Run} run @returns {Choices} */
function choicesOf(table, { spec }) {
  const at = (/** @type {string} */ path) =>
    path.split(".").reduce((/** @type {any} */ inner, key) => (inner === null ? null : inner?.[key]), spec);
  /** @type {{ [path: string]: string | null }} */
  const variants = {};
  for (const { path, selector } of table.groups) {
    const value = at(path);
    if (value === null) variants[path] = null;
    else if (value !== undefined) variants[path] = selector ? String(value[selector]) : "";
  }
  return { set: String(spec.data?.set), kind: String(spec.network?.kind), variants };
}

/** @param {Field} field @param {Json | undefined} value */
function fieldWords({ path, kind, null_label: empty }, value) {
  if (value === null && empty !== undefined) return empty;
  // The table knows the choices of a network's text, too.
  const chosen = kind.type === "choice" ? kind.options.find((option) => option.value === value) : undefined;
  return chosen?.label ?? valueWords(path, value);
}

/** @param {string} path @param {Json | undefined} value */
const valueWords = (path, value) => (value === undefined ? "–" : settingValue(path, value));

/** @param {unknown} a @param {unknown} b */
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/**
 * The settings to show of runs: those in which they differ, and of those that they share the ones that matter, which are
 * a few that every reader asks for and those that have not the form's default. `rest`: how many are left out.
 * @param {FormTable | null} table
 * @param {Run[]} runs
 * @returns {{ differ: string[], same: string[], rest: number }}
 */
export function settingsThatMatter(table, runs) {
  // What only some networks have follows from the network, unless someone has changed it.
  const tells = (/** @type {string} */ path) =>
    runs.every((run) => settingsOf(run).has(path)) ||
    runs.some((run) => settingsOf(run).has(path) && !settingWords(table, run, path).usual);
  const differ = differingSettings(runs).filter((path) => !OF_THE_MACHINE.test(path) && tells(path));
  const shared = sharedSettings(runs);
  const kept = shared.filter(
    (path) =>
      !OF_THE_MACHINE.test(path) && (ALWAYS.has(path) || runs.some((run) => !settingWords(table, run, path).usual)),
  );
  return { differ, same: kept, rest: shared.length - kept.length };
}

/** The settings that all runs have, with the same value. @param {Run[]} runs */
export function sharedSettings(runs) {
  const differ = new Set(differingSettings(runs));
  const [first, ...others] = runs.map(settingsOf);
  return [...first.keys()].filter((path) => !differ.has(path) && others.every((settings) => settings.has(path)));
}
