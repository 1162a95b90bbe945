// The experiments of a course on the page of reports: those that were run are ticked and written up, the others started.

import { siteUrl } from "../lib/base-path.js";
import { createRun, createSweep, listImages, listRuns } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { ago, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { lastImage } from "../lib/last-image.js";
import { attempt, toast } from "../lib/shell.js";
import { isActive } from "../lib/status.js";
import { presetRunCount } from "../runs/presets.js";
import { experimentReport } from "./experiment-report.js";
import { subjectsOf } from "./experiment-runs.js";
import { EXPERIMENTS, wordsOf } from "./experiments.js";

/** @import { Preset, Run, SweepSpec } from "../lib/types" */
/** @import { Experiment, Subject } from "./experiments.js" */

/** Runs that an experiment offers at most. */
const OFFERED = 20;

/**
 * @param {{ runs: Run[], sweeps: { id: string, spec: SweepSpec }[], presets: Preset[] }} data
 * @param {(text: string) => Promise<void>} onWritten
 */
export function experimentCard(data, onWritten) {
  /** The chosen experiments. @type {Set<string>} */
  const chosen = new Set();
  /** The runs that the user has chosen for an experiment, as a report names them. @type {Map<string, string>} */
  const picked = new Map();
  const write = h("button", { class: "button primary", type: "button", on: { click: () => attempt(writeChosen) } });
  const all = h("button", { class: "button", type: "button", on: { click: chooseAll } }, "All that were run");
  const experiments = h("ol", { class: "experiments" });
  const help = h("p", { class: "muted small" });
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "start-from" },
    h(
      "header",
      { class: "card-head" },
      h("div", {}, h("h2", { id: "start-from" }, "Start from an experiment"), help),
      h("div", { class: "report-tools" }, all, write),
    ),
    experiments,
  );
  showExperiments();
  offerRuns();

  function showExperiments() {
    experiments.replaceChildren(...EXPERIMENTS.map(experimentRow));
    showChosen();
  }

  /** Offers earlier runs of the networks that are looked into, too. */
  async function offerRuns() {
    const kinds = new Set(
      data.presets
        .filter(({ id, grid }) => Object.keys(grid).length === 0 && EXPERIMENTS.some(({ preset }) => preset === id))
        .map(({ base }) => base.network.kind),
    );
    const found = await Promise.all(
      [...kinds].map((kind) => listRuns({ search: `network:${kind}`, limit: OFFERED }).catch(() => ({ runs: [] }))),
    );
    const known = new Set(data.runs.map(({ id }) => id));
    const more = found.flatMap(({ runs }) => runs).filter(({ id }) => !known.has(id));
    if (more.length === 0) return;
    data.runs.push(...more);
    showExperiments();
  }

  /** @param {Experiment} experiment */
  function subjectsFor(experiment) {
    return subjectsOf(experiment, data.presets, data.runs, data.sweeps).slice(0, OFFERED);
  }

  /** What an experiment is written up from. @param {Experiment} experiment @param {Subject[]} [subjects] */
  function subjectFor(experiment, subjects = subjectsFor(experiment)) {
    return subjects.find(({ runs }) => runs === picked.get(experiment.id)) ?? subjects[0];
  }

  /** @param {Experiment} experiment */
  function experimentRow(experiment) {
    const subjects = subjectsFor(experiment);
    const subject = subjectFor(experiment, subjects);
    const { title, question } = wordsOf(experiment, data.presets);
    const box = h("input", {
      type: "checkbox",
      data: { experiment: experiment.id },
      on: {
        change: () => {
          if (box.checked) chosen.add(experiment.id);
          else chosen.delete(experiment.id);
          showChosen();
        },
      },
    });
    box.checked = chosen.has(experiment.id);
    const words = h("span", {}, h("b", {}, title), h("small", {}, question));
    return h(
      "li",
      { class: "experiment" },
      // What was not run cannot be chosen yet.
      subject ? h("label", { class: "experiment-about" }, box, words) : h("div", { class: "experiment-about" }, words),
      h(
        "div",
        { class: "experiment-state" },
        ...(subjects.length > 1
          ? [subjectChoice(experiment, subjects)]
          : [subject ? subjectWords(subject, title) : startButton(experiment)]),
      ),
    );
  }

  /** Starts what is missing. @param {Experiment} experiment */
  function startButton(experiment) {
    const preset = data.presets.find(({ id }) => id === experiment.preset);
    if (preset?.missing) return h("a", { class: "small", href: siteUrl("/data") }, `Needs ${preset.missing}`);
    const launch = () =>
      attempt(async () => {
        if (!preset) return;
        const made =
          Object.keys(preset.grid).length > 0
            ? await createSweep({ base: preset.base, grid: preset.grid, repeats: preset.repeats })
            : await createRun(preset.base);
        toast(`“${preset.title}” is started. Its figures fill while it trains.`, "", {
          label: "Look",
          act: () => location.assign(made.url),
        });
        location.reload();
      });
    return h(
      "span",
      { class: "experiment-start" },
      h("button", { class: "button small", type: "button", on: { click: launch } }, icon("play", 12), "Run it"),
      h("span", { class: "small" }, preset ? plural(presetRunCount(preset), "run") : ""),
    );
  }

  /** Which of several sweeps or runs is written up. @param {Experiment} experiment @param {Subject[]} subjects */
  function subjectChoice(experiment, subjects) {
    const select = h(
      "select",
      {
        "aria-label": `Runs of “${wordsOf(experiment, data.presets).title}”`,
        on: {
          change: () => {
            picked.set(experiment.id, select.value);
            if (!chosen.has(experiment.id)) {
              chosen.add(experiment.id);
              showExperiments();
            }
          },
        },
      },
      ...subjects.map((subject) => h("option", { value: subject.runs }, `${subject.title}, ${stateWords(subject)}`)),
    );
    select.value = subjectFor(experiment, subjects).runs;
    return select;
  }

  function chooseAll() {
    const boxes = /** @type {HTMLInputElement[]} */ ([...experiments.querySelectorAll("input")]);
    const every = boxes.every(({ checked }) => checked);
    for (const box of boxes) {
      box.checked = !every;
      if (box.checked) chosen.add(String(box.dataset.experiment));
      else chosen.delete(String(box.dataset.experiment));
    }
    showChosen();
  }

  function showChosen() {
    write.disabled = chosen.size === 0;
    write.textContent = chosen.size > 1 ? `Write up these ${chosen.size}` : "Write it up";
    const isThere = experiments.querySelector("input") !== null;
    setText(
      help,
      `${isThere ? "Tick what is to be written up; several make one report" : "Run one first"}. The report comes with the question, figures, tables, and headings for your observations.`,
    );
    all.hidden = !isThere;
    write.hidden = !isThere;
    write.title = chosen.size === 0 ? "Choose an experiment first" : "";
  }

  async function writeChosen() {
    const images = await listImages().catch(() => []);
    const uploads = images.map(({ id }) => id);
    const subjects = EXPERIMENTS.filter(({ id }) => chosen.has(id)).flatMap((experiment) => {
      const subject = subjectFor(experiment);
      return subject ? [{ experiment, subject: { ...subject, image: lastImage(subject.run, uploads) } }] : [];
    });
    if (subjects.length > 0) await onWritten(experimentReport(subjects, { presets: data.presets }));
  }

  return element;
}

/** Which runs an experiment is told of; their name alone where it is not that of the experiment. @param {Subject} subject @param {string} title */
function subjectWords(subject, title) {
  return h(
    "span",
    { class: "small" },
    subject.title === title ? null : h("span", { class: "experiment-runs" }, subject.title),
    ` ${stateWords(subject)}`,
  );
}

/** @param {Subject} subject */
function stateWords({ of = [] }) {
  const active = of.filter(isActive).length;
  if (active > 0) return `${plural(active, "run")} active`;
  const when = ago(of[0].created, Date.now());
  return of.length > 1 ? `${plural(of.length, "run")}, ${when}` : when;
}
