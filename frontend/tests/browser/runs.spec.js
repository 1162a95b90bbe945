// The table of runs, live.

import { api, expect, LONG, SHORT, startServer, test } from "./vivarium.js";

test("runs appear, change and vanish without a reload", async ({ page, vivarium }) => {
  await page.goto("/");
  const { id } = await vivarium.create(LONG);
  const row = page.locator(`tr[data-run="${id}"]`);
  await expect(row).toHaveAttribute("data-status", "running");
  await expect(row).toContainText(/epoch \d+\/100000|epoch \d+\/100,000/);
  const before = await row.locator("small").textContent();
  await expect(row.locator("small")).not.toHaveText(String(before));
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

test("what waits says its place", async ({ page, vivarium }) => {
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
  await page.getByRole("searchbox", { name: "Filter runs" }).fill("an");
  await expect(names).toHaveText(["banana"]);
  await page.getByRole("searchbox", { name: "Filter runs" }).fill("vgg");
  await expect(page.getByText("No run matches the filter.")).toBeVisible();
});

test("a name is text, whatever it looks like", async ({ page, vivarium }) => {
  const name = `<img src=x onerror="document.title='broken'"></script><b>&amp;`;
  const { url } = await vivarium.create({ ...SHORT, name });
  await page.goto("/");
  await expect(page.locator("tbody .cell-name a")).toHaveText(name);
  await page.goto(url);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(page).toHaveTitle(`${name} · Vivarium`);
  expect(await page.locator("main img").count()).toBe(0);
});

test("a lost connection is told, and gone when the server is back", async ({ page }) => {
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
