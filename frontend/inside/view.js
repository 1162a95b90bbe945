// The view of the page as stored in the URL: checkpoint, layer, image, scale and opened tiles.

/**
 * `checkpoint` is `best`, `last` or a frame of the film; `image` is named as in requests; `filter` is the filter whose
 * kernels are shown; `tile` is the enlarged map or kernel, `y` and `x` its pixel; `input` is the channel that the window
 * reads, or backward the one whose gradient is gathered, and `class` the one whose score is differentiated; `beside` is
 * the checkpoint to compare with, or a run and a checkpoint separated by a space; `scale` is null for the one that suits the layer; `compared` says whether the two are
 * shown side by side or what changed between them.
 * @typedef {{
 *   checkpoint: string | null,
 *   layer: string | null,
 *   image: string,
 *   scale: "tile" | "layer" | "network" | null,
 *   sort: string | null,
 *   order: string | null,
 *   page: number,
 *   mapPage: number,
 *   filter: number | null,
 *   of: "map" | "kernel" | "filter" | null,
 *   tile: number | null,
 *   y: number | null,
 *   x: number | null,
 *   input: number | null,
 *   class: number | null,
 *   way: "forward" | "backward",
 *   beside: string | null,
 *   compared: "both" | "change",
 * }} View
 */

/** @type {View} */
const DEFAULTS = {
  checkpoint: null,
  layer: null,
  image: "pinned",
  scale: null,
  sort: null,
  order: null,
  page: 0,
  mapPage: 0,
  filter: null,
  of: null,
  tile: null,
  y: null,
  x: null,
  input: null,
  class: null,
  way: "forward",
  beside: null,
  compared: "both",
};

const NUMBERS = new Set(["page", "mapPage", "filter", "tile", "y", "x", "input", "class"]);
const WORDS = /** @type {{ [name: string]: string[] }} */ ({
  scale: ["tile", "layer", "network"],
  of: ["map", "kernel", "filter"],
  way: ["forward", "backward"],
  compared: ["both", "change"],
});

/** The fields to reset when another field changes. @type {{ [name: string]: Partial<View> }} */
const RESETS = {
  layer: {
    page: 0,
    mapPage: 0,
    filter: null,
    of: null,
    tile: null,
    y: null,
    x: null,
    input: null,
    sort: null,
    order: null,
  },
  filter: { page: 0 },
  sort: { page: 0 },
  order: { mapPage: 0 },
  compared: { page: 0, mapPage: 0 },
};

/** @param {string} search @returns {View} */
export function readView(search) {
  /** @type {any} */
  const view = { ...DEFAULTS };
  for (const [name, text] of new URLSearchParams(search)) {
    if (!(name in DEFAULTS)) continue;
    if (NUMBERS.has(name)) {
      if (/^\d{1,9}$/.test(text)) view[name] = Number(text);
    } else if (!WORDS[name] || WORDS[name].includes(text)) view[name] = text;
  }
  return view;
}

/** @param {View} view @returns {string} */
export function writeView(view) {
  const said = Object.entries(view).filter(
    ([name, value]) => value !== null && value !== /** @type {any} */ (DEFAULTS)[name],
  );
  return said.length === 0 ? "" : `?${new URLSearchParams(said.map(([name, value]) => [name, String(value)]))}`;
}

/** The view with its listeners. @param {View} first @param {(view: View) => void} [save] */
export function viewState(first, save = () => {}) {
  let view = first;
  /** @type {((view: View, changed: Set<string>) => void)[]} */
  const listeners = [];
  return {
    get now() {
      return view;
    },
    /** Changes fields and resets those that depend on them. @param {Partial<View>} patch */
    set(patch) {
      const before = view;
      let next = { ...before };
      for (const name of Object.keys(patch)) {
        if (/** @type {any} */ (patch)[name] !== /** @type {any} */ (before)[name]) next = { ...next, ...RESETS[name] };
      }
      next = { ...next, ...patch };
      const changed = new Set(
        Object.keys(next).filter((name) => /** @type {any} */ (next)[name] !== /** @type {any} */ (before)[name]),
      );
      if (changed.size === 0) return;
      view = next;
      save(view);
      for (const listener of listeners) listener(view, changed);
    },
    /** @param {(view: View, changed: Set<string>) => void} listener */
    on(listener) {
      listeners.push(listener);
    },
  };
}

/** @typedef {ReturnType<typeof viewState>} ViewState */

/** Whether a checkpoint is a frame of the film: an epoch, or a step of the first. @param {string | null} checkpoint */
export const isFrame = (checkpoint) => checkpoint !== null && /^(step-)?\d+$/.test(checkpoint);

/** The moment of a frame: "before training", "step 8" or "epoch 3". @param {string} name */
export function frameWords(name) {
  if (name === "0") return "before training";
  return name.startsWith("step-") ? name.replace("-", " ") : `epoch ${name}`;
}

/**
 * The checkpoint with the weights of a frame: the last one where it is the best, too, since that one goes on with a run
 * that trains. Null where none has them.
 * @param {{ step: number } | undefined} frame
 * @param {{ name: string, step: number | null }[]} checkpoints
 */
export function checkpointOf(frame, checkpoints) {
  const same = checkpoints.filter(({ step }) => step !== null && step === frame?.step);
  return (same.find(({ name }) => name === "last") ?? same[0])?.name ?? null;
}

/** @type {{ [name: string]: string }} */
const CHECKPOINTS = { best: "Best", last: "Last" };

/**
 * The checkpoints to choose from: the best and the last one are one choice where they are of the same step.
 * @param {{ name: string, epoch: number | null, step: number | null }[]} checkpoints
 * @returns {{ name: string, same: string[], label: string }[]} `same`: all names of the checkpoint
 */
export function distinctCheckpoints(checkpoints) {
  const momentOf = (/** @type {{ name: string, step: number | null }} */ { name, step }) => step ?? name;
  return [...new Set(checkpoints.map(momentOf))].map((moment) => {
    const same = checkpoints.filter((one) => momentOf(one) === moment);
    const [{ name, epoch }] = same;
    const words = same.map((one) => CHECKPOINTS[one.name] ?? one.name);
    const joined = words.map((word, i) => (i === 0 && epoch === null ? word : word.toLowerCase())).join(" and ");
    return {
      name,
      same: same.map((one) => one.name),
      label: epoch === null ? joined : `Epoch ${epoch} (${joined})`,
    };
  });
}

/**
 * Parses `beside`.
 * @param {string | null} beside
 * @param {string} run
 * @returns {{ run: string, checkpoint: string } | null}
 */
export function comparedWith(beside, run) {
  if (!beside) return null;
  const [first, second] = beside.split(" ");
  return second === undefined ? { run, checkpoint: first } : { run: first, checkpoint: second };
}
