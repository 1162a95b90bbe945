// Looks up the form's table for a choice of data set, network and variants: the fields and their defaults. No DOM here.

/** @import { DataSetRow, Field, FormTable, Group, Json, NetworkRow, Variant } from "../lib/types" */

/**
 * The current choices. `variants` holds by group path the chosen variant, `null` for a group that is off, and `""` for
 * one that is on without variants.
 * @typedef {{ set: string, kind: string, variants: { [path: string]: string | null } }} Choices
 */

/** @param {FormTable} table @param {string} set @returns {DataSetRow | undefined} */
export const dataSet = (table, set) => table.data_sets.find((row) => row.set === set);

/**
 * The data sets as they are offered: those that somebody brought, then images, then points, and last those that cannot be
 * learnt from yet.
 * @param {FormTable} table
 */
export function dataSetsInOrder(table) {
  const rank = (/** @type {DataSetRow} */ { state: { kind }, dimensions }) =>
    kind === "present" ? 0 : kind === "built_in" ? (dimensions === 2 ? 2 : 1) : 3;
  return table.data_sets.toSorted((a, b) => rank(a) - rank(b));
}

/** @param {FormTable} table @param {string} kind @returns {NetworkRow | undefined} */
export const network = (table, kind) => table.networks.find((row) => row.kind === kind);

/** The networks that accept a data set. @param {FormTable} table @param {string} set */
export function networksFor(table, set) {
  const dimensions = dataSet(table, set)?.dimensions;
  return table.networks.filter((row) => dimensions === undefined || row.dimensions.includes(dimensions));
}

/** The path of the network as a whole. */
export const NETWORK = "network";

/** The title of a network, with its name where others have the same title. @param {NetworkRow} row @param {NetworkRow[]} all */
export function labelOf({ kind, title }, all) {
  return all.some((other) => other.kind !== kind && other.title === title) ? `${title} (${kind})` : title;
}

/**
 * The network as a setting whose values can be compared. @param {FormTable} table @param {Choices} choices
 * @returns {Field}
 */
export function networkField(table, { set }) {
  const networks = networksFor(table, set);
  const options = networks.map((row) => ({ value: row.kind, label: labelOf(row, networks) }));
  return {
    path: NETWORK,
    label: "Network",
    help: "",
    default: '""',
    topic: null,
    kind: { type: "choice", options },
  };
}

/**
 * Defaults by path: those of the network come before those of the data set.
 * @param {FormTable} table
 * @param {Choices} choices
 */
function overrides(table, { set, kind }) {
  return { ...dataSet(table, set)?.defaults, ...network(table, kind)?.defaults };
}

/**
 * A field's default.
 * @param {FormTable} table
 * @param {Choices} choices
 * @param {Field} field
 * @returns {Json}
 */
export function defaultOf(table, choices, field) {
  const rows = overrides(table, choices);
  return field.path in rows ? rows[field.path] : JSON.parse(field.default);
}

/**
 * A group's default variant.
 * @param {FormTable} table
 * @param {Choices} choices
 * @param {Group} group
 * @returns {string | null}
 */
export function defaultVariant(table, choices, group) {
  const rows = overrides(table, choices);
  const said = group.selector ? rows[`${group.path}.${group.selector}`] : rows[group.path];
  if (said !== undefined) return said === null ? null : typeof said === "string" ? said : "";
  return group.default ?? (group.nullable ? null : (group.variants[0]?.value ?? ""));
}

/** Whether a group is on or off, without variants. @param {Group} group */
export const isSwitch = (group) => group.nullable && group.variants.length === 1;

/** @param {FormTable} table @param {Choices} choices @param {Group} group @returns {string | null} */
export function chosenVariant(table, choices, group) {
  const chosen = choices.variants[group.path];
  return chosen === undefined ? defaultVariant(table, choices, group) : chosen;
}

/**
 * The variant whose fields are visible; undefined for a group that is off.
 * @param {FormTable} table
 * @param {Choices} choices
 * @param {Group} group
 * @returns {Variant | undefined}
 */
export function variantOf(table, choices, group) {
  const chosen = chosenVariant(table, choices, group);
  return chosen === null ? undefined : group.variants.find((variant) => (variant.value ?? "") === chosen);
}

/**
 * The groups that mean something for the chosen data set and network.
 * @param {FormTable} table
 * @param {Choices} choices
 * @returns {Group[]}
 */
export function groupsFor(table, choices) {
  const dimensions = dataSet(table, choices.set)?.dimensions;
  const criterion = network(table, choices.kind)?.criterion;
  const isMet = { images: dimensions !== 2, cross_entropy: criterion !== "perceptron" };
  return table.groups.filter(({ needs }) => needs.every((need) => isMet[need]));
}

/** The label of a setting, whatever is chosen; the path where no field has it. @param {FormTable} table @param {string} path */
export function labelAt(table, path) {
  if (path === NETWORK) return "Network";
  const rows = [...table.data_sets, ...table.networks, ...table.groups.flatMap(({ variants }) => variants)];
  const field = [...table.common, ...rows.flatMap(({ fields }) => fields)].find((each) => each.path === path);
  return field?.label ?? table.groups.find((group) => group.path === path)?.label ?? path;
}

/**
 * All fields of the current choices, common ones first.
 * @param {FormTable} table
 * @param {Choices} choices
 * @returns {Field[]}
 */
export function fieldsOf(table, choices) {
  return [
    ...table.common,
    ...(dataSet(table, choices.set)?.fields ?? []),
    ...(network(table, choices.kind)?.fields ?? []),
    ...groupsFor(table, choices).flatMap((group) => variantOf(table, choices, group)?.fields ?? []),
  ];
}
