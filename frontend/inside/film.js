// The film bar: a slider over the frames that drives the whole page, a play button with speeds, and curves with a cursor.

import { h, setText } from "../lib/dom.js";
import { bytes, percent } from "../lib/format.js";
import { playButton } from "../lib/play-button.js";
import { quietly, sheetPage } from "./cache.js";
import { isIn } from "./film-keeps.js";
import { CURVES, filmCurve } from "./film-curve.js";
import { checkpointOf, distinctCheckpoints, frameWords, isFrame } from "./view.js";

/** @import { FilmFrame, Metrics } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */

/** The length of a film, and the minimum time per frame. */
const FILM_MS = 8000;
const FRAME_MS = 90;

/** How many times as fast the film plays. @type {[string, number, string][]} */
const SPEEDS = [
  ["0.1", 0.1, "slow motion"],
  ["0.5", 0.5, "half speed"],
  ["1", 1, "normal speed"],
  ["2", 2, "double speed"],
];

/** The series of the curves. */
export const FILM_SERIES = CURVES.flatMap(({ train, validation }) => [train, validation]);

/** @param {InsideContext} context */
export function filmBar(context) {
  const { state } = context;
  const checkpoints = h("div", { class: "segments", role: "radiogroup", "aria-label": "Checkpoint" });
  const play = playButton(toggle, { label: "Play the film" });
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 0,
    step: 1,
    "aria-label": "Frame of the film",
    on: {
      input: () => {
        pause();
        seek(Number(slider.value));
      },
      change: end,
    },
  });
  const speed = h(
    "select",
    { class: "select", "aria-label": "Speed of the film" },
    ...SPEEDS.map(([value, , label]) => h("option", { value }, label)),
  );
  speed.value = "1";
  const where = h("output", {});
  const curves = CURVES.map(filmCurve);
  const element = h(
    "section",
    { class: "card film-bar", "aria-label": "Checkpoint and film" },
    h("div", { class: "film-line" }, checkpoints, play.element, slider, speed, where),
    h("div", { class: "film-curves" }, ...curves.map(({ element }) => element)),
  );
  // What is scrolled to ends below the bar, however many lines it has.
  new ResizeObserver(() =>
    document.documentElement.style.setProperty("--film-bar", `${Math.ceil(element.getBoundingClientRect().height)}px`),
  ).observe(element);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let film;
  /** Whether the slider follows the newest frame. */
  let follow = false;
  let warming = 0;

  const frames = () => context.film?.frames ?? [];
  const at = () => (context.filming ? frames().findIndex(({ name }) => name === context.checkpoint) : -1);
  const pace = () => {
    const times = SPEEDS.find(([value]) => value === speed.value)?.[1] ?? 1;
    return Math.max(FRAME_MS, FILM_MS / frames().length) / times;
  };

  /** @param {number} index */
  function seek(index) {
    const all = frames();
    const to = Math.min(all.length - 1, Math.max(0, index));
    follow = to === all.length - 1;
    if (all[to] !== undefined) state.set({ checkpoint: all[to].name });
  }

  /**
   * Where the film ends with the weights of a checkpoint, that is shown: a frame has pictures alone, and with weights
   * everything can be computed. The image stays that of the film.
   */
  function end() {
    const all = frames();
    const index = at();
    if (index < 0 || index < all.length - 1) return;
    const { image } = context.pictured();
    const checkpoint = checkpointOf(all[index], context.inside?.checkpoints ?? []);
    if (image !== null && checkpoint !== null) state.set({ checkpoint, image });
  }

  function toggle() {
    if (film === undefined) start();
    else pause();
  }

  function start() {
    const all = frames();
    if (all.length < 2) return;
    play.show(true);
    if (at() < 0 || at() >= all.length - 1) seek(0);
    const next = async () => {
      const to = at() + 1;
      if (to >= frames().length) {
        pause();
        end();
        return;
      }
      await warm(to);
      if (film === undefined) return;
      seek(to);
      film = setTimeout(next, pace());
    };
    film = setTimeout(next, pace());
  }

  function pause() {
    clearTimeout(film);
    film = undefined;
    play.show(false);
  }

  /** Prefetches a frame's pictures of the chosen layer. @param {number} index */
  function warm(index) {
    const name = frames()[index]?.name;
    const layer = context.layer;
    if (name === undefined || !layer) return Promise.resolve([]);
    const one = context.of(name);
    const { sort, order, page, mapPage } = state.now;
    const common = { scale: context.scale === "tile" ? null : context.scale };
    const of = (/** @type {string} */ what, /** @type {string | null} */ by, /** @type {number} */ on) =>
      sheetPage(
        one.run,
        `layers/${encodeURIComponent(layer.name)}/${what}`,
        { ...common, page: on || null, sort: by === "activation" ? null : by, ...one.query },
        one.stamp,
      ).catch(() => null);
    /** What of the layer is kept, whatever is asked for meanwhile. @param {"filters" | "features"} what */
    const has = (what) => isIn(context, name, layer, what).catch(() => false);
    return quietly(() => Promise.all([has("filters"), has("features")])).then(([filters, features]) =>
      quietly(() =>
        Promise.all([filters ? of("filters", sort, page) : null, features ? of("features", order, mapPage) : null]),
      ),
    );
  }

  /** Prefetches the frames around the current one, nearest first, so that the slider moves smoothly. */
  async function warmAll() {
    const turn = ++warming;
    const from = Math.max(0, at());
    const order = frames()
      .map((_, i) => i)
      .sort((a, b) => Math.abs(a - from) - Math.abs(b - from));
    for (const index of order) {
      await warm(index);
      if (turn !== warming) return;
    }
    element.dataset.warm = String(turn);
  }

  function update() {
    const all = frames();
    const index = at();
    checkpoints.replaceChildren(
      ...distinctCheckpoints(context.inside?.checkpoints ?? []).map(({ name, same, label }) => {
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
        input.checked = same.includes(context.checkpoint);
        return h("label", {}, input, h("span", {}, label));
      }),
    );
    checkpoints.hidden = checkpoints.children.length === 0;
    slider.max = String(Math.max(0, all.length - 1));
    // The weights of a checkpoint are those of an epoch that the film may show, too.
    const epochOf = context.inside?.checkpoints.find(({ name }) => name === context.checkpoint)?.epoch;
    const near = epochOf == null ? -1 : all.findLastIndex(({ epoch }) => epoch <= epochOf);
    slider.value = String(index >= 0 ? index : near >= 0 ? near : all.length - 1);
    slider.disabled = all.length === 0;
    play.element.disabled = all.length < 2;
    const frame = all[index];
    const apart = index < 0 ? null : context.otherImage();
    const text =
      all.length === 0
        ? "no film yet"
        : index < 0
          ? `film of ${all.length} ${all.length === 1 ? "frame" : "frames"}`
          : `${frameWords(frame.name)}${frame?.validation_accuracy == null ? "" : `, validation accuracy ${percent(frame.validation_accuracy)}`}${apart ? `, of ${apart.words}` : ""}`;
    setText(where, text);
    where.title = context.film ? `${all.length} frames, ${bytes(context.film.bytes)}` : "";
    slider.setAttribute("aria-valuetext", text);
    const epoch = context.filming ? frame && positionOf(frame) : epochOf;
    for (const one of curves) one.point(epoch ?? null);
  }

  /** The place of a frame among the epochs; a part of the first within it. @param {FilmFrame} frame */
  function positionOf({ epoch, step }) {
    if (epoch > 0 || step === 0) return epoch;
    const after = frames().find((known) => known.epoch > 0);
    const steps = context.run.summary.steps_per_epoch ?? (after ? after.step / after.epoch : null);
    return steps === null ? 0 : step / steps;
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
      if (follow && film === undefined && isFrame(state.now.checkpoint)) {
        const last = frames().at(-1);
        if (last !== undefined) state.set({ checkpoint: last.name });
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
