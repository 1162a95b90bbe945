// The page of a set's labels: wrong labels are found by a sweep over folds, corrected by pointer and by keyboard, and new
// runs learn from the result.

import { violations } from "./axe.js";
import { expect, overflow, test } from "./vivarium.js";
import { pngOf, zip } from "./zip.js";

/** Images in the wrong folder. */
const WRONG = [3, 20, 41, 66];

/** A hundred images, bright above or below. */
const halves = () =>
  Object.fromEntries(
    Array.from({ length: 100 }, (_, i) => {
      const isAbove = i % 2 === 0;
      const folder = isAbove !== WRONG.includes(i) ? "bright above" : "bright below";
      const image = pngOf(16, 16, (x, y) => (y < 8 === isAbove ? 180 : 15) + ((x * 31 + y * 17 + i * 13) % 60));
      return [`halves/${folder}/${String(i).padStart(2, "0")}.png`, image];
    }),
  );

const SPEC = {
  name: "halves",
  data: { set: "halves", size: 16, channels: 1 },
  network: { kind: "mlp", hidden: [16] },
  training: { epochs: 12, batch_size: 16, threads: 1, optimizer: { kind: "adamw", lr: 0.003 } },
};

test.afterEach(async ({ vivarium }) => {
  await vivarium.clear();
  const { datasets } = await vivarium.call("GET", "/datasets");
  for (const { set, state } of datasets)
    if (state.kind === "present") await vivarium.call("DELETE", `/datasets/${set}`);
});

test("wrong labels are found and corrected, and new runs learn from the result", async ({ page, vivarium }) => {
  test.setTimeout(120_000);
  await page.goto("/data");
  await page.setInputFiles("#upload-file", { name: "halves.zip", mimeType: "application/zip", buffer: zip(halves()) });
  await page.getByRole("button", { name: "Accept" }).click();
  const card = page.locator("details[data-set=halves]");
  await expect(card).toBeVisible();
  if (!(await card.evaluate((/** @type {any} */ details) => details.open))) await card.locator("summary").click();
  await card.getByRole("link", { name: "Labels of halves" }).click();

  // Without a run there are no settings to search with.
  await expect(page.getByText("No run on this set is finished yet.")).toBeVisible();
  await expect(page.getByRole("link", { name: "Train one" })).toHaveAttribute("href", "/new?data=halves");
  const { id } = await vivarium.create(SPEC);
  await expect.poll(async () => (await vivarium.get(id)).status, { timeout: 45_000 }).toBe("finished");
  await page.reload();
  await page.getByLabel("Networks, one for each fold").selectOption("5");
  await page.getByRole("button", { name: "Find mistakes" }).click();
  const issues = page.getByRole("region", { name: "Suspected mistakes" });
  await expect(issues.locator(".fold-list li")).toHaveCount(5);
  await expect(issues.getByRole("button", { name: "Search again…" })).toBeHidden();
  const cards = issues.locator(".issue");
  await expect(cards.first()).toBeVisible({ timeout: 60_000 });
  await expect(issues.getByRole("button", { name: "Search again…" })).toBeVisible();
  const shown = cards.locator(".issue-name");
  const names = await shown.evaluateAll((all) => all.map((each) => each.getAttribute("title") ?? ""));
  const number = (/** @type {string} */ name) => Number(name.match(/(\d+)\.png$/)?.[1]);
  expect(
    names
      .slice(0, 4)
      .map(number)
      .sort((a, b) => a - b),
  ).toEqual(WRONG);
  for (const scheme of /** @type {const} */ (["light", "dark"])) {
    await page.emulateMedia({ colorScheme: scheme });
    expect(await violations(page, "body")).toEqual([]);
  }

  // Those of one class that the networks take for the other.
  const pairs = issues.getByRole("group", { name: "Labelled → suggested" }).getByRole("button");
  await expect(pairs.first()).toHaveAttribute("aria-pressed", "true");
  const pair = await pairs.nth(1).textContent();
  await pairs.nth(1).click();
  await expect(issues.locator("details[open] .count")).toHaveText(pair?.match(/\((\d+)\)/)?.[1] ?? "");
  await expect(issues.locator('[aria-pressed="true"]')).toHaveText(pair ?? "");
  await expect(issues.getByRole("figure").locator("figcaption")).toHaveText(
    (pair?.split(" (")[0].split(" → ") ?? []).map((word) => `Typical of ${word}`),
  );
  await expect(issues.getByRole("figure").locator("img")).toHaveCount(6);
  // All of a pair at once, and back.
  await issues.getByRole("button", { name: /^Relabel all 2 as bright/ }).click();
  for (const card of [cards.nth(0), cards.nth(1)]) {
    await expect(card.locator(".issue-outcome")).toHaveText(/^Relabelled as bright/);
    await card.getByRole("button", { name: "Undo" }).click();
    await expect(card.locator(".issue-outcome")).toBeHidden();
  }
  await pairs.first().click();
  await expect(issues.locator("details[open] .count")).toHaveText("3");

  // What is suspected is open, and what the networks are not sure of is folded away.
  await expect(issues.getByText("0 of 3 checked")).toBeVisible();
  await expect(cards.nth(3)).toBeHidden();
  await expect(issues.getByText("Not suspected", { exact: true }).locator("xpath=../..").locator(".count")).toHaveText(
    "97",
  );
  // Folded away, they do not get the focus.
  await cards.nth(2).focus();
  await page.keyboard.press("ArrowDown");
  await expect(cards.nth(2)).toBeFocused();
  await issues.getByText("Not suspected", { exact: true }).click();
  await expect(cards.nth(3)).toBeVisible();

  // A class is given by a button that has a typical image of it.
  const choices = cards.nth(0).locator(".issue-class");
  await expect(choices).toHaveText([/^Keep.*%bright/, /^Relabel.*%bright/]);
  for (const at of [0, 1])
    await expect(choices.nth(at).getByRole("presentation")).toHaveAttribute("src", /samples\/\d+\.png/);

  // By keyboard: the next image has the focus.
  await cards.nth(0).focus();
  await page.keyboard.press("Enter");
  await expect(cards.nth(0).locator(".issue-outcome")).toHaveText(/^Relabelled as bright/);
  await expect(cards.nth(1)).toBeFocused();
  await page.keyboard.press("x");
  await expect(cards.nth(1).locator(".issue-outcome")).toHaveText("Excluded");
  // By pointer.
  await cards.nth(2).getByRole("button", { name: /^Keep/ }).click();
  await expect(cards.nth(2).locator(".issue-outcome")).toHaveText(/^Kept as bright/);
  // Of two classes the button has the other one.
  await expect(cards.nth(3).getByRole("combobox")).toHaveCount(0);
  await cards
    .nth(3)
    .getByRole("button", { name: /^Relabel/ })
    .click();
  await expect(cards.nth(3).locator(".issue-outcome")).toHaveText(/^Relabelled as bright/);
  await expect(page.getByText(/2 relabelled, 1 excluded of 100 images/)).toBeVisible();
  await expect(issues.getByText("3 of 3 checked")).toBeVisible();
  await cards.nth(3).getByRole("button", { name: "Undo" }).click();
  await expect(cards.nth(3).locator(".issue-outcome")).toBeHidden();
  await expect(page.getByText(/1 relabelled, 1 excluded of 100 images/)).toBeVisible();

  // Whoever goes on too fast means the next image: keys are for the image that then has the focus.
  await cards.nth(3).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("k");
  await expect(cards.nth(3).locator(".issue-outcome")).toHaveText(/^Relabelled as bright/);
  await expect(cards.nth(4).locator(".issue-outcome")).toHaveText(/^Kept as bright/);
  // The last one is taken back, wherever the focus is.
  await page.keyboard.press("u");
  await expect(cards.nth(4).locator(".issue-outcome")).toBeHidden();
  await cards.nth(3).getByRole("button", { name: "Undo" }).click();
  await expect(cards.nth(3).locator(".issue-outcome")).toBeHidden();
  // A digit gives a class: its own keeps it.
  for (const [digit, word] of Object.entries({ 1: "bright above", 2: "bright below" })) {
    await cards.nth(4).focus();
    await page.keyboard.press(digit);
    await expect(cards.nth(4).locator(".issue-outcome")).toHaveText(new RegExp(`^(Kept|Relabelled) as ${word}$`));
    await cards.nth(4).getByRole("button", { name: "Undo" }).click();
    await expect(cards.nth(4).locator(".issue-outcome")).toBeHidden();
  }
  // A restored correction and a change on another page show on the card.
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByRole("button", { name: `Restore ${names[0]}` }).click();
  await expect(other.getByText(/0 relabelled|^Version .*: 1 excluded/)).toBeVisible();
  await other.close();
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await expect(cards.nth(0).locator(".issue-outcome")).toBeHidden();
  await cards.nth(0).focus();
  await page.keyboard.press("Enter");
  await expect(cards.nth(0).locator(".issue-outcome")).toHaveText(/^Relabelled as bright/);

  // The next ones are others, and what was looked at does not come again.
  await issues.getByRole("button", { name: "Show the next" }).click();
  await expect(cards.first()).toBeFocused();
  for (const name of names) await expect(issues.getByTitle(name, { exact: true })).toHaveCount(0);
  await page.reload();
  await expect(shown.first()).toHaveAttribute("title", names[3]);
  for (const name of names.slice(0, 3)) await expect(issues.getByTitle(name, { exact: true })).toHaveCount(0);
  await page.getByText("1 image looked at and kept").click();
  await page.getByRole("button", { name: `Look at ${names[2]} again` }).click();
  await expect(page.getByText("1 image looked at and kept")).toBeHidden();

  // The next run learns from it, and says so.
  const { version } = await vivarium.call("GET", "/datasets/halves/labels");
  const next = await vivarium.create(SPEC);
  expect((await vivarium.get(next.id)).spec.data.version).toBe(version);
  const corrections = page.getByRole("region", { name: "Corrections" });
  await expect(corrections.locator("li")).toHaveCount(2);
  await page.reload();
  const row = page.getByRole("row", { name: version });
  await expect(row).toContainText("current");
  await expect(row.getByRole("link", { name: "1 run" })).toBeVisible();
  await row.getByRole("link", { name: "1 run" }).click();
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.goBack();
  await corrections
    .getByRole("button", { name: /^Restore/ })
    .first()
    .click();
  await expect(corrections.locator("li")).toHaveCount(1);
  await page.getByRole("button", { name: "Use version imported" }).click();
  await expect(page.getByText("100 images, labelled as they were imported.")).toBeVisible();
  await expect(corrections).toBeHidden();

  // Who deletes the set is told what goes with it.
  await page.goto("/data");
  const setRow = page.locator('[data-set="halves"]');
  await setRow.locator("summary").click();
  await setRow.getByRole("button", { name: "Delete halves" }).click();
  await expect(page.getByRole("dialog")).toContainText("and all corrections of its labels with it");
  await page.getByRole("button", { name: "Keep it" }).click();
});

test("labels fit on a phone, also with long names", async ({ page, vivarium }) => {
  test.setTimeout(120_000);
  await page.setViewportSize({ width: 400, height: 800 });
  const long = "a very long name of a class that somebody gave without a thought for small screens";
  const files = Object.fromEntries(
    Object.entries(halves()).map(([name, image]) => [name.replace("bright below", long), image]),
  );
  const draft = await page.request.post("/api/v1/datasets", {
    multipart: { file: { name: "halves.zip", mimeType: "application/zip", buffer: zip(files) } },
  });
  await vivarium.call("POST", `/datasets/drafts/${(await draft.json()).id}`, { set: "halves" });
  const base = { ...SPEC, data: { ...SPEC.data, folds: 3 } };
  const sweep = await vivarium.call("POST", "/sweeps", { base, grid: { "data.fold": [0, 1, 2] } });
  await page.goto(`/data/halves/labels?check=${sweep.id}`);
  expect(await overflow(page)).toBe(0);
  const cards = page.locator(".issue");
  await expect(cards.first()).toBeVisible({ timeout: 60_000 });
  expect(await overflow(page)).toBe(0);
  await cards
    .first()
    .getByRole("button", { name: /^Exclude/ })
    .click();
  await expect(page.getByRole("region", { name: "Versions" })).toBeVisible();
  expect(await overflow(page)).toBe(0);
});
