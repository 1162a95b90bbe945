// TensorBoard files: importing curves, the runs table, comparisons with trained runs, and export.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, overflow, SHORT, test } from "./vivarium.js";
import { zip } from "./zip.js";

/** An event file that PyTorch or TensorBoard wrote. @param {string} path */
const log = (path) =>
  readFileSync(fileURLToPath(new URL(`../../../server/tests/data/tensorboard/logs/${path}`, import.meta.url)));
const TORCH = log("torch/events.out.tfevents.1700000000.host");

/** @param {string} name @param {Buffer} buffer */
const file = (name, buffer) => ({ name, mimeType: "application/octet-stream", buffer });

/** @param {import("@playwright/test").Page} page */
async function openImport(page) {
  await page.getByLabel("More", { exact: true }).click();
  await page.getByRole("button", { name: "Import TensorBoard files…" }).click();
}

test("files are imported, listed, and compared with a trained run", async ({ page, vivarium }) => {
  const { id } = await vivarium.create(SHORT);
  await expect.poll(async () => (await vivarium.get(id)).status).toBe("finished");
  await page.goto("/");
  await openImport(page);
  const dialog = page.getByRole("dialog", { name: "Import TensorBoard files" });
  await dialog.getByLabel("Name of the runs").fill("theirs");
  await page.setInputFiles("#tensorboard-files", file("events.out.tfevents.1700000000.host", TORCH));
  await expect(dialog).toContainText("Imported 1 run.");
  await page.setInputFiles("#tensorboard-files", file("events.out.tfevents.1700000000.host", TORCH));
  await expect(dialog).toContainText("Nothing is new.");
  await expect(dialog).toContainText("theirs already exists");
  await dialog.getByRole("button", { name: "Close" }).click();

  const row = page.locator("tr[data-run]", { hasText: "theirs" });
  await expect(row).toContainText("imported");
  await expect(row).toContainText("190 steps");
  await expect(row).toContainText("82.6%");
  await expect(row.getByRole("link", { name: "Copy" })).toHaveCount(0);
  await page.getByLabel("Filter runs").fill("source:tensorboard");
  await expect(page.locator("tr[data-run]")).toHaveCount(1);
  await page.getByLabel("Filter runs").fill("");
  await page.getByLabel("Choose theirs").check();
  await page.getByLabel("Choose short").check();
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "TensorBoard files" }).click(),
  ]);
  expect(saved.suggestedFilename()).toBe("tensorboard.zip");
  await page.getByRole("link", { name: "Compare" }).click();
  await expect(page.locator(".members li")).toHaveCount(2);
  await expect(page.getByRole("radio", { name: "Steps" })).toBeChecked();
  for (const name of ["Training loss", "Validation accuracy"]) {
    await expect(
      page
        .getByRole("figure", { name })
        .or(page.locator("section, figure", { hasText: name }))
        .first(),
    ).toBeVisible();
  }
  await expect(page.locator(".compare-table").first()).toContainText("theirs");
});

test("an imported run shows its curves and its source, and no actions that it does not support", async ({
  page,
  vivarium,
}) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Import TensorBoard files…" }).first().click();
  await page.setInputFiles(
    "#tensorboard-files",
    file("logs.zip", zip({ "mine/events.out.tfevents.1": TORCH, "mine/model.pt": "weights" })),
  );
  await page.getByRole("dialog").getByRole("link", { name: "mine" }).click();
  await expect(page.getByRole("heading", { name: "mine", level: 1 })).toBeVisible();
  const source = page.locator(".source");
  await expect(source).toContainText("training loss: Loss/train");
  await expect(source).toContainText("grad_norm");
  await expect(source).toContainText("is in percent");
  await expect(page.locator(".settings")).toContainText("Source");
  for (const name of ["Look inside", "Copy", "Stop", "Resume"]) {
    await expect(page.locator(".run-actions").getByText(name, { exact: true })).toBeHidden();
  }
  await expect(page.getByRole("radio", { name: "Samples" })).toHaveCount(0);
  await page.getByLabel("Export this chart").first().click();
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "TensorBoard files" }).first().click(),
  ]);
  expect(saved.suggestedFilename()).toMatch(/^events\.out\.tfevents\.\d+\.vivarium\./);
  const [{ id }] = (await vivarium.call("GET", "/runs")).runs;
  await page.getByLabel("Export this chart").first().click();
  const [csv] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Numbers, CSV" }).first().click(),
  ]);
  const lines = readFileSync(await csv.path(), "utf8")
    .trim()
    .split("\r\n");
  expect(lines[0]).toBe("run,step,samples_seen,epoch,seconds,train_loss,validation_loss");
  expect(lines).toHaveLength(21);
  expect(lines[6]).toMatch(/^mine,50,,,12.5,NaN,$/);
  expect(lines[5]).toMatch(/^mine,40,,,10,1\.\d+,1\.\d+$/);
  await page.setViewportSize({ width: 400, height: 800 });
  // Charts are resized at the next animation frame.
  await expect.poll(() => overflow(page)).toBe(0);
  await page.getByRole("button", { name: "Delete run" }).click();
  await expect(page.getByText("Deleted “mine”.")).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("“mine” is back.")).toBeVisible();
  expect((await vivarium.get(id)).name).toBe("mine");
});

test("refusals give their reasons, and other files of a folder are not uploaded", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Import TensorBoard files…" }).first().click();
  const dialog = page.getByRole("dialog");
  await page.setInputFiles("#tensorboard-files", file("photo.png", Buffer.from("no events")));
  await expect(dialog.getByRole("alert")).toContainText("photo.png: is not an event file of TensorBoard");
  const damaged = Buffer.from(TORCH);
  damaged[damaged.length >> 1] ^= 1;
  await page.setInputFiles("#tensorboard-files", file("events.out.tfevents.1", damaged));
  await expect(dialog).toContainText("Imported 1 run.");
  await expect(dialog).toContainText(/is damaged: \d+ bytes from byte \d+ on are left out/);
  await page.setInputFiles(
    "#tensorboard-files",
    file("events.out.tfevents.1", log("pictures/events.out.tfevents.1700000000.host")),
  );
  await expect(dialog.getByRole("alert")).toContainText("holds no scalars");
  const folder = fileURLToPath(new URL("../../../server/tests/data/tensorboard", import.meta.url));
  await dialog.locator('input[type="file"][webkitdirectory]').setInputFiles(folder);
  await expect(dialog).toContainText("Imported 3 runs.");
  await expect(dialog.getByRole("link", { name: "tensorboard/logs/keras" })).toBeVisible();
  await expect(dialog).toContainText("holds no scalars");
});

/**
 * An event file as TensorBoard writes it: each value is a record with checksums.
 * @param {[tag: string, step: number, value: number][]} values
 */
function events(values) {
  const bytes = (/** @type {number[]} */ ...of) => Buffer.from(of);
  const field = (/** @type {number} */ number, /** @type {Buffer} */ content) =>
    Buffer.concat([bytes((number << 3) | 2, content.length), content]);
  const float = (/** @type {number} */ value) => {
    const buffer = Buffer.alloc(5);
    buffer[0] = (2 << 3) | 5;
    buffer.writeFloatLE(value, 1);
    return buffer;
  };
  const version = Buffer.concat([bytes(9, 0, 0, 0, 0, 0, 0, 0, 0), field(3, Buffer.from("brain.Event:2"))]);
  const scalars = values.map(([tag, step, value]) => {
    const time = Buffer.alloc(9);
    time[0] = 9;
    time.writeDoubleLE(1.7e9 + step, 1);
    return Buffer.concat([
      time,
      bytes(16, step),
      field(5, field(1, Buffer.concat([field(1, Buffer.from(tag)), float(value)]))),
    ]);
  });
  return Buffer.concat([version, ...scalars].map(record));
}

/** @param {Buffer} content */
function record(content) {
  const length = Buffer.alloc(8);
  length.writeUInt32LE(content.length);
  return Buffer.concat([length, checksum(length), content, checksum(content)]);
}

/** The masked CRC-32C of TFRecord. @param {Buffer} of */
function checksum(of) {
  let crc = 0xffffffff;
  for (const byte of of) {
    crc ^= byte;
    for (let i = 0; i < 8; i += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  crc = ~crc >>> 0;
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return sum;
}

/** @type {[string, number, number][]} */
const BEGUN = [
  ["train/loss", 1, 4],
  ["val/loss", 1, 3],
  ["metrics/accuracy_top1", 1, 0.25],
  ["metrics/mAP50", 1, 0.5],
  ["grad_norm", 1, 7],
];

test("a tag is mapped to a curve or a chart of its own, after the import and on the run page", async ({
  page,
  vivarium,
}) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Import TensorBoard files…" }).first().click();
  await page.setInputFiles("#tensorboard-files", file("events.out.tfevents.1.host", events(BEGUN)));
  const dialog = page.getByRole("dialog", { name: "Import TensorBoard files" });
  await expect(dialog).toContainText("“metrics/accuracy_top1” names no split. It is drawn as validation accuracy");
  await dialog.getByRole("button", { name: "Tags…" }).click();
  const tags = page.getByRole("dialog", { name: /^Tags of/ });
  const drawnAs = (/** @type {string} */ tag) => tags.getByLabel(`${tag} is drawn as`);
  await expect(drawnAs("metrics/accuracy_top1")).toHaveValue("validation_accuracy");
  await drawnAs("metrics/mAP50").selectOption("own");
  await tags.getByRole("button", { name: "Save" }).click();
  await expect(tags).toBeHidden();
  await dialog.getByRole("listitem").getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: "metrics/mAP50" })).toBeVisible();

  await page.getByRole("button", { name: "Map tags to curves…" }).click();
  // A curve has at most one tag: the previous one is no longer drawn.
  await drawnAs("grad_norm").selectOption("train_loss");
  await expect(drawnAs("train/loss")).toHaveValue("none");
  await drawnAs("grad_norm").selectOption("own");
  await expect(drawnAs("train/loss")).toHaveValue("train_loss");
  for (const width of [1440, 400]) {
    await page.setViewportSize({ width, height: 900 });
    await expect.poll(() => overflow(page)).toBe(0);
  }
  await tags.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { name: "grad_norm" })).toBeVisible();
  await expect(page.locator(".source")).toContainText("Charts of their own");
  const [{ id }] = (await vivarium.call("GET", "/runs")).runs;
  await page.goto(`/compare?run=${id}`);
  await expect(page.getByRole("heading", { name: "metrics/mAP50" })).toBeVisible();
});

test("a grown log updates the open page of its run", async ({ page, vivarium }) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Import TensorBoard files…" }).first().click();
  await page.setInputFiles("#tensorboard-files", file("events.out.tfevents.1.host", events(BEGUN)));
  await expect(page.getByRole("dialog")).toContainText("Imported 1 run.");
  const [{ id }] = (await vivarium.call("GET", "/runs")).runs;
  const other = await page.context().newPage();
  await other.goto(`/runs/${id}`);
  await expect(other.locator(".source")).toContainText("train/loss");
  await expect(other.locator(".source")).not.toContainText("val/acc");
  await page.setInputFiles(
    "#tensorboard-files",
    file("events.out.tfevents.1.host", events([...BEGUN, ["train/loss", 2, 2], ["val/acc", 2, 0.5]])),
  );
  await expect(page.getByRole("dialog")).toContainText("Replaced the curves of 1 run.");
  await expect(other.locator(".source")).toContainText("val/acc");
  await page.setInputFiles("#tensorboard-files", file("events.out.tfevents.1.host", events(BEGUN)));
  await expect(page.getByRole("dialog")).toContainText("already exists, with more data than these files");
});
