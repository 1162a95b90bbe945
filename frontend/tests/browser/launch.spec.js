// Starting runs: by preset, by form, by keyboard alone.

import { expect, SHORT, drawn, test, unfold } from "./vivarium.js";

/** @param {import("@playwright/test").Page} page */
const status = (page) => page.locator(".run-head .badge");

/** @param {import("@playwright/test").Page} page @param {string} name */
const box = (page, name) => page.getByRole("textbox", { name, exact: true });

test("the empty page offers a first experiment, which starts and shows its boundary", async ({ page, vivarium }) => {
  await vivarium.clear();
  await page.goto("/");
  await page.getByRole("button", { name: /^Start “/ }).click();
  await page.waitForURL("**/runs/*");
  await expect.poll(() => drawn(page)).toBeGreaterThan(0);
  await expect(status(page)).toHaveAttribute("data-status", "finished");
  await expect(page.getByRole("region", { name: "Decision boundary" })).toContainText("after epoch 3");
  // The boundary is before the curves.
  await expect(page.locator(".run-columns > :first-child .boundary-panel")).toBeVisible();
  // A run that is over when the page opens shows its mistakes.
  await page.getByLabel("After each epoch").check();
  await page.getByRole("slider", { name: "Epoch" }).press("ArrowLeft");
  await expect(page.getByRole("region", { name: "Decision boundary" })).toContainText("after epoch 2");
});

test("every preset starts with one click and finishes", async ({ page, vivarium }) => {
  // A dozen runs in sequence; each has its own time limit.
  test.setTimeout(240_000);
  const { presets } = await vivarium.call("GET", "/presets");
  // The others need a download.
  for (const preset of presets.filter((/** @type {{ missing: string | null }} */ { missing }) => missing === null)) {
    const runs = /** @type {unknown[][]} */ (Object.values(preset.grid)).reduce(
      (product, values) => product * values.length,
      preset.repeats,
    );
    await vivarium.clear();
    await page.goto("/");
    const card = page.locator(`[data-preset="${preset.id}"]`);
    await expect(card).toContainText(runs === 1 ? "1 run" : `${runs} runs`);
    await card.getByRole("button", { name: /^Start/ }).click();
    // Convolutional networks train for minutes: the test only starts and stops them.
    const long = Boolean(preset.grid.network) || preset.base.network.kind === "vgg16";
    if (runs === 1) {
      await page.waitForURL("**/runs/*");
      if (long) {
        await expect(status(page)).toHaveAttribute("data-status", "running");
        await page.getByRole("button", { name: "Stop" }).click();
        const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
        // Includes the run's message, which explains an unexpected status.
        const end = async () => {
          const { status: is, message } = await vivarium.get(id);
          return `${is} ${message}`.trim();
        };
        await expect.poll(end, { timeout: 30_000 }).toBe("stopped");
        await expect(status(page)).toHaveAttribute("data-status", "stopped");
        continue;
      }
      await expect.poll(() => drawn(page)).toBeGreaterThan(0);
      await expect(status(page)).toHaveAttribute("data-status", "finished");
      await expect(page.getByRole("region", { name: "Test result" })).toContainText("Accuracy");
    } else {
      await page.waitForURL("**/sweeps/*");
      await expect(page.locator(".members li")).toHaveCount(runs);
      if (long) await page.getByRole("button", { name: "Stop the rest" }).click();
      const over = long ? "stopped" : "finished";
      await expect
        .poll(
          async () =>
            (await vivarium.call("GET", "/runs")).runs.filter(
              (/** @type {{ status: string }} */ { status: is }) => is === over,
            ).length,
          { timeout: 60_000 },
        )
        .toBe(runs);
    }
  }
});

test("an experiment on missing data links to the data page", async ({ page, vivarium }) => {
  const { presets } = await vivarium.call("GET", "/presets");
  const waiting = presets.find((/** @type {{ missing: string | null }} */ { missing }) => missing !== null);
  await page.goto("/");
  const card = page.locator(`[data-preset="${waiting.id}"]`);
  await expect(card.getByRole("button")).toHaveCount(0);
  await card.getByRole("link", { name: `Get ${waiting.missing}` }).click();
  await page.waitForURL("**/data");
  await expect(page.locator(`[data-set="${waiting.base.data.set}"]`)).toContainText("not downloaded");
});

test("the form is checked while typing, keeps its values, and focuses the first error", async ({ page, vivarium }) => {
  await page.goto("/new");
  const epochs = box(page, "Epochs");
  await epochs.fill("many");
  const field = page.locator('[data-path="training.epochs"]');
  await expect(field.locator(".field-error")).toContainText(/must be/);
  await expect(epochs).toHaveAttribute("aria-invalid", "true");
  await expect(epochs).toHaveValue("many");
  const described = await epochs.getAttribute("aria-describedby");
  const error = await field.locator(".field-error").getAttribute("id");
  expect(described?.split(" ")).toContain(error);

  await box(page, "Hidden widths").fill("64, 0");
  await expect(page.locator('[data-path="network.hidden"] .field-error')).toContainText(/^number 2 must be/);
  await box(page, "Learning rate").fill("0,05");
  const rate = page.locator('[data-path="training.optimizer.lr"] .field-error');
  await expect(rate).toHaveText("must be a number above 0 and at most 100; with a point: 0.05");
  await box(page, "Learning rate").fill("0.05");
  await expect(rate).toBeHidden();
  await box(page, "Batch size").focus();
  await page.getByRole("button", { name: "Start run" }).click();
  await expect(box(page, "Hidden widths")).toBeFocused();
  expect((await vivarium.call("GET", "/runs")).runs).toEqual([]);

  await box(page, "Hidden widths").fill("16");
  await epochs.fill("2");
  await expect(field.locator(".field-error")).toBeHidden();
  await expect(page.locator(".plan-line")).toContainText("1,210 parameters");
  await page.getByRole("button", { name: "Start run" }).click();
  await page.waitForURL("**/runs/*");
  await expect(status(page)).toHaveAttribute("data-status", "finished");
});

test("a changed value goes back to its default, and choices show only their fields", async ({ page }) => {
  await page.goto("/new");
  const rate = box(page, "Learning rate");
  await expect(rate).toHaveValue("0.01");
  await rate.fill("0.5");
  await page.getByRole("button", { name: "Reset Learning rate to 0.01" }).click();
  await expect(rate).toHaveValue("0.01");
  await expect(rate).toBeFocused();
  await page.getByRole("radio", { name: "AdamW" }).check();
  await expect(rate).toHaveValue("0.001");
  await expect(box(page, "Momentum")).toHaveCount(0);
  await expect(box(page, "Patience")).toHaveCount(0);
  await unfold(page, "Schedule and early stopping");
  await page.getByRole("radiogroup", { name: "Early stopping" }).getByRole("radio", { name: "On" }).check();
  await expect(box(page, "Patience")).toHaveValue("5");
  await page.locator(".json summary").click();
  await expect(page.locator(".json pre")).toContainText('"patience": 5');
});

test("typed values survive a reload", async ({ page }) => {
  await page.goto("/new");
  await box(page, "Epochs").fill("7 or so");
  await page.reload();
  await expect(box(page, "Epochs")).toHaveValue("7 or so");
});

test("a run is copied into a new form", async ({ page, vivarium }) => {
  const { url } = await vivarium.create({
    ...SHORT,
    name: "the original",
    network: { kind: "mlp", hidden: [24], activation: "tanh" },
  });
  await page.goto(url);
  await page.getByRole("link", { name: "Adjust and run again" }).click();
  await expect(box(page, "Name")).toHaveValue("the original");
  await expect(box(page, "Hidden widths")).toHaveValue("24");
  await expect(page.getByRole("radio", { name: "Tanh" })).toBeChecked();
  await expect(box(page, "Epochs")).toHaveValue("3");
  await box(page, "Name").fill("the copy");
  await page.getByRole("button", { name: "Start run" }).click();
  await page.waitForURL("**/runs/*");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("the copy");
});

test("a comparison starts a run for each value", async ({ page }) => {
  await page.goto("/new?preset=learning-rate");
  await box(page, "Epochs").fill("1");
  await page.locator("#compare-training-optimizer-lr").fill("0.1, 0.01");
  await page.getByRole("button", { name: "Start 2 runs" }).click();
  await page.waitForURL("**/sweeps/*");
  await expect(page.locator(".members li")).toHaveCount(2);
  await expect(page.locator(".members li.is-over")).toHaveCount(2);
  await expect(page.locator(".overlay canvas")).toHaveCount(4);
  await page.getByRole("link", { name: "As a table" }).click();
  await expect(page.locator('tbody tr[data-status="finished"]')).toHaveCount(2);
  await page.getByRole("link", { name: "Show all runs" }).click();
  await expect(page).toHaveURL(/\/$/);
});

test("settings that matter are few; others are folded by topic, and what differs in a fold is said on it", async ({
  page,
}) => {
  await page.goto("/new");
  const fields = page.locator(".section .field:visible");
  expect(await fields.count()).toBeLessThan(14);
  const fold = await unfold(page, "Regularisation");
  await box(page, "Weight decay").fill("0.001");
  await fold.locator("summary").click();
  await expect(fold.locator(".fold-note")).toHaveText("Weight decay: 0.001");
  await expect(box(page, "Weight decay")).toBeHidden();
  // An error inside a fold is led to.
  await unfold(page, "Regularisation");
  await box(page, "Weight decay").fill("much");
  await fold.locator("summary").click();
  await expect(fold.locator(".fold-note")).toHaveClass(/is-bad/);
  await page.keyboard.press("Control+Enter");
  await expect(box(page, "Weight decay")).toBeFocused();
});

test("the form opens with every experiment", async ({ page, vivarium }) => {
  const { presets } = await vivarium.call("GET", "/presets");
  expect(presets.length).toBeGreaterThan(8);
  for (const { id, missing } of presets) {
    await page.goto(`/new?preset=${id}`);
    await expect(page.getByRole("button", { name: /^Start/ })).toBeVisible();
    if (!missing) await expect(page.locator(".plan-line")).toContainText("parameter");
  }
});

test("another network has its own options, and its picture is drawn beside the form", async ({ page }) => {
  await page.goto("/new");
  const sketch = page.getByRole("region", { name: "The network" });
  await expect(sketch).toContainText("Linear");
  await box(page, "Hidden widths").fill("32, 16");
  await expect(sketch.getByRole("row", { name: /^Linear.*\b32$/ })).toHaveCount(1);
  await page.getByRole("radio", { name: "Tanh" }).check();
  await page.locator("#c-kind-vgg16").check();
  await unfold(page, "Layers in detail");
  await expect(box(page, "Widths of the head")).toHaveValue("4096, 4096");
  await expect(page.getByRole("radio", { name: "Tanh" })).toBeChecked();
  await expect(sketch.getByRole("heading")).toHaveText("VGG16");
  await page.locator("#c-kind-mlp").check();
  await expect(box(page, "Hidden widths")).toHaveValue("32, 16");
});

test("a run is launched by keyboard alone", async ({ page }) => {
  await page.goto("/new");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(box(page, "Name")).toBeFocused();
  await page.keyboard.type("by keyboard");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("radio", { name: /^Digits/ })).toBeFocused();
  const blobs = page.getByRole("radio", { name: /^Blobs/ });
  const sets = await page.getByRole("group", { name: "Data" }).getByRole("radio").count();
  for (let pressed = 0; pressed < sets && !(await blobs.isChecked()); pressed += 1)
    await page.keyboard.press("ArrowRight");
  await expect(blobs).toBeChecked();
  await box(page, "Name").focus();
  await page.keyboard.press("Enter");
  await page.waitForURL("**/runs/*");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("by keyboard");
  await expect(status(page)).toHaveAttribute("data-status", "finished");
});

/** A text with a list among its options. @param {string} title */
const text = (title) => `"""${title}"""


def net(classes, widths=option([8], min=1, max=64, len=(1, 4), pairs=True)):
    return Sequential(Flatten(), *[layer for width in widths for layer in (Linear(width), ReLU())], Linear(classes))
`;

test("three texts and two lists of widths are compared on one page", async ({ page, vivarium }) => {
  for (const name of ["one", "two", "three"])
    await vivarium.call("PUT", `/networks/${name}`, { source: text(`Network ${name}`) });
  await page.goto("/new?network=two");
  await expect(page.getByRole("radio", { name: /Network two/ })).toBeChecked();
  await box(page, "Epochs").fill("1");
  await page.getByLabel("Setting to compare").selectOption({ label: "Network" });
  const networks = page.getByRole("group", { name: "Network", exact: true }).last();
  await expect(networks.getByRole("checkbox", { name: "Network two" })).toBeChecked();
  for (const name of ["Network one", "Network three"]) await networks.getByRole("checkbox", { name }).check();
  await page.getByLabel("Setting to compare").selectOption({ label: "Widths" });
  await page.locator(".compare-row", { hasText: "Widths" }).getByRole("textbox").fill("8; (16, 32), (32, 16)");
  await page.getByRole("button", { name: "Start 6 runs" }).click();
  await page.waitForURL("**/sweeps/*");
  await expect(page.locator(".members li")).toHaveCount(6);
  const finished = async () =>
    (await vivarium.call("GET", "/runs")).runs.filter(
      (/** @type {{ status: string }} */ { status }) => status === "finished",
    );
  await expect.poll(async () => (await finished()).length, { timeout: 60_000 }).toBe(6);
  const widths = new Set((await finished()).map((/** @type {any} */ { spec }) => JSON.stringify(spec.network.widths)));
  expect(widths).toEqual(new Set(["[8]", "[16,32,16]"]));
  const kinds = new Set((await finished()).map((/** @type {any} */ { spec }) => spec.network.kind));
  expect(kinds).toEqual(new Set(["one", "two", "three"]));
});

test("a copy of a run has its text, whatever became of it", async ({ page, vivarium }) => {
  await vivarium.call("PUT", "/networks/mine", { source: text("As it was") });
  const { id } = await vivarium.call("POST", "/runs", { ...SHORT, network: { kind: "mine" } });
  await vivarium.call("PUT", "/networks/mine", { source: text("Another") });
  await page.goto(`/runs/${id}`);
  await page.getByRole("link", { name: "Adjust and run again" }).click();
  await expect(page.getByRole("radio", { name: /As it was/ })).toBeChecked();
  await page.getByRole("button", { name: /^Start/ }).click();
  await page.waitForURL("**/runs/*");
  const copy = new URL(page.url()).pathname.split("/").at(-1);
  const { source } = await vivarium.call("GET", `/runs/${copy}/network`);
  expect(source).toContain("As it was");
  await page.getByRole("link", { name: "Edit its network" }).click();
  await page.waitForURL("**/networks/new?run=*");
});
