// The data sets of the plane, point for point those of `models/src/data/toy2d.rs`, split and normalised as for a run.

import { Generator } from "./random.js";

/** @import { Point } from "../lib/types" */
/** @import { Domain } from "../run/toy2d.js" */

/**
 * `values` are the normalised points `[n, 2]`, `labels` their classes.
 * @typedef {{ values: Float64Array, labels: Uint8Array, count: number }} Samples
 */

/**
 * `points` are as generated, with their split; `domain` is the range of the picture; a network takes points with `mean`
 * subtracted and divided by `deviation`, both those of the training points.
 * @typedef {{
 *   classes: number,
 *   points: Point[],
 *   train: Samples,
 *   test: Samples,
 *   domain: Domain,
 *   mean: [number, number],
 *   deviation: [number, number],
 * }} Data
 */

/** @typedef {(random: Generator, label: number, classes: number) => [number, number]} PointOf */

/** @typedef {"blobs" | "moons" | "circles" | "spiral" | "xor"} SetName */

/**
 * `noise` is the default, `most` the end of the slider; `several`: whether the number of classes is a setting.
 * @type {{ [set in SetName]: { title: string, noise: number, most: number, several: boolean, point: PointOf } }}
 */
export const SETS = {
  blobs: { title: "Blobs", noise: 0.5, most: 2, several: true, point: blob },
  moons: { title: "Moons", noise: 0.15, most: 0.6, several: false, point: moon },
  circles: { title: "Circles", noise: 0.08, most: 0.4, several: false, point: circle },
  spiral: { title: "Spiral", noise: 0.03, most: 0.2, several: true, point: spiral },
  xor: { title: "Exclusive or", noise: 0.05, most: 0.5, several: false, point: exclusiveOr },
};

/** The share of the points that are for the test. */
const TEST = 0.2;
/** The margin of the picture on each side, as a share of the data's range. */
const MARGIN = 0.1;
const TAU = 2 * Math.PI;

/** @param {{ set: SetName, noise: number, samples: number, classes: number }} settings @returns {Data} */
export function generate({ set, noise, samples, classes: wanted }) {
  const { point, several } = SETS[set];
  const classes = several ? wanted : 2;
  const random = new Generator(0, `points ${set}`);
  /** @type {Point[]} */
  const points = [];
  for (let i = 0; i < samples; i += 1) {
    const [x, y] = point(random, i % classes, classes);
    const [right, up] = [Math.fround(x + noise * random.normal()), Math.fround(y + noise * random.normal())];
    points.push({ x: right, y: up, class: i % classes, split: "train" });
  }
  const { train, test } = split(set, points, classes);
  for (const index of test) points[index].split = "test";
  const learnt = train.map((index) => points[index]);
  const [acrossMean, across] = statistics(learnt.map(({ x }) => x));
  const [upMean, up] = statistics(learnt.map(({ y }) => y));
  /** @param {number[]} indices @returns {Samples} */
  const samplesOf = (indices) => ({
    values: Float64Array.from(
      indices.flatMap((index) => [
        Math.fround((points[index].x - acrossMean) / across),
        Math.fround((points[index].y - upMean) / up),
      ]),
    ),
    labels: Uint8Array.from(indices, (index) => points[index].class),
    count: indices.length,
  });
  return {
    classes,
    points,
    train: samplesOf(train),
    test: samplesOf(test),
    domain: { x: range(points.map(({ x }) => x)), y: range(points.map(({ y }) => y)) },
    mean: [acrossMean, upMean],
    deviation: [across, up],
  };
}

/**
 * A fifth of each class for the test, the rest for training, as `models/src/data/split.rs` does without validation.
 * @param {string} set @param {Point[]} points @param {number} classes
 */
function split(set, points, classes) {
  const random = new Generator(0, `split ${set}`);
  /** @type {number[][]} */
  const groups = Array.from({ length: classes }, () => []);
  for (const [index, point] of points.entries()) groups[point.class].push(index);
  for (const group of groups) random.shuffle(group);
  const wanted = Math.max(1, Math.round(points.length * TEST));
  const exact = groups.map((group) => (group.length * wanted) / points.length);
  const counts = exact.map(Math.floor);
  const byRest = [...exact.keys()].sort((a, b) => exact[b] - counts[b] - (exact[a] - counts[a]) || a - b);
  const missing = wanted - counts.reduce((sum, n) => sum + n, 0);
  for (const group of byRest.slice(0, missing)) counts[group] += 1;
  const test = groups.flatMap((group, i) => group.splice(group.length - counts[i]));
  const [inOrder, rest] = [test, groups.flat()].map((part) => random.shuffle(part.sort((a, b) => a - b)));
  return { train: rest, test: inOrder };
}

/** The mean, and the standard deviation or 1 where there is none. @param {number[]} values @returns {[number, number]} */
function statistics(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return [mean, variance > 1e-12 ? Math.sqrt(variance) : 1];
}

/** @param {number[]} values @returns {[number, number]} */
function range(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = MARGIN * (high > low ? high - low : 1);
  return [low - margin, high + margin];
}

/** Centres on a circle, 4 from each neighbour. @type {PointOf} */
function blob(_, label, classes) {
  const radius = 2 / Math.sin(Math.PI / classes);
  const angle = Math.PI / 6 + (TAU * label) / classes;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** @type {PointOf} */
function moon(random, label) {
  const angle = random.uniform(0, Math.PI);
  return label === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)];
}

/** @type {PointOf} */
function circle(random, label) {
  const angle = random.uniform(0, TAU);
  const radius = label === 0 ? 1 : 0.5;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** An arm of one and a quarter turns, from near the centre to radius 1. @type {PointOf} */
function spiral(random, label, classes) {
  const radius = random.uniform(0.08, 1);
  const angle = TAU * (1.25 * radius + label / classes);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** Class 0 where both coordinates have the same sign. A margin along the axes is empty. @type {PointOf} */
function exclusiveOr(random, label) {
  const x = random.uniform(0.1, 1);
  const y = random.uniform(0.1, 1);
  const side = random.below(2) === 0 ? 1 : -1;
  return label === 0 ? [side * x, side * y] : [side * x, -side * y];
}
