// The card of a data set: description, ways to get it, and its gallery when opened.

import { siteUrl } from "../lib/base-path.js";
import { deleteDataSet, fetchDataSet, stopFetch } from "../lib/api.js";
import { confirm } from "../lib/dialog.js";
import { h, setText } from "../lib/dom.js";
import { bytes, count, plural, together } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt } from "../lib/shell.js";
import { factList } from "./facts.js";
import { fitsPart } from "./fits.js";
import { galleryPart, galleryThumbnail } from "./gallery.js";
import { hasPoints, pointsOf, pointsPart, pointsThumbnail, variationsPart } from "./points.js";

/** @import { DataSet } from "../lib/types" */

/** Rows so far out of sight have their thumbnails. */
const NEAR = "300px";

/** The label and tone of each state. @type {{ [kind: string]: [string, string] }} */
const STATES = {
  built_in: ["built in", ""],
  present: ["imported", "good"],
  missing: ["not downloaded", ""],
  damaged: ["damaged", "bad"],
};

/**
 * @param {DataSet} first
 * @param {{ folder: string, changed: () => Promise<void>, toggled: (isOpen: boolean) => void }} options `folder`: the
 *   server's data folder
 */
export function setCard(first, { folder, changed, toggled }) {
  let set = first;
  /** The version of the shown gallery, and of the thumbnail. */
  let shown = "";
  /** @type {string | null} */
  let pictured = null;
  const badge = h("span", { class: "badge" });
  const facts = h("span", { class: "set-facts" });
  // A closed card says in its row what is in it, where there is room.
  const about = h("span", { class: "set-about" });
  const licence = h("p", { class: "set-licence" });
  const trouble = h("p", { class: "notice bad", role: "alert", hidden: true });
  const command = h("p", { class: "set-command" });
  const bar = h(
    "div",
    {
      class: "bar",
      data: { tone: "live" },
      role: "progressbar",
      "aria-label": `Fetching ${first.title}`,
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    },
    h("span"),
  );
  const done = h("small", { class: "muted" });
  const progress = h("div", { class: "set-progress", hidden: true }, bar, done);
  const fetchButton = button("download", "Download", "", () => attempt(() => fetchDataSet(set.set)));
  const stopButton = button("stop", "Stop", "", () => attempt(() => stopFetch(set.set)));
  const deleteButton = button("trash", "Delete", "quiet", remove);
  const labelsLink = h(
    "a",
    {
      class: "button small",
      href: siteUrl(`/data/${encodeURIComponent(first.set)}/labels`),
      "aria-label": `Labels of ${first.title}`,
    },
    icon("tag", 14),
    "Labels",
  );
  const gallery = h("div", { class: "set-gallery" });
  const figures = h("div", { class: "set-facts-line" });
  const thumbnail = h("span", { class: "set-thumbnail" });
  // Points are drawn, and learnt at once, on a page of their own.
  const isPoints = first.dimensions === 2;
  const trainLink = h(
    "a",
    {
      class: "button small",
      href: siteUrl(`/${isPoints ? "playground" : "new"}?data=${encodeURIComponent(first.set)}`),
      "aria-label": `${isPoints ? "Playground with" : "Train on"} ${first.title}`,
    },
    isPoints ? "Playground" : "Train",
  );
  const details = h(
    "details",
    { class: "card set", data: { set: first.set }, on: { toggle } },
    h(
      "summary",
      { class: "card-head" },
      h(
        "span",
        { class: "set-title" },
        chevron(),
        thumbnail,
        h("h3", {}, first.title),
        // Commands need the name where it is not the title in small letters.
        first.title.toLowerCase() !== first.set && h("code", {}, first.set),
      ),
      about,
      facts,
      badge,
    ),
    h(
      "div",
      { class: "card-body" },
      trouble,
      progress,
      figures,
      command,
      gallery,
      h("div", { class: "set-actions" }, labelsLink, deleteButton),
      licence,
    ),
  );
  // What one does with a set stands beside its row, open or closed. A summary may hold no buttons.
  const element = h(
    "div",
    { class: "set-row" },
    details,
    h("div", { class: "set-action" }, trainLink, fetchButton, stopButton),
  );

  let isNear = false;
  const sight = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      isNear = true;
      sight.disconnect();
      void showThumbnail();
    },
    { rootMargin: NEAR },
  );
  sight.observe(element);

  /** @param {DataSet} next */
  function show(next) {
    set = next;
    const [word, tone] = STATES[set.state.kind];
    const active = set.fetch?.active ?? false;
    setText(badge, active ? "downloading" : set.can_fetch && set.state.kind === "present" ? "downloaded" : word);
    badge.dataset.tone = active ? "live" : tone;
    details.dataset.state = set.state.kind;
    trainLink.hidden = !(set.state.kind === "present" || set.state.kind === "built_in");
    setText(facts, factsOf(set));
    // The facts say what else the summary of an own set says.
    const isOwn = set.about !== null && !set.can_fetch;
    setText(about, isOwn ? `From ${set.about?.source}` : set.summary);
    // Who opens generated points wonders whether the next run has others.
    setText(licence, isPoints ? "Generated: the same settings give every run the same points." : set.licence);
    licence.hidden = licence.textContent === "";
    const message = set.state.kind === "damaged" ? set.state.message : (set.fetch?.message ?? "");
    setText(trouble, message);
    trouble.hidden = message === "";
    progress.hidden = !active;
    if (set.fetch) {
      const share = set.fetch.of > 0 ? set.fetch.done / set.fetch.of : 0;
      bar.style.setProperty("--share", String(share));
      bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
      setText(
        done,
        set.fetch.of === 0
          ? "Asking the server…"
          : share < 1
            ? `${bytes(set.fetch.done)} of ${bytes(set.fetch.of)}`
            : "Reading the files…",
      );
    }
    const missing = set.state.kind === "missing";
    fetchButton.hidden = !(missing && set.can_fetch && !active);
    stopButton.hidden = !active;
    labelsLink.hidden = set.state.kind !== "present";
    deleteButton.hidden = !(set.state.kind === "present" || set.state.kind === "damaged");
    command.hidden = !missing || active;
    // The command names the data folder: without it, the data would go to the default folder, which this server may not
    // use.
    const where = `--data-dir ${quoted(folder)}`;
    command.replaceChildren(
      h("span", {}, "Or drop its files above, or on the command line:"),
      h("code", {}, `vivarium data fetch ${set.set} ${where}`),
      h("code", {}, `vivarium data import ${set.set} PATH ${where}`),
    );
    showGallery();
    void showThumbnail();
  }

  /** What the pictures are of: "" where there are none, else it changes with the content. */
  function versionOf() {
    if (hasPoints(set)) return "points";
    const there = set.state.kind === "present" || set.state.kind === "built_in";
    return there && set.dimensions === 3 ? (set.about?.sha256 ?? "built in") : "";
  }

  function toggle() {
    toggled(details.open);
    showGallery();
  }

  function showGallery() {
    const version = versionOf();
    if (!details.open || shown === version) return;
    shown = version;
    const showFacts = (/** @type {number} */ samples) => figures.replaceChildren(factList(set, samples));
    figures.replaceChildren();
    gallery.replaceChildren();
    if (version === "points") {
      const data = pointsOf(set);
      showFacts(data.points.length);
      gallery.append(h("div", { class: "points-beside" }, pointsPart(set, data), variationsPart(set)));
    } else if (version) {
      gallery.append(galleryPart(set.set, version, showFacts));
      if (set.about?.photos?.square === false) gallery.append(fitsPart(set.set, version));
    }
  }

  /** A few samples in the row: those of images once it is near, since the server makes pictures one by one. */
  async function showThumbnail() {
    const version = versionOf();
    if (pictured === version || !(isNear || version === "points")) return;
    pictured = version;
    if (version === "") thumbnail.replaceChildren(icon("photo", 20));
    else if (version === "points") thumbnail.replaceChildren(pointsThumbnail(set));
    else {
      // Without a picture the row says as much, and the gallery tells what is wrong.
      const square = await galleryThumbnail(set.set, version).catch(() => null);
      if (pictured === version) thumbnail.replaceChildren(...(square ? [square] : []));
    }
  }

  async function remove() {
    const versions = set.fields.find(({ path }) => path === "data.version")?.kind;
    const corrected = versions?.type === "choice" && versions.options.length > 1;
    const sure = await confirm({
      title: "Delete this data set?",
      text: `“${set.title}” is deleted from this machine${corrected ? ", and all corrections of its labels with it" : ""}. Runs that were trained on it stay, but cannot be resumed without it.`,
      yes: "Delete set",
      no: "Keep it",
    });
    if (sure) await attempt(() => deleteDataSet(set.set));
  }

  /**
   * @param {import("../lib/icons.js").IconName} name
   * @param {string} word
   * @param {string} kind
   * @param {() => Promise<unknown>} act
   */
  function button(name, word, kind, act) {
    const click = async () => {
      await act();
      await changed();
    };
    return h(
      "button",
      { class: `button small ${kind}`, type: "button", "aria-label": `${word} ${first.title}`, on: { click } },
      icon(name, 14),
      word,
    );
  }

  return {
    element,
    show,
    open() {
      details.open = true;
    },
    /** Opens it and scrolls to it. */
    reveal() {
      details.open = true;
      details.scrollIntoView({ block: "start" });
    },
  };
}

/** Quotes a path for a shell. @param {string} path */
const quoted = (path) => (/^[\w./~+@:-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

function chevron() {
  const made = icon("chevron", 14);
  made.classList.add("chevron");
  return made;
}

/** @param {DataSet} set */
function factsOf(set) {
  if (set.dimensions === 2) return `points, ${plural(set.classes, "class", "classes")}`;
  if (!set.about) {
    const classes = plural(set.classes, "class", "classes");
    const isMissing = set.state.kind === "missing" && set.fetch_bytes !== null;
    return isMissing ? `${classes} · ${together(bytes(set.fetch_bytes))}` : classes;
  }
  const { images, side, channels, photos } = set.about;
  if (photos) {
    const [[, width], [, height]] = [photos.width, photos.height];
    return `${count(images)} photos · ${plural(set.classes, "class", "classes")} · ${width}×${height} ${channels === 1 ? "grey" : "colour"}`;
  }
  return `${count(images)} images · ${plural(set.classes, "class", "classes")} · ${side}×${side} ${channels === 1 ? "grey" : "colour"}`;
}
