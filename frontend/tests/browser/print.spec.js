// Printed pages: white in every theme, with the colours that carry meaning.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { expect, SHORT, test, trained } from "./vivarium.js";

/** @import { Page } from "@playwright/test" */

// Nine pages take long on a busy machine.
test.describe.configure({ timeout: 180_000 });

const COLOURED = { ...SHORT, name: "coloured" };

/** Elements whose background colour would not be printed. @param {Page} page */
const blank = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("main *")]
      .filter((element) => {
        const { backgroundImage, backgroundColor, display } = getComputedStyle(element);
        return display !== "none" && (backgroundImage !== "none" || !/rgba\(.*, 0\)|transparent/.test(backgroundColor));
      })
      .filter((element) => getComputedStyle(element).printColorAdjust !== "exact")
      .map(({ className }) => String(className)),
  );

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`every page prints its colours on white, from the ${colorScheme} theme`, async ({ page, vivarium }) => {
    const { id, url } = await trained(vivarium, COLOURED, 60_000);
    const { id: other } = await trained(vivarium, { ...COLOURED, name: "other", training: { epochs: 2 } }, 60_000);
    const report = await vivarium.call("POST", "/reports", {
      text: `# R\n\n\`\`\`figure confusion\nrun: ${id}\n\`\`\`\n\n\`\`\`figure curve\nruns: ${id}\n\`\`\`\n`,
    });
    await page.emulateMedia({ colorScheme });
    for (const [address, sign] of [
      ["/", ".badge"],
      [url, ".matrix, table"],
      [`/compare?run=${id}&run=${other}`, ".compare-table"],
      [`${url}/inside`, ".net-mark, .inside-ends"],
      [report.url, ".report-document table, .report-document svg"],
      ["/data", "main"],
      ["/networks", ".network-list li"],
      ["/networks/inception", ".layer-row"],
      ["/new", "form"],
      ["/playground", ".net-neuron"],
    ]) {
      await page.goto(address);
      await expect(page.locator(sign).first()).toBeVisible();
      await page.emulateMedia({ colorScheme, media: "print" });
      expect(await blank(page), address).toEqual([]);
      // Dark ink on white.
      expect(
        await page.evaluate(() => [getComputedStyle(document.body).colorScheme, getComputedStyle(document.body).color]),
        address,
      ).toEqual(["light", "rgb(26, 30, 27)"]);
      await expect(page.locator(".topbar")).toBeHidden();
      await page.emulateMedia({ colorScheme, media: "screen" });
    }
  });
}

test("canvases are redrawn for print and back for the screen", async ({ page, vivarium }) => {
  const { url } = await trained(vivarium, COLOURED, 60_000);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(url);
  await expect(page.locator("canvas").first()).toBeVisible();
  /** The lightness of the chart's text, from 0 to 255. */
  const lightness = () =>
    page.evaluate(() => {
      const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector("canvas.plot"));
      const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).getImageData(
        0,
        0,
        canvas.width,
        canvas.height,
      );
      let sum = 0;
      let ink = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] < 200) continue;
        sum += (data[i] + data[i + 1] + data[i + 2]) / 3;
        ink += 1;
      }
      return ink > 0 ? sum / ink : Number.NaN;
    });
  const dark = await lightness();
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  // Grid lines are light on white and dark on black.
  await expect.poll(lightness).not.toBeCloseTo(dark, 0);
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("light");
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  await expect.poll(lightness).toBeCloseTo(dark, 0);
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBeUndefined();
  // A chosen theme is restored, too.
  await page.getByRole("button", { name: "Use the light theme" }).click();
  await page.getByRole("button", { name: "Use the dark theme" }).click();
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
});

test("an exported report keeps its colours in print", async ({ page, vivarium }) => {
  const { id } = await trained(vivarium, COLOURED, 60_000);
  const { url } = await vivarium.call("POST", "/reports", {
    text: `# R\n\n\`\`\`figure confusion\nrun: ${id}\n\`\`\`\n`,
  });
  await page.goto(url);
  await expect(page.locator(".report-document table, .report-document svg").first()).toBeVisible();
  await page.locator(".report-head summary", { hasText: "Export" }).click();
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "One HTML file" }).click(),
  ]);
  const html = readFileSync(await saved.path(), "utf8");
  await page.goto("about:blank");
  await page.setContent(html);
  await page.emulateMedia({ colorScheme: "dark", media: "print" });
  const cells = await page.evaluate(() =>
    [...document.querySelectorAll("body *")]
      .filter((element) => getComputedStyle(element).backgroundColor !== "rgba(0, 0, 0, 0)")
      .map((element) => getComputedStyle(element).printColorAdjust),
  );
  expect(cells.length).toBeGreaterThan(5);
  expect(new Set(cells)).toEqual(new Set(["exact"]));
  expect(await page.evaluate(() => getComputedStyle(document.body).color)).toBe("rgb(26, 30, 27)");
});

/** A PDF's pages as text. @param {Buffer} pdf */
const pagesOf = (pdf) =>
  execFileSync("pdftotext", ["-layout", "-", "-"], { input: pdf, maxBuffer: 2 ** 26 })
    .toString()
    .split("\f")
    .slice(0, -1)
    .map((page) =>
      page
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean),
    );

/** @param {string[][]} pages @param {string} title */
function expectMargins(pages, title) {
  pages.forEach((lines, i) => {
    expect(lines.at(-1)?.replaceAll(" ", ""), `page ${i + 1}`).toBe(`${i + 1}/${pages.length}`);
    // The first page has the title in the text.
    if (i > 0) expect(lines[0]).toBe(title);
    // No page is blank, and none ends with a heading.
    expect(lines.length, `page ${i + 1}`).toBeGreaterThan(4);
    expect(lines.at(-2)).not.toMatch(/^(Section \d+|Sources)$/);
  });
}

test("a report prints with its title and page numbers, and whole figures, on A4 and Letter", async ({
  page,
  vivarium,
}) => {
  const { id } = await trained(vivarium, COLOURED, 60_000);
  const sections = Array.from(
    { length: 14 },
    (_, i) =>
      `## Section ${i + 1}\n\n${"Words that fill some lines of a page. ".repeat(3 + (i % 4) * 9)}\n\n\`\`\`figure ${i % 2 ? "curve" : "results"}\nruns: ${id}\ncaption: End of ${i + 1}.\n\`\`\``,
  );
  const { url } = await vivarium.call("POST", "/reports", {
    text: `---\nauthor: Ada Lovelace\ndate: 2026-11-29\n---\n\n# A “printed” report\n\nSee [the page](https://example.org/page).\n\n${sections.join("\n\n")}`,
  });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(url);
  await expect(page.locator(".figure-stage > svg")).toHaveCount(7);
  await expect(page.locator(".figure-wait")).toHaveCount(0);
  await page.locator(".report-head summary", { hasText: "Export" }).click();
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "One HTML file" }).click(),
  ]);
  const html = readFileSync(await saved.path(), "utf8");
  for (const from of ["page", "file"]) {
    if (from === "file") {
      await page.goto("about:blank");
      await page.setContent(html);
    }
    for (const format of ["A4", "Letter"]) {
      const pages = pagesOf(await page.pdf({ format }));
      expectMargins(pages, "A “printed” report");
      expect(pages.length, `${from} on ${format}`).toBeLessThan(12);
      const text = pages.flat().join("\n");
      expect(text).toContain("Ada Lovelace");
      expect(text).toContain("29 November 2026");
      expect(text).toContain("https://example.org/page");
      expect(text).toContain(id);
      for (const control of ["Export", "Saved", "Text of the report", "Change"])
        expect(text).not.toMatch(new RegExp(`^${control}$`, "m"));
      // A table is on the page of its caption.
      for (let i = 1; i <= 14; i += 2) {
        const own = pages.find((lines) => lines.some((line) => line.includes(`End of ${i}.`)));
        expect(
          own?.some((line) => /^coloured\b.*%/.test(line)),
          `table ${i}`,
        ).toBe(true);
      }
    }
  }
});

test("a run, a comparison and an evaluation print with their titles and without controls", async ({
  page,
  vivarium,
}) => {
  const { id, url } = await trained(vivarium, COLOURED, 60_000);
  const { id: other } = await trained(vivarium, { ...COLOURED, name: "other", training: { epochs: 2 } }, 60_000);
  for (const [address, sign, least, most] of /** @type {[string, string, number, number][]} */ ([
    [url, "canvas.plot", 1, 4],
    [`/compare?run=${id}&run=${other}`, ".compare-table", 1, 5],
    [`${url}/evaluation`, ".confusion", 2, 8],
  ])) {
    await page.goto(address);
    await expect(page.locator(sign).first()).toBeVisible({ timeout: 30_000 });
    const pages = pagesOf(await page.pdf({ format: "A4" }));
    expect(pages.length, address).toBeGreaterThanOrEqual(least);
    expect(pages.length, address).toBeLessThanOrEqual(most);
    expectMargins(pages, (await page.title()).replace(/ · Vivarium$/, ""));
  }
});
