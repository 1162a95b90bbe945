// Reports: writing up, editing, saving, and export.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "./report-page.js";
import { chooseMore, expect, finished, overflow, SHORT, test } from "./vivarium.js";

/** @import { Page } from "@playwright/test" */

/** @param {Page} page @param {string} item */
async function exported(page, item) {
  await page.locator(".report-head summary", { hasText: "Export" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: item }).click();
  return download;
}

/**
 * The files of a zip as text, unpacked in the page, which has the library.
 * @param {Page} page
 * @param {Buffer} zip
 * @returns {Promise<{ [path: string]: string }>}
 */
function unzipped(page, zip) {
  return page.evaluate(
    async (bytes) => {
      const address = "/static/vendor/fflate/browser.js";
      const { unzipSync } = await import(address);
      return Object.fromEntries(
        Object.entries(unzipSync(Uint8Array.from(bytes))).map(([path, content]) => [
          path,
          new TextDecoder().decode(/** @type {Uint8Array} */ (content)),
        ]),
      );
    },
    [...zip],
  );
}

test("an experiment is written up with one click, exported, and opens with the network off", async ({
  page,
  vivarium,
  browser,
}, info) => {
  for (const [id, repeats] of /** @type {[string, number][]} */ ([
    ["batch-size", 1],
    ["activation", 1],
  ])) {
    const { presets } = await vivarium.call("GET", "/presets");
    const { base, grid } = presets.find((/** @type {any} */ preset) => preset.id === id);
    const sweep = await vivarium.call("POST", "/sweeps", {
      base: { ...base, training: { ...base.training, epochs: 3 } },
      grid,
      repeats,
    });
    await expect
      .poll(
        async () =>
          (await vivarium.call("GET", `/sweeps/${sweep.id}`)).runs.every(
            (/** @type {any} */ run) => run.status === "finished",
          ),
        { timeout: 30_000 },
      )
      .toBe(true);
  }
  await page.goto("/reports");
  await expect(page.getByText("No reports yet")).toBeVisible();
  await expect(page.locator(".experiment")).toHaveCount(9);
  // What was not run is started, and cannot be chosen.
  const notRun = page.locator(".experiment", { hasText: "Perceptron on blobs" });
  await expect(notRun.getByRole("checkbox")).toHaveCount(0);
  await expect(notRun.getByRole("button", { name: "Run it" })).toBeVisible();
  // They are called what they are called where they start; three are parts of one.
  const { presets } = await vivarium.call("GET", "/presets");
  const titles = new Set(presets.map((/** @type {{ title: string }} */ { title }) => title));
  const listed = await page.locator(".experiment b").allTextContents();
  expect(listed.filter((title) => !titles.has(title))).toEqual(["A convolution by hand", "Filters", "Feature maps"]);
  await page.getByRole("checkbox", { name: /Batch size/ }).check();
  await page.getByRole("checkbox", { name: /Activation/ }).check();
  await page.getByRole("button", { name: "Write up these 2" }).click();
  await page.waitForURL(/\/reports\/./);
  await expect(page.locator(".figure-wait")).toHaveCount(0, { timeout: 20_000 });
  await expect(page.locator(".report-fault")).toHaveCount(0);
  const figures = await page.locator(".report-figure").count();
  // Of each experiment settings, curves and results; of batch sizes the noise, too.
  expect(figures).toBe(7);
  // Every figure has a caption and a number, and links to its runs.
  await expect(page.locator(".report-document .figure-number").first()).toHaveText("Table 1. ");
  await expect(page.locator(".report-runs tbody tr")).toHaveCount(7);

  const html = await exported(page, "One HTML file");
  expect(html.suggestedFilename()).toBe("experiments.html");
  const file = join(info.outputDir, "report.html");
  await html.saveAs(file);
  const written = await readFile(file, "utf8");
  expect(written.length).toBeLessThan(3 * 2 ** 20);
  expect(written).not.toContain("<script");
  const alone = await browser.newContext({ offline: true });
  const elsewhere = await alone.newPage();
  /** @type {string[]} */
  const asked = [];
  elsewhere.on("request", (request) => !/^(file|data):/.test(request.url()) && asked.push(request.url()));
  await elsewhere.goto(`file://${file}`);
  await expect(elsewhere.locator(".report-figure")).toHaveCount(figures);
  const states = await elsewhere.evaluate(() => ({
    empty: [...document.querySelectorAll(".report-figure")].filter(
      (figure) => !figure.querySelector("svg path, svg circle, img, table"),
    ).length,
    broken: [...document.images].filter((image) => !image.naturalWidth).length,
    dead: [...document.querySelectorAll("a[href]")].filter(
      (link) => !/^#/.test(link.getAttribute("href") ?? "") || !document.querySelector(link.getAttribute("href") ?? ""),
    ).length,
    // Lines have the colours of their runs, so the style sheet is included.
    stroke: getComputedStyle(/** @type {Element} */ (document.querySelector('.figure-stage > svg path[stroke^="var"]')))
      .stroke,
  }));
  expect(states).toMatchObject({ empty: 0, broken: 0, dead: 0 });
  expect(states.stroke).toMatch(/^rgb/);
  // On a phone, a shadow shows where a wide figure goes on, and tables are lists.
  await elsewhere.setViewportSize({ width: 400, height: 800 });
  const narrow = await elsewhere.evaluate(() => ({
    shadow: getComputedStyle(/** @type {Element} */ (document.querySelector(".figure-stage"))).backgroundImage,
    row: getComputedStyle(/** @type {Element} */ (document.querySelector(".figure-scroll td"))).display,
  }));
  expect(narrow.shadow).toContain("linear-gradient");
  expect(narrow.row).toBe("flex");
  expect(asked).toEqual([]);
  await alone.close();

  const zip = await exported(page, "Markdown with figures, zip");
  const files = await unzipped(page, await readFile(await zip.path()));
  const markdown = files["report.md"];
  const pictures = [...markdown.matchAll(/!\[[^\]]*\]\((figures\/[^)]+)\)/g)].map(([, path]) => path);
  expect(pictures).toEqual(["figures/figure-1.svg", "figures/figure-2.svg", "figures/figure-3.svg"]);
  expect(pictures.filter((path) => !files[path])).toEqual([]);
  expect(files[pictures[0]]).toMatch(/^<svg[^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(markdown).not.toContain("```figure");
  expect(markdown).toContain("| Run | Best validation | Test |");
  // The noise of batch sizes is referred to by its number.
  expect(markdown).toMatch(/noisiest loss in Figure 1,/);
});

test("an own sweep counts as the experiment, and the report asks about its values", async ({ page, vivarium }) => {
  const own = async (/** @type {string} */ name, /** @type {number[]} */ sizes) => {
    const { id } = await vivarium.call("POST", "/sweeps", {
      base: { name, data: { set: "digits" }, network: { kind: "mlp", hidden: [8] }, training: { epochs: 1 } },
      grid: { "training.batch_size": sizes },
      repeats: 1,
    });
    await expect
      .poll(
        async () =>
          (await vivarium.call("GET", `/sweeps/${id}`)).runs.every((/** @type {any} */ of) => of.status === "finished"),
        { timeout: 30_000 },
      )
      .toBe(true);
    return id;
  };
  const first = await own("Mine", [100, 200]);
  await own("Mine again", [50, 300]);
  await page.goto("/reports");
  const choice = page.getByRole("combobox", { name: "Runs of “Batch size”" });
  await expect(choice.locator("option")).toHaveText([/^Mine again, 2 runs/, /^Mine, 2 runs/]);
  // A choice is one for the experiment, too.
  await choice.selectOption(`sweep ${first}`);
  await expect(page.getByRole("checkbox", { name: /Batch size/ })).toBeChecked();
  await page.getByRole("button", { name: "Write it up" }).click();
  await page.waitForURL(/\/reports\/./);
  await expect(page.locator(".report-document")).toContainText(
    "The same network on batches of 100 and 200. Where is the noise, and what does a step cost?",
  );
  await expect(page.locator(".figure-card").first()).toContainText("Settings Mine, 2 runs");
  // The conclusion begins with what is known.
  await expect(page.locator(".report-document")).toContainText(
    /Batch size \d+ is best on the test split, with \d+\.\d%/,
  );
  await expect(page.locator(".report-document")).not.toContainText("What is the question?");
  // So does a report of the sweep's page, under the name that the user gave.
  await page.goto(`/sweeps/${first}`);
  await page.getByRole("button", { name: "Report" }).click();
  await page.waitForURL(/\/reports\/./);
  await expect(page.getByRole("heading", { level: 1 }).first()).toHaveText("Mine");
  await expect(page.locator(".report-document")).toContainText("batches of 100 and 200");
});

test("feature maps of a report show the image that was looked at last", async ({ page, vivarium }) => {
  const { id } = await vivarium.create({
    name: "small",
    data: { set: "digits", limit: 100, size: 32 },
    network: { kind: "vgg16", width: 0.0625, head: "compact" },
    training: { epochs: 1, batch_size: 32 },
  });
  await finished(vivarium, id);
  await page.goto(`/runs/${id}/inside`);
  const sample = page.locator(".image-more .thumb[title^='test:']").nth(3);
  const name = String(await sample.getAttribute("title")).split(",")[0];
  await sample.click();
  await expect(page).toHaveURL(/image=/);
  await page.goto("/reports");
  await page.getByRole("checkbox", { name: /Feature maps/ }).check();
  await page.getByRole("button", { name: "Write it up" }).click();
  await page.waitForURL(/\/reports\/./);
  const words = `Sample ${name.slice("test:".length)} of the test split`;
  const shown = page.locator(".figure-card").filter({ hasText: words });
  await expect(shown).toHaveCount(3);
  // So does a figure that is inserted by hand.
  await page.getByRole("button", { name: "Figure", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Insert a figure" });
  await dialog.getByRole("radio", { name: /^Feature maps/ }).check();
  await dialog.getByRole("button", { name: "Insert" }).click();
  await expect(shown).toHaveCount(4);
});

test("an empty report says what it can begin with, and is as high as the window", async ({ page, vivarium }) => {
  const { id } = await vivarium.create({ ...SHORT, name: "the one" });
  await finished(vivarium, id);
  const { url } = await vivarium.call("POST", "/reports", { text: "# Untitled report\n\n" });
  await page.setViewportSize({ width: 1440, height: 1000 });
  await page.goto(url);
  const empty = page.getByRole("region", { name: "This report is empty" });
  await expect(empty).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBe(1000);
  // The course is not cut.
  await page.getByLabel("Course").fill("Deep Learning, WS 2026");
  const hidden = await page.getByLabel("Course").evaluate((of) => of.scrollWidth - of.clientWidth);
  expect(hidden).toBeLessThanOrEqual(0);
  await page.getByRole("radio", { name: "Write" }).check();
  await expect(empty).toBeVisible();
  await empty.getByRole("button", { name: "Insert a figure" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Insert" }).click();
  await expect(page.locator(".figure-card")).toHaveCount(1);
  await expect(empty).toHaveCount(0);
});

test("author, course and date are saved with the report, and an old report opens as it was", async ({
  page,
  vivarium,
}) => {
  const old = "# Old\n\nSome words.\n\n---\n\nMore.";
  const { id, url } = await vivarium.call("POST", "/reports", { text: old });
  await page.goto(url);
  await expect(text(page)).toHaveValue(old);
  await expect(page.locator(".report-byline")).toBeHidden();
  await expect(page.locator(".report-document hr")).toHaveCount(1);
  await page.getByLabel("Author").fill("Ada Lovelace");
  await page.getByLabel("Course").fill("Deep Learning: WS 26");
  await page.getByLabel("Date").fill("2026-11-29");
  await expect(page.locator(".report-byline")).toHaveText("Ada LovelaceDeep Learning: WS 2629 November 2026");
  await expect(page.locator(".save-state")).toHaveText("Saved");
  expect((await vivarium.call("GET", `/reports/${id}`)).text).toBe(
    `---\nauthor: Ada Lovelace\ncourse: "Deep Learning: WS 26"\ndate: 2026-11-29\n---\n\n${old}`,
  );
  await page.reload();
  await expect(page.getByLabel("Author")).toHaveValue("Ada Lovelace");
  await expect(text(page)).toHaveValue(old);
  await expect(page.locator(".report-byline")).toBeVisible();
  const html = await exported(page, "One HTML file");
  const written = await readFile(await html.path(), "utf8");
  expect(written).toContain("Ada Lovelace");
  const zip = await exported(page, "Markdown with figures, zip");
  expect((await unzipped(page, await readFile(await zip.path())))["report.md"]).toMatch(/^---\nauthor: Ada Lovelace\n/);
  // The next report begins with them.
  await page.goto("/reports");
  await page.getByRole("button", { name: "New report" }).click();
  await page.waitForURL(/\/reports\/./);
  await expect(page.getByLabel("Author")).toHaveValue("Ada Lovelace");
  await expect(page.getByLabel("Date")).toHaveValue(/^\d{4}-\d\d-\d\d$/);
});

test("numbers are taken from the run, and errors are shown in place", async ({ page, vivarium }) => {
  const { id } = await vivarium.create({ ...SHORT, name: "counted" });
  await finished(vivarium, id);
  const { summary } = await vivarium.get(id);
  const { url } = await vivarium.call("POST", "/reports", {
    text:
      "# Numbers\n\nIt has {{" +
      id +
      " parameters}} parameters and {{" +
      id +
      " beauty}}.\n\n```figure curve\nruns: 01a214aa-f832-771b-b5df-8347040e379b\n```\n\n```figure pie\n```\n\n<img src=x onerror=alert(1)> [here](javascript:alert(1)) ![there](https://example.org/a.png)",
  });
  await page.goto(url);
  await expect(page.locator(".report-number")).toHaveText(summary.parameters.toLocaleString("en-US"));
  await expect(page.locator(".report-fault")).toHaveText([
    /“beauty” is not a number of a run/,
    /There is no run “01a214aa.*”: it may have been deleted/,
    /“pie” is not a kind of figure; choose one of curve/,
  ]);
  await expect(page.locator(".report-document")).toContainText("<img src=x onerror=alert(1)>");
  await expect(page.locator(".report-document img, .report-document a[href^=javascript]")).toHaveCount(0);
  // The dialog for numbers.
  await text(page).last().focus();
  await page.keyboard.press("ControlOrMeta+End");
  await page.getByRole("button", { name: "Number", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Insert a number" });
  await dialog.getByLabel("Number", { exact: true }).selectOption({ label: "Name" });
  await expect(dialog.locator("output")).toHaveText("counted");
  await dialog.getByRole("button", { name: "Insert" }).click();
  await expect(page.locator(".report-number").last()).toHaveText("counted");
  // The export warns about missing figures.
  await page.locator(".report-head summary", { hasText: "Export" }).click();
  await page.getByRole("button", { name: "One HTML file" }).click();
  await expect(page.getByRole("dialog", { name: "Export as it is?" })).toContainText(
    "3 figures or numbers could not be drawn",
  );
  await page.keyboard.press("Escape");
});

test("no text is lost or overwritten", async ({ page, context, vivarium }) => {
  const { id, url } = await vivarium.call("POST", "/reports", { text: "# First" });
  await page.goto(url);
  await text(page).fill("# Second");
  await expect(page.locator(".save-state")).toHaveText("Saved");
  expect((await vivarium.call("GET", `/reports/${id}`)).text).toBe("# Second");
  // Saved elsewhere in the meantime.
  const { revision } = await vivarium.call("GET", `/reports/${id}`);
  await vivarium.call("PUT", `/reports/${id}`, { text: "# Theirs", revision });
  await text(page).fill("# Mine");
  await expect(page.locator(".conflict-bar")).toContainText("Nothing was overwritten");
  expect((await vivarium.call("GET", `/reports/${id}`)).text).toBe("# Theirs");
  await page.getByRole("button", { name: "Keep mine" }).click();
  await expect(page.locator(".save-state")).toHaveText("Saved");
  expect((await vivarium.call("GET", `/reports/${id}`)).text).toBe("# Mine");
  // While the server is down, the text is kept in the browser, even if the page is closed.
  await page.route("**/api/v1/reports/**", (route) => route.abort());
  await text(page).fill("# Mine, and more");
  await expect(page.locator(".save-state")).toContainText("Not saved");
  page.on("dialog", (dialog) => dialog.accept());
  await page.close();
  const again = await context.newPage();
  await again.goto(url);
  await expect(text(again)).toHaveValue("# Mine, and more");
  await expect(again.locator(".save-state")).toHaveText("Saved");
  expect((await vivarium.call("GET", `/reports/${id}`)).text).toBe("# Mine, and more");
});

test("a report is created from a run, deleted and restored", async ({ page, vivarium }) => {
  const { id } = await vivarium.create({ ...SHORT, name: "told" });
  await finished(vivarium, id);
  await page.goto(`/runs/${id}`);
  await chooseMore(page, "Write a report");
  await page.waitForURL(/\/reports\/./);
  await expect(page.getByRole("heading", { level: 1 }).first()).toHaveText("told");
  await expect(page.locator(".report-document .confusion")).toBeVisible();
  await page.getByRole("link", { name: "Reports" }).click();
  await expect(page.locator(".report-card")).toHaveCount(1);
  await page.getByRole("button", { name: "Delete “told”" }).click();
  await expect(page.locator(".report-card")).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.locator(".report-card")).toHaveCount(1);
});

test("on a phone editor and preview alternate, and nothing scrolls sideways", async ({ page, vivarium }) => {
  const { id } = await vivarium.create(SHORT);
  await finished(vivarium, id);
  const { url } = await vivarium.call("POST", "/reports", {
    text: `# A title that is long enough to need more than one line\n\n\`\`\`figure results\nruns: ${id}\n\`\`\`\n\n\`\`\`figure curve\nruns: ${id}\n\`\`\``,
  });
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto(url);
  await expect(page.locator(".figure-stage > svg")).toBeVisible();
  await expect(text(page).first()).toBeHidden();
  expect(await overflow(page)).toBe(0);
  // The table is a list of what its columns say, and the panels stand below each other: nothing is cut.
  const cut = await page
    .locator(".figure-scroll, .figure-stage")
    .evaluateAll((frames) => frames.filter((frame) => frame.scrollWidth > frame.clientWidth + 1).length);
  expect(cut).toBe(0);
  const cell = page.locator(".figure-scroll td").filter({ hasText: "MiB" });
  expect(await cell.evaluate((of) => getComputedStyle(of, "::before").content)).toBe('"Peak memory"');
  await page.getByRole("radio", { name: "Write" }).check();
  await expect(text(page).first()).toBeVisible();
  await page.getByRole("button", { name: "Figure", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  expect(await overflow(page)).toBe(0);
  // The kinds are one field, and the preview and “Insert” are in sight.
  await expect(dialog.getByRole("radiogroup", { name: "Kind of figure" })).toBeHidden();
  const kind = dialog.getByRole("combobox", { name: "Kind of figure" });
  await expect(kind).toBeFocused();
  await kind.selectOption("Settings");
  await expect(dialog).toContainText("What differs between runs, then what they share");
  await expect(dialog.locator(".figure-preview table").first()).toBeInViewport();
  await expect(dialog.getByRole("button", { name: "Insert" })).toBeInViewport({ ratio: 1 });
  await page.keyboard.press("Escape");
  await page.setViewportSize({ width: 768, height: 800 });
  await page.getByRole("radio", { name: "Read" }).check();
  const sources = page.locator(".figure-scroll", { has: page.locator(".sources-table") });
  await expect(sources).toBeVisible();
  expect(await sources.evaluate((frame) => frame.scrollWidth - frame.clientWidth)).toBe(0);
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto("/reports");
  expect(await overflow(page)).toBe(0);
  // The questions use the full width of the page.
  const question = await page.locator(".experiment small").first().boundingBox();
  expect(question?.width).toBeGreaterThan(200);
});
