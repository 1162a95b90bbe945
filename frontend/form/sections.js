// The sections of the form, which follow the choices. A few settings of each are always shown; the others are folded away
// by topic.

import { siteUrl } from "../lib/base-path.js";
import { h, setText } from "../lib/dom.js";
import { cards } from "./cards.js";
import { control, valueText } from "./control.js";
import { chooseNetwork, chooseSet, fieldText, gridOf, isChanged, nameOf, setField, specOf } from "./draft.js";
import { fieldGrid } from "./field-grid.js";
import { finderPart } from "./finder.js";
import { groupPart } from "./group.js";
import { schedulePart } from "./schedule.js";
import { topicPart } from "./topic.js";
import { TRANSFER, transferPart } from "./transfer.js";
import {
  chosenVariant,
  dataSet,
  dataSetsInOrder,
  defaultOf,
  defaultVariant,
  fieldsOf,
  groupsFor,
  isSwitch,
  labelOf,
  network,
  networksFor,
  variantOf,
} from "./table.js";
import { toText } from "./values.js";

/** @import { Field, FormTable, Group, Plan, Schedule, TopicRow } from "../lib/types" */
/** @import { Draft } from "./draft.js" */
/** @import { Control } from "./control.js" */

/** The field that the learning-rate finder fills. */
const LR = "training.optimizer.lr";

/**
 * @param {FormTable} table
 * @param {Draft} draft
 * @param {HTMLElement | null} startFrom the choice of a run to start from
 * @param {() => void} onChange called after the draft has changed
 */
export function sections(table, draft, startFrom, onChange) {
  /** @type {Map<Field, Control>} */
  const controls = new Map();
  const changed = () => {
    show();
    onChange();
  };

  const setCards = cards("set", (set) => {
    chooseSet(table, draft, set);
    changed();
  });
  const kindCards = cards("kind", (kind) => {
    chooseNetwork(table, draft, kind);
    changed();
  });
  const networkText = h("a", {}, "See and change its layers");
  const licence = h("p", { class: "hint" });
  const nameFields = fieldGrid();
  const shown = { data: fieldGrid(), network: fieldGrid(), training: fieldGrid() };
  const clusterFields = fieldGrid();
  const schedule = schedulePart();
  const finder = finderPart(
    () => specOf(table, draft),
    (lr) => {
      const field = fieldsOf(table, draft).find(({ path }) => path === LR);
      if (!field) return;
      setField(table, draft, field, toText(field, lr));
      changed();
      controls.get(field)?.focus();
    },
  );
  const transfer = transferPart();
  /** What stands below the fields of a group. @type {{ [path: string]: HTMLElement }} */
  const extras = {
    "training.schedule": schedule.element,
    "training.optimizer": finder.element,
    [TRANSFER]: transfer.element,
  };
  const groups = table.groups.map((group) =>
    groupPart(group, extras[group.path] ?? null, (variant) => {
      if (variant === defaultVariant(table, draft, group)) delete draft.variants[group.path];
      else draft.variants[group.path] = variant;
      changed();
    }),
  );
  const groupsOf = (/** @type {string | null} */ topic) =>
    groups.filter(({ group }) => group.topic === topic).map((part) => part.element);
  const topics = table.topics.map((row) => ({ row, part: topicPart(row.label, groupsOf(row.topic)) }));
  const topicsOf = (/** @type {TopicRow["section"]} */ name) =>
    topics.filter(({ row }) => row.section === name).map(({ part }) => part.element);

  const cluster = section("Cluster", clusterFields.element);
  const element = h(
    "div",
    { class: "sections" },
    h("div", { class: "card section" }, lead(nameFields.element, startFrom)),
    section("Data", setCards.element, lead(shown.data.element, licence), ...topicsOf("data")),
    section(
      "Network",
      kindCards.element,
      h("p", { class: "hint" }, networkText),
      shown.network.element,
      ...topicsOf("network"),
    ),
    section("Training", lead(shown.training.element, ...groupsOf(null)), ...topicsOf("training")),
    cluster,
  );

  /** @param {Field} field */
  function controlOf(field) {
    let made = controls.get(field);
    if (!made) {
      made = control(
        field,
        (typed) => {
          setField(table, draft, field, typed);
          changed();
        },
        () => {
          delete draft.typed[field.path];
          changed();
          made?.focus();
        },
      );
      controls.set(field, made);
    }
    const compared = field.path in gridOf(table, draft);
    made.show(fieldText(table, draft, field), defaultOf(table, draft, field), isChanged(table, draft, field), compared);
    if (field.path === "name") made.element.querySelector("input")?.setAttribute("placeholder", nameOf(draft));
    return made;
  }

  function show() {
    const set = dataSet(table, draft.set);
    setCards.show(
      dataSetsInOrder(table).map(({ set: value, title, summary, dimensions, classes, state }) => ({
        value,
        title,
        summary,
        note:
          state.kind === "missing"
            ? `${classes} classes, not downloaded`
            : `${dimensions === 2 ? "points" : "images"}, ${classes} classes`,
      })),
      draft.set,
    );
    kindCards.show(
      networksFor(table, draft.set).map((row, _, all) => ({
        value: row.kind,
        title: labelOf(row, all),
        summary: row.summary,
        note: row.built_in ? "" : "yours",
      })),
      draft.kind,
    );
    const source = network(table, draft.kind)?.source;
    networkText.hidden = source !== undefined;
    networkText.setAttribute("href", siteUrl(`/networks/${draft.kind}`));
    setText(licence, set?.licence ? `Licence: ${set.licence}` : "");
    licence.hidden = !set?.licence;
    const fields = fieldsOf(table, draft);
    const means = groupsFor(table, draft);
    const inGroups = new Set(means.flatMap((group) => variantOf(table, draft, group)?.fields ?? []));
    const basic = fields.filter((field) => field.topic === null && !inGroups.has(field));
    const under = (/** @type {string} */ prefix) => basic.filter(({ path }) => path.startsWith(prefix)).map(controlOf);
    nameFields.show(basic.filter(({ path }) => path === "name").map(controlOf));
    shown.data.show(under("data."));
    shown.network.show(under("network."));
    shown.training.show(under("training."));
    const resources = under("resources.");
    clusterFields.show(resources);
    cluster.hidden = resources.length === 0;
    for (const { group, show } of groups) {
      const own = variantOf(table, draft, group)?.fields ?? [];
      show(
        means.includes(group),
        chosenVariant(table, draft, group),
        own.filter((field) => field.topic === null).map(controlOf),
      );
    }
    for (const { row, part } of topics) {
      const folded = fields.filter((field) => field.topic === row.topic);
      const chosen = means.filter((group) => group.topic === row.topic);
      part.show(
        folded.map(controlOf),
        [...folded, ...chosen].map(({ label }) => label),
        [
          ...folded.filter((field) => isChanged(table, draft, field)).map(settingInWords),
          ...chosen.flatMap(groupInWords),
        ],
      );
    }
    finder.settingsChanged();
  }

  /** @param {Field} field */
  function settingInWords(field) {
    return `${field.label}: ${valueText(field, fieldText(table, draft, field))}`;
  }

  /** What is chosen of a group where that is not the default. @param {Group} group @returns {string[]} */
  function groupInWords(group) {
    const variant = variantOf(table, draft, group);
    const own = (variant?.fields ?? []).filter((field) => field.topic === null && isChanged(table, draft, field));
    const isDefault = chosenVariant(table, draft, group) === defaultVariant(table, draft, group);
    const word = variant === undefined ? "Off" : isSwitch(group) ? "On" : variant.label;
    return [...(isDefault ? [] : [`${group.label}: ${word}`]), ...own.map(settingInWords)];
  }

  show();
  return {
    element,
    show,
    /** @param {Schedule | null} next */
    showSchedule: (next) => schedule.show(next),
    /** @param {Plan | null} plan */
    showPlan(plan) {
      const group = table.groups.find(({ path }) => path === TRANSFER);
      transfer.show(plan, group !== undefined && chosenVariant(table, draft, group) !== null);
    },
    /** Says on the folds which of them have errors. */
    showErrors() {
      for (const { part } of topics) part.showErrors();
    },
    /** The controls in use, in page order. @returns {Control[]} */
    visible() {
      const shown = fieldsOf(table, draft)
        .map((field) => controls.get(field))
        .filter((made) => made !== undefined);
      return shown.sort((a, b) =>
        a.element.compareDocumentPosition(b.element) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1,
      );
    },
    /** @param {Control} made */
    reveal(made) {
      const fold = /** @type {HTMLDetailsElement | null} */ (made.element.closest("details.topic"));
      if (fold) fold.open = true;
      made.focus();
    },
  };
}

/** What stands side by side where there is room. @param {...(HTMLElement | null)} parts */
const lead = (...parts) => h("div", { class: "lead" }, ...parts);

/** @param {string} title @param {...HTMLElement} parts */
function section(title, ...parts) {
  return h(
    "fieldset",
    { class: "card section" },
    h("legend", { class: "visually-hidden" }, title),
    h("h2", { "aria-hidden": "true" }, title),
    ...parts,
  );
}
