import assert from "node:assert/strict";
import { test } from "node:test";
import { axesOf } from "../../compare/axes.js";
import { COSTS } from "../../compare/costs.js";
import { bestOf, OF_TIMES, ofSpeeds } from "../../compare/noise.js";
import { matchesBrushes, titleLines } from "../../compare/parallel-picture.js";
import { byDataSet, dataNotice } from "../../compare/data-sets.js";
import { paretoFront } from "../../compare/pareto.js";
import { pointsBehind, ranked, rankedByData, rankingNote, significanceText } from "../../compare/ranking.js";
import { accuracyOf, hasFront } from "../../compare/scatter.js";
import { accuracySpan, costSpan, sameText, sameWithin } from "../../compare/span.js";
import { faultText, isSoundMember } from "../../compare/sound.js";
import { holm, welch } from "../../lib/welch.js";

/** @import { Run } from "../../lib/types" */
/** @import { Member } from "../../compare/members.js" */

/** @param {number} a @param {number | null} b @param {number} [within] */
const near = (a, b, within = 1e-10) => assert.ok(b !== null && Math.abs(a - b) <= within, `${b} is not ${a}`);

test("Welch's test says what SciPy's ttest_ind_from_stats says", () => {
  near(0.13860403875966465, welch({ mean: 0.95, std: 0.01, count: 5 }, { mean: 0.93, std: 0.02, count: 4 }));
  near(0.03156223162567859, welch({ mean: 0.95, std: 0.01, count: 3 }, { mean: 0.9, std: 0.02, count: 3 }));
  near(0.2114155313728288, welch({ mean: 2, std: 0.5, count: 2 }, { mean: 1, std: 0.25, count: 30 }));
});

test("one value gives no p value, and values without variance give 0 or 1", () => {
  assert.equal(welch({ mean: 1, std: null, count: 1 }, { mean: 2, std: 0.1, count: 5 }), null);
  assert.equal(welch({ mean: 1, std: 0, count: 3 }, { mean: 1, std: 0, count: 3 }), 1);
  assert.equal(welch({ mean: 1, std: 0, count: 3 }, { mean: 2, std: 0, count: 3 }), 0);
});

test("several comparisons are corrected together", () => {
  assert.deepEqual(holm([0.01, null, 0.04, 0.03]), [0.03, null, 0.06, 0.06]);
  assert.deepEqual(holm([0.9, 0.8]), [1, 1]);
});

/** @param {string} id @param {number} lr @param {(number | null)[]} tests one for each seed @returns {Member} */
const member = (id, lr, tests) => ({
  id,
  label: id,
  stroke: { token: "--data-1", dash: [] },
  runs: tests.map(
    (test_accuracy, seed) =>
      /** @type {Run} */ (
        /** @type {any} */ ({
          id: `${id}${seed}`,
          number: seed + 1,
          spec: { data: { set: "digits" }, network: { kind: "mlp" }, training: { seed, optimizer: { lr } } },
          summary: {
            test_accuracy,
            best_validation_accuracy: test_accuracy,
            seconds: 10 * lr,
            parameters: 5,
            peak_memory_bytes: null,
            train_loss: null,
          },
        })
      ),
  ),
});

test("members are ranked by accuracy, and seeds give the significance", () => {
  const members = [
    member("slow", 0.001, [0.5, 0.52, 0.51]),
    member("good", 0.01, [0.93, 0.95, 0.94]),
    member("near", 0.02, [0.92, 0.96, 0.93]),
    member("new", 0.1, [null]),
  ];
  const gain = { title: "Test accuracy", of: (/** @type {Run} */ run) => run.summary.test_accuracy };
  const places = ranked(members, gain);
  assert.deepEqual(
    places.map((place) => place.member.id),
    ["good", "near", "slow"],
  );
  assert.deepEqual(
    places.map((place, i) => significanceText(place, i, places).sign),
    ["first", "chance", "clear"],
  );
  near(0.43, places[2].behind);
  const alone = ranked([member("a", 1, [0.9]), member("b", 2, [0.8])], gain);
  assert.equal(significanceText(alone[1], 1, alone).sign, "unknown");
  assert.deepEqual(ranked([], gain), []);
});

/** A member of which so many runs diverged. @param {Member} of @param {number} many @returns {Member} */
const diverging = (of, many = of.runs.length) => ({
  ...of,
  runs: of.runs.map((run, i) => (i < many ? { ...run, status: "finished", reason: "diverged" } : run)),
});

test("a run that diverged or failed is never the best, whatever its accuracy", () => {
  const gain = { title: "Test accuracy", of: (/** @type {Run} */ run) => run.summary.test_accuracy };
  const places = ranked(
    [diverging(member("bad", 90, [0.99])), member("good", 0.01, [0.9]), member("slow", 0.001, [0.5])],
    gain,
  );
  assert.deepEqual(
    places.map((place) => place.member.id),
    ["good", "slow", "bad"],
  );
  assert.deepEqual(
    places.map((place, i) => significanceText(place, i, places).word),
    ["Not tested: one seed", "Not tested: one seed", "Diverged"],
  );
  const alone = ranked([diverging(member("bad", 90, [0.99]))], gain);
  assert.equal(significanceText(alone[0], 0, alone).word, "Diverged");
  const some = diverging(member("some", 1, [0.9, 0.8, 0.7]), 1);
  assert.deepEqual([isSoundMember(some), faultText(some)], [false, "1 of 3 seeds diverged"]);
  const failed = { ...some, runs: [{ ...some.runs[0], status: /** @type {"failed"} */ ("failed"), reason: null }] };
  assert.equal(faultText(failed), "Failed");
});

test("a run that diverged does not stretch the axes of results, nor does it decide what is compared", () => {
  const members = [member("a", 0.1, [0.5]), member("b", 0.01, [0.9]), diverging(member("bad", 1e6, [null]))];
  assert.equal(accuracyOf(members).title, "Test accuracy");
  const seconds = axesOf(members).find(({ key }) => key === "seconds");
  assert.ok(Number(seconds?.at(members[0])) > 0.5);
  assert.equal(seconds?.at(members[2]), null);
});

test("long titles of axes are two lines", () => {
  assert.deepEqual(["Epochs", "Learning rate", "Training samples at most", "Batchnormalisation"].map(titleLines), [
    ["Epochs"],
    ["Learning", "rate"],
    ["Training", "samples at most"],
    ["Batchnormalisation"],
  ]);
});

test("what is not tested yet is ranked by validation", () => {
  assert.equal(accuracyOf([member("a", 1, [0.9])]).title, "Test accuracy");
  assert.equal(accuracyOf([member("a", 1, [0.9]), member("b", 1, [null])]).title, "Best validation accuracy");
});

test("settings that differ and outcomes that differ have an axis", () => {
  const members = [member("a", 0.1, [0.5]), member("b", 0.01, [0.9]), member("c", 0.001, [null])];
  const axes = axesOf(members);
  assert.deepEqual(
    axes.map(({ key }) => key),
    ["training.optimizer.lr", "seconds", "gain"],
  );
  const [lr, , gain] = axes;
  assert.deepEqual(members.map(lr.at), [1, 0.5, 0]);
  assert.deepEqual(
    lr.ticks.map(({ text }) => text),
    ["0.001", "0.01", "0.1"],
  );
  assert.equal(gain.at(members[2]), null);
  assert.equal(gain.format(members[2]), "–");
  assert.deepEqual(
    axes.map(({ outcome }) => outcome),
    [false, true, true],
  );
});

test("brushes keep members that pass through all of them", () => {
  const members = [member("a", 0.1, [0.5]), member("b", 0.01, [0.9]), member("c", 0.001, [null])];
  const axes = axesOf(members);
  const through = (/** @type {[string, [number, number]][]} */ marks) =>
    members.filter((each) => matchesBrushes(axes, new Map(marks), each)).map(({ id }) => id);
  assert.deepEqual(through([]), ["a", "b", "c"]);
  assert.deepEqual(through([["training.optimizer.lr", [0, 0.5]]]), ["b", "c"]);
  assert.deepEqual(
    through([
      ["training.optimizer.lr", [0, 0.5]],
      ["gain", [0.5, 1]],
    ]),
    ["b"],
  );
});

test("many numbers make a scale, which is logarithmic if they are far apart", () => {
  const members = Array.from({ length: 12 }, (_, i) => member(String(i), 10 ** (-4 + i / 4), [0.5 + i / 100]));
  const [lr] = axesOf(members);
  const steps = members.slice(1).map((each, i) => Number(lr.at(each)) - Number(lr.at(members[i])));
  for (const step of steps) near(steps[0], step, 1e-9);
  assert.ok(lr.ticks.some(({ text }) => text === "0.001"));
});

/** @param {Member} of @param {string | undefined} set @returns {Member} */
const on = (of, set) => ({
  ...of,
  runs: of.runs.map((run) => /** @type {Run} */ ({ ...run, spec: { ...run.spec, data: set && { set } } })),
});

test("runs of different data are ranked within their data, and the page says so", () => {
  const members = [
    on(member("a", 1, [0.9]), "digits"),
    on(member("b", 2, [0.5]), "moons"),
    on(member("c", 3, [0.95]), "digits"),
  ];
  assert.deepEqual(
    rankedByData(members, accuracyOf(members)).map(({ set, places }) => [set, places.map((place) => place.member.id)]),
    [
      ["digits", ["c", "a"]],
      ["moons", ["b"]],
    ],
  );
  assert.match(
    String(dataNotice(members)),
    /^These runs learned different data: digits \(2 runs\), moons \(1 run\); their accuracies do not compare\./,
  );
  assert.match(rankingNote(members), /within each data set/);
  assert.equal(rankingNote(members.slice(0, 2)), "Each is alone on its data.");
  const [alone] = rankedByData(members, accuracyOf(members))[1].places;
  assert.equal(significanceText(alone, 0, [alone]).word, "Alone on its data");
  assert.equal(dataNotice(members.filter(({ id }) => id !== "b")), null);
  // An imported run does not say what it learned.
  assert.equal(byDataSet([members[0], on(member("d", 4, [0.7]), undefined)]).size, 1);
});

test("answers to whether a difference is chance are said in words", () => {
  const members = [
    member("good", 0.01, [0.93, 0.95, 0.94]),
    member("near", 0.02, [0.92, 0.96, 0.93]),
    member("slow", 0.001, [0.5, 0.52, 0.51]),
  ];
  const places = ranked(members, accuracyOf(members));
  const words = places.map((place, i) => significanceText(place, i, places));
  assert.equal(words[0].word, "Best");
  assert.match(words[1].word, /^Cannot tell, p = 0\.\d+$/);
  assert.match(words[2].word, /^Yes, p/);
  assert.match(words[2].why, /^Welch's t-test against good, the best: p .* rarely come about by chance\.$/);
  assert.match(rankingNote(members), /Welch's t-test.*2 comparisons \(Holm\); below 0\.05 the answer is yes/);
  const tie = ranked([member("x", 1, [0.9]), member("y", 2, [0.9])], accuracyOf(members));
  assert.deepEqual(significanceText(tie[1], 1, tie).word, "Tie");
});

test("times that differ by chance have no best and no front", () => {
  const [time, memory] = COSTS;
  const short = [0.9, 0.6, 0.88, 0.97];
  assert.deepEqual([...bestOf(short, "low", OF_TIMES)], []);
  assert.equal(sameText(time, short)?.long, "Time: the same within 0.4 s in all 4 runs, which may be chance.");
  assert.equal(sameText(time, [60, 64])?.long, "Time: the same within 7% in both runs, which may be chance.");
  assert.equal(sameText(time, [60, 70]), null);
  assert.equal(sameText(memory, [60, 64]), null);
  // Two are as fast as the fastest, and one is not.
  assert.deepEqual([...bestOf([0.6, 0.9, 4], "low", OF_TIMES)], [0.6, 0.9]);
  assert.deepEqual([...bestOf([60, 70], "low", OF_TIMES)], [60]);
  assert.deepEqual([...bestOf([0.9, 0.91], "high")], [0.91]);
  assert.deepEqual([...bestOf([0.9], "high")], []);
  const choices = [
    { cost: 0.6, gain: 0.95 },
    { cost: 0.9, gain: 0.98 },
    { cost: 4, gain: 0.99 },
  ];
  assert.deepEqual(paretoFront(choices, OF_TIMES), [1, 2]);
  assert.deepEqual(paretoFront(choices), [0, 1, 2]);
  // These take 1 and 5 seconds, and 0.1 and 0.5.
  const front = (/** @type {number} */ least, /** @type {number} */ most) => {
    const members = [member("a", least, [0.9]), member("b", most, [0.95])];
    return hasFront(members, time, accuracyOf(members));
  };
  assert.deepEqual([front(0.1, 0.5), front(0.01, 0.05)], [true, false]);
});

test("the speed of a run of less than a second says little", () => {
  const took = (/** @type {number} */ seconds) => /** @type {Run} */ (/** @type {any} */ ({ summary: { seconds } }));
  const noise = ofSpeeds([took(0.6), took(0.9)]);
  assert.deepEqual([...bestOf([21_800, 14_700], "high", noise)], []);
  assert.deepEqual([...bestOf([21_800, 14_700], "high", ofSpeeds([took(60), took(90)]))], [21_800]);
});

test("small differences of cost stay small on their axis, and are called the same", () => {
  const [low, high] = costSpan([26.35, 26.6]);
  assert.ok(high - low >= 0.2 * 26.6 - 1e-9 && low < 24.5 && high > 28.5, `${low} ${high}`);
  assert.deepEqual(costSpan([1, 10]), [1, 10]);
  assert.deepEqual(
    accuracySpan([0.972], [0.975]).map((at) => Math.round(at * 1e4) / 1e4),
    [0.9635, 0.9835],
  );
  const [from, to] = accuracySpan([0.995], [0.999]);
  assert.ok(to <= 1 && to - from >= 0.02 - 1e-9, `${from} ${to}`);
  assert.equal(sameWithin([26.35, 26.6]), 1);
  assert.equal(sameWithin([26.35, 30]), null);
  assert.equal(
    sameText({ title: "Peak memory" }, [26.35, 26.4, 26.6])?.long,
    "Peak memory: the same within 1% in all 3 runs.",
  );
  assert.equal(sameText({ title: "Parameters" }, [5, 5])?.long, "Parameters: the same in both runs.");
});

test("the points behind the best add up with the accuracies as they are shown", () => {
  assert.equal(pointsBehind(0.9805, 0.2813), "70.0");
  assert.equal(pointsBehind(0.9784, 0.1003), "87.8");
  assert.equal(pointsBehind(0.9, 0.8997), "0.03", "a difference that the shown digits hide");
});
