// Photos, folders and the webcam before a network; and the page that a user takes away, opened from disk.

import { mkdirSync, mkdtempSync, readFileSync, copyFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chooseMore, expect, overflow, test, trained } from "./vivarium.js";
import { pngOf } from "./zip.js";

/** @import { Page } from "@playwright/test" */

const CONV = {
  name: "residual on digits",
  data: { set: "digits", size: 32, channels: 3, limit: 200 },
  network: { kind: "residual-small", plan: [8, 12], depth: [2], hidden: 8 },
  training: { epochs: 2, batch_size: 32, seed: 7, optimizer: { kind: "sgd", lr: 0.05 } },
};
const PHOTOS = fileURLToPath(new URL("../../../models/tests/golden/photos/", import.meta.url));
const JPEGS = fileURLToPath(new URL("../../../models/tests/golden/jpegs/", import.meta.url));

/** Photos that every browser reads: orientations, CMYK, palettes, transparency, 16 bits, sampled colours. */
const FILES = [
  ...["rgb.jpg", "turned-3.jpg", "turned-6.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg", "palette.png", "rgb.png"],
  ...["grey-alpha.png", "rgba.png", "palette-alpha.png"],
  ...["lossless.webp", "turned-2.webp", "turned-5.webp", "turned-6.webp", "turned-7.webp", "turned-8.webp"],
].map((name) => join(PHOTOS, name));
FILES.push(
  ...["420.jpg", "422.jpg", "444-progressive.jpg", "440.jpg", "420-17x9.jpg"].map((name) => join(JPEGS, name)),
);

/** A folder of photos with a file that is none. */
function folderOfPhotos() {
  const folder = join(mkdtempSync(join(tmpdir(), "vivarium-photos-")), "holiday");
  mkdirSync(join(folder, "beach"), { recursive: true });
  for (let at = 0; at < 40; at += 1) copyFileSync(FILES[at % FILES.length], join(folder, "beach", `${at}.jpg`));
  writeFileSync(join(folder, "notes.txt"), "no photo");
  writeFileSync(join(folder, ".DS_Store"), "litter");
  return folder;
}

/** Text of a file that the page saves. @param {Page} page @param {() => Promise<void>} act */
async function saved(page, act) {
  const [file] = await Promise.all([page.waitForEvent("download"), act()]);
  return { name: file.suggestedFilename(), path: await file.path() };
}

test("photos that are chosen, dropped and pasted, and a folder, become rows and a CSV", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, CONV);
  await page.goto(url);
  await page.getByRole("link", { name: "Predict" }).click();
  await page.waitForURL(`**${url}/predict`);
  const rows = page.locator(".photo-rows > li");
  await page.setInputFiles("#photos", [FILES[0], FILES[1]]);
  await expect(rows).toHaveCount(2);
  await expect(rows.first()).toContainText("rgb.jpg");
  await expect(rows.first().locator(".class-bars li")).toHaveCount(5);
  await expect(rows.first().locator("strong")).toHaveText(/^\d$/);

  /** @param {"drop" | "paste"} kind @param {string} name */
  const hand = (kind, name) =>
    page.evaluate(
      ([kind, name, text]) => {
        const data = new DataTransfer();
        const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
        data.items.add(new File([bytes], name, { type: "image/png" }));
        const event =
          kind === "drop"
            ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
        document.body.dispatchEvent(event);
      },
      [kind, name, readFileSync(join(PHOTOS, "palette.png")).toString("base64")],
    );
  await hand("drop", "dropped.png");
  await expect(rows).toHaveCount(3);
  await expect(rows.last()).toContainText("dropped.png");
  await hand("paste", "image.png");
  await expect(rows).toHaveCount(4);
  await expect(rows.last()).toContainText("pasted-1.png");

  await page.setInputFiles("#photo-folder", folderOfPhotos());
  await expect(page.locator(".photo-results h2")).toHaveText("45 photos, 1 unreadable");
  await expect(page.locator(".photo-rows .unreadable")).toContainText("notes.txt");
  const { name, path } = await saved(page, () => page.getByRole("button", { name: "CSV" }).click());
  expect(name).toBe("predictions.csv");
  const lines = readFileSync(path, "utf8").trim().split("\r\n");
  expect(lines).toHaveLength(45);
  expect(lines[0]).toContain("path,class,probability,second,second_probability,third");
  expect(lines.some((line) => line.startsWith("holiday/beach/0.jpg,"))).toBe(true);
  await page.locator(".photo-results").getByRole("button", { name: "Clear" }).click();
  await expect(page.locator(".photo-results")).toBeHidden();
});

test("answers stand beside the photos, and a sample leads to how the network comes to its answer", async ({
  page,
  vivarium,
}) => {
  const { url } = await trained(vivarium, CONV);
  await page.goto(`${url}/predict`);
  await expect(page.locator(".photo-drop")).toContainText("one of 10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9.");
  const sample = page.locator(".try-samples .thumb").nth(2);
  await sample.click();
  await expect(sample).toHaveAttribute("aria-pressed", "true");
  const [source, results] = await Promise.all(
    [".photo-source", ".photo-results"].map((name) => page.locator(name).boundingBox()),
  );
  expect(results?.x).toBeGreaterThan((source?.x ?? 0) + (source?.width ?? 0));
  const name = (await page.locator(".photo-rows .photo-name").first().textContent()) ?? "";
  await page.getByRole("link", { name: "How it comes to this" }).click();
  // The page adds what it shows to its address.
  await expect(page).toHaveURL(/\/inside\?(.*&)?image=/);
  await expect(page.getByRole("region", { name: "Image", exact: true })).toContainText(name);
  // On a phone the answers are scrolled to.
  await page.setViewportSize({ width: 400, height: 700 });
  await page.goto(`${url}/predict`);
  await page.setInputFiles("#photos", [FILES[0]]);
  await expect(page.locator(".photo-rows > li")).toBeInViewport();
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});

test("a test sample is tried with a click, and says what it is", async ({ page, vivarium }) => {
  const { id, url } = await trained(vivarium, CONV);
  await page.goto(`${url}/predict`);
  const tiles = page.locator(".try-samples .thumb");
  await expect(tiles).toHaveCount(12);
  const { samples } = await vivarium.call("GET", `/runs/${id}/samples?split=test`);
  const rows = page.locator(".photo-rows > li");
  await tiles.first().click();
  await expect(rows).toHaveCount(1);
  await expect(rows.first()).toContainText("test sample 0");
  const { top, image } = await vivarium.call("GET", `/runs/${id}/predict?image=test:0`);
  await expect(rows.first().locator("strong")).toHaveText(top[0].name);
  const verdict = top[0].class === image.truth ? "correct" : `wrong: it is ${samples[0].truth}`;
  await expect(rows.first().locator(".verdict")).toHaveText(verdict);
  // By keyboard, and the newest comes first.
  await tiles.nth(1).focus();
  await page.keyboard.press("Enter");
  await expect(rows).toHaveCount(2);
  await expect(rows.first()).not.toContainText("test sample 0");
  await expect(page.locator(".photo-results h2")).toHaveText("2 images");
  const before = await tiles.first().getAttribute("title");
  await page.getByRole("button", { name: "Other samples" }).click();
  await expect(tiles.first()).not.toHaveAttribute("title", String(before));
  // The bars of all rows begin at one edge, and their numbers end at one.
  const edges = await page
    .locator(".photo-rows .class-bars li")
    .evaluateAll((items) =>
      items.map((item) => [
        Math.round(/** @type {Element} */ (item.querySelector("i")).getBoundingClientRect().left),
        Math.round(/** @type {Element} */ (item.querySelector(".value")).getBoundingClientRect().right),
      ]),
    );
  expect(new Set(edges.map(String)).size).toBe(1);
});

test("a figure is drawn on a pad, and the network says with each stroke what it is", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, { name: "MLP", data: { set: "digits" }, network: { kind: "mlp" } });
  await page.goto(`${url}/predict`);
  const drawing = page.getByRole("region", { name: "Drawing" });
  const answer = drawing.locator(".pad-answer");
  await expect(drawing.locator(".pad-invitation")).toHaveText("Draw one of these: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
  // Every class has its bar before the first stroke.
  await expect(drawing.locator(".class-bars li")).toHaveCount(10);
  const clear = drawing.getByRole("button", { name: "Clear" });
  await expect(clear).toBeDisabled();

  /** Draws a line through these points, shares of the pad's side. @param {[number, number][]} points */
  async function draw(points) {
    const box = await drawing.locator(".pad").boundingBox();
    if (!box) throw new Error("no pad");
    for (const [at, [x, y]] of points.entries()) {
      await page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 4 });
      if (at === 0) await page.mouse.down();
    }
    await page.mouse.up();
  }
  // Small and in a corner: the network gets it in the middle, as large as its samples.
  const ring = Array.from({ length: 25 }, (_, at) => (at * 2 * Math.PI) / 24);
  await draw(ring.map((turn) => [0.2 + 0.1 * Math.sin(turn), 0.3 + 0.16 * Math.cos(turn)]));
  await expect(answer).toHaveText("0");
  await expect(drawing.locator(".class-bars li")).toHaveCount(10);
  await expect(drawing.locator(".class-bars .best .name")).toHaveText("0");

  // What is shown of the drawing are the pixels that the network gets.
  const seen = drawing.locator("canvas.pad-seen");
  await expect(seen).toHaveAttribute("width", "8");
  const greys = await seen.evaluate((of) => {
    const { data } = /** @type {any} */ (of).getContext("2d").getImageData(0, 0, 8, 8);
    return Array.from({ length: 64 }, (_, at) => data[4 * at]);
  });
  // A ring: dark in its middle and in the corners, bright at the top.
  expect(Math.max(greys[0], greys[7], greys[56], greys[63])).toBeLessThan(40);
  expect(Math.max(greys[3], greys[4])).toBeGreaterThan(150);
  expect(Math.min(greys[27], greys[28])).toBeLessThan(100);

  await clear.click();
  await expect(answer).toHaveText("");
  await draw([
    [0.3, 0.2],
    [0.7, 0.2],
    [0.45, 0.8],
  ]);
  await expect(answer).toHaveText("7");
  await draw([
    [0.1, 0.9],
    [0.9, 0.9],
  ]);
  await drawing.getByRole("button", { name: "Undo" }).click();
  await expect(answer).toHaveText("7");

  await drawing.getByRole("button", { name: "Look inside" }).click();
  await expect(page).toHaveURL(/\/inside\?(.*&)?image=/);
  await expect(page.getByRole("region", { name: "Prediction" }).locator("li").first()).toContainText("7");
});

test("where samples have no plain ground there is no pad", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, CONV);
  const photo = pngOf(16, 16, (x, y, channel) => (37 * x + 91 * y + 50 * channel) % 256);
  await page.route("**/images/*.png?size=64", (route) => route.fulfill({ body: photo, contentType: "image/png" }));
  await page.goto(`${url}/predict`);
  await expect(page.locator(".try-samples .thumb")).toHaveCount(12);
  await expect(page.locator(".photo-empty")).toContainText("Each photo becomes a row here");
  await expect(page.getByRole("region", { name: "Drawing" })).toBeHidden();
});

test("a run that trains offers its network at the first checkpoint", async ({ page, vivarium }) => {
  await page.route("**/layers", (route) => route.fulfill({ status: 409, json: { detail: "no checkpoint yet" } }), {
    times: 1,
  });
  const { id, url } = await vivarium.create({ ...CONV, training: { ...CONV.training, epochs: 100_000 } });
  await page.goto(`${url}/predict`);
  await expect(page.locator(".empty")).toContainText("No checkpoint yet");
  await expect(page.locator(".photo-drop")).toBeVisible({ timeout: 30_000 });
  await vivarium.call("POST", `/runs/${id}/stop`);
});

test("the webcam moves a bar for each class, and stops when it is told to or left", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, CONV);
  await page.goto(`${url}/predict`);
  const webcam = page.getByRole("region", { name: "Webcam" });
  await page.getByRole("button", { name: "Use the webcam" }).click();
  await expect(webcam.locator(".class-bars li")).toHaveCount(10);
  await expect(webcam).toContainText("frames per second");
  // The picture of Chromium's webcam changes, and with it the bars.
  const bars = () => webcam.locator(".class-bars").innerText();
  const first = await bars();
  await expect.poll(bars).not.toBe(first);
  const isOn = () => page.evaluate(() => document.querySelector("video")?.srcObject !== null);
  expect(await isOn()).toBe(true);
  await page.getByRole("button", { name: "Stop the webcam" }).click();
  await expect(webcam).toBeHidden();
  expect(await isOn()).toBe(false);

  await page.getByRole("button", { name: "Use the webcam" }).click();
  await expect(webcam.locator(".class-bars li")).toHaveCount(10);
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await expect(webcam).toBeHidden();
  expect(await isOn()).toBe(false);
});

test("without a webcam or a permission the page says what to do", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, CONV);
  for (const [name, text] of [
    ["NotAllowedError", "The camera is not allowed. Allow it in the browser's settings for this page"],
    ["NotFoundError", "No camera was found. Connect one"],
  ]) {
    await page.goto(`${url}/predict`);
    await page.evaluate((name) => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException("no", name);
      };
    }, name);
    await page.getByRole("button", { name: "Use the webcam" }).click();
    await expect(page.getByRole("region", { name: "Webcam" })).toContainText(text);
  }
});

test("the page that is taken away classifies from disk without a network, as the server does", async ({
  page,
  vivarium,
  browser,
  server,
}) => {
  const { id, url } = await trained(vivarium, { ...CONV, name: "</script><b>cats & dogs" });
  await page.goto(url);
  const { name, path } = await saved(page, () => chooseMore(page, "A page that classifies"));
  expect(name).toBe("classifier.html");
  const file = join(mkdtempSync(join(tmpdir(), "vivarium-page-")), "classifier.html");
  copyFileSync(path, file);

  const context = await browser.newContext({ offline: true, viewport: { width: 400, height: 800 } });
  const away = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  away.on("pageerror", (error) => complaints.push(String(error)));
  away.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  const asked = new Set();
  away.on("request", (request) => asked.add(request.url().split(":")[0]));
  await away.goto(pathToFileURL(file).href);
  await expect(away.getByRole("heading", { level: 1 })).toHaveText("</script><b>cats & dogs");
  await away.setInputFiles("#photos", FILES);
  const rows = away.locator(".photo-rows > li");
  await expect(rows).toHaveCount(FILES.length);
  expect(await overflow(away)).toBe(0);

  const form = new FormData();
  for (const file of FILES) form.append("image", new Blob([readFileSync(file)]), file);
  const answer = await fetch(`${server.url}/api/v1/runs/${id}/predict?top=10`, { method: "POST", body: form });
  const { images } = await answer.json();
  const { path: csv } = await saved(away, () => away.getByRole("button", { name: "CSV" }).click());
  const lines = readFileSync(csv, "utf8").trim().split("\r\n").slice(1);
  expect(lines).toHaveLength(FILES.length);
  lines.forEach((line, at) => {
    const cells = line.split(",");
    for (let place = 1; place < cells.length; place += 2) {
      const expected = images[at].top.find((/** @type {any} */ one) => one.name === cells[place]).probability;
      expect(cells[place + 1].replace(/^0\.0*|\./, "").length, line).toBeLessThanOrEqual(6);
      expect(Math.abs(Number(cells[place + 1]) - expected), `${FILES[at]}: ${line}`).toBeLessThan(1e-3);
    }
  });

  await away.getByRole("button", { name: "Use the webcam" }).click();
  await expect(away.getByRole("region", { name: "Webcam" }).locator(".class-bars li")).toHaveCount(10);
  expect([...asked].filter((scheme) => !["file", "data", "blob"].includes(scheme))).toEqual([]);
  expect(complaints).toEqual([]);
  await context.close();
});

test("the page fits on a phone", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, CONV);
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto(`${url}/predict`);
  await page.setInputFiles("#photos", FILES);
  await expect(page.locator(".photo-rows > li")).toHaveCount(FILES.length);
  expect(await overflow(page)).toBe(0);
  await page.getByRole("button", { name: "Use the webcam" }).click();
  await expect(page.getByRole("region", { name: "Webcam" }).locator(".class-bars li")).toHaveCount(10);
  expect(await overflow(page)).toBe(0);
});
