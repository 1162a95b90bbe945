// The data page: one's own images go in, are reported, and come out as a set; known sets are fetched.

import { expect, overflow, startServer, test } from "./vivarium.js";
import { picture, zip } from "./zip.js";

const colour = picture("rgb.jpg");
const PETS = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`pets/${i % 3 === 0 ? "dogs" : "cats"}/${i}.jpg`, colour]));

/** @param {string} name @param {{ [name: string]: Buffer | string }} files */
const file = (name, files) => ({ name, mimeType: "application/zip", buffer: zip(files) });

test.afterEach(async ({ vivarium }) => {
  const { datasets } = await vivarium.call("GET", "/datasets");
  for (const { set, state } of datasets) if (state.kind === "present") await vivarium.call("DELETE", `/datasets/${set}`);
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
  await expect(page.getByRole("alert").filter({ hasText: "The name is the name of a data set of this program" })).toBeVisible();
  await expect(name).toBeFocused();
  await name.fill("pets");
  await page.getByRole("button", { name: "Accept" }).click();
  const card = page.locator('[data-set="pets"]');
  await expect(card).toHaveAttribute("open", "");
  await expect(card).toContainText("12 images · 2 classes · 16×16 colour");
  await expect(card.getByRole("img", { name: "Mean of cats" })).toBeVisible();
  await expect(card.locator(".class-row")).toHaveCount(2);
  // The picture behind the rows is really there.
  const url = await card.locator(".class-rows").evaluate((rows) => getComputedStyle(rows).getPropertyValue("--picture").slice(5, -2));
  expect((await page.request.get(url)).headers()["content-type"]).toBe("image/png");
  await page.goto("/new");
  await expect(page.getByRole("radio", { name: /^My pets images, 2 classes/ })).toHaveCount(1);
  const { id } = await vivarium.create({ data: { set: "pets" }, network: { kind: "mlp" }, training: { epochs: 1, batch_size: 4 } });
  await expect.poll(async () => (await vivarium.get(id)).status).toBe("finished");
});

test("images that cannot be read are named, and left out only on a word", async ({ page }) => {
  await page.goto("/data");
  await page.setInputFiles("#upload-file", file("pets.zip", { ...PETS, "pets/cats/broken.jpg": "nothing", "pets/notes.txt": "words" }));
  await expect(page.getByText("1 image cannot be read")).toBeVisible();
  await expect(page.getByText("pets/cats/broken.jpg: is no PNG, JPEG or WebP")).toBeVisible();
  await expect(page.getByText("1 other file not looked at")).toBeVisible();
  const accept = page.getByRole("button", { name: "Accept" });
  await expect(accept).toBeDisabled();
  await page.getByRole("checkbox", { name: "Accept the set without it" }).check();
  await accept.click();
  await expect(page.locator('[data-set="pets"]')).toContainText("12 images");
});

test("what is refused is said with every reason, and the next file is taken", async ({ page }) => {
  await page.goto("/data");
  await page.setInputFiles("#upload-file", file("evil.zip", { "../../out.jpg": colour, "/etc/out.jpg": colour, "a/1.jpg": colour }));
  const alert = page.getByRole("alert").filter({ hasText: "evil.zip was refused." });
  await expect(alert).toContainText("../../out.jpg: has a path that leads out of the archive");
  await expect(alert).toContainText("/etc/out.jpg: has an absolute path");
  await page.setInputFiles("#upload-file", file("pets.zip", PETS));
  await expect(page.getByRole("button", { name: "Discard" })).toBeVisible();
  await expect(alert).toHaveCount(0);
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(page.getByText("Drop a zip here, or choose one")).toBeVisible();
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

test("names in a zip are text, whatever they look like", async ({ page }) => {
  await page.goto("/data");
  const evil = `<img src=x onerror="document.title='broken'">`;
  await page.setInputFiles("#upload-file", file("pets.zip", { [`${evil}/1.jpg`]: colour, "b/1.jpg": colour }));
  await expect(page.getByText(evil)).toBeVisible();
  await page.getByRole("button", { name: "Accept" }).click();
  await expect(page.locator('[data-set="pets"] .class-row').first()).toContainText(evil);
  await expect(page).toHaveTitle("Data · Vivarium");
});

test("a set is deleted after a question", async ({ page }) => {
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

test("a set that does not come says why, and can be asked for again", async ({ page }) => {
  // A mirror where nobody listens: nothing is asked of the web.
  const server = await startServer({ more: ["--mirror", "http://127.0.0.1:9"] });
  await page.goto(`${server.url}/data`);
  const card = page.locator('[data-set="mnist"]');
  await card.locator("summary").click();
  await expect(card).toContainText("vivarium data fetch mnist");
  await card.getByRole("button", { name: "Fetch MNIST" }).click();
  await expect(card.getByRole("alert")).toContainText("127.0.0.1:9");
  await expect(card.getByRole("button", { name: "Fetch MNIST" })).toBeVisible();
  await page.goto("about:blank");
  await server.stop();
});

test("the page fits a phone with everything open", async ({ page }) => {
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto("/data");
  await page.setInputFiles("#upload-file", file(`${"long".repeat(20)}.zip`, { ...PETS, [`pets/cats/${"x".repeat(90)}.jpg`]: "nothing" }));
  await expect(page.getByRole("button", { name: "Accept" })).toBeVisible();
  for (const summary of await page.locator(".set > summary").all()) await summary.click();
  await expect(page.locator('[data-set="digits"] .class-row')).toHaveCount(10);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});
