import assert from "node:assert/strict";
import { test } from "node:test";
import { isBare } from "../../report/beginning.js";
import { runName } from "../../lib/run-name.js";
import { figureWords } from "../../report/figure-words.js";
import { history } from "../../report/history.js";
import { NumberNames } from "../../report/number-names.js";
import { joinPieces, piecesOf, rewritten, withBlock, without, withMoved } from "../../report/pieces.js";
import { showReferences, writeReferences } from "../../report/reference-names.js";
import { Sources } from "../../report/sources.js";
import { TOOLS } from "../../report/text-tools.js";

/** @import { Run } from "../../lib/types" */

const ID = "01a214aa-f832-771b-b5df-8347040e379b";
const FIGURE = `\`\`\`figure curve\nruns: ${ID}\n\`\`\``;

/** @param {Partial<Run>} own @returns {Run} */
const run = (own) =>
  /** @type {any} */ ({
    id: ID,
    number: 1,
    changed: 1,
    name: "Learning rate · lr 0.1",
    status: "finished",
    sweep: null,
    tags: [],
    spec: {
      data: { set: "digits" },
      network: { kind: "mlp", activation: "relu" },
      training: { batch_size: 16, seed: 3, optimizer: { kind: "sgd", lr: 0.1 } },
    },
    summary: { test_accuracy: 0.9812 },
    ...own,
  });

test("pieces are the text to the letter", () => {
  for (const text of [
    "",
    "# One\n\nText.",
    FIGURE,
    `# One\n\n${FIGURE}\n`,
    `${FIGURE}\n${FIGURE}`,
    `\n\n# One\n${FIGURE}\n\n\n  \nText with spaces  \n\n${FIGURE}\n\n- a\n- b \n\n`,
    "```figure curve\nruns: not closed",
    "~~~figure curve\nruns: a\n~~~\n\n```js\ncode\n```\n",
  ]) {
    const pieces = piecesOf(text);
    assert.equal(joinPieces(pieces), text);
    assert.deepEqual(
      pieces.map(({ block }) => block === null),
      pieces.map((_, i) => i % 2 === 0),
    );
  }
  assert.deepEqual(
    piecesOf(`# One\n\n${FIGURE}\n\nTwo\n`).map(({ text, block }) => block ?? text),
    ["# One", FIGURE, "Two\n"],
  );
  // A block that is not closed yet, and code, stay text.
  assert.equal(piecesOf("```figure curve\nruns: a").length, 1);
  assert.equal(piecesOf("```js\na\n```").length, 1);
});

test("what is written beside a figure stays a line apart from it", () => {
  const pieces = piecesOf(`${FIGURE}\n${FIGURE}`);
  const [, , middle] = pieces;
  assert.ok(middle.block === null);
  const now = rewritten(middle, "Between", { first: false, last: false });
  assert.equal(joinPieces(pieces.with(2, now)), `${FIGURE}\n\nBetween\n\n${FIGURE}`);
  assert.equal(joinPieces(pieces.with(2, rewritten(now, "", { first: false, last: false }))), `${FIGURE}\n\n${FIGURE}`);
});

test("a figure is inserted where the cursor is, with one blank line around it", () => {
  const text = "# Title\n\nA paragraph\nof two lines.\n\n\n\n## Next\n\n- one\n- two\n";
  const after = (/** @type {string} */ before) => withBlock(text, text.indexOf(before), "F").text;
  // At the start of a heading: before it.
  assert.equal(after("## Next"), "# Title\n\nA paragraph\nof two lines.\n\nF\n\n## Next\n\n- one\n- two\n");
  assert.match(after("# Title"), /^F\n\n# Title\n\nA paragraph/);
  assert.match(after("A paragraph"), /^# Title\n\nF\n\nA paragraph/);
  // Within a heading, a paragraph or a list: after it.
  assert.match(after("itle"), /^# Title\n\nF\n\nA paragraph/);
  assert.match(after("of two"), /of two lines\.\n\nF\n\n## Next/);
  assert.match(after("two\n"), /- one\n- two\n\nF\n$/);
  // On an empty line: there.
  assert.match(withBlock(text, text.indexOf("\n\n\n") + 2, "F").text, /of two lines\.\n\nF\n\n## Next/);
  assert.deepEqual(withBlock("", 0, "F"), { text: "F\n", at: 0 });
  assert.deepEqual(withBlock("Words.", 6, "F"), { text: "Words.\n\nF\n", at: 8 });
});

test("a figure moves past one paragraph at a time, and is removed with the gap below it", () => {
  const text = `# One\n\nTwo\n\n${FIGURE}\n\nThree`;
  const up = withMoved(text, 4, -1);
  assert.deepEqual(up, { text: `# One\n\n${FIGURE}\n\nTwo\n\nThree`, line: 2 });
  assert.deepEqual(withMoved(up.text, 2, 1), { text, line: 4 });
  assert.equal(withMoved(`${FIGURE}\n\nOne`, 0, -1), null);
  assert.equal(without(text, 4), "# One\n\nTwo\n\nThree");
});

test("numbers of runs are shown by name and saved by id", () => {
  const other = "02a214aa-f832-771b-b5df-8347040e379b";
  const names = new NumberNames(new Sources([run({}), run({ id: other })]));
  const source = `It is {{${ID} test_accuracy}}, then {{${other} test_accuracy}}, {{ref noise}}.`;
  const shown = names.shown(source);
  assert.equal(
    shown,
    "It is {{Test accuracy of Learning rate · learning rate 0.1}}, then {{Test accuracy of Learning rate · learning rate 0.1 (2)}}, {{ref noise}}.",
  );
  assert.equal(names.source(shown), source);
  // A run that is not known keeps the beginning of its id; what is no number stays as it is.
  const gone = "{{03a214aa-f832-771b-b5df-8347040e379b test_loss}}";
  assert.equal(names.shown(gone), "{{Test loss of run 03a214aa}}");
  assert.equal(names.source(names.shown(gone)), gone);
  for (const text of ["{{x}}", `{{${ID} beauty}}`]) assert.equal(names.shown(text), text);
});

test("references are shown as what they read as, and saved by name", () => {
  const figures = [
    { name: "curves", label: "Figure 1" },
    { name: "twice", label: "Table 1" },
    { name: "twice", label: "Table 2" },
  ];
  const source = "See {{ref curves}}, {{ref twice}} and {{ref nothing}}.";
  const shown = showReferences(source, figures);
  assert.equal(shown, "See {{Figure 1, curves}}, {{ref twice}} and {{ref nothing}}.");
  assert.equal(writeReferences(shown), source);
  // A figure that was inserted before it changes the number alone.
  assert.equal(writeReferences(shown.replace("Figure 1", "Figure 2")), source);
  assert.equal(showReferences(source, []), source);
});

test("a report with no more than its title is empty", () => {
  for (const text of ["", "# Untitled report\n\n"]) assert.ok(isBare(text), text);
  for (const text of ["# One\n\nWords.", "# One\n\n## Set-up", FIGURE]) assert.ok(!isBare(text), text);
});

test("a run of a sweep is named in the form's words", () => {
  assert.equal(runName(run({})), "Learning rate · learning rate 0.1");
  assert.equal(
    runName(run({ name: "A · batch size 16, activation relu, seed 3" })),
    "A · batch size 16, activation ReLU, seed 3",
  );
  assert.equal(runName(run({ name: "Networks · mlp" })), "Networks · MLP");
  assert.equal(runName(run({ name: "My lr 0.1" })), "My lr 0.1");
  // What a user wrote stays.
  assert.equal(runName(run({ name: "A · my best, lr 0.1" })), "A · my best, learning rate 0.1");
});

test("a figure is told in words, without ids and names of series", async () => {
  const sources = new Sources([run({ name: "MLP on digits" })]);
  sources.load = async () => {};
  const words = await figureWords(
    "curve",
    `runs: ${ID}\nseries: train_loss, validation_loss\npanels: runs\ncaption: Calm.\nname: noise`,
    sources,
  );
  assert.deepEqual(words, {
    title: "Curves",
    runs: "MLP on digits",
    chosen: "Training loss, validation loss · Each run alone, and all together",
    caption: "Calm.",
    name: "noise",
  });
  const { chosen } = await figureWords("features", `run: ${ID}\nlayer: last convolution\nimage: test:3`, sources);
  assert.equal(chosen, "Last convolution · Sample 3 of the test split");
  await assert.rejects(figureWords("curve", "runs: 05a214aa", sources), /There is no run/);
});

test("keys in a row are undone together, other changes one by one", () => {
  let time = 0;
  const undone = history({ text: "", cursor: 0 }, () => time);
  const type = (/** @type {string} */ text, typing = true) => undone.push({ text, cursor: text.length }, typing);
  type("a");
  type("ab");
  time = 5000;
  type("abc");
  type("abc F", false);
  assert.equal(undone.go("undo")?.text, "abc");
  assert.equal(undone.go("undo")?.text, "ab");
  assert.equal(undone.go("undo")?.text, "");
  assert.equal(undone.go("undo"), null);
  assert.deepEqual(undone.go("redo"), { text: "ab", cursor: 2 });
  type("x");
  assert.equal(undone.go("redo"), null);
});

test("the tools change the selected text", () => {
  const [heading, bold] = TOOLS;
  assert.deepEqual(bold.edit({ value: "so calm", selectionStart: 3, selectionEnd: 7 }), {
    from: 3,
    to: 7,
    text: "**calm**",
    select: [5, 9],
  });
  assert.deepEqual(heading.edit({ value: "a\nb", selectionStart: 3, selectionEnd: 3 }), {
    from: 2,
    to: 3,
    text: "## b",
    select: [6, 6],
  });
});
