// The list of networks: a user's own and the built-in ones.

import { saveNetwork } from "../lib/api.js";
import { Problem } from "../lib/request.js";
import { siteUrl } from "../lib/base-path.js";
import { byId, h, pageData } from "../lib/dom.js";
import { ago, compactNumber, count, dateTime } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { attempt, startShell, toast } from "../lib/shell.js";
import { acceptDrops } from "../lib/upload.js";
import { importer, isImported } from "../network/import.js";
import { freeName } from "../network/names.js";
import { thumbnail } from "../network/thumbnail.js";
import { findingsOf, mistakeText } from "../network/problems.js";
import { draftKey, keepDraft, ownKey } from "../network/drafts.js";
import { deleteWithDraft, offerUndo, takePassedUndo } from "../network/undo.js";

/** @import { NetworkAbout } from "../network/types" */

const MAX_BYTES = 1 << 20;

startShell();

/** @type {{ networks: NetworkAbout[] }} */
const data = pageData();
let { networks } = data;

const page = byId("page");
const file = h("input", {
  type: "file",
  accept: ".py,.onnx,.safetensors,text/x-python",
  multiple: true,
  class: "visually-hidden",
  id: "network-file",
  on: { change: () => addAll([...(file.files ?? [])]) },
});
const zone = h(
  "label",
  { class: "drop", for: "network-file" },
  icon("text", 24),
  h(
    "span",
    {},
    h("strong", {}, "Drop a file here, or choose one"),
    h(
      "span",
      { class: "muted" },
      "A text (.py), or a trained network: ONNX, or the state dict of a known network (.safetensors).",
    ),
  ),
);
const messages = h("div", {});
const imports = importer(messages);
const own = h("ul", { class: "network-list" });
const ownCard = h(
  "section",
  { class: "card", "aria-labelledby": "own-networks" },
  h("header", { class: "card-head" }, h("h2", { id: "own-networks" }, "Your networks")),
  own,
  h("div", { class: "card-body" }, file, zone, messages),
);
const builtInCard = h(
  "section",
  { class: "card", "aria-labelledby": "built-in-networks" },
  h(
    "header",
    { class: "card-head" },
    h("h2", { id: "built-in-networks" }, "Built-in networks"),
    h(
      "span",
      { class: "muted small" },
      "For ten classes and each network’s usual size of images. A block is a stage: as high as its maps, and wider with more channels. A bar is a vector.",
    ),
  ),
  h("ul", { class: "network-list" }, ...networks.filter(({ built_in: isBuiltIn }) => isBuiltIn).map(row)),
);
const hasOwn = networks.some(({ built_in: isBuiltIn }) => !isBuiltIn);

page.append(
  h(
    "header",
    { class: "networks-head" },
    h(
      "div",
      {},
      h("h1", {}, "Networks"),
      h("p", { class: "muted" }, "A network is a short text. Copy a built-in one and change it, or write your own."),
    ),
    h("a", { class: "button primary", href: siteUrl("/networks/new") }, icon("plus", 14), "New network"),
  ),
  // One's own come first, once there are some.
  ...(hasOwn ? [ownCard, builtInCard] : [builtInCard, ownCard]),
);
acceptDrops(page, zone, (dropped) => addAll([...dropped.files]));
show();
takePassedUndo(() => location.reload());

function show() {
  const mine = networks.filter(({ built_in: isBuiltIn }) => !isBuiltIn);
  own.replaceChildren(
    ...(mine.length > 0
      ? mine.map(row)
      : [h("li", { class: "network-none muted" }, "None yet. “Edit a copy” of a built-in network makes one.")]),
  );
}

/** @param {NetworkAbout} network */
function row(network) {
  const { name, title, summary, built_in: isBuiltIn, changed, parameters, stages, error } = network;
  const url = siteUrl(`/networks/${encodeURIComponent(name)}`);
  const query = encodeURIComponent(name);
  return h(
    "li",
    { data: { network: name } },
    h(
      "div",
      { class: "network-about" },
      h(
        "a",
        { class: "network-link", href: url },
        h("b", {}, title || name),
        h("code", { class: "network-name" }, name),
      ),
      error
        ? h("p", { class: "network-error" }, icon("warning", 14), errorText(error))
        : h("p", { class: "muted" }, summary),
    ),
    h("div", { class: "network-picture" }, stages.length > 0 && thumbnail(stages)),
    h(
      "dl",
      { class: "network-facts" },
      h(
        "div",
        {},
        h("dt", { class: "visually-hidden" }, "Parameters"),
        h(
          "dd",
          { title: parameters === null ? undefined : count(parameters) },
          parameters === null ? "–" : `${compactNumber(parameters)} parameters`,
        ),
      ),
      changed && h("div", {}, h("dt", {}, "Changed"), h("dd", { title: dateTime(changed) }, ago(changed, Date.now()))),
    ),
    h(
      "div",
      { class: "run-actions" },
      error
        ? null
        : h("a", { class: "button small", href: siteUrl(`/new?network=${query}`) }, icon("play", 12), "Start"),
      h("a", { class: "button small", href: siteUrl(`/networks/new?copy=${query}`) }, icon("copy", 14), "Edit a copy"),
      isBuiltIn
        ? null
        : h(
            "button",
            {
              class: "button quiet icon small",
              type: "button",
              title: "Delete",
              "aria-label": `Delete “${title || name}”`,
              on: { click: () => attempt(() => remove(network)) },
            },
            icon("trash", 14),
          ),
    ),
  );
}

/** @param {NonNullable<NetworkAbout["error"]>} error */
function errorText({ message, line, column }) {
  return line ? mistakeText({ line, column: column ?? 1, message }) : `Cannot be read: ${message}`;
}

/** @param {NetworkAbout} network */
async function remove(network) {
  const deleted = await deleteWithDraft(network.name);
  networks = networks.filter(({ name }) => name !== network.name);
  show();
  offerUndo({ ...deleted, title: network.title || network.name }, () => {
    networks = [...networks, network];
    show();
  });
}

/** @param {File[]} files */
async function addAll(files) {
  const added = [];
  for (const each of files) {
    const name = await add(each);
    if (name !== null) added.push(name);
  }
  file.value = "";
  if (added.length === 1) location.assign(siteUrl(`/networks/${encodeURIComponent(added[0])}`));
  else if (added.length > 1) location.reload();
}

/** Adds a file as a network. @param {File} each @returns {Promise<string | null>} its name, or null if it was refused */
async function add(each) {
  if (isImported(each.name)) return imports.add(each);
  if (!/\.py$/i.test(each.name)) {
    toast(`${each.name} is neither a .py, an .onnx nor a .safetensors file.`, "bad");
    return null;
  }
  if (each.size > MAX_BYTES) {
    toast(`${each.name} is larger than 1 MiB, which is the most that a network’s text may have.`, "bad");
    return null;
  }
  const read = await textOf(each);
  if (read === null) {
    toast(`${each.name} is not a text in UTF-8. Save it in UTF-8 in your editor; nothing was changed.`, "bad");
    return null;
  }
  const source = read.replaceAll("\r\n", "\n");
  const name = freeName(each.name.replace(/\.py$/i, ""), new Set(networks.map((network) => network.name)));
  try {
    await saveNetwork(name, source, null);
    return name;
  } catch (error) {
    const { mistakes, other } = findingsOf(error);
    const isText = error instanceof Problem && mistakes.length > 0;
    toast(
      `${each.name} was refused. ${isText ? mistakeText(mistakes[0]) : other.join(" ")}`,
      "bad",
      isText ? openIt(name, source) : undefined,
    );
    return null;
  }
}

/** The text of a file; null if it is not UTF-8. @param {File} each */
async function textOf(each) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await each.arrayBuffer());
  } catch {
    return null;
  }
}

/** Opens a text with a mistake as the draft of a new network. @param {string} name @param {string} source */
function openIt(name, source) {
  return {
    label: "Open in the editor",
    act: () => {
      const search = `?file=${encodeURIComponent(name)}`;
      keepDraft(ownKey(draftKey("", search)), source, null);
      location.assign(siteUrl(`/networks/new${search}`));
    },
  };
}
