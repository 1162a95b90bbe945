// Figures of reports: their dialog, their cards in the text, what they show.

import { source, text } from "./report-page.js";
import { expect, finished, SHORT, test } from "./vivarium.js";

test("a figure is inserted and changed by the dialog, and follows the text", async ({ page, vivarium }) => {
  await vivarium.call("POST", "/sweeps", { base: SHORT, grid: { "training.batch_size": [32, 64] } });
  const { id } = await vivarium.create({ ...SHORT, name: "the one" });
  await finished(vivarium, id);
  await page.goto("/reports");
  await page.getByRole("button", { name: "New report" }).click();
  await page.waitForURL(/\/reports\/./);
  await text(page).fill("# What I saw\n\nSome words.");
  await expect(page.getByRole("heading", { level: 1 }).first()).toHaveText("What I saw");
  await expect(page.locator(".save-state")).toHaveText("Saved");
  await page.getByRole("button", { name: "Figure" }).click();
  const dialog = page.getByRole("dialog", { name: "Insert a figure" });
  await dialog.getByRole("radio", { name: /^Curves/ }).check();
  // A new figure begins with the newest run that has trained, and with training and validation together.
  await expect(dialog.getByLabel("Runs", { exact: true }).locator(":checked").first()).toHaveText("Runs chosen here");
  await expect(dialog.getByRole("checkbox", { name: "the one" })).toBeChecked();
  const shows = dialog.getByRole("group", { name: "Shows" });
  await expect(shows.getByRole("checkbox", { checked: true })).toHaveCount(2);
  await expect(dialog.locator(".figure-preview figcaption")).toContainText(
    /^Figure 1\. Training and validation loss of “the one”.*Training curves are smoothed by 0\.\d+\./,
  );
  await shows.getByLabel("Validation accuracy").check();
  await shows.getByLabel("Training loss").uncheck();
  await shows.getByLabel("Validation loss").uncheck();
  await expect(dialog.locator(".figure-preview svg.panels")).toBeVisible();
  await dialog.getByRole("button", { name: "Insert" }).click();
  const card = page.locator(".figure-card");
  await expect(card).toContainText("Curves the one");
  await expect(card).toContainText("Validation accuracy");
  await source(page);
  await expect(text(page)).toHaveValue(
    new RegExp(`Some words\\.\\n\\n\`\`\`figure curve\\nruns: ${id}\\nseries: validation_accuracy\\n\`\`\``),
  );
  const figure = page.locator(".report-document .report-figure");
  await expect(figure.locator("figcaption")).toContainText("Figure 1. Validation accuracy of “the one”");
  await figure.hover();
  await figure.getByRole("button", { name: "Change" }).click();
  const change = page.getByRole("dialog", { name: "Change the figure" });
  await change.getByRole("radio", { name: /^Confusion matrix/ }).check();
  await change.getByLabel("Caption").fill("Which digit is taken for which.");
  await change.getByRole("button", { name: "Change" }).click();
  // The dialog shows the figure, too.
  await expect(change).toHaveCount(0);
  await expect(figure.locator("figcaption")).toContainText("Table 1. Which digit is taken for which.");
  await expect(figure.locator(".confusion")).toBeVisible();
  await expect(text(page)).toHaveValue(/figure confusion/);
  await expect(text(page)).not.toHaveValue(/figure curve/);
  // Undo reverts the dialog's edit.
  await text(page).focus();
  await page.keyboard.press("ControlOrMeta+z");
  await expect(text(page)).toHaveValue(/figure curve/);
  await page.keyboard.press("ControlOrMeta+Shift+z");
  await expect(text(page)).toHaveValue(/figure confusion/);
});

test("figures are cards between the fields of the text, moved and removed by keys, and nobody reads an id", async ({
  page,
  vivarium,
}) => {
  const { id } = await vivarium.create({ ...SHORT, name: "the one" });
  await finished(vivarium, id);
  const figure = `\`\`\`figure curve\nruns: ${id}\nseries: train_loss, validation_loss\n\`\`\``;
  const { url, id: report } = await vivarium.call("POST", "/reports", {
    text: `# One\n\nIt is {{${id} test_accuracy}}.\n\n${figure}\n\n## Two\n`,
  });
  const saved = async () => (await vivarium.call("GET", `/reports/${report}`)).text;
  await page.goto(url);
  const cards = page.locator(".figure-card");
  await expect(cards).toHaveText(/Curves the one\s*Training loss, validation loss/);
  await expect(text(page)).toHaveCount(2);
  await expect(text(page).first()).toHaveValue("# One\n\nIt is {{Test accuracy of the one}}.");
  expect(await page.locator(".report-write").innerText()).not.toMatch(/[0-9a-f]{8}-|train_loss/);
  // What is written beside a name keeps the number.
  await text(page).first().focus();
  await page.keyboard.press("ControlOrMeta+End");
  await page.keyboard.type(" So.");
  await expect.poll(saved).toBe(`# One\n\nIt is {{${id} test_accuracy}}. So.\n\n${figure}\n\n## Two\n`);
  await expect(page.locator(".report-number")).toHaveText(/%$/);
  // An arrow key leads to the card, Alt with one moves it.
  await page.keyboard.press("ArrowDown");
  await expect(cards.getByRole("button", { name: /^Curves/ })).toBeFocused();
  await page.keyboard.press("Alt+ArrowDown");
  await expect.poll(saved).toBe(`# One\n\nIt is {{${id} test_accuracy}}. So.\n\n## Two\n\n${figure}\n`);
  await expect(cards.getByRole("button", { name: /^Curves/ })).toBeFocused();
  await page.keyboard.press("Delete");
  await expect(cards).toHaveCount(0);
  await page.keyboard.press("ControlOrMeta+z");
  await expect(cards).toHaveCount(1);
  // A block that is pasted becomes a card, and a figure inserted at a heading's start stands before it.
  await cards.getByRole("button", { name: "Remove this figure" }).click();
  await text(page).fill(`# One\n\n## Two\n\n${figure}\n`);
  await expect(cards).toHaveCount(1);
  await text(page).first().focus();
  await text(page)
    .first()
    .evaluate((area) => /** @type {HTMLTextAreaElement} */ (area).setSelectionRange(7, 7));
  await page.getByRole("button", { name: "Figure", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Insert a figure" });
  await dialog.getByRole("radio", { name: /^Settings/ }).check();
  await dialog.getByRole("button", { name: "Insert" }).click();
  await expect.poll(saved).toBe(`# One\n\n\`\`\`figure settings\nruns: ${id}\n\`\`\`\n\n## Two\n\n${figure}\n`);
  // What is copied has the ids.
  await text(page).first().fill(`{{${id} test_loss}}`);
  await text(page).nth(1).focus();
  await expect(text(page).first()).toHaveValue("{{Test loss of the one}}");
  await text(page).first().focus();
  await page.keyboard.press("ControlOrMeta+a");
  const copied = await text(page)
    .first()
    .evaluate((area) => {
      const clipboardData = new DataTransfer();
      area.dispatchEvent(new ClipboardEvent("copy", { clipboardData, bubbles: true, cancelable: true }));
      return clipboardData.getData("text/plain");
    });
  expect(copied).toBe(`{{${id} test_loss}}`);
});

test("a figure has panels of several series, and the text refers to it", async ({ page, vivarium }) => {
  const { id } = await vivarium.create({ ...SHORT, name: "one" });
  const { id: other } = await vivarium.create({ ...SHORT, name: "two", training: { epochs: 2, batch_size: 32 } });
  for (const of of [id, other]) await finished(vivarium, of);
  const { url } = await vivarium.call("POST", "/reports", {
    text: `# Panels\n\nSee {{ref parts}} and {{ref nothing}}.\n\n\`\`\`figure curve\nruns: ${id}, ${other}\nseries: train_loss, train_accuracy, validation_loss, validation_accuracy\npanels: runs\nx: epoch\nname: parts\n\`\`\``,
  });
  await page.goto(url);
  const picture = page.locator(".figure-stage > svg.panels");
  await expect(picture).toBeVisible();
  // Each run is smoothed by its own length.
  await expect(page.locator(".report-figure figcaption")).toContainText(
    /Training curves are smoothed by 0\.\d+ to 0\.\d+, by their length\./,
  );
  // Each run alone and both together, of loss and of accuracy.
  await expect(picture.locator("> svg")).toHaveCount(6);
  await expect(picture.locator(".panel-title")).toHaveText([
    "one",
    "two",
    "one",
    "two",
    "All together",
    "All together",
  ]);
  // The first panel of a row names the axis of all with its unit, and accuracies are percent once.
  await expect(picture.locator("text", { hasText: /^loss$/ })).toHaveCount(2);
  await expect(picture.locator("text", { hasText: /^accuracy \(%\)$/ })).toHaveCount(2);
  // Text has one size in all panels, and in other figures.
  const sizes = await picture.locator("text").evaluateAll((all) => [
    ...new Set(
      all.map((text) => {
        const { a } = /** @type {DOMMatrix} */ (/** @type {SVGTextElement} */ (text).getScreenCTM());
        return Math.round(a * Number.parseFloat(getComputedStyle(text).fontSize) * 10) / 10;
      }),
    ),
  ]);
  expect(sizes.length).toBe(1);
  for (const text of await picture.locator("> svg").nth(2).locator('text[text-anchor="end"]').allTextContents())
    expect(Number(text.replace("−", "-"))).toBeLessThanOrEqual(100);
  await expect(picture.locator("text", { hasText: /^Epoch$/ })).toHaveCount(6);
  // Panels of loss have one scale: the same ticks.
  const ticks = (/** @type {number} */ i) =>
    picture.locator("> svg").nth(i).locator('text[text-anchor="end"]').allTextContents();
  expect(await ticks(0)).toEqual(await ticks(1));
  expect((await ticks(0)).length).toBeGreaterThan(1);
  await expect(page.locator(".report-reference")).toHaveText(["Figure 1", /No figure or table is named “nothing”/]);
  await expect(page.locator("figure#figure-parts figcaption")).toContainText(
    "Training and validation loss and accuracy of 2 runs, over epoch.",
  );
  // A figure without a name gets one when the text first refers to it.
  await source(page);
  await text(page).fill(`# Panels\n\nSee \n\n\`\`\`figure curve\nruns: ${id}\n\`\`\``);
  await text(page).evaluate((area) => /** @type {HTMLTextAreaElement} */ (area).setSelectionRange(14, 14));
  await expect(page.locator(".figure-number")).toHaveText("Figure 1. ");
  await page.getByRole("button", { name: "Reference" }).click();
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /^Figure 1/ })
    .click();
  await expect(text(page)).toHaveValue(
    `# Panels\n\nSee {{ref curve}}\n\n\`\`\`figure curve\nruns: ${id}\nname: curve\n\`\`\``,
  );
  await expect(page.locator(".report-reference")).toHaveText("Figure 1");
  // Beside the card, the reference is what it reads as; writing on keeps it and the cursor's place.
  await source(page);
  const before = text(page).first();
  await expect(before).toHaveValue("# Panels\n\nSee {{Figure 1, curve}}");
  await before.focus();
  await page.keyboard.press("ControlOrMeta+End");
  await page.keyboard.type(" and {{ref curve}} again.");
  await expect(before).toHaveValue("# Panels\n\nSee {{Figure 1, curve}} and {{Figure 1, curve}} again.");
  await page.keyboard.type(" So.");
  await expect(page.locator(".report-body p")).toHaveText("See Figure 1 and Figure 1 again. So.");
});

test("pictures are of a chosen checkpoint, epoch of the film, and sample", async ({ page, vivarium }) => {
  const { id } = await vivarium.create({ ...SHORT, name: "chosen" });
  await finished(vivarium, id);
  const { url } = await vivarium.call("POST", "/reports", {
    text: `# P\n\n\`\`\`figure confusion\nrun: ${id}\ncheckpoint: 1\n\`\`\`\n\n\`\`\`figure mistakes\nrun: ${id}\nmany: 3\n\`\`\`\n\n\`\`\`figure confusion\nrun: ${id}\ncheckpoint: 99\n\`\`\``,
  });
  await page.goto(url);
  const captions = page.locator(".report-figure figcaption:not(figure figure figcaption)");
  await expect(page.locator(".report-figure").nth(0)).toContainText(
    "Confusion matrix of “chosen” on the validation split, after epoch 1",
  );
  await expect(page.locator(".mistakes-row img")).toHaveCount(3, { timeout: 30_000 });
  await expect(captions.filter({ hasText: "3 mistakes of “chosen” on the test split" })).toHaveCount(1);
  await expect(page.locator(".report-fault")).toContainText("has no frame 99");
  // The dialog offers the film's epochs and samples of the test split.
  await page.getByRole("button", { name: "Figure", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Insert a figure" });
  await dialog.getByRole("radio", { name: /^Confusion matrix/ }).check();
  await dialog.getByLabel("Weights", { exact: true }).selectOption({ label: "Film, epoch 2" });
  await expect(dialog.locator(".figure-preview figcaption")).toContainText("after epoch 2");
  await dialog.getByRole("radio", { name: /^Image and prediction/ }).check();
  await dialog.getByLabel("Weights", { exact: true }).selectOption("last");
  await dialog.getByRole("button", { name: "Sample test 3" }).click();
  await expect(dialog.locator(".figure-preview figcaption")).toContainText("weights of the last epoch");
  await dialog.getByRole("button", { name: "Insert" }).click();
  await source(page);
  await expect(text(page)).toHaveValue(/figure photo\nrun: .*\nimage: test:3\ncheckpoint: last/);
});

test("figures of an active run are redrawn", async ({ page, vivarium }) => {
  const { id } = await vivarium.create({ ...SHORT, training: { epochs: 100_000, batch_size: 4 } });
  await expect.poll(async () => (await vivarium.get(id)).summary.step ?? 0).toBeGreaterThan(50);
  const { url } = await vivarium.call("POST", "/reports", {
    text: `# Live\n\nStep {{${id} epoch}}\n\n\`\`\`figure curve\nruns: ${id}\n\`\`\``,
  });
  await page.goto(url);
  await expect(page.locator(".figure-stage > svg")).toBeVisible();
  const before = await page.locator(".report-number").textContent();
  await expect(page.locator(".report-number")).not.toHaveText(String(before), { timeout: 15_000 });
});
