// Measures how fast the server recovers and responds: the time from a restart to the adoption of a run that kept
// training, from the death of a worker to the run's failed state, from SIGTERM to the server's end, and the response
// time of GET /healthz while pictures of 36 megapixels are decoded.
//
//     npm run --prefix frontend measure:recovery
//
// Exits with 1 if a figure exceeds its bound. Leave the machine idle meanwhile.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { api, startServer } from "../server.js";

const BOUNDS = { adopted: 5000, told: 2000, stopped: 5000, healthz: 100 };
const ROUNDS = 10;
const SIDE = 6000;
const SENDERS = 4;
const READERS = 5;

/** @type {[boolean, string][]} */
const findings = [];

/** @param {string} what @param {number[]} times @param {number} bound */
function judge(what, times, bound) {
  const sorted = [...times].sort((a, b) => a - b);
  const [median, worst] = [sorted[sorted.length >> 1], sorted[sorted.length - 1]];
  findings.push([
    worst < bound,
    `${what}: median ${Math.round(median)} ms, worst ${Math.round(worst)} ms of ${times.length} (bound ${bound})`,
  ]);
}

/** @param {() => Promise<boolean> | boolean} condition */
async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const mlp = {
  name: "mlp on moons",
  data: { set: "moons" },
  network: { kind: "mlp", hidden: [32, 16] },
  training: { epochs: 100_000, batch_size: 8, threads: 1 },
};

/** The worker of a run: the process that has locked its folder. @param {string} dataDir @param {string} id */
function workerOf(dataDir, id) {
  const folder = readdirSync(join(dataDir, "runs")).find((name) => name.includes(id)) ?? id;
  return Number(readFileSync(join(dataDir, "runs", folder, "lock"), "utf8").split(" ")[0]);
}

async function adoption() {
  let server = await startServer();
  const { dataDir } = server;
  const { id } = await api(server.url).create(mlp);
  await until(async () => (await api(server.url).get(id)).summary.step > 0);
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    process.kill(server.pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const began = performance.now();
    server = await startServer({ dataDir });
    const { step } = (await api(server.url).get(id)).summary;
    await until(async () => {
      const run = await api(server.url).get(id);
      return run.status === "running" && run.summary.step > step;
    });
    times.push(performance.now() - began);
  }
  judge("restart to adoption", times, BOUNDS.adopted);
  const client = api(server.url);
  await client.call("POST", `/runs/${id}/stop`);
  await until(async () => (await client.get(id)).status === "stopped");
  await server.stop();
}

async function death() {
  const server = await startServer();
  const client = api(server.url);
  const { id } = await client.create(mlp);
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { step } = (await client.get(id)).summary;
    await until(async () => (await client.get(id)).summary.step > (step ?? 0));
    const began = performance.now();
    process.kill(workerOf(server.dataDir, id), "SIGKILL");
    await until(async () => (await client.get(id)).status === "failed");
    times.push(performance.now() - began);
    await client.call("POST", `/runs/${id}/resume`);
    await until(async () => (await client.get(id)).status === "running");
  }
  judge("death of a worker to a run that says so", times, BOUNDS.told);
  await client.call("POST", `/runs/${id}/stop`);
  await until(async () => (await client.get(id)).status === "stopped");
  await server.stop();
}

/** Stops a server that trains and whose streams are read. */
async function shutdown() {
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const server = await startServer();
    const { id } = await api(server.url).create(mlp);
    await until(async () => (await api(server.url).get(id)).summary.step > 0);
    const streams = await Promise.all(
      Array.from({ length: READERS }, () => fetch(`${server.url}/api/v1/events?run=${id}`)),
    );
    const ends = streams.map((stream) => stream.arrayBuffer().catch(() => null));
    const began = performance.now();
    await server.stop();
    times.push(performance.now() - began);
    await Promise.all(ends);
  }
  judge(`SIGTERM to the end of a server with a run and ${READERS} streams`, times, BOUNDS.stopped);
}

/** The CRC-32 of PNG. @param {Buffer} bytes */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A square single-coloured PNG of a few kilobytes. @param {number} side */
function picture(side) {
  /** @param {string} kind @param {Buffer} body */
  const chunk = (kind, body) => {
    const named = Buffer.concat([Buffer.from(kind), body]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(body.length);
    sum.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.alloc((3 * side + 1) * side))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

async function storm() {
  const server = await startServer();
  const large = new Blob([new Uint8Array(picture(SIDE))]);
  let over = false;
  const sender = async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      const form = new FormData();
      form.set("image", large, "large.png");
      const answer = await fetch(`${server.url}/api/v1/images`, { method: "POST", body: form });
      await answer.arrayBuffer();
      if (![201, 429].includes(answer.status)) throw new Error(`an upload was answered ${answer.status}`);
    }
  };
  /** @type {number[]} */
  const times = [];
  const prober = async () => {
    while (!over) {
      const began = performance.now();
      await (await fetch(`${server.url}/healthz`)).arrayBuffer();
      times.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const probing = prober();
  await Promise.all(Array.from({ length: SENDERS }, sender));
  over = true;
  await probing;
  judge(`/healthz while ${SENDERS} send pictures of ${SIDE} x ${SIDE}`, times, BOUNDS.healthz);
  await server.stop();
}

await adoption();
await death();
await shutdown();
await storm();
for (const [held, text] of findings) console.log(`${held ? "holds " : "BROKEN"}  ${text}`);
process.exitCode = findings.every(([held]) => held) ? 0 : 1;
