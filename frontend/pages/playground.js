// The playground: a small network learns points in the plane, in the browser alone, step by step.

import { siteUrl } from "../lib/base-path.js";
import { byId, h, setText } from "../lib/dom.js";
import { percent } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { announce, startShell } from "../lib/shell.js";
import { onTheme } from "../lib/theme.js";
import { networkControls, settingsCards } from "../playground/controls.js";
import { curves } from "../playground/curves.js";
import { figure } from "../playground/figure.js";
import { findings } from "../playground/findings.js";
import { inspector } from "../playground/inspector.js";
import { LESSONS } from "../playground/lessons.js";
import { createLoop } from "../playground/loop.js";
import { createMaps } from "../playground/maps.js";
import { output } from "../playground/output.js";
import { createPlayground } from "../playground/playground.js";
import { formQuery, runSpec } from "../playground/run-spec.js";
import { parameterCount } from "../playground/settings.js";
import { transport } from "../playground/transport.js";

/** @import { Neuron } from "../playground/maps.js" */

startShell();

/** While training runs, sentences change at most this often, in ms. */
const READABLE = 400;

const playground = createPlayground(settingsChanged);
let { trainer } = playground;
let maps = createMaps(trainer.network, playground.data);
/** The neuron that is pointed at. @type {Neuron | null} */
let looked = null;
let wanted = 0;
let told = 0;

const buttons = transport({
  toggle,
  step: () => single(() => playground.trainer.step(playground.settings)),
  epoch: () => single(() => playground.trainer.epoch(playground.settings)),
  reset: () => playground.reset(),
  speed: (speed) => loop.setSpeed(speed),
});
const loop = createLoop({
  step() {
    playground.trainer.step(playground.settings);
    return playground.trainer.isFinite();
  },
  stepsPerEpoch: () => Math.ceil(playground.data.train.count / playground.settings.batch),
  draw: () => draw(performance.now()),
  stopped: () => {
    buttons.setRunning(false);
    tell();
    announceNow();
  },
});
const settings = settingsCards(playground);
const network = networkControls(playground);
const weights = inspector(playground, () => net.setChosen(null));
const net = figure(playground, {
  look(neuron) {
    looked = neuron;
    later();
  },
  choose(neuron, from) {
    net.setChosen(neuron.column > 0 ? neuron : null);
    weights.show(neuron, from);
  },
});
const plane = output(playground, later);
const lines = curves(later);
const size = h("span", { class: "muted small" });
const notice = h("div", { class: "notice warn", role: "status", hidden: true });
const lesson = h("p", { class: "notice lesson", role: "status", hidden: true });
const train = h("a", { class: "button tonal train-run" }, icon("transfer", 14), "Train this as a run");
const lessons = LESSONS.map((one) =>
  h(
    "a",
    {
      class: "button small",
      href: `?lesson=${one.id}`,
      on: {
        click: (/** @type {MouseEvent} */ event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          playground.open(one);
        },
      },
    },
    one.title,
  ),
);

byId("page").classList.add("playground");
byId("page").append(
  h(
    "header",
    { class: "page-head" },
    h(
      "div",
      {},
      h("h1", {}, "Playground"),
      h(
        "p",
        { class: "muted" },
        "A small network learns points in the plane, here in the browser. Change anything and watch.",
      ),
    ),
    train,
  ),
  h("nav", { class: "lessons", "aria-label": "Lessons" }, h("span", { class: "muted" }, "Lessons"), ...lessons),
  notice,
  lesson,
  buttons.element,
  h(
    "div",
    { class: "playground-columns" },
    settings.element,
    h(
      "div",
      { class: "playground-middle" },
      h(
        "section",
        { class: "card net-card", "aria-label": "Network" },
        h("header", { class: "card-head" }, h("h2", {}, "Network"), network.element),
        h(
          "div",
          { class: "card-body" },
          net.element,
          h("div", { class: "net-legend" }, size, legend()),
          weights.element,
        ),
      ),
      lines.element,
    ),
    plane.element,
  ),
);
new ResizeObserver(() => {
  net.build();
  later();
}).observe(net.element);
onTheme(later);
document.addEventListener("keydown", (event) => {
  const inControl =
    event.target instanceof HTMLElement &&
    event.target.closest("button, a, input:not([type=range]), select, summary, dialog");
  if (event.key !== " " || inControl || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  toggle();
});
settingsChanged();

function toggle() {
  if (loop.running) {
    loop.pause();
  } else if (playground.trainer.isFinite()) {
    loop.start();
    buttons.setRunning(true);
  }
}

/** Pauses, and trains a little. @param {() => void} act */
function single(act) {
  loop.pause();
  act();
  draw(performance.now(), true);
  announceNow();
}

/** Shows what settings and weights say. */
function settingsChanged() {
  // The first call comes while the page is built.
  if (trainer !== playground.trainer) {
    trainer = playground.trainer;
    maps = createMaps(trainer.network, playground.data);
    looked = null;
    weights.hide();
  }
  settings.show();
  network.show();
  net.build();
  buttons.setPossible(trainer.isFinite());
  setText(size, `${parameterCount(playground.settings)} parameters`);
  setText(notice, `Not understood in the address: ${playground.faults.join("; ")}.`);
  notice.hidden = playground.faults.length === 0;
  setText(lesson, playground.lesson?.look ?? "");
  lesson.hidden = playground.lesson === null;
  for (const [i, link] of lessons.entries()) {
    if (LESSONS[i] === playground.lesson) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  later();
}

/** Draws at the next frame, unless training runs and draws anyway. */
function later() {
  if (wanted !== 0 || loop.running) return;
  wanted = requestAnimationFrame((now) => {
    wanted = 0;
    if (!loop.running) draw(now, true);
  });
}

/** @param {number} now @param {boolean} [all] with what changes less often while training runs */
function draw(now, all = false) {
  const evaluation = trainer.evaluate();
  maps.compute();
  net.paint(maps);
  plane.draw(maps, looked);
  lines.draw(trainer.history, evaluation);
  buttons.show(evaluation, trainer.epochs, trainer.steps);
  weights.refresh();
  if (all || now - told >= READABLE) tell();
}

/** What is read rather than watched: sentences, gradients, descriptions. */
function tell() {
  told = performance.now();
  const now = trainer.evaluate();
  const finite = trainer.isFinite();
  const gradients = trainer.gradients();
  net.showGradients(gradients);
  plane.describe({ train: now.train.accuracy, test: now.test.accuracy });
  buttons.setPossible(finite);
  const found = findings({
    settings: playground.settings,
    classes: playground.data.classes,
    steps: trainer.steps,
    now,
    history: trainer.history,
    gradients,
    silent: maps.silent(),
    finite,
  });
  buttons.say(found);
  train.href = siteUrl(`/new${formQuery(runSpec(playground.settings, trainer.epochs))}`);
}

function announceNow() {
  const { train: training, test } = trainer.evaluate();
  announce(
    `Epoch ${trainer.epochs}, step ${trainer.steps}: ${percent(training.accuracy)} of the training points and ${percent(test.accuracy)} of the test points are right.`,
  );
}

/** What the colours of links, neurons and biases say. */
function legend() {
  return h(
    "span",
    { class: "net-signs small" },
    h("b", {}),
    h("span", {}, "bias"),
    h("span", {}, "below 0"),
    h("i", {}),
    h("span", {}, "above 0"),
  );
}
