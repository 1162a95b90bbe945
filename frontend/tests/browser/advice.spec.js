// The run page in the words of the form: its settings, and what to try after a run that did not end as planned.

import { settingLabel, settingValue } from "../../lib/setting-labels.js";
import { expect, LONG, SHORT, test } from "./vivarium.js";

const DIVERGES = { ...SHORT, name: "too fast", training: { epochs: 20, optimizer: { kind: "sgd", lr: 100 } } };

/** @param {any} vivarium @param {string} id @param {string} status */
const reaches = (vivarium, id, status) =>
  expect.poll(async () => (await vivarium.get(id)).status, { timeout: 30_000 }).toBe(status);

/**
 * All fields of the form, and its groups as fields.
 * @param {any} form
 * @returns {{ path: string, label: string, network?: string, kind: { type: string, options?: { value: string | null, label: string }[] } }[]}
 */
const fieldsIn = ({ common, groups, networks, data_sets: sets }) => [
  ...common,
  ...groups.flatMap((/** @type {any} */ { path, label, selector, variants }) => [
    selector
      ? { path: `${path}.${selector}`, label, kind: { type: "choice", options: variants } }
      : { path, label, kind: { type: "group", options: [{ value: null, label: "Off" }] } },
    ...variants.flatMap((/** @type {any} */ variant) => variant.fields),
  ]),
  ...networks.flatMap((/** @type {any} */ { kind, fields }) =>
    fields.map((/** @type {any} */ one) => ({ ...one, network: kind })),
  ),
  ...sets.flatMap((/** @type {any} */ row) => row.fields),
];

test("a run that diverged offers the form with a lower rate", async ({ page, vivarium }) => {
  const { id, url } = await vivarium.create(DIVERGES);
  await reaches(vivarium, id, "finished");
  await page.goto(url);
  const notice = page.locator(".run-head .notice");
  await expect(notice).toContainText("Try a learning rate of 0.01, the form's default");
  await notice.getByRole("link", { name: "New run with learning rate 0.01" }).click();
  await page.waitForURL("**/new?copy=*");
  await expect(page.getByRole("textbox", { name: "Learning rate", exact: true })).toHaveValue("0.01");
  await expect(page.getByRole("textbox", { name: "Epochs", exact: true })).toHaveValue("20");
});

test("a setting in the address that the form lacks is named", async ({ page, vivarium }) => {
  const { id } = await vivarium.create(SHORT);
  await page.goto(`/new?copy=${id}&set=training.speed:9&set=training.batch_size:8`);
  await expect(page.locator("#page > .notice")).toHaveText(
    "“training.speed” is not a setting of this form and was left out.",
  );
  await expect(page.getByRole("textbox", { name: "Batch size", exact: true })).toHaveValue("8");
});

test("a run that was stopped is resumed from its notice", async ({ page, vivarium }) => {
  const { id, url } = await vivarium.create(LONG);
  await expect.poll(async () => (await vivarium.get(id)).summary.step).toBeGreaterThan(0);
  await vivarium.call("POST", `/runs/${id}/stop`);
  await reaches(vivarium, id, "stopped");
  await page.goto(url);
  const notice = page.locator(".run-head .notice");
  await expect(notice).toContainText(/Resume goes on exactly where it stopped; about .* of training are left/);
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.locator(".run-head .badge")).toHaveText(/queued|running/);
  await expect(notice).toBeHidden();
});

test("settings have the labels and words of the form", async ({ page, vivarium }) => {
  await page.goto("/new");
  const data = await page.evaluate(() => document.getElementById("data")?.textContent ?? "null");
  const wrong = fieldsIn(JSON.parse(data).form).flatMap(({ path, label, kind, network }) => {
    const options = kind.options ?? [];
    return [
      [settingLabel(path, network), label],
      ...options.map((option) => [settingValue(path, option.value), option.label]),
    ].flatMap(([said, form]) => (said === form ? [] : [`${path}: “${said}”, and in the form “${form}”`]));
  });
  expect([...new Set(wrong)]).toEqual([]);
  const { id, url } = await vivarium.create(SHORT);
  await reaches(vivarium, id, "finished");
  await page.goto(url);
  const settings = page.locator(".settings");
  await expect(settings).toContainText("Learning rate0.01");
  await expect(settings).toContainText("ThreadsAutomatic");
  await expect(settings).toContainText("Training samples at mostAll");
  await expect(settings).not.toContainText("optimizer lr");
});

test("speed is the mean of the run beside the last", async ({ page, vivarium }) => {
  const { id, url } = await vivarium.create(SHORT);
  await reaches(vivarium, id, "finished");
  await page.goto(url);
  await expect(page.locator(".progress .figures > div", { hasText: "Images/s" })).toHaveText(
    /^Images\/s[\d.]+ ?k?mean; (now|at the end) [\d.]+/,
  );
});
