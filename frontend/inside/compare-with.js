// The control for what to compare with: another checkpoint of this run, or another run.

import { getFilm, getInside, getRun, listRuns } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { attempt } from "../lib/shell.js";
import { distinctCheckpoints, frameWords, isFrame } from "./view.js";

/** @import { Run } from "../lib/types" */
/** @import { InsideContext } from "./context.js" */

/** @param {InsideContext} context @param {{ onLoaded: () => void }} listeners */
export function compareControl(context, { onLoaded }) {
  const { state, run } = context;
  const who = h("select", {
    class: "select",
    "aria-label": "Compare with",
    on: { change: chooseWho, focus: loadRuns, pointerdown: loadRuns },
  });
  const when = h("select", {
    class: "select",
    "aria-label": "Checkpoint to compare with",
    hidden: true,
    on: { change: () => choose(who.value, when.value) },
  });
  const how = h(
    "div",
    { class: "segments", role: "radiogroup", "aria-label": "How to compare", hidden: true },
    .../** @type {["both" | "change", string, string][]} */ ([
      ["both", "side by side", "Both moments, with one scale of colours"],
      ["change", "what changed", "Each value less what it was then"],
    ]).map(([value, label, title]) =>
      h(
        "label",
        { title },
        h("input", { type: "radio", name: "compared", value, on: { change: () => state.set({ compared: value }) } }),
        h("span", {}, label),
      ),
    ),
  );
  const element = h("div", { class: "beside" }, h("span", { class: "small" }, "Compare with"), who, when, how);
  /** @type {Run[]} */
  let runs = [];
  let asked = false;

  async function loadRuns() {
    if (asked) return;
    asked = true;
    // Those with the same data first, the newest ones of each kind.
    const set = `data="${run.spec.data?.set}"`;
    const find = (/** @type {string} */ search) =>
      attempt(() => listRuns({ search: `source=vivarium epoch>=0 ${search}` }));
    const found = await Promise.all([find(set), find(`-${set}`)]);
    runs = found.flatMap((page) => page?.runs ?? []).filter((of) => of.id !== run.id);
    update();
  }

  /** @param {string} of @param {string} checkpoint */
  function choose(of, checkpoint) {
    state.set({ beside: of === "" ? null : of === run.id ? checkpoint : `${of} ${checkpoint}` });
  }

  async function chooseWho() {
    if (who.value === "") choose("", "");
    else if (who.value === run.id) choose(run.id, context.film?.frames[0]?.name ?? "last");
    else choose(who.value, "best");
  }

  /** Fetches the other run's checkpoints and film. */
  async function load() {
    const { beside } = context;
    if (!beside || beside.run === run.id || context.second?.run === beside.run) return;
    await loadRuns();
    const found = runs.find(({ id }) => id === beside.run) ?? (await attempt(() => getRun(beside.run)));
    const [name, spec] = [found?.name ?? "another run", found?.spec ?? run.spec];
    context.second = { run: beside.run, name, spec, film: null, inside: null };
    const [inside, film] = await Promise.all([
      attempt(() => getInside(beside.run)),
      getFilm(beside.run).catch(() => null),
    ]);
    if (context.second?.run !== beside.run) return;
    context.second = { run: beside.run, name, spec, film, inside: inside ?? null };
    update();
    onLoaded();
  }

  function update() {
    const { beside } = context;
    const option = (/** @type {string} */ value, /** @type {string} */ text) => h("option", { value }, text);
    const more =
      beside && beside.run !== run.id && !runs.some(({ id }) => id === beside.run)
        ? [option(beside.run, context.second?.name ?? "another run")]
        : [];
    who.replaceChildren(
      option("", "no other run or epoch"),
      option(run.id, "another checkpoint of this run"),
      ...more,
      ...runs.map((of) => option(of.id, of.name)),
    );
    who.value = beside?.run ?? "";
    when.hidden = !beside;
    how.hidden = beside?.run !== run.id;
    for (const input of how.querySelectorAll("input")) input.checked = input.value === state.now.compared;
    if (!beside) return;
    const own = beside.run === run.id;
    const inside = own ? context.inside : context.second?.inside;
    const film = own ? context.film : context.second?.film;
    const checkpoints = distinctCheckpoints(inside?.checkpoints ?? []);
    const chosen = checkpoints.find(({ same }) => same.includes(beside.checkpoint))?.name ?? beside.checkpoint;
    const moments = [...checkpoints.map(({ name }) => name), ...(film?.frames ?? []).map(({ name }) => name)];
    if (!moments.includes(chosen)) moments.push(chosen);
    when.replaceChildren(
      ...moments.map((moment) =>
        option(
          moment,
          isFrame(moment)
            ? `${frameWords(moment)}${own && context.otherImage(moment) ? ", another image" : ""}`
            : (checkpoints.find(({ name }) => name === moment)?.label ?? moment),
        ),
      ),
    );
    when.value = chosen;
  }

  state.on((_, changed) => {
    if (!changed.has("beside") && !changed.has("compared")) return;
    update();
    load();
  });
  return { element, update, load };
}
