// The table of runs, live.

import { api, expect, LONG, SHORT, startServer, test } from "./vivarium.js";

test("runs appear, change and vanish without a reload", async ({ page, vivarium }) => {
  await page.goto("/");
  const { id } = await vivarium.create(LONG);
  const row = page.locator(`tr[data-run="${id}"]`);
  await expect(row).toHaveAttribute("data-status", "running");
  await expect(row).toContainText(/epoch \d+\/100 k/);
  const progress = row.locator(".cell-progress small");
  const before = await progress.textContent();
  await expect(progress).not.toHaveText(String(before));
  await vivarium.call("POST", `/runs/${id}/stop`);
  await expect(row).toHaveAttribute("data-status", "stopped");
  await vivarium.call("DELETE", `/runs/${id}`);
  await expect(row).toHaveCount(0);
});

test("a run is stopped, resumed and deleted from its row", async ({ page, vivarium }) => {
  const { id } = await vivarium.create(LONG);
  await page.goto("/");
  const row = page.locator(`tr[data-run="${id}"]`);
  await row.getByRole("button", { name: "Stop long" }).click();
  await expect(row.locator(".badge")).toHaveText("stopped");
  await row.getByRole("button", { name: "Resume long" }).click();
  await expect(row.locator(".badge")).toHaveText("running");
  await row.getByRole("button", { name: "Delete long" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete this run?" });
  await expect(dialog).toContainText("“long”");
  await expect(dialog.getByRole("button", { name: "Keep it" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(row).toHaveCount(1);
  await row.getByRole("button", { name: "Delete long" }).click();
  await dialog.getByRole("button", { name: "Delete run" }).click();
  await expect(row).toHaveCount(0);
});

test("a queued run shows its position", async ({ page, vivarium }) => {
  for (const name of ["one", "two", "three", "four"]) await vivarium.create({ ...LONG, name });
  await page.goto("/");
  await expect(page.getByRole("row", { name: /three/ })).toContainText("queued, 1st");
  await expect(page.getByRole("row", { name: /four/ })).toContainText("place 2 in the queue");
});

test("runs are filtered and sorted", async ({ page, vivarium }) => {
  for (const name of ["apple", "cherry", "banana"]) await vivarium.create({ ...SHORT, name });
  await page.goto("/");
  const names = page.locator("tbody .cell-name a");
  await expect(names).toHaveCount(3);
  await page.getByRole("button", { name: "Name" }).click();
  await expect(names).toHaveText(["apple", "banana", "cherry"]);
  await expect(page.getByRole("columnheader", { name: "Name" })).toHaveAttribute("aria-sort", "ascending");
  await page.getByRole("button", { name: "Name" }).click();
  await expect(names).toHaveText(["cherry", "banana", "apple"]);
  await page.getByRole("combobox", { name: "Filter runs" }).fill("an");
  await expect(names).toHaveText(["banana"]);
  await page.getByRole("combobox", { name: "Filter runs" }).fill("vgg");
  await expect(page.getByText("No run matches the filter.")).toBeVisible();
});

test("a query filters runs, is stored in the URL, and names its errors", async ({ page, vivarium }) => {
  const { id } = await vivarium.create({ ...SHORT, name: "apple" });
  await vivarium.create({ ...SHORT, name: "banana", training: { ...SHORT.training, batch_size: 128 } });
  await vivarium.call("PATCH", `/runs/${id}`, { tags: ["final"] });
  await page.goto("/");
  const names = page.locator("tbody .cell-name a");
  await expect(names).toHaveCount(2);
  const field = page.getByRole("combobox", { name: "Filter runs" });
  await field.fill("batch_size>64");
  await expect(names).toHaveText(["banana"]);
  await field.fill("tag:final accuracy>0");
  await expect(names).toHaveText(["apple"]);
  await expect(page).toHaveURL(/q=tag:final/);
  await page.reload();
  await expect(names).toHaveText(["apple"]);
  await field.fill("netwrk:mlp");
  await expect(page.getByText(/There is no field “netwrk”/)).toBeVisible();
  await expect(names).toHaveCount(2);
});

test("runs are tagged, grouped and compared from the table", async ({ page, vivarium }) => {
  for (const name of ["one", "two", "three"]) await vivarium.create({ ...SHORT, name });
  await page.goto("/");
  await page.getByRole("checkbox", { name: "Choose three" }).click();
  await page.getByRole("checkbox", { name: "Choose two" }).click({ modifiers: ["Shift"] });
  const bar = page.getByRole("toolbar", { name: "Chosen runs" });
  await expect(bar).toContainText("2 runs chosen");
  await bar.getByRole("button", { name: "Tag" }).click();
  await page
    .getByRole("dialog")
    .getByLabel(/^Add tags/)
    .fill("final, course");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(page.locator("tbody .chip", { hasText: "final" })).toHaveCount(2);
  await page.getByRole("combobox", { name: "Group runs by" }).selectOption("tag");
  await expect(page.locator(".group-head")).toHaveText([/final2 runs/, /No tag1 run/]);
  await page.getByRole("button", { name: "Label one" }).click();
  await page.getByRole("dialog").getByLabel("Notes").fill("learns\nwell");
  await page.getByRole("dialog").getByLabel("Name").fill("first");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(page.locator("tbody")).toContainText("learns");
  await bar.getByRole("link", { name: "Compare" }).click();
  await expect(page.locator(".members li")).toHaveCount(2);
});

test("Shift+click chooses a range of rows in the order of their groups", async ({ page, vivarium }) => {
  for (const [name, batch_size] of /** @type {const} */ ([
    ["a", 16],
    ["b", 64],
    ["c", 16],
    ["d", 64],
  ]))
    await vivarium.create({ ...SHORT, name, training: { ...SHORT.training, batch_size } });
  await page.goto("/?sort=name:up&group=training.batch_size");
  await expect(page.locator("tbody .cell-name a")).toHaveText(["a", "c", "b", "d"]);
  await page.getByRole("checkbox", { name: "Choose a", exact: true }).click();
  await page.getByRole("checkbox", { name: "Choose c", exact: true }).click({ modifiers: ["Shift"] });
  await expect(page.locator("tbody tr.chosen .cell-name a")).toHaveText(["a", "c"]);
  await page.getByRole("combobox", { name: "Filter runs" }).fill("name=a");
  await expect(page.getByRole("toolbar", { name: "Chosen runs" })).toContainText("2 runs chosen, 1 not visible");
});

test("a chosen column shows even in a narrow window", async ({ page, vivarium }) => {
  await vivarium.create(SHORT);
  await page.setViewportSize({ width: 1000, height: 800 });
  await page.goto("/");
  const heads = (/** @type {string} */ name) => page.getByRole("columnheader", { name, exact: true });
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await expect(heads("Samples/s")).toBeHidden();
  await page.getByLabel("Columns", { exact: true }).click();
  await page.getByRole("checkbox", { name: "Parameters" }).check();
  await expect(heads("Parameters")).toBeVisible();
  await expect(heads("Samples/s")).toBeVisible();
  await page.getByRole("checkbox", { name: "Samples/s" }).uncheck();
  await page.reload();
  await expect(heads("Parameters")).toBeVisible();
  await expect(heads("Samples/s")).toBeHidden();
});

test("settings that differ become sortable columns", async ({ page, vivarium }) => {
  for (const [name, batch_size] of /** @type {const} */ ([
    ["a", 64],
    ["b", 8],
    ["c", 16],
  ]))
    await vivarium.create({ ...SHORT, name, training: { ...SHORT.training, batch_size } });
  await page.goto("/");
  const names = page.locator("tbody .cell-name a");
  await expect(names).toHaveCount(3);
  const head = page.getByRole("columnheader", { name: "Batch size", exact: true });
  await head.getByRole("button").click();
  await expect(names).toHaveText(["a", "c", "b"]);
  await expect(head).toHaveAttribute("aria-sort", "descending");
  await head.getByRole("button").click();
  await expect(names).toHaveText(["b", "c", "a"]);
  await expect(page).toHaveURL(/sort=training\.batch_size:up/);
  await page.reload();
  await expect(names).toHaveText(["b", "c", "a"]);
  await expect(page.locator("tbody td.col-settings")).toHaveText([/8$/, /16$/, /64$/]);
  // A narrow window has no columns: the line below the name says it.
  await page.setViewportSize({ width: 400, height: 800 });
  await expect(page.locator("tbody .about").first()).toHaveText(/Batch size 8/);
  await expect(page.locator("tbody .about").first()).toBeVisible();
});

test("deleted runs are restored by Undo and from the trash", async ({ page, vivarium }) => {
  for (const name of ["one", "two", "three"]) {
    const { id } = await vivarium.create({ ...SHORT, name });
    while ((await vivarium.get(id)).status !== "finished") await page.waitForTimeout(50);
  }
  await page.goto("/");
  const names = page.locator("tbody .cell-name a");
  await page.getByRole("checkbox", { name: "Choose all visible runs" }).check();
  await page.getByRole("toolbar", { name: "Chosen runs" }).getByRole("button", { name: "Delete" }).click();
  await expect(names).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(names).toHaveText(["three", "two", "one"]);
  await page.getByRole("button", { name: "Delete two" }).click();
  await expect(names).toHaveText(["three", "one"]);
  await page.reload();
  await page.getByLabel("More", { exact: true }).click();
  await page.getByRole("button", { name: "Deleted runs…" }).click();
  await page.getByRole("button", { name: "Restore two" }).click();
  await expect(page.getByText("The trash is empty.")).toBeVisible();
  await page.getByRole("button", { name: "Close" }).click();
  await expect(names).toHaveText(["three", "two", "one"]);
});

test("the table is exported as CSV, with every setting and no formulas", async ({ page, vivarium }) => {
  await vivarium.create({ ...SHORT, name: "=1+1" });
  await page.goto("/");
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.getByLabel("More", { exact: true }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save as CSV" }).click(),
  ]);
  const text = await (await import("node:fs/promises")).readFile(await download.path(), "utf8");
  const [head, row] = text.trim().split("\r\n");
  assertHas(head, ["id", "best_validation_accuracy", "training.optimizer.lr", "network.kind"]);
  expect(row).toContain("'=1+1");
  expect(row).toContain("mlp");
});

/** @param {string} head @param {string[]} names */
function assertHas(head, names) {
  for (const name of names) expect(head.split(",")).toContain(name);
}

test("a name with markup is shown as text", async ({ page, vivarium }) => {
  const name = `<img src=x onerror="document.title='broken'"></script><b>&amp;`;
  const { url } = await vivarium.create({ ...SHORT, name });
  await page.goto("/");
  await expect(page.locator("tbody .cell-name a")).toHaveText(name);
  await page.goto(url);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(page).toHaveTitle(`${name} · Vivarium`);
  expect(await page.locator("main img").count()).toBe(0);
});

test("a lost connection shows a banner until the server is back", async ({ page }) => {
  const first = await startServer();
  const { url } = await api(first.url).create({ ...SHORT, name: "survivor" });
  await page.goto(`${first.url}/`);
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await first.stop({ keep: true });
  await expect(page.getByText(/^Connection lost/)).toBeVisible();
  const second = await startServer({ dataDir: first.dataDir, port: Number(new URL(first.url).port) });
  await expect(page.getByText(/^Connection lost/)).toBeHidden({ timeout: 30_000 });
  await api(second.url).create({ ...SHORT, name: "newcomer" });
  await expect(page.locator("tbody tr")).toHaveCount(2);
  await page.goto(`${second.url}${url}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("survivor");
  await page.goto("about:blank");
  await second.stop();
});
