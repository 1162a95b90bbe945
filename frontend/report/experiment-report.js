// The text of a report about experiments, or about any runs: what is known stands there, and the author's part is asked for.

import { plural } from "../lib/format.js";
import { describeRun, settingLabel, settingValue } from "../lib/setting-labels.js";
import { groupBySeed, settingsOf } from "../lib/settings-diff.js";
import { memberLabels, range, variedPaths } from "../runs/sweeps.js";
import { curves, figure, results, setUp, wordsOf } from "./experiments.js";

/** @import { Preset, Run } from "../lib/types" */
/** @import { Experiment, Subject } from "./experiments.js" */

/** Settings that a question names at most. */
const MOST_NAMED = 2;

/** The section for observations: questions, and what others saw. @param {string[]} look @param {Preset} [preset] */
function observations(look, preset) {
  const seen = preset?.findings ?? [];
  const [path = ""] = Object.keys(preset?.grid ?? {});
  const of = (/** @type {string} */ value) =>
    value === "" ? "" : `**${settingValue(path, value, preset?.base.network.kind)}**: `;
  return [
    "### Observations",
    look.map((question) => `- *${question}*`).join("\n"),
    ...(seen.length > 0
      ? [
          "For comparison, what five runs of this experiment with other seeds showed:",
          seen.map(({ value, seen: words }) => `- ${of(value)}${words}`).join("\n"),
        ]
      : []),
  ];
}

/** @param {string[]} parts */
const joined = (parts) => `${parts.join("\n\n")}\n`;

/** Headings of a report about one experiment are those of the report. @param {string} part */
const raised = (part) => part.replace(/^###/, "##");

/**
 * A report about experiments.
 * @param {{ experiment: Experiment, subject: Subject }[]} chosen
 * @param {{ presets?: Preset[], title?: string }} [known] `title`: by default that of the experiment
 * @returns {string}
 */
export function experimentReport(chosen, { presets = [], title } = {}) {
  const [first] = chosen;
  const several = chosen.length > 1;
  const sections = chosen.flatMap(({ experiment, subject }) => {
    const { ask, body, look } = experiment;
    const { title: name, question } = wordsOf(experiment, presets);
    const preset = subject.exactly ? presets.find(({ id }) => id === experiment.preset) : undefined;
    const asked = !subject.exactly && ask && subject.values ? ask(subject.values) : question;
    const parts = [asked, ...body(subject), ...observations(look, preset)];
    return several ? [`## ${experiment.number}. ${name}`, ...parts] : parts.map(raised);
  });
  const told = chosen.flatMap(({ experiment, subject }) => {
    const words = experiment.looksInside ? "" : outcomeOf(subject.of ?? []);
    return words === "" ? [] : [several ? `- **${wordsOf(experiment, presets).title}**: ${words}` : words];
  });
  return joined([
    `# ${title ?? (several ? "Experiments" : wordsOf(first.experiment, presets).title)}`,
    ...sections,
    "## Conclusion",
    ...(told.length > 0 ? [told.join("\n")] : []),
    several ? "*What holds over all of the experiments?*" : "*What is the answer to the question, and why?*",
  ]);
}

/**
 * A report about any runs.
 * @param {string} title
 * @param {string} runs as a report names them
 * @param {Run[]} of
 * @param {Preset} [preset] the one that a run was started from
 * @returns {string}
 */
export function reportAbout(title, runs, of, preset) {
  const subject = { runs, run: of[0], seeds: groupBySeed(of).length < of.length };
  const several = of.length > 1;
  const body = several
    ? [...setUp(subject), ...curves(subject), ...results(subject), figure("scatter", { runs, cost: "seconds" })]
    : [
        ...setUp(subject),
        ...curves(subject),
        "### Results",
        figure("results", { runs, columns: "outcome" }),
        ...(of[0].source ? [] : [figure("confusion", { run: of[0].id })]),
      ];
  const told = outcomeOf(of);
  return joined([
    `# ${title}`,
    preset?.question ?? questionAbout(of),
    ...[...body, ...observations(lookAt(of, preset), preset)].map(raised),
    "## Conclusion",
    ...(told === "" ? [] : [told]),
    "*What is the answer to the question, and why?*",
  ]);
}

/** @param {Run[]} of @param {Preset} [preset] */
function lookAt(of, preset) {
  const part = "Do training and validation part, and after which epoch?";
  if (preset) return [`Look for ${preset.look_for}`, part];
  if (of.some(({ source }) => source)) return ["Which curve falls or rises first, and where does it level off?"];
  return of.length > 1
    ? ["Which one learns fastest, and which one ends best?", part, "What does the best one cost in time and memory?"]
    : [
        "How fast does the loss fall, and does it still fall at the end?",
        part,
        "Which classes are taken for each other?",
      ];
}

/** The question that the settings of runs ask. @param {Run[]} of */
export function questionAbout(of) {
  const [first] = of;
  if (of.some(({ source }) => source)) return "What do these curves show?";
  const settings = settingsOf(first);
  if (of.length === 1) {
    const epochs = Number(settings.get("training.epochs"));
    const time = Number.isFinite(epochs) ? ` in ${plural(epochs, "epoch")}` : "";
    return `How much does ${describeRun(first)} learn${time}, and what does it confuse?`;
  }
  const differ = (/** @type {string} */ path) => new Set(of.map((run) => settingsOf(run).get(path))).size > 1;
  const [network, set] = describeRun(first).split(" on ");
  if (differ("network.kind"))
    return `Which network learns most${differ("data.set") ? "" : ` on ${set}`}, in what time and memory?`;
  const named = variedPaths(of)
    .filter((path) => path !== "training.seed")
    .slice(0, MOST_NAMED)
    .map((path) => `the ${lower(settingLabel(path, String(settings.get("network.kind"))))} (${values(of, path)})`);
  if (differ("data.set")) return `On which data does the ${network} learn most?`;
  if (named.length === 0) return `How far do results of ${describeRun(first)} differ by chance alone?`;
  return `What difference ${named.length > 1 ? "do" : "does"} ${named.join(" and ")} make to ${describeRun(first)}?`;
}

/** @param {Run[]} of @param {string} path */
const values = (of, path) =>
  range(
    path,
    of.map((run) => settingsOf(run).get(path) ?? null),
  );

/** @param {string} label */
const lower = (label) => (/^[A-Z]{2}/.test(label) ? label : label.charAt(0).toLowerCase() + label.slice(1));

/**
 * Which run is best, with its number, once all are finished; empty where that is not known, or seeds decide it.
 * @param {Run[]} of
 */
function outcomeOf(of) {
  const scored = of.flatMap((run) =>
    run.summary?.test_accuracy == null ? [] : [{ run, score: run.summary.test_accuracy }],
  );
  if (of.length === 0 || scored.length < of.length || of.some(({ status }) => status !== "finished")) return "";
  if (new Set(of.map(({ spec }) => spec.data?.set)).size > 1) return "";
  const number = (/** @type {Run} */ run) => `{{${run.id} test_accuracy}}`;
  if (of.length === 1) return `It is right on ${number(of[0])} of the test split.`;
  if (groupBySeed(of).length < of.length) return "";
  const scores = scored.map(({ score }) => score);
  const [most, least] = [Math.max(...scores), Math.min(...scores)];
  if (most === least) return "";
  const labels = memberLabels(of);
  const [best, ...others] = scored.filter(({ score }) => score === most);
  const [last] = scored.filter(({ score }) => score === least);
  const names = [best, ...others].map(({ run }, i) => (i === 0 ? labels.get(run.id) : lower(labels.get(run.id) ?? "")));
  return `${names.join(" and ")} ${others.length > 0 ? "are" : "is"} best on the test split, with ${number(best.run)}; ${lower(labels.get(last.run.id) ?? "")} is last, with ${number(last.run)}.`;
}
