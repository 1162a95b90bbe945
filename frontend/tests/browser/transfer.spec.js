// Transfer learning as a user does it: a run is trained, another starts from it, and one starts from imported weights.

import { readFileSync, existsSync } from "node:fs";
import { join } from "node:path";

import { chooseMore, expect, overflow, test } from "./vivarium.js";

const NET = `def net(classes):
    def layer(c):
        return Sequential(conv=Conv2d(c, 3, padding=1, bias=False), norm=BatchNorm2d(), act=ReLU())

    return Sequential(stem=layer(4), body=layer(6), mean=Mean(), head=Linear(classes))
`;
const FIRST = {
  name: "photos of last year",
  data: { set: "digits", limit: 300 },
  network: { kind: "small", source: NET },
  training: { epochs: 2 },
};
const WEIGHTS = join(process.env.VIVARIUM_TEST_DATA ?? "../target/test-data", "efficientnet-lite0.safetensors");

test("a run starts from a finished one with its last block alone", async ({ page, vivarium }) => {
  const { id } = await vivarium.create(FIRST);
  await expect.poll(async () => (await vivarium.get(id)).status).toBe("finished");
  await page.goto(`/runs/${id}`);
  await chooseMore(page, "Start from its weights");
  await expect(page.getByText("With the weights and settings of the run “photos of last year”")).toBeVisible();
  const group = page.locator('.group[data-path="training.transfer"]');
  await expect(group.getByRole("radio", { name: "On" })).toBeChecked();
  await expect(group.getByLabel("Starts from", { exact: true })).toHaveValue(id);
  await expect(group.getByText("The last 1 of 3 blocks is trained, head: 70 of 342 parameters.")).toBeVisible();
  await expect(page.locator(".summary")).toContainText("Trained from the start70");
  const blocks = group.getByRole("textbox", { name: "Trainable blocks" });
  await blocks.fill("9");
  await expect(group.getByText("must be at most 3: the network has the blocks stem to head")).toBeVisible();
  await blocks.fill("2");
  await expect(group.getByText("The last 2 of 3 blocks are trained, body, head: 298 of 342 parameters.")).toBeVisible();
  await page.getByRole("textbox", { name: "Epochs", exact: true }).fill("3");
  await group.getByRole("textbox", { name: "Unfreezes at epoch" }).fill("3");
  await page.getByRole("button", { name: "Start run" }).click();
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}$/);
  const next = page.url().split("/").pop() ?? "";
  expect(next).not.toBe(id);
  await expect.poll(async () => (await vivarium.get(next)).status).toBe("finished");
  const settings = page.locator(".settings");
  await expect(settings).toContainText(/Weights of\s*photos of last year/);
  await expect(settings).toContainText(/SHA-256 of the weights\s*[0-9a-f]{16}…/);
  await expect(page.getByRole("link", { name: `run ${id.slice(0, 8)}…` })).toHaveAttribute("href", `/runs/${id}`);
});

test("the form of a new run begins with a finished one", async ({ page, vivarium }) => {
  const { id } = await vivarium.create(FIRST);
  await expect.poll(async () => (await vivarium.get(id)).status).toBe("finished");
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto("/new");
  await page.getByLabel("Start from a finished run").selectOption(id);
  await page.waitForURL(`/new?transfer=${id}`);
  await expect(page.locator(".transfer-line")).toContainText("The last 1 of 3 blocks is trained");
  expect(await overflow(page)).toBe(0);
});

test("EfficientNet-Lite0 is imported with its weights, and its classifier is trained on one's own images", async ({
  page,
  vivarium,
}) => {
  test.skip(!existsSync(WEIGHTS) && !process.env.VIVARIUM_TEST_DATA, "scripts/test-data fetches the weights");
  test.setTimeout(180_000);
  await page.goto("/networks");
  await page.setInputFiles('input[type="file"]', {
    name: "efficientnet-lite0.safetensors",
    mimeType: "application/octet-stream",
    buffer: readFileSync(WEIGHTS),
  });
  await expect(page.getByText("Its tensors are those of the network efficientnet-lite0.")).toBeVisible();
  await page.goto("/new?network=efficientnet-lite0");
  await expect(page.getByRole("radio", { name: /^efficientnet-lite0/i })).toBeChecked();
  await page.getByRole("textbox", { name: "Epochs", exact: true }).fill("3");
  await page.getByRole("textbox", { name: "Image size" }).fill("64");
  await page.locator("form details").evaluateAll((all) => {
    for (const folded of all) folded.setAttribute("open", "");
  });
  await page.getByRole("textbox", { name: "Training samples at most" }).fill("60");
  const group = page.locator('.group[data-path="training.transfer"]');
  await group.getByRole("radio", { name: "On" }).check();
  await expect(group.getByLabel("Starts from", { exact: true })).toHaveValue("imported");
  await expect(group.getByText("The last 1 of 19 blocks is trained, classifier: 12,810")).toBeVisible();
  await page.getByRole("button", { name: "Start run" }).click();
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}$/);
  const id = page.url().split("/").pop() ?? "";
  await expect.poll(async () => (await vivarium.get(id)).status, { timeout: 150_000 }).toBe("finished");
  await expect(page.getByText(/It starts from the imported weights efficientnet-lite0-/)).toBeVisible();
  await expect(page.getByText("The frozen layers are computed once")).toBeVisible();
});
