// The film bar: a slider over epochs that drives the whole page, a play button, and curves with a cursor.

import { h, s, setAttribute, setText } from "../lib/dom.js";
import { segments } from "../chart/plot-data.js";
import { bytes, formatNumber, percent } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { numbers, sheetPage } from "./cache.js";
import { isEpoch } from "./view.js";

/** @import { Metrics } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */

/** The length of a film, and the minimum time per frame. */
const FILM_MS = 8000;
const FRAME_MS = 90;

/** @type {{ title: string, train: string, validation: string, value: (value: number) => string }[]} */
const CURVES = [
  { title: "Loss", train: "epoch_train_loss", validation: "validation_loss", value: formatNumber },
  { title: "Accuracy", train: "epoch_train_accuracy", validation: "validation_accuracy", value: percent },
];

/** The series of the curves. */
export const FILM_SERIES = CURVES.flatMap(({ train, validation }) => [train, validation]);

/** @param {InsideContext} context */
export function filmBar(context) {
  const { state } = context;
  const checkpoints = h("div", { class: "segments", role: "radiogroup", "aria-label": "Checkpoint" });
  const play = h(
    "button",
    { class: "button icon small", type: "button", "aria-label": "Play the film", title: "Play", on: { click: toggle } },
    icon("play", 14),
  );
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 0,
    step: 1,
    "aria-label": "Epoch of the film",
    on: {
      input: () => {
        pause();
        seek(Number(slider.value));
      },
    },
  });
  const where = h("output", {});
  const curves = CURVES.map(curve);
  const element = h(
    "section",
    { class: "card film-bar", "aria-label": "Checkpoint and film" },
    h("div", { class: "film-line" }, checkpoints, play, slider, where),
    h("div", { class: "film-curves" }, ...curves.map(({ element }) => element)),
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let film;
  /** Whether the slider follows the newest frame. */
  let follow = false;
  let warming = 0;

  const epochs = () => context.film?.epochs ?? [];
  const at = () => (context.filming ? epochs().indexOf(Number(context.checkpoint)) : -1);

  /** @param {number} index */
  function seek(index) {
    const all = epochs();
    const to = Math.min(all.length - 1, Math.max(0, index));
    follow = to === all.length - 1;
    if (all[to] !== undefined) state.set({ checkpoint: String(all[to]) });
  }

  function toggle() {
    if (film === undefined) start();
    else pause();
  }

  function start() {
    const all = epochs();
    if (all.length < 2) return;
    setPlaying(true);
    if (at() < 0 || at() >= all.length - 1) seek(0);
    const pace = Math.max(FRAME_MS, FILM_MS / all.length);
    const next = async () => {
      const to = at() + 1;
      if (to >= epochs().length) {
        pause();
        return;
      }
      await warm(to);
      if (film === undefined) return;
      seek(to);
      film = setTimeout(next, pace);
    };
    film = setTimeout(next, pace);
  }

  function pause() {
    clearTimeout(film);
    film = undefined;
    setPlaying(false);
  }

  /** @param {boolean} is */
  function setPlaying(is) {
    play.replaceChildren(icon(is ? "pause" : "play", 14));
    play.setAttribute("aria-label", is ? "Pause" : "Play the film");
    play.title = is ? "Pause" : "Play";
  }

  /** Prefetches a frame's pictures of the chosen layer. @param {number} index */
  function warm(index) {
    const epoch = epochs()[index];
    const layer = context.layer;
    if (epoch === undefined || !layer) return Promise.resolve([]);
    const one = context.of(String(epoch));
    const { scale, sort, order, page, mapPage } = state.now;
    const common = { scale: scale === "tile" ? null : scale };
    const of = (/** @type {string} */ what, /** @type {string | null} */ by, /** @type {number} */ on) =>
      sheetPage(
        one.run,
        `layers/${encodeURIComponent(layer.name)}/${what}`,
        { ...common, page: on || null, sort: by === "activation" ? null : by, ...one.query },
        one.stamp,
      ).catch(() => null);
    return Promise.all([
      layer.has_filters ? of("filters", sort, page) : null,
      layer.has_features ? of("features", order, mapPage) : null,
      numbers(one.run, `film/${epoch}`, { v: one.query.v }, one.stamp).catch(() => null),
    ]);
  }

  /** Prefetches the frames around the current one, nearest first, so that the slider moves smoothly. */
  async function warmAll() {
    const turn = ++warming;
    const from = Math.max(0, at());
    const order = epochs()
      .map((_, i) => i)
      .sort((a, b) => Math.abs(a - from) - Math.abs(b - from));
    for (const index of order) {
      await warm(index);
      if (turn !== warming) return;
    }
    element.dataset.warm = String(turn);
  }

  function update() {
    const all = epochs();
    const index = at();
    checkpoints.replaceChildren(
      ...(context.inside?.checkpoints ?? []).map(({ name, epoch }) => {
        const input = h("input", {
          type: "radio",
          name: "checkpoint",
          value: name,
          on: {
            change: () => {
              pause();
              follow = false;
              state.set({ checkpoint: name });
            },
          },
        });
        input.checked = context.checkpoint === name;
        return h(
          "label",
          {},
          input,
          h("span", {}, `${name === "best" ? "Best" : "Last"}${epoch === null ? "" : ` · epoch ${epoch}`}`),
        );
      }),
    );
    slider.max = String(Math.max(0, all.length - 1));
    slider.value = String(index >= 0 ? index : all.length - 1);
    slider.disabled = all.length === 0;
    play.disabled = all.length < 2;
    const frame = context.film?.frames[index];
    const apart = index < 0 ? null : context.otherImage();
    const text =
      all.length === 0
        ? "no film yet"
        : index < 0
          ? `film of ${all.length} ${all.length === 1 ? "epoch" : "epochs"}`
          : `epoch ${all[index]}${frame?.validation_accuracy == null ? "" : `, validation accuracy ${percent(frame.validation_accuracy)}`}${apart ? `, of ${apart.words}` : ""}`;
    setText(where, text);
    where.title = context.film ? `${all.length} frames, ${bytes(context.film.bytes)}` : "";
    slider.setAttribute("aria-valuetext", text);
    const epoch = context.filming
      ? Number(context.checkpoint)
      : (context.inside?.checkpoints.find(({ name }) => name === context.checkpoint)?.epoch ?? null);
    for (const one of curves) one.point(epoch);
  }

  state.on((_, changed) => {
    if (["layer", "scale", "sort", "order", "page", "mapPage"].some((name) => changed.has(name))) warmSoon();
  });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let soon;
  function warmSoon() {
    clearTimeout(soon);
    soon = setTimeout(warmAll, 400);
  }

  return {
    element,
    update,
    /** Updates the bar after a new frame. */
    renew() {
      if (follow && film === undefined && isEpoch(state.now.checkpoint)) {
        const last = epochs().at(-1);
        if (last !== undefined) state.set({ checkpoint: String(last) });
      }
      update();
      warmSoon();
    },
    /** @param {Metrics} metrics over epochs */
    draw(metrics) {
      curves.forEach((one, i) => one.draw(metrics, CURVES[i]));
      update();
    },
  };
}

/** A small curve over epochs with a cursor. @param {typeof CURVES[number]} of */
function curve({ title }) {
  const train = s("path", { class: "of-train" });
  const validation = s("path", { class: "of-validation" });
  const [trainDots, validationDots] = ["of-train dots", "of-validation dots"].map((name) => s("path", { class: name }));
  const cursor = s("line", { y1: 0, y2: 30, visibility: "hidden" });
  const picture = s(
    "svg",
    {
      viewBox: "0 0 100 30",
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": `${title} over epochs: means of the training steps of each, and validation after it`,
    },
    train,
    validation,
    trainDots,
    validationDots,
    cursor,
  );
  const words = h("span", {});
  const element = h(
    "div",
    { class: "film-curve", hidden: true },
    h("span", {}, h("b", {}, title), " ", words),
    picture,
  );
  let last = 1;
  /** @type {(value: number) => string} */
  let format = formatNumber;
  /** @type {{ train: Map<number, number>, validation: Map<number, number> }} */
  let known = { train: new Map(), validation: new Map() };

  return {
    element,
    /** @param {Metrics} metrics @param {typeof CURVES[number]} which */
    draw({ series }, which) {
      format = which.value;
      const points = (/** @type {string} */ name) => {
        const found = series[name];
        return (found?.x ?? []).map((x, i) => /** @type {[number, number | null]} */ ([x, found.y[i]]));
      };
      const [a, b] = [points(which.train), points(which.validation)];
      const all = [...a, ...b].flatMap(([, y]) => y ?? []);
      element.hidden = all.length === 0;
      if (all.length === 0) return;
      last = Math.max(...[...a, ...b].map(([x]) => x), 1);
      const [low, high] = [Math.min(...all), Math.max(...all)];
      const place = (/** @type {[number, number | null]} */ [x, y]) =>
        `${((x / last) * 100).toFixed(2)} ${(29 - (28 * (Number(y) - low)) / (high - low || 1)).toFixed(2)}`;
      for (const [line, stroke, dots] of /** @type {const} */ ([
        [a, train, trainDots],
        [b, validation, validationDots],
      ])) {
        const parts = segments(line.map(([, y]) => y)).map(([from, to]) => line.slice(from, to + 1).map(place));
        setAttribute(
          stroke,
          "d",
          parts
            .filter(({ length }) => length > 1)
            .map((part) => `M${part.join("L")}`)
            .join(""),
        );
        // An isolated point is drawn as a stroke of length 0 with round ends.
        setAttribute(
          dots,
          "d",
          parts
            .filter(({ length }) => length === 1)
            .map(([at]) => `M${at}L${at}`)
            .join(""),
        );
      }
      const values = (/** @type {[number, number | null][]} */ line) =>
        new Map(line.flatMap(([x, y]) => (y === null ? [] : [/** @type {[number, number]} */ ([Math.round(x), y])])));
      known = { train: values(a), validation: values(b) };
    },
    /** @param {number | null} epoch */
    point(epoch) {
      cursor.setAttribute("visibility", epoch === null ? "hidden" : "visible");
      if (epoch === null) {
        setText(words, "");
        return;
      }
      const x = String((epoch / last) * 100);
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      const told = /** @type {const} */ ([
        ["training", known.train.get(epoch)],
        ["validation", known.validation.get(epoch)],
      ]);
      setText(
        words,
        told.flatMap(([name, value]) => (value === undefined ? [] : `${name} ${format(value)}`)).join(" · "),
      );
    },
  };
}
