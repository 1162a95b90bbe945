// Measures a run with a very long log against the real binary: a log of 1 GiB is indexed, then its curves are requested
// whole, zoomed and smoothed, by one and by twenty clients.
//
//     npm run --prefix frontend measure:log            (VIVARIUM_BIN=… measures another binary, MIB=64 a shorter log)
//
// Exits with 1 if a figure exceeds its bound. Leave the machine idle meanwhile.

import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../server.js";

const MIB = Number(process.env.MIB ?? 1024);
const PER_LINE = 100;
const LINES_PER_EPOCH = 50;
const EPOCHS_PER_BOUNDARY = 100;
/** Milliseconds. The bound for curves holds for any length. */
const BOUNDS = { health: 100, curves: 200 };

/** @type {[boolean, string][]} */
const findings = [];

/** @param {string} what @param {number} ms @param {number} [bound] */
function judge(what, ms, bound = Infinity) {
  findings.push([
    ms <= bound,
    `${what}: ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms${bound < Infinity ? ` (bound ${bound})` : ""}`,
  ]);
  console.log(findings.at(-1)?.[1]);
}

/** Writes a finished run on 2-D data. @param {string} dataDir */
function writeLongRun(dataDir) {
  const id = "01980000-0000-7000-8000-000000000000";
  const folder = join(dataDir, "runs", id);
  mkdirSync(folder, { recursive: true });
  const spec = {
    name: "A very long log",
    data: { set: "moons" },
    network: { kind: "mlp" },
    training: { epochs: 100_000, batch_size: 8 },
    device: "cpu",
  };
  writeFileSync(join(folder, "spec.json"), JSON.stringify(spec));
  // A few thousand losses with all digits, as a worker writes them, repeated.
  const losses = Array.from({ length: 4096 }, (_, i) => (0.2 + Math.abs(Math.sin(i * 12.9898) * 0.7)).toString());
  const rows = Array.from({ length: losses.length - PER_LINE }, (_, i) => losses.slice(i, i + PER_LINE).join(","));
  const accuracies = Array.from({ length: PER_LINE }, (_, i) => ((i * 5) % 9) / 8).join(",");
  const rates = Array.from({ length: PER_LINE }, () => 0.01).join(",");
  const file = openSync(join(folder, "events.ndjson"), "w");
  let [bytes, seq, lines, step, epoch] = [0, 0, "", 0, 1];
  /** @param {string} kind @param {string} rest */
  const event = (kind, rest) => {
    seq += 1;
    lines += `{"kind":"${kind}","seq":${seq},"time":"2026-01-01T00:00:00.000Z",${rest}}\n`;
    if (lines.length < 1 << 20) return;
    bytes += writeSync(file, lines);
    lines = "";
  };
  event(
    "started",
    `"parameters":1000,"classes":["0","1"],"train_samples":${PER_LINE * LINES_PER_EPOCH * 8},"steps_per_epoch":${PER_LINE * LINES_PER_EPOCH},"total_steps":100000000`,
  );
  while (bytes < MIB << 20) {
    for (let i = 0; i < LINES_PER_EPOCH; i += 1) {
      const first = step + 1;
      step += PER_LINE;
      event(
        "steps",
        `"first_step":${first},"epoch":${epoch},"samples_seen":${step * 8},"seconds":${step / 5000},"loss":[${rows[(seq * 7919) % rows.length]}],"accuracy":[${accuracies}],"lr":[${rates}],"images_per_s":40000`,
      );
    }
    const score = `{"loss":${0.2 + 1 / epoch},"accuracy":0.9}`;
    event(
      "epoch",
      `"epoch":${epoch},"step":${step},"samples_seen":${step * 8},"train":${score},"validation":${score},"seconds":1,"elapsed":${step / 5000},"peak_memory_bytes":1000000`,
    );
    if (epoch % EPOCHS_PER_BOUNDARY === 0)
      event("boundary", `"epoch":${epoch},"width":2,"height":2,"x":[0,1],"y":[0,1],"classes":[0,1,1,0]`);
    epoch += 1;
  }
  event("test", '"loss":0.3,"accuracy":0.9,"confusion":[[90,10],[10,90]]');
  event("finished", '"reason":"completed","message":""');
  writeSync(file, lines);
  closeSync(file);
  return { id, events: seq, steps: step };
}

/** Resident memory in MiB and CPU time in seconds. @param {number} pid */
function usage(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const times = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return {
    mib: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024),
    seconds: (Number(times[11]) + Number(times[12])) / 100,
  };
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const dataDir = mkdtempSync(join(tmpdir(), "vivarium-log-"));
const { id, events, steps } = writeLongRun(dataDir);
console.log(`a log of ${MIB} MiB: ${events} events, ${steps} steps`);
let server = await startServer({ dataDir });
const begun = performance.now();

/** The time from the request to the complete response. @param {string} path @param {RequestInit} [init] */
async function timed(path, init) {
  const from = performance.now();
  const response = await fetch(`${server.url}${path}`, init);
  await response.text();
  if (!response.ok) findings.push([false, `${path}: ${response.status}`]);
  return performance.now() - from;
}

/** Waits until every event is in the index and in the curves. */
async function indexed() {
  for (;;) {
    const run = await (await fetch(`${server.url}/api/v1/runs/${id}`)).json().catch(() => null);
    if (run?.summary?.events === events) return;
    await pause(500);
  }
}

let worstHealth = 0;
let peak = 0;
/**
 * Measures health checks and memory during some work.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function watched(work) {
  let over = false;
  const watch = (async () => {
    while (!over) {
      worstHealth = Math.max(worstHealth, await timed("/healthz"));
      peak = Math.max(peak, usage(server.pid).mib);
      await pause(10);
    }
  })();
  const result = await work();
  over = true;
  await watch;
  return result;
}

await watched(indexed);
console.log(
  `indexed in ${((performance.now() - begun) / 1000).toFixed(1)} s, ${usage(server.pid).seconds.toFixed(1)} s of processor time; healthz at worst ${Math.round(worstHealth)} ms; at most ${peak} MiB`,
);
[worstHealth, peak] = [0, 0];

const before = usage(server.pid).mib;
const metrics = `/api/v1/runs/${id}/metrics`;
const zoom = `&from=${Math.round(steps / 3)}&to=${Math.round(steps / 3 + steps / 50)}`;
const close = `&from=${Math.round(steps / 2)}&to=${Math.round(steps / 2) + 5000}`;
const wanted = [
  ["whole", ""],
  ["whole, over time", "?x=time"],
  [
    "whole, every curve",
    "?series=train_loss,train_accuracy,lr,samples,time,epoch_train_loss,validation_loss,validation_accuracy",
  ],
  ["zoomed", `?points=2000${zoom}`],
  ["zoomed close", `?points=2000${close}`],
  ["smoothed by 0.999, the first time", "?smooth=0.999"],
  ["smoothed by 0.999, again", "?smooth=0.999"],
  ["smoothed by 0.9, zoomed, the first time", `?smooth=0.9${zoom}`],
  ["smoothed by 0.9, zoomed, again", `?smooth=0.9${close}`],
];
for (const [what, query] of wanted) {
  const ms = await watched(() => timed(`${metrics}${query}`));
  judge(what, ms, what.includes("first time") ? Infinity : BOUNDS.curves);
}
for (const [what, query] of [
  ["twenty at once", ""],
  ["twenty at once, smoothed", "?smooth=0.999"],
  ["twenty at once, zoomed", `?points=2000${zoom}`],
]) {
  const all = await watched(() => Promise.all(Array.from({ length: 20 }, () => timed(`${metrics}${query}`))));
  judge(`${what}, the last`, Math.max(...all), BOUNDS.curves);
}
judge("/test", await watched(() => timed(`/api/v1/runs/${id}/test`)), BOUNDS.curves);
judge("/boundaries", await watched(() => timed(`/api/v1/runs/${id}/boundaries`)), BOUNDS.curves);
judge("/statistics", await watched(() => timed(`/api/v1/statistics?run=${id}`)), BOUNDS.curves);
judge("healthz meanwhile, at worst", worstHealth, BOUNDS.health);
console.log(`memory: ${before} MiB before, at most ${peak} MiB, ${usage(server.pid).mib} MiB after`);

// Slow requests that clients abort after a moment.
const given = Array.from({ length: 8 }, (_, i) =>
  fetch(`${server.url}${metrics}?smooth=0.${91 + i}&points=100000`, { signal: AbortSignal.timeout(50) }).catch(
    () => null,
  ),
);
await Promise.all(given);
await pause(100);
const spent = usage(server.pid).seconds;
await pause(2000);
console.log(`processor time in the 2 s after eight gave up: ${(usage(server.pid).seconds - spent).toFixed(2)} s`);

await server.stop({ keep: true });
const from = performance.now();
server = await startServer({ dataDir });
judge("from the start to listening", performance.now() - from);
await server.stop();

for (const [fine, text] of findings.filter(([fine]) => !fine)) console.log(`${fine ? "" : "MISSED "}${text}`);
process.exitCode = findings.every(([fine]) => fine) ? 0 : 1;
