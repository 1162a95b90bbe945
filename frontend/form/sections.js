// The sections of the form, which follow the choices.

import { siteUrl } from "../lib/base-path.js";
import { h, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { cards } from "./cards.js";
import { control, segments } from "./control.js";
import { chooseSet, gridOf, isChanged, nameOf, setField, specOf, fieldText } from "./draft.js";
import { finderPart } from "./finder.js";
import { schedulePart } from "./schedule.js";
import { TRANSFER, transferPart } from "./transfer.js";
import {
  chosenVariant,
  dataSet,
  defaultOf,
  defaultVariant,
  fieldsOf,
  groupsFor,
  network,
  networksFor,
  variantOf,
  labelOf,
} from "./table.js";
import { toText } from "./values.js";

/** @import { Field, FormTable, Group, Plan, Schedule } from "../lib/types" */
/** @import { Draft } from "./draft.js" */
/** @import { Control } from "./control.js" */

/** The field that the learning-rate finder fills. */
const LR = "training.optimizer.lr";

/** @param {FormTable} table @param {Draft} draft @param {() => void} onChange called after the draft has changed */
export function sections(table, draft, onChange) {
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
    draft.kind = kind;
    changed();
  });
  const networkText = h("a", {}, "See and change its layers");
  const licence = h("p", { class: "hint" });
  const dataFields = fieldGrid();
  const networkFields = fieldGrid();
  const trainingFields = fieldGrid();
  const clusterFields = fieldGrid();
  const advancedFields = fieldGrid();
  const nameFields = fieldGrid();
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
  const groups = table.groups.map((group) => groupPart(group));
  const ofGroups = (/** @type {boolean} */ folded) =>
    groups.filter((_, i) => table.groups[i].advanced === folded).map((part) => part.element);
  const advanced = h(
    "details",
    { class: "card section fold" },
    foldHead("Advanced"),
    h("div", { class: "card-body" }, advancedFields.element, ...ofGroups(true)),
  );

  const cluster = section("Cluster", clusterFields.element);

  const element = h(
    "div",
    { class: "sections" },
    h("div", { class: "card section" }, nameFields.element),
    section("Data", setCards.element, dataFields.element, licence),
    section("Network", kindCards.element, h("p", { class: "hint" }, networkText), networkFields.element),
    section("Training", trainingFields.element, ...ofGroups(false)),
    cluster,
    advanced,
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

  /** @param {Group} group */
  function groupPart(group) {
    const fields = fieldGrid();
    const options = group.variants.map(({ value, label }) => ({ value: value ?? "", label }));
    const isSwitch = group.nullable && group.variants.length === 1;
    const choices = isSwitch
      ? [
          { value: "off", label: "Off" },
          { value: "", label: "On" },
        ]
      : group.nullable
        ? [{ value: "off", label: "None" }, ...options]
        : options;
    const id = `g-${group.path.replaceAll(".", "-")}`;
    const input = segments(choices, id, (value) => {
      const chosen = value === "off" ? null : String(value);
      if (chosen === defaultVariant(table, draft, group)) delete draft.variants[group.path];
      else draft.variants[group.path] = chosen;
      changed();
    });
    const element = h(
      "div",
      { class: "group", data: { path: group.path } },
      h(
        "div",
        { class: "group-head", role: "radiogroup", "aria-labelledby": id },
        h("span", { id, class: "group-title" }, group.label),
        input.element,
      ),
      group.help && h("p", { class: "hint" }, group.help),
      fields.element,
      group.path === "training.schedule" && schedule.element,
      group.path === "training.optimizer" && finder.element,
      group.path === TRANSFER && transfer.element,
    );
    return {
      element,
      show() {
        element.hidden = !groupsFor(table, draft).includes(group);
        input.show(chosenVariant(table, draft, group) ?? "off");
        fields.show((variantOf(table, draft, group)?.fields ?? []).filter((field) => !field.advanced).map(controlOf));
      },
    };
  }

  function show() {
    const set = dataSet(table, draft.set);
    setCards.show(
      table.data_sets.map(({ set: value, title, summary, dimensions, classes, state }) => ({
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
    const plain = table.common.filter((field) => !field.advanced);
    dataFields.show(
      [
        ...(set?.fields ?? []).filter((field) => !field.advanced),
        ...plain.filter((field) => field.path.startsWith("data.")),
      ].map(controlOf),
    );
    // A network's fields can depend on the training settings.
    const own = (network(table, draft.kind)?.fields ?? []).filter((field) => !field.advanced);
    const isTraining = (/** @type {Field} */ field) => field.path.startsWith("training.");
    const isResource = (/** @type {Field} */ field) => field.path.startsWith("resources.");
    networkFields.show(own.filter((field) => !isTraining(field)).map(controlOf));
    trainingFields.show(
      [
        ...plain.filter((field) => field.path !== "name" && !field.path.startsWith("data.") && !isResource(field)),
        ...own.filter(isTraining),
      ].map(controlOf),
    );
    const resources = plain.filter(isResource);
    clusterFields.show(resources.map(controlOf));
    cluster.hidden = resources.length === 0;
    nameFields.show(plain.filter((field) => field.path === "name").map(controlOf));
    for (const group of groups) group.show();
    const folded = fieldsOf(table, draft).filter((field) => field.advanced);
    advancedFields.show(folded.map(controlOf));
    const foldedGroups = groupsFor(table, draft).filter((group) => group.advanced);
    advanced.hidden = folded.length + foldedGroups.length === 0;
    const isSwitched = (/** @type {Group} */ group) =>
      chosenVariant(table, draft, group) !== defaultVariant(table, draft, group);
    const count =
      folded.filter((field) => isChanged(table, draft, field)).length + foldedGroups.filter(isSwitched).length;
    setText(
      /** @type {Node} */ (advanced.querySelector(".fold-note")),
      count > 0 ? `${count} changed` : [...folded, ...foldedGroups].map(({ label }) => label).join(", "),
    );
    finder.settingsChanged();
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
    /** The visible controls, in page order. @returns {Control[]} */
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
      if (advanced.contains(made.element)) advanced.open = true;
      made.focus();
    },
  };
}

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

/** @param {string} title */
function foldHead(title) {
  const mark = icon("chevron", 14);
  mark.classList.add("chevron");
  return h("summary", { class: "card-head" }, h("h2", {}, mark, title), h("span", { class: "muted small fold-note" }));
}

/** A grid of controls. Controls that stay are not touched, so that none loses focus. */
function fieldGrid() {
  const element = h("div", { class: "fields" });
  return {
    element,
    /** @param {Control[]} controls */
    show(controls) {
      element.hidden = controls.length === 0;
      const wanted = controls.map((made) => made.element);
      for (const child of [...element.children])
        if (!wanted.includes(/** @type {HTMLElement} */ (child))) child.remove();
      wanted.forEach((child, i) => {
        if (element.children[i] !== child) element.insertBefore(child, element.children[i] ?? null);
      });
    },
  };
}
