// The data page: uploads are reported on and become data sets; known sets are downloaded.

import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

import { expect, overflow, startServer, test } from "./vivarium.js";
import { picture, zip } from "./zip.js";

const colour = picture("rgb.jpg");
const PETS = Object.fromEntries(
  Array.from({ length: 12 }, (_, i) => [`pets/${i % 3 === 0 ? "dogs" : "cats"}/${i}.jpg`, colour]),
);

/** @param {string} name @param {{ [name: string]: Buffer | string }} files */
const file = (name, files) => ({ name, mimeType: "application/zip", buffer: zip(files) });

test.afterEach(async ({ vivarium }) => {
  const { datasets } = await vivarium.call("GET", "/datasets");
  for (const { set, state } of datasets)
    if (state.kind === "present") await vivarium.call("DELETE", `/datasets/${set}`);
});

test("a zip becomes a set: report, name, acceptance, and it can be trained on", async ({ page, vivarium }) => {
  await page.goto("/");
  await page.getByRole("link", { name: "Data" }).click();
  await page.setInputFiles("#upload-file", file("My pets.zip", PETS));
  await expect(page.getByRole("heading", { name: "My pets.zip: 12 images in 2 classes" })).toBeVisible();
  await expect(page.locator(".report-classes li").first()).toContainText(/cats\s*8/);
  await expect(page.getByText("All are 16×16 pixels.")).toBeVisible();
  const name = page.getByRole("textbox", { name: "Name in settings" });
  await expect(name).toHaveValue("my-pets");
  await name.fill("digits");
  await page.getByRole("button", { name: "Accept" }).click();
  await expect(
    page.getByRole("alert").filter({ hasText: "The name is the name of a data set of this program" }),
  ).toBeVisible();
  await expect(name).toBeFocused();
  await name.fill("pets");
  await page.getByRole("button", { name: "Accept" }).click();
  const card = page.locator('[data-set="pets"]');
  await expect(card).toHaveAttribute("open", "");
  await expect(card).toContainText("12 photos · 2 classes · 16×16 colour");
  await expect(card).toContainText("From My pets.zip");
  await expect(card.locator(".set-figures > div").filter({ hasText: "Training" })).toHaveText("Training10");
  await expect(page).toHaveURL(/\/data\/pets$/);
  await expect(card.getByRole("img", { name: "Mean of cats" })).toBeVisible();
  await expect(card.locator(".class-row")).toHaveCount(2);
  // The picture behind the rows has loaded.
  const url = await card
    .locator(".class-rows")
    .evaluate((rows) => getComputedStyle(rows).getPropertyValue("--picture").slice(5, -2));
  expect((await page.request.get(url)).headers()["content-type"]).toBe("image/png");
  await page.goto("/new");
  await expect(page.getByRole("radio", { name: /^My pets images, 2 classes/ })).toHaveCount(1);
  const { id } = await vivarium.create({
    data: { set: "pets" },
    network: { kind: "mlp" },
    training: { epochs: 1, batch_size: 4 },
  });
  await expect.poll(async () => (await vivarium.get(id)).status).toBe("finished");
});

test("each set leads to what one does with it, closed as it is", async ({ page }) => {
  await page.goto("/data");
  const groups = page.locator(".sets-title:visible");
  await expect(groups).toHaveText(["Images", "Points in the plane"]);
  await page.getByRole("link", { name: "Playground with Exclusive or" }).click();
  await expect(page.getByRole("radio", { name: "Exclusive or" })).toBeChecked();
  await page.goto("/data");
  await page.getByRole("link", { name: "Train on Digits" }).click();
  await expect(page).toHaveURL(/\/new\?data=digits$/);
  await expect(page.getByRole("radio", { name: /^Digits/ })).toBeChecked();
});

test("a set has an address: its open card has it, and a page of its own", async ({ page }) => {
  await page.goto("/data");
  const card = (/** @type {string} */ set) => page.locator(`[data-set="${set}"]`);
  await card("digits").locator("summary").click();
  await expect(page).toHaveURL(/\/data\/digits$/);
  await expect(page).toHaveTitle("Digits · Vivarium");
  await card("spiral").locator("summary").click();
  await expect(page).toHaveURL(/\/data\/spiral$/);
  await card("spiral").locator("summary").click();
  await expect(page).toHaveURL(/\/data\/digits$/);
  await card("digits").locator("summary").click();
  await expect(page).toHaveURL(/\/data$/);
  await expect(page).toHaveTitle("Data · Vivarium");
  await page.goto("/data/spiral");
  await expect(card("spiral")).toHaveAttribute("open", "");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Spiral");
  await expect(page).toHaveTitle("Spiral · Vivarium");
  await expect(page.locator(".set")).toHaveCount(1);
  await expect(card("spiral").getByRole("img", { name: /^Spiral: / })).toBeInViewport({ ratio: 1 });
  await expect(card("spiral").getByRole("link", { name: "/data/spiral" })).toHaveAttribute("href", "/data/spiral");
  await card("spiral").locator("summary").click();
  await expect(page).toHaveURL(/\/data\/spiral$/);
  await page.getByRole("navigation", { name: "Other data sets" }).getByRole("link", { name: "Moons" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Moons");
  await page.getByRole("main").getByRole("link", { name: "Data", exact: true }).click();
  await expect(page).toHaveURL(/\/data$/);
  await expect(page.locator(".set").nth(1)).toBeVisible();
  expect((await page.goto("/data/spirals"))?.status()).toBe(404);
});

test("points are drawn, large with a legend and small in their row, and other settings lead to the playground", async ({
  page,
}) => {
  await page.goto("/data/spiral");
  const card = page.locator('[data-set="spiral"]');
  const picture = card.getByRole("img", { name: "Spiral: 400 points of 2 classes" });
  await expect(picture).toBeVisible();
  /** How many colours the canvas has. @param {import("@playwright/test").Locator} canvas */
  const colours = (canvas) =>
    canvas.evaluate((/** @type {HTMLCanvasElement} */ element) => {
      const pixels = element.getContext("2d")?.getImageData(0, 0, element.width, element.height).data ?? [];
      const found = new Set();
      for (let i = 0; i < pixels.length; i += 4) found.add(`${pixels[i]} ${pixels[i + 1]} ${pixels[i + 2]}`);
      return found.size;
    });
  await expect.poll(() => colours(picture)).toBeGreaterThan(20);
  await expect.poll(() => colours(card.locator(".set-thumbnail canvas"))).toBeGreaterThan(5);
  await expect(card.locator(".points-classes li")).toHaveText(["class 1", "class 2"]);
  await expect(card.locator(".set-figures")).toContainText(/Points400Training320Test80Noise0\.03/);
  const before = await colours(picture);
  for (const split of ["training", "test"]) await card.getByRole("button", { name: split }).click();
  await expect.poll(() => colours(picture)).toBeLessThan(before);
  await expect(card.getByRole("link", { name: "noise 0.2" })).toContainText("overlap");
  await card.getByRole("link", { name: "5 classes" }).click();
  await expect(page).toHaveURL(/\/playground\?/);
  await expect(page.locator(".plane-legend li")).toHaveCount(5);
});

test("rows have a picture of what is there, and the classes of a wide card stand in two columns", async ({ page }) => {
  await page.goto("/data");
  await expect(page.locator('[data-set="digits"] .thumbnail-images i')).toHaveCount(4);
  await expect(page.locator('[data-set="mnist"] .set-thumbnail > svg')).toBeVisible();
  await expect(page.locator('[data-set="mnist"] .set-facts')).toHaveText("10 classes · 11.1 MiB");
  await page.goto("/data/digits");
  const rows = page.locator('[data-set="digits"] .class-row');
  await expect(page.locator('[data-set="digits"] .set-figures')).toContainText(/Images1,797Training1,438Test359/);
  const left = async (/** @type {number} */ row) => (await rows.nth(row).boundingBox())?.x ?? 0;
  await page.setViewportSize({ width: 1440, height: 900 });
  await expect.poll(async () => (await left(5)) - (await left(0))).toBeGreaterThan(400);
  await page.setViewportSize({ width: 768, height: 900 });
  await expect.poll(async () => (await left(5)) - (await left(0))).toBe(0);
});

test("unreadable images are named, and left out only after confirmation", async ({ page }) => {
  await page.goto("/data");
  await page.setInputFiles(
    "#upload-file",
    file("pets.zip", { ...PETS, "pets/cats/broken.jpg": "nothing", "pets/notes.txt": "words" }),
  );
  await expect(page.getByText("1 image cannot be read")).toBeVisible();
  await expect(page.getByText("pets/cats/broken.jpg: is no PNG, JPEG, WebP, GIF, BMP or TIFF")).toBeVisible();
  await expect(page.getByText("1 other file ignored")).toBeVisible();
  const accept = page.getByRole("button", { name: "Accept" });
  await expect(accept).toBeDisabled();
  await page.getByRole("checkbox", { name: "Accept the set without it" }).check();
  await accept.click();
  await expect(page.locator('[data-set="pets"]')).toContainText("12 photos");
});

test("a refusal lists every reason, and the next file is accepted", async ({ page }) => {
  await page.goto("/data");
  await page.setInputFiles(
    "#upload-file",
    file("evil.zip", { "../../out.jpg": colour, "/etc/out.jpg": colour, "a/1.jpg": colour }),
  );
  const alert = page.getByRole("alert").filter({ hasText: "evil.zip was refused." });
  await expect(alert).toContainText("../../out.jpg: has a path that leads out of the archive");
  await expect(alert).toContainText("/etc/out.jpg: has an absolute path");
  await page.setInputFiles("#upload-file", file("pets.zip", PETS));
  await expect(page.getByRole("button", { name: "Discard" })).toBeVisible();
  await expect(alert).toHaveCount(0);
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(page.getByText("Drop a folder, an archive or files here, or choose files")).toBeVisible();
});

test("a file is dropped on the page", async ({ page }) => {
  await page.goto("/data");
  const bytes = [...zip(PETS)];
  const data = await page.evaluateHandle((numbers) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(numbers)], "dropped.zip", { type: "application/zip" }));
    return transfer;
  }, bytes);
  await page.dispatchEvent(".upload", "drop", { dataTransfer: data });
  await expect(page.getByRole("heading", { name: /^dropped.zip: 12 images/ })).toBeVisible();
});

/** IDX files: a number of 28x28 images and their labels. @param {number} count */
function idx(count) {
  const head = (/** @type {number[]} */ numbers) =>
    Buffer.concat(numbers.map((n) => Buffer.from([n >>> 24, n >>> 16, n >>> 8, n])));
  return {
    images: Buffer.concat([
      head([0x803, count, 28, 28]),
      Buffer.from(Array.from({ length: count * 784 }, (_, i) => (i * 7 + (i >> 7)) & 255)),
    ]),
    labels: Buffer.concat([head([0x801, count]), Buffer.from(Array.from({ length: count }, (_, i) => i % 3))]),
  };
}

test("a folder is chosen, and becomes a set under its name", async ({ page }, info) => {
  const folder = info.outputPath("My pets");
  for (const [path, bytes] of Object.entries(PETS)) {
    const place = join(folder, path.replace(/^pets/, "train"));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, bytes);
  }
  writeFileSync(join(folder, ".DS_Store"), "litter");
  await page.goto("/data");
  await page.setInputFiles("#upload-folder", folder);
  await expect(page.getByRole("heading", { name: "My pets: 12 images in 2 classes" })).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Name in settings" })).toHaveValue("my-pets");
  // All twelve are one picture.
  await expect(page.locator(".report-notes")).toContainText("identical to");
  await page.getByRole("button", { name: "Accept" }).click();
  await expect(page.locator('[data-set="my-pets"]')).toContainText("12 photos · 2 classes");
});

test("a folder is dropped, with folders in it", async ({ page }) => {
  await page.goto("/data");
  await page.evaluate(
    (/** @type {[string, number[]][]} */ files) => {
      // A fake of the browser's object for a dropped folder, which scripts cannot create.
      const fileEntry = (/** @type {string} */ path, /** @type {number[]} */ bytes) => ({
        isFile: true,
        fullPath: path,
        file: (/** @type {(file: File) => void} */ give) =>
          give(new File([new Uint8Array(bytes)], path.split("/").at(-1) ?? "")),
      });
      const folderEntry = (/** @type {string} */ path) => ({
        isFile: false,
        fullPath: path,
        createReader() {
          const below = new Set(
            files
              .filter(([file]) => file.startsWith(`${path}/`))
              .map(([file]) => file.slice(path.length + 1).split("/")[0]),
          );
          const entries = [...below].map((name) => {
            const file = files.find(([file]) => file === `${path}/${name}`);
            return file ? fileEntry(...file) : folderEntry(`${path}/${name}`);
          });
          // In batches, as browsers do.
          return { readEntries: (/** @type {(some: any[]) => void} */ give) => give(entries.splice(0, 3)) };
        },
      });
      const event = new Event("drop", { bubbles: true, cancelable: true });
      Object.assign(event, { dataTransfer: { files: [], items: [{ webkitGetAsEntry: () => folderEntry("/pets") }] } });
      document.querySelector(".upload")?.dispatchEvent(event);
    },
    Object.entries(PETS).map(([path, bytes]) => /** @type {[string, number[]]} */ ([`/${path}`, [...bytes]])),
  );
  await expect(page.getByRole("heading", { name: "pets: 12 images in 2 classes" })).toBeVisible();
});

test("the files of MNIST-like sets are uploaded together, compressed or not", async ({ page }) => {
  const [train, tests] = [idx(30), idx(12)];
  const files = [
    { name: "train-images-idx3-ubyte.gz", mimeType: "application/gzip", buffer: gzipSync(train.images) },
    { name: "train-labels.idx1-ubyte", mimeType: "", buffer: train.labels },
    { name: "t10k-images-idx3-ubyte", mimeType: "", buffer: tests.images },
    { name: "t10k-labels-idx1-ubyte.gz", mimeType: "application/gzip", buffer: gzipSync(tests.labels) },
  ];
  await page.goto("/data");
  await page.setInputFiles("#upload-file", files.slice(0, 3));
  await expect(page.getByRole("alert").filter({ hasText: "t10k-labels-idx1-ubyte.gz: is missing" })).toBeVisible();
  await page.setInputFiles("#upload-file", files);
  await expect(page.getByRole("heading", { name: "4 files: 42 images in 3 classes" })).toBeVisible();
  await page.getByRole("button", { name: "Discard" }).click();
});

test("the files of CIFAR-10 are uploaded together or as the original archive", async ({ page }) => {
  const batch = Buffer.concat(
    Array.from({ length: 10 }, (_, i) => Buffer.concat([Buffer.from([i]), Buffer.alloc(3072, i * 20)])),
  );
  const files = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"].map(
    (name) => ({ name: `${name}.bin`, mimeType: "application/octet-stream", buffer: batch }),
  );
  await page.goto("/data");
  await page.setInputFiles("#upload-file", files);
  await expect(page.getByRole("heading", { name: "6 files: 60 images in 10 classes" })).toBeVisible();
  await expect(page.locator(".report-notes")).toContainText(
    "10 of 10 images for the test are identical to images to learn from",
  );
  await page.getByRole("button", { name: "Discard" }).click();
});

test("Fashion-MNIST is uploaded by dropping its files", async ({ page }) => {
  const folder = "/usr/share/datasets/fashion-mnist";
  await page.goto("/data");
  await page.setInputFiles(
    "#upload-file",
    ["train-images", "train-labels", "t10k-images", "t10k-labels"].map(
      (name) => `${folder}/${name}-idx${name.includes("images") ? 3 : 1}-ubyte.gz`,
    ),
  );
  await expect(page.getByText("These are the files of Fashion-MNIST.")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("textbox", { name: "Name in settings" })).toHaveValue("fashion-mnist");
  await page.getByRole("button", { name: "Accept" }).click();
  const card = page.locator('[data-set="fashion-mnist"]');
  await expect(card).toContainText("70,000 images · 10 classes · 28×28 grey");
  await expect(card.getByRole("img", { name: "Mean of Ankle boot" })).toBeVisible({ timeout: 30_000 });
});

test("several archives are refused by name, and an archive by its content", async ({ page }) => {
  await page.goto("/data");
  await page.setInputFiles("#upload-file", [file("a.zip", PETS), file("b.zip", PETS)]);
  await expect(
    page.getByRole("alert").filter({ hasText: "holds an archive, a.zip; upload one archive at a time" }),
  ).toBeVisible();
  await page.setInputFiles("#upload-file", {
    name: "pets.rar",
    mimeType: "",
    buffer: Buffer.from("Rar!\x1a\x07\x01\x00", "latin1"),
  });
  await expect(page.getByRole("alert").filter({ hasText: "pets.rar: is a RAR archive" })).toBeVisible();
});

test("problematic classes are named in the report and beside the start button", async ({ page }) => {
  const tiny = Object.fromEntries([..."abcdefghij"].map((name) => [`${name}/1.jpg`, colour]));
  await page.goto("/data");
  await page.setInputFiles("#upload-file", file("Tiny.zip", tiny));
  await expect(page.locator(".report-notes")).toContainText("3 of 10 classes have no sample to learn from");
  await page.getByRole("button", { name: "Accept" }).click();
  await expect(page.locator('[data-set="tiny"]')).toBeVisible();
  await page.goto("/new");
  await page.getByRole("radio", { name: /^Tiny images/ }).check({ force: true });
  await expect(page.locator(".plan-warnings")).toContainText("3 of 10 classes have no sample to learn from");
  await page.getByRole("radio", { name: /^Digits/ }).check({ force: true });
  await expect(page.locator(".plan-warnings")).toBeHidden();
});

test("a shown command names this server's data folder", async ({ page, server }) => {
  await page.goto("/data");
  const card = page.locator('[data-set="mnist"]');
  await card.locator("summary").click();
  await expect(card.locator("code", { hasText: "data import" })).toHaveText(
    `vivarium data import mnist PATH --data-dir ${realpathSync(server.dataDir)}`,
  );
});

test("names in a zip with markup are shown as text", async ({ page }) => {
  await page.goto("/data");
  const evil = `<img src=x onerror="document.title='broken'">`;
  await page.setInputFiles("#upload-file", file("pets.zip", { [`${evil}/1.jpg`]: colour, "b/1.jpg": colour }));
  // Both classes contain the same picture, and the note names its files.
  await expect(page.locator(".report-classes").getByText(evil)).toBeVisible();
  await expect(page.locator(".report-notes")).toContainText(evil);
  await page.getByRole("button", { name: "Accept" }).click();
  await expect(page.locator('[data-set="pets"] .class-row').first()).toContainText(evil);
  await expect(page).toHaveTitle("pets · Vivarium");
});

test("a set is deleted after confirmation", async ({ page }) => {
  await page.goto("/data");
  await page.setInputFiles("#upload-file", file("pets.zip", PETS));
  await page.getByRole("button", { name: "Accept" }).click();
  const card = page.locator('[data-set="pets"]');
  await card.getByRole("button", { name: "Delete pets" }).click();
  await page.getByRole("button", { name: "Keep it" }).click();
  await expect(card).toHaveCount(1);
  await card.getByRole("button", { name: "Delete pets" }).click();
  await page.getByRole("button", { name: "Delete set" }).click();
  await expect(card).toHaveCount(0);
});

test("a failed download shows the reason and can be retried", async ({ page }) => {
  // A mirror on a closed port, so that nothing is downloaded from the web.
  const server = await startServer({ more: ["--mirror", "http://127.0.0.1:9"] });
  await page.goto(`${server.url}/data`);
  const card = page.locator('[data-set="mnist"]');
  await card.locator("summary").click();
  await expect(card).toContainText("vivarium data fetch mnist");
  await page.getByRole("button", { name: "Download MNIST" }).click();
  await expect(card.getByRole("alert")).toContainText("127.0.0.1:9");
  await expect(page.getByRole("button", { name: "Download MNIST" })).toBeVisible();
  await page.goto("about:blank");
  await server.stop();
});

test("the page fits a phone with everything open", async ({ page }) => {
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto("/data");
  await page.setInputFiles(
    "#upload-file",
    file(`${"long".repeat(20)}.zip`, { ...PETS, [`pets/cats/${"x".repeat(90)}.jpg`]: "nothing" }),
  );
  await expect(page.getByRole("button", { name: "Accept" })).toBeVisible();
  // A button keeps its distance from the edge of its card.
  for (const action of await page.locator(".set-row:has(.set:not([open])) .set-action").all()) {
    const [button, row] = [await action.boundingBox(), await action.locator("..").boundingBox()];
    expect((row?.y ?? 0) + (row?.height ?? 0) - (button?.y ?? 0) - (button?.height ?? 0)).toBeGreaterThan(9);
  }
  for (const summary of await page.locator(".set > summary").all()) await summary.click();
  await expect(page.locator('[data-set="digits"] .class-row')).toHaveCount(10);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});
