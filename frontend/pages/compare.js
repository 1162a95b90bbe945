// The comparison page: overlaid curves, differing settings and results of several runs, live.

import { experimentCard } from "../runs/experiment.js";
import { getStatistics, runsQuery, RUNS_IN_ADDRESS, shortQuery } from "../lib/api.js";
import { readView } from "../chart/view.js";
import { fairnessNotice } from "../compare/fairness.js";
import { compareHeader, growWords } from "../compare/header.js";
import { memberList, membersOf } from "../compare/members.js";
import { watchNewRuns } from "../compare/new-runs.js";
import { axisFor, chartsOf } from "../compare/lines.js";
import { overlay } from "../compare/overlay.js";
import { dataNotice } from "../compare/data-sets.js";
import { compareResults } from "../compare/results.js";
import { titleOf } from "../compare/titles.js";
import { Palette } from "../lib/colours.js";
import { distinctLabels, groupBySeed } from "../lib/settings-diff.js";
import { byId, h, pageData, setText } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { openStream } from "../lib/live.js";
import { attempt, startShell } from "../lib/shell.js";
import { apiUrl, siteUrl } from "../lib/base-path.js";
import { RunStates } from "../lib/states.js";

/** @import { Preset, Run, RunEvent, Statistics, SweepSpec } from "../lib/types" */
/** @import { Member } from "../compare/members.js" */

/** Statistics of active runs are refreshed at most this often. */
const STATISTICS_EVERY_MS = 2000;

startShell();

/** @type {{ runs: Run[], title: string, missing: number, changes: string, sweep?: { id: string, spec: SweepSpec },
 *   experiment?: Preset | null }} */
const data = pageData();
/** In the order of creation. @type {Map<string, Run>} */
const runs = new Map([...data.runs].sort((a, b) => a.number - b.number).map((run) => [run.id, run]));
const query = new URLSearchParams(location.search);
const axis = axisFor([...runs.values()]);
const which = chartsOf([...runs.values()]);
/** Runs may be removed from the page. */
const pageTitle = () => titleOf(data, query, [...runs.values()]);
const view = readView(
  location.search,
  which.map(({ id }) => id),
  axis,
);
/** Numbers of hidden runs. */
const hidden = new Set((query.get("hide") ?? "").split(",").filter(Boolean).map(Number));
/** Whether runs that differ only by seed are drawn as one line. */
let together = query.get("seeds") !== "apart";
/** @type {{ [id: string]: Statistics }} */
let statistics = {};
/** @type {ReturnType<typeof setTimeout> | undefined} */
let reading;

/** With the seeds of a setting as one line, and with a line each. */
const colours = new Palette(data.sweep?.spec.grid);
const coloursApart = new Palette(data.sweep?.spec.grid);

/** Runs that were removed from the comparison or deleted. @type {Set<string>} */
const left = new Set();

if (runs.size === 0) byId("page").append(nothing());
else start();
// The page depends on all of its runs, for example its default axis.
watchNewRuns({
  sweeps: [...query.getAll("sweep"), ...(data.sweep ? [data.sweep.id] : [])],
  tags: query.getAll("tag"),
  changes: data.changes,
  has: (id) => runs.has(id) || left.has(id),
  onChanged: () => location.reload(),
});

function nothing() {
  return h(
    "div",
    { class: "card empty" },
    icon("layers", 28),
    h("h2", {}, "Nothing to compare"),
    h(
      "p",
      {},
      data.missing > 0
        ? "The runs in this URL do not exist. They may have been deleted."
        : "Choose runs in the table and press Compare, or start an experiment that compares.",
    ),
    h("a", { class: "button primary", href: siteUrl("/") }, "All runs"),
  );
}

function start() {
  const seeds = h(
    "button",
    {
      class: "button small quiet",
      type: "button",
      title: "Draw runs that differ only by seed as one line: their mean, with a band of one standard deviation",
      on: {
        click: () => {
          together = !together;
          remember();
          show();
        },
      },
    },
    "Mean over seeds",
  );
  /** The members shown in charts and tables. @type {Member[]} */
  let members = [];
  const list = memberList({
    hidden,
    onToggle: ({ runs: [{ number }] }) => {
      if (!hidden.delete(number)) hidden.add(number);
      showHidden();
    },
    onOnly: (member) => {
      hidden.clear();
      if (member)
        for (const other of members) if (other !== member && other.id !== member.id) hidden.add(other.runs[0].number);
      showHidden();
    },
    onLook: (id) => charts.highlight(id),
    onRemove: (member) => {
      for (const run of member.runs) forget(run.id);
      if (query.has("run") || query.has("selection")) attempt(nameRuns);
    },
  });
  const charts = overlay([...runs.values()], {
    which,
    view,
    axis,
    members: shown,
    title: pageTitle,
    more: [seeds],
  });
  const header = compareHeader({
    title: pageTitle,
    runs: () => [...runs.values()],
    missing: data.missing,
    sweep: data.sweep,
    words: words(),
  });
  const results = compareResults({
    grow: data.sweep && !data.sweep.spec.search ? growWords(data.sweep.spec) : undefined,
    grid: data.sweep?.spec.grid,
    onLook: (id) => charts.highlight(id),
    onOnly: (ids) => {
      hidden.clear();
      for (const member of members) if (!ids.has(member.id)) hidden.add(member.runs[0].number);
      showHidden();
    },
  });
  const notice = h("p", { class: "notice warn", role: "note", hidden: true });
  byId("page").append(
    header.element,
    notice,
    ...(data.experiment ? [experimentCard(data.experiment)] : []),
    h("div", { class: "compare-columns" }, list.element, charts.element),
    results.element,
  );
  showMembers();
  // A URL with a thousand ids cannot be shared.
  if (query.getAll("run").length > RUNS_IN_ADDRESS) attempt(nameRuns);
  attempt(async () => {
    await charts.load();
    follow();
    // The curves come first, since they matter most.
    requestAnimationFrame(() => setTimeout(refresh));
  });

  /** How a report names these runs: by sweep or tag if the page shows one. */
  function words() {
    const tags = query.getAll("tag");
    if (data.sweep) return `sweep ${data.sweep.id}`;
    return tags.length === 1 && [...query.keys()].filter((key) => ["run", "sweep", "tag"].includes(key)).length === 1
      ? `tag ${tags[0]}`
      : undefined;
  }

  function shown() {
    return members.filter(({ runs: [first] }) => !hidden.has(first.number));
  }

  /** Updates the page. */
  function show() {
    showMembers();
    results.show(members, statistics);
    charts.draw();
  }

  /** Applies hidden members to the charts. Tables show all members. */
  function showHidden() {
    remember();
    list.show(members);
    charts.draw();
  }

  function showMembers() {
    const groups = groupBySeed([...runs.values()]);
    const drawn = together ? groups : [...runs.values()].map((run) => [run]);
    members = membersOf(drawn, distinctLabels(drawn.map(([first]) => first)), together ? colours : coloursApart);
    const told = dataNotice(members) ?? fairnessNotice(members, data.sweep?.spec.grid);
    notice.hidden = told === null;
    setText(notice, told ?? "");
    seeds.hidden = groups.length === runs.size;
    seeds.setAttribute("aria-pressed", String(together));
    list.show(members);
    header.show(members);
  }

  function remember() {
    const now = new URLSearchParams(location.search);
    for (const [name, value] of [
      ["hide", [...hidden].join(",")],
      ["seeds", together ? "" : "apart"],
    ]) {
      now.delete(name);
      if (value) now.append(name, value);
    }
    const text = now.toString().replaceAll("%2C", ",");
    history.replaceState(history.state, "", `${location.pathname}${text && `?${text}`}`);
  }

  /** Writes the current runs to the URL, many of them as a selection. */
  async function nameRuns() {
    const names = await shortQuery([...runs.keys()]);
    const now = new URLSearchParams(location.search);
    now.delete("run");
    now.delete("selection");
    for (const [name, value] of new URLSearchParams(names)) now.append(name, value);
    history.replaceState(history.state, "", `${location.pathname}?${now}`);
  }

  /** @param {string} id */
  function forget(id) {
    runs.delete(id);
    left.add(id);
    charts.drop(id);
    show();
  }

  /** Fetches the statistics, repeatedly while a run is active. */
  async function refresh() {
    clearTimeout(reading);
    reading = undefined;
    await attempt(async () => {
      statistics = await getStatistics([...runs.keys()]);
      show();
    });
  }

  function follow() {
    const ids = [...runs.keys()];
    /** Runs whose curves are being fetched again. @type {Set<string>} */
    const afresh = new Set();
    const states = new RunStates();
    states.replace([...runs.values()]);
    const stream = openStream({
      url: () =>
        apiUrl(`/events?${runsQuery(ids)}&after=${ids.map((id) => charts.lastSeq(id)).join(".")}&include=status`),
      on: {
        ...Object.fromEntries(
          ids.map((id) => [ids.length === 1 ? "message" : id, (/** @type {RunEvent} */ event) => take(id, event)]),
        ),
        run: (/** @type {Run} */ run) => {
          if (!runs.has(run.id) || !states.put(run)) return;
          runs.set(run.id, run);
          charts.showRun(run);
          reading ??= setTimeout(refresh, STATISTICS_EVERY_MS);
        },
        removed: (/** @type {{ id: string }} */ { id }) => forget(id),
      },
      onReturn: () => states.returned(),
    });

    /** @param {string} id @param {RunEvent} event */
    function take(id, event) {
      if (afresh.has(id) || charts.take(id, event)) return;
      afresh.add(id);
      attempt(async () => {
        await charts.load([id]);
        afresh.delete(id);
        stream.reconnect();
      });
    }
  }
}
