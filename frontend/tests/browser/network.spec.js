// The pages of networks: a text is written, its picture follows, and nothing that was typed is lost.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

import { expect, overflow, test } from "./vivarium.js";

/** @import { Page } from "@playwright/test" */

const TEXT = `"""Mine

Written for a test.
"""

inputs = ["images"]

def mine(classes, width=option(8, min=1, max=512, help="Channels of the first convolution.")):
    return Sequential(
        stem=Sequential(Conv2d(width, 3, padding=1), ReLU()),
        block=Sum(Sequential(Conv2d(width, 3, padding=1), BatchNorm2d()), Identity()),
        mean=Mean(),
        head=Linear(classes),
    )
`;
const NAMES = ["mine", "yours", "vgg16-copy", "dropped"];

test.afterEach(async ({ vivarium }) => {
  for (const name of NAMES) await vivarium.call("DELETE", `/networks/${name}`).catch(() => {});
});

/** @param {Page} page */
const text = (page) => page.locator(".network-editor .cm-content");

/** @param {Page} page @param {string} name */
const row = (page, name) => page.locator(`.layer-row[data-key="${name}"]`);

/** @param {Page} page */
const parameters = (page) => page.locator(".totals dd").first();

/** Puts the cursor at the end of the line that contains some words. @param {Page} page @param {string} words */
async function endOf(page, words) {
  await page.locator(".network-editor .cm-line", { hasText: words }).first().click();
  await page.keyboard.press("End");
}

/** @param {Page} page @param {string} name */
async function act(page, name) {
  await page.getByLabel("More actions").click();
  await page.locator(".menu-list").getByRole("button", { name }).click();
}

test("a copy of a built-in network is changed, saved and started", async ({ page }) => {
  await page.goto("/networks");
  await expect(page.getByRole("navigation").getByRole("link", { name: "Networks" })).toHaveAttribute(
    "aria-current",
    "page",
  );
  await page.getByRole("link", { name: "VGG16" }).click();
  await expect(parameters(page)).toHaveText("134 M");
  await text(page).click();
  await page.keyboard.type("x");
  await expect(page.getByText("A built-in network cannot be changed.")).toBeVisible();
  await expect(text(page)).toContainText('"""VGG16');
  await page.getByRole("link", { name: "Edit a copy" }).click();
  await expect(page.getByRole("textbox", { name: "Save as" })).toHaveValue("vgg16-copy");
  await expect(page.getByRole("button", { name: "Save", exact: true })).toBeVisible();
  await endOf(page, '"""VGG16');
  await page.keyboard.type(" of mine");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("VGG16 of mine");
  await page.keyboard.press("Control+s");
  await page.waitForURL(/\/networks\/vgg16-copy$/);
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  await page.reload();
  await expect(text(page)).toContainText("VGG16 of mine");
  await page.getByRole("button", { name: "Train" }).click();
  await page.waitForURL(/\/new\?network=vgg16-copy$/);
});

test("the picture follows the text, and keeps the last one while the text has a mistake", async ({
  page,
  vivarium,
}) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  await page.goto("/networks/mine");
  await page.getByLabel("Input").selectOption("cifar-10");
  await expect(row(page, "layer stem.0")).toContainText("8 × 32 × 32");
  await endOf(page, "mean=Mean()");
  await page.keyboard.type(" hidden=Linear(24),");
  await expect(row(page, "layer hidden")).toContainText("24");
  await page.keyboard.type(" more=Linear(");
  await expect(page.getByRole("button", { name: /^Line \d+, column \d+: / })).toBeVisible();
  await expect(page.locator(".cm-lint-marker-error")).toHaveCount(1);
  await expect(page.locator(".picture-pane")).toHaveClass(/stale/);
  await expect(row(page, "layer hidden")).toBeVisible();
  await page.keyboard.type("5");
  await endOf(page, "mean=Mean()");
  await page.keyboard.type(",");
  await expect(row(page, "layer more")).toContainText("5");
  await expect(page.locator(".picture-pane")).not.toHaveClass(/stale/);
  await expect(page.getByText("No mistakes", { exact: true })).toBeVisible();
  await expect(page.locator(".cm-lint-marker-error")).toHaveCount(0);
});

test("a mistake in the shapes stands in its line, and its message leads there", async ({ page, vivarium }) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  await page.goto("/networks/mine");
  await endOf(page, "stem=");
  await page.keyboard.type(" wrong=Linear(3),");
  const message = page.getByRole("button", { name: /^Line \d+, column \d+: .*Linear takes values/ });
  await expect(message).toBeVisible();
  await expect(page.locator(".cm-lintRange-error")).toHaveText("Linear");
  await endOf(page, "head=");
  await message.click();
  await page.keyboard.press("Shift+End");
  await page.keyboard.press("Delete");
  await expect(text(page)).not.toContainText("Linear(3)");
});

test("a line lights up its layers, a layer its line, and a click leads to it", async ({ page, vivarium }) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  await page.goto("/networks/mine");
  await endOf(page, "block=Sum");
  for (const name of ["block.0.0", "block.0.1", "block"]) await expect(row(page, `layer ${name}`)).toHaveClass(/lit/);
  await expect(row(page, "layer stem.0")).not.toHaveClass(/lit/);
  await row(page, "layer stem.1").hover();
  await expect(page.locator(".cm-lit")).toContainText("stem=Sequential");
  await row(page, "layer head").click();
  await page.keyboard.type("#");
  await expect(page.locator(".cm-activeLine")).toContainText("#head=Linear");
});

test("the stages above the layers follow the input, and a press leads to the line of one", async ({ page }) => {
  await page.goto("/networks/vgg16");
  const stages = page.getByRole("list", { name: "Stages" }).getByRole("listitem");
  const shapes = [
    "Input32×32",
    "6432×32→ 16×16",
    "12816×16→ 8×8",
    "2568×8→ 4×4",
    "5124×4→ 2×2",
    "5122×2→ 1×1→ 7×7",
    "4096",
    "4096",
    "10classes",
  ];
  await expect(stages).toHaveText(shapes);
  await stages.nth(2).getByRole("button").click();
  await expect(page.locator(".cm-activeLine")).toContainText("Conv2d");
  // Nine options are folded.
  await page.getByText(/^Options Head, /).click();
  await page.getByRole("textbox", { name: "Widths of the head" }).fill("300");
  await expect(stages).toHaveText([...shapes.slice(0, 6), "300", "10classes"]);
});

test("figures of layers stay in their columns", async ({ page }) => {
  for (const width of [1440, 1280, 400]) {
    await page.setViewportSize({ width, height: 900 });
    for (const name of ["residual-small", "inception"]) {
      await page.goto(`/networks/${name}`);
      await expect(page.locator(".layer-shape").nth(2)).not.toBeEmpty();
      const beyond = await page
        .locator(".layer-shape, .layer-parameters, .cost-words")
        .evaluateAll(
          (cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth + 1 && cell.clientWidth > 0).length,
        );
      expect(beyond, `${name} at ${width}`).toBe(0);
    }
  }
});

test("a network of linear layers is drawn as its neurons, with the weights between them", async ({ page }) => {
  await page.goto("/networks/mlp");
  const stages = page.getByRole("list", { name: "Stages" }).getByRole("listitem");
  const [input, last] = [["Input8 × 8", "64values"], "64 × 10 weights+ 10 biases10outputs"];
  await expect(stages).toHaveText([
    ...input,
    "64 × 128 weights+ 128 biases128ReLU",
    "128 × 64 weights+ 64 biases64ReLU",
    last,
  ]);
  await stages.nth(2).getByRole("button").click();
  await expect(page.locator(".cm-activeLine")).toContainText("Linear(width)");
  await page.getByRole("textbox", { name: "Hidden widths" }).fill("3");
  await page.getByRole("radio", { name: "Tanh" }).check();
  await expect(stages.nth(2)).toHaveText("64 × 3 weights+ 3 biases3Tanh");
  await expect(stages.nth(2).locator("circle")).toHaveCount(3);
  // Ten neurons of the input and three are drawn, each connected with each.
  const links = stages.nth(2).locator(".neurons-links path");
  expect((await links.nth(0).getAttribute("d"))?.match(/M/g)).toHaveLength(30);
  // Those of one neuron stand out.
  expect((await links.nth(1).getAttribute("d"))?.match(/M/g)).toHaveLength(10);
  await page.setViewportSize({ width: 400, height: 900 });
  await expect(page.locator(".neurons-image")).toBeHidden();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(400);
});

test("a built-in text opens with its parameters folded to a signature, a copy with all of them", async ({ page }) => {
  await page.goto("/networks/mlp");
  const signature = page.locator(".network-editor .cm-foldPlaceholder");
  await expect(signature).toHaveText("classes, hidden=[128, 64], activation=ReLU, norm=False, dropout=0.0");
  await expect(text(page)).toContainText("layers.append(Linear(width))");
  await expect(text(page)).not.toContainText("Hidden widths");
  await signature.click();
  await expect(text(page)).toContainText('label="Hidden widths"');
  // A long text, of which the editor reads the end later.
  await page.goto("/networks/inception");
  await expect(signature.first()).toHaveText("classes, 15 options");
  // The network's own function comes first.
  await expect(page.locator(".cm-line", { hasText: "def inception(" })).toBeInViewport();
  await expect(page.locator(".cm-line", { hasText: "OptionError" })).not.toBeInViewport();
  expect(await page.evaluate(() => scrollY)).toBe(0);
  await page.goto("/networks/new?copy=mlp");
  await expect(text(page)).toContainText('label="Hidden widths"');
  await expect(signature).toHaveCount(0);
});

test("branches and skips are drawn beside the layers", async ({ page }) => {
  await page.goto("/networks/inception");
  // A large network that is read begins with its parts.
  await expect(row(page, "group block1")).toHaveAttribute("aria-expanded", "false");
  await expect(row(page, "group block1")).toContainText("1×1 + 3×3 + 5×5 + pool");
  const stage = (/** @type {string} */ name) =>
    page
      .getByRole("list", { name: "Stages" })
      .getByRole("listitem")
      .filter({ has: page.getByText(name, { exact: true }) });
  await expect(stage("256").locator(".stage-slice")).toHaveCount(4);
  await expect(page.locator(".network-summary")).toContainText("Four blocks of four branches");
  await page.getByRole("button", { name: "Expand" }).click();
  await expect(row(page, "group block1")).toHaveAttribute("aria-expanded", "true");
  const lanes = await page
    .locator('.layer-row[data-key^="layer block1.branch"] .layer-mark')
    .evaluateAll((marks) => new Set(marks.map((mark) => getComputedStyle(mark).getPropertyValue("--at"))).size);
  expect(lanes).toBe(4);
  await page.goto("/networks/residual-small");
  await expect(stage("128").locator(".stage-skip")).toHaveCount(2);
  await expect(stage("256").locator(".stage-skip")).toBeVisible();
  await expect(row(page, "group blocks.0")).toContainText("a skip");
  await expect(
    page.getByText(/^Options Widths, Convolutions per block, Skips, Long skips and \d+ more$/),
  ).toBeVisible();
});

test("options and the input change the picture, and a refused option says why", async ({ page, vivarium }) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  await page.goto("/networks/mine");
  await page.getByLabel("Input").selectOption("cifar-10");
  await expect(row(page, "layer stem.0")).toContainText("8 × 32 × 32");
  const width = page.getByRole("textbox", { name: "Width" });
  await width.fill("16");
  await expect(row(page, "layer stem.0")).toContainText("16 × 32 × 32");
  await width.fill("wide");
  await expect(page.locator(".options .field-error")).toContainText("must be");
  await expect(page.locator(".picture-pane")).toHaveClass(/stale/);
  await page.getByRole("button", { name: "Reset options" }).click();
  await expect(width).toHaveValue("8");
  await page.getByLabel("Input").selectOption({ label: "Other images…" });
  await page.getByRole("spinbutton", { name: "Height" }).fill("48");
  await expect(row(page, "layer stem.0")).toContainText("8 × 48 × 32");
  // The options are no part of the text.
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
});

test("many options are folded, so that a network begins in the window, and few are not", async ({ page }) => {
  await page.goto("/networks/vgg16");
  await expect(page.locator(".layer-row").first()).toBeInViewport();
  await expect(page.getByRole("textbox", { name: "Dropout" })).toBeHidden();
  await page.goto("/networks/mlp");
  await expect(page.getByRole("textbox", { name: "Hidden widths" })).toBeVisible();
  await expect(page.locator(".options summary")).toBeHidden();
});

test("options say what they are without a pointer, and the memory of a layer is in bytes", async ({ page }) => {
  await page.goto("/networks/vgg16");
  await page.getByText(/^Options Head, /).click();
  const help = page.locator('[data-path="network.stem_kernel"] .hint');
  await expect(help).toBeVisible();
  await expect(help).toContainText("first convolution's kernel");
  await page.getByRole("button", { name: "Expand" }).click();
  await expect(row(page, "layer features.0").locator('[data-cost="memory"] .cost-words')).toHaveText(/^\d+ KiB$/);
  for (const head of ["Time", "Memory"])
    await expect(page.getByRole("columnheader", { name: head })).toHaveCSS("text-align", "end");
});

test("Train takes the options to the form", async ({ page }) => {
  await page.goto("/networks/mlp");
  await page.getByRole("textbox", { name: "Hidden widths" }).fill("48, 24");
  await page.getByRole("button", { name: "Train" }).click();
  await page.waitForURL(/\/new\?/);
  await expect(page.getByRole("textbox", { name: "Hidden widths" })).toHaveValue("48, 24");
  await expect(page.locator(".sketch")).toContainText("48");
});

test("what is not saved outlives the tab, and can be discarded", async ({ page, context, vivarium }) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  await page.goto("/networks/mine");
  await endOf(page, "Written for");
  await page.keyboard.type(" Or two");
  await expect(page.getByText("Not saved")).toBeVisible();
  await page.close();
  const again = await context.newPage();
  await again.goto("/networks/mine");
  await expect(text(again)).toContainText("Written for a test. Or two");
  await expect(again.getByText("your changes from the last visit")).toBeVisible();
  await again.getByRole("button", { name: "Discard changes" }).first().click();
  await expect(text(again)).not.toContainText("Or two");
  await again.getByRole("button", { name: "Undo" }).click();
  await expect(text(again)).toContainText("Or two");
  await again.getByRole("button", { name: "Discard changes" }).first().click();
  await again.reload();
  await expect(text(again)).not.toContainText("Or two");
});

test("a version of another tab is not overwritten without asking", async ({ page, vivarium }) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  await page.goto("/networks/mine");
  await endOf(page, "Written for");
  await page.keyboard.type(" Here");
  const other = TEXT.replace("a test.", "a test. There");
  await vivarium.call("PUT", "/networks/mine", { source: other });
  await page.keyboard.press("Control+s");
  const notice = page.getByRole("alert").filter({ hasText: "changed elsewhere" });
  await expect(notice).toBeVisible();
  expect((await vivarium.call("GET", "/networks/mine")).source).toBe(other);
  await notice.getByRole("button", { name: "Compare" }).click();
  await expect(page.getByRole("dialog").locator(".cm-merge-b .cm-changedText")).toHaveText("There");
  await page.keyboard.press("Escape");
  await notice.getByRole("button", { name: "Save mine over it" }).click();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  expect((await vivarium.call("GET", "/networks/mine")).source).toContain("a test. Here");
});

test("a network that was deleted elsewhere can be saved again", async ({ page, vivarium }) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  await page.goto("/networks/mine");
  await endOf(page, "Written for");
  await page.keyboard.type(" Here");
  await vivarium.call("DELETE", "/networks/mine");
  await page.keyboard.press("Control+s");
  const notice = page.getByRole("alert").filter({ hasText: "deleted elsewhere" });
  await notice.getByRole("button", { name: "Save it again" }).click();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  expect((await vivarium.call("GET", "/networks/mine")).source).toContain("a test. Here");
});

test("two tabs with the same network keep a text each, also when one saves and both are closed", async ({
  page,
  context,
  vivarium,
}) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  const other = await context.newPage();
  for (const each of [page, other]) await each.goto("/networks/mine");
  await endOf(page, "Written for");
  await page.keyboard.type(" First");
  await endOf(other, "Written for");
  await other.keyboard.type(" Second");
  await page.keyboard.press("Control+s");
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  await other.close();
  await page.reload();
  await expect(text(page)).toContainText("Second");
  const notice = page.getByRole("alert").filter({ hasText: "changed elsewhere" });
  await notice.getByRole("button", { name: "Use the other text" }).click();
  await expect(text(page)).toContainText("First");
});

test("the text of a network that is gone is offered where the network was", async ({ page, vivarium }) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  await page.goto("/networks/mine");
  await endOf(page, "Written for");
  await page.keyboard.type(" Unsaved");
  await expect(page.getByText("Not saved")).toBeVisible();
  await vivarium.call("DELETE", "/networks/mine");
  await page.goto("/networks/mine");
  await page.getByRole("button", { name: "Open it as a new network" }).click();
  await expect(text(page)).toContainText("Unsaved");
  await expect(page.getByRole("textbox", { name: "Save as" })).toHaveValue("mine");
});

test("three quotes that are typed are three, and a refusal to save goes when the text is saved", async ({
  page,
  vivarium,
}) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  await page.goto("/networks/mine");
  await endOf(page, "inputs =");
  await page.keyboard.press("Enter");
  await page.keyboard.type('"""more"""');
  await expect(page.locator(".cm-activeLine")).toHaveText('"""more"""');
  await page.keyboard.type("(");
  await page.keyboard.press("Delete");
  await page.keyboard.type("+");
  await page.keyboard.press("Control+s");
  const refusal = page.getByRole("alert").filter({ hasText: "Not saved: " });
  await expect(refusal).toBeVisible();
  for (const _ of "(+") await page.keyboard.press("Backspace");
  await page.keyboard.press("Control+s");
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  await expect(refusal).toHaveCount(0);
});

test("a file that is not UTF-8 is refused by its name", async ({ page }) => {
  await page.goto("/networks");
  const buffer = Buffer.from(TEXT.replace("Mine", "Caf\u00e9"), "latin1");
  await page.setInputFiles("#network-file", { name: "Dropped.py", mimeType: "text/x-python", buffer });
  await expect(page.getByRole("alert").filter({ hasText: "Dropped.py is not a text in UTF-8" })).toBeVisible();
});

test("a network is renamed, deleted and brought back", async ({ page, vivarium }) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  await page.goto("/networks/mine");
  await endOf(page, "Written for");
  await page.keyboard.type(" Unsaved");
  await act(page, "Rename…");
  const name = page.getByRole("textbox", { name: /^Name in settings/ });
  await name.fill("vgg16");
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await expect(page.getByRole("alert").filter({ hasText: "already a network named “vgg16”" })).toBeVisible();
  await name.fill("yours");
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await page.waitForURL(/\/networks\/yours$/);
  await expect(text(page)).toContainText("Unsaved");
  await act(page, "Delete");
  await page.waitForURL(/\/networks$/);
  await expect(page.locator('[data-network="yours"]')).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.locator('[data-network="yours"] .network-link').click();
  await expect(text(page)).toContainText("Unsaved");
});

test("a name that is taken or not allowed is refused beside it", async ({ page }) => {
  await page.goto("/networks/new");
  await expect(row(page, "layer features.0")).toBeVisible();
  const name = page.getByRole("textbox", { name: "Save as" });
  for (const [wrong, why] of [
    ["vgg16", "already a network named “vgg16”"],
    ["", "needs a name"],
    ["My net", "begins with a letter from a to z"],
  ]) {
    await name.fill(wrong);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect(page.getByRole("alert").filter({ hasText: why })).toBeVisible();
    await expect(name).toBeFocused();
  }
  expect(new URL(page.url()).pathname).toBe("/networks/new");
});

test("a text with a mistake is not saved, but kept", async ({ page, vivarium }) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  await page.goto("/networks/mine");
  await endOf(page, "head=");
  await page.keyboard.type(" oops(");
  await page.keyboard.press("Control+s");
  await expect(page.getByRole("alert").filter({ hasText: /^Not saved: Line \d+, column \d+: / })).toBeVisible();
  expect((await vivarium.call("GET", "/networks/mine")).source).toBe(TEXT);
  await page.reload();
  await expect(text(page)).toContainText("oops(");
});

test("two networks are compared side by side", async ({ page }) => {
  await page.goto("/networks/residual-small");
  await expect(page.locator(".layer-row").first()).toBeVisible();
  await act(page, "Compare with…");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Compare with").selectOption({ label: "Residual network, deep" });
  await expect(dialog.locator(".cm-merge-a")).toContainText("Residual network, small");
  await expect(dialog.locator(".cm-merge-b .cm-changedText").first()).toHaveText("deep");
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
});

test("everything works from the keyboard", async ({ page, vivarium }) => {
  await vivarium.call("PUT", "/networks/mine", { source: TEXT });
  await page.goto("/networks/mine");
  await expect(row(page, "layer stem.0")).toBeVisible();
  await endOf(page, "Written for");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type("x");
  await expect(page.locator(".cm-activeLine")).toHaveText("    x");
  // Escape, then Tab leaves the editor.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await expect(text(page)).not.toBeFocused();
  await page.locator(".layer-row[tabindex='0']").focus();
  await page.keyboard.press("ArrowDown");
  await expect(row(page, "group stem")).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await expect(row(page, "group stem")).toHaveAttribute("aria-expanded", "false");
  await expect(row(page, "layer stem.0")).toHaveCount(0);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(row(page, "layer stem.0")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator(".cm-activeLine")).toContainText("stem=");
});

test("modules and the arguments of a call are completed, with their help", async ({ page }) => {
  await page.goto("/networks/new");
  await expect(row(page, "layer features.0")).toBeVisible();
  await endOf(page, "mean=Mean()");
  await page.keyboard.type(" more=MaxP");
  const list = page.locator(".cm-tooltip-autocomplete");
  await list.getByRole("option", { name: /^MaxPool2d/ }).click();
  await page.keyboard.type("(st");
  await expect(list.getByRole("option", { name: /^stride=/ })).toBeVisible();
});

test("without the server the text is kept and checked again when it answers", async ({ page, context }) => {
  await page.goto("/networks/new");
  await expect(page.getByText("No mistakes", { exact: true })).toBeVisible();
  await context.route("**/api/v1/networks/**", (route) => route.abort("connectionrefused"));
  await endOf(page, "mean=Mean()");
  await page.keyboard.type(" more=Linear(7),");
  await expect(page.locator(".mistake-line")).toContainText("Vivarium does not answer");
  await page.keyboard.press("Control+s");
  await expect(page.getByRole("alert").filter({ hasText: "Not saved: Vivarium does not answer" })).toBeVisible();
  await context.unroute("**/api/v1/networks/**");
  await expect(row(page, "layer more")).toContainText("7");
});

test("a file becomes a network, and one with a mistake can be mended", async ({ page }) => {
  await page.goto("/networks");
  const file = (/** @type {string} */ source) => ({
    name: "Dropped.py",
    mimeType: "text/x-python",
    buffer: Buffer.from(source),
  });
  await page.setInputFiles("#network-file", { ...file(TEXT), name: "notes.txt" });
  await expect(
    page.getByRole("alert").filter({ hasText: "notes.txt is neither a .py, an .onnx nor a .safetensors file." }),
  ).toBeVisible();
  await page.setInputFiles("#network-file", file(`${TEXT}(`));
  const refused = page.getByRole("alert").filter({ hasText: "Dropped.py was refused. Line" });
  await refused.getByRole("button", { name: "Open in the editor" }).click();
  await expect(page.locator(".cm-lint-marker-error")).toHaveCount(1);
  await page.goto("/networks");
  const data = await page.evaluateHandle((source) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([source], "Dropped.py"));
    return transfer;
  }, TEXT);
  await page.dispatchEvent("#page", "drop", { dataTransfer: data });
  await page.waitForURL(/\/networks\/dropped$/);
  await expect(row(page, "layer stem.0")).toBeVisible();
  const [saved] = await Promise.all([page.waitForEvent("download"), act(page, "Download .py")]);
  expect(saved.suggestedFilename()).toBe("dropped.py");
  expect(readFileSync(await saved.path(), "utf8")).toBe(TEXT);
});

test("a network of 200 layers is short until it is opened, and fits a phone", async ({ page, vivarium }) => {
  const blocks = Array.from(
    { length: 40 },
    (_, i) =>
      `        b${i}=Sum(Sequential(Conv2d(8, 3, padding=1), BatchNorm2d(), ReLU(), Conv2d(8, 1)), Identity()),\n`,
  );
  await vivarium.call("PUT", "/networks/mine", {
    source: `def mine(classes):\n    return Sequential(\n        Conv2d(8, 3, padding=1),\n${blocks.join("")}        mean=Mean(),\n        head=Linear(classes),\n    )\n`,
  });
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto("/networks/mine");
  const repeat = page.locator(".layer-row", { hasText: /3\d more/ });
  await expect(repeat).toBeVisible();
  expect(await page.locator(".layer-row").count()).toBeLessThan(20);
  await repeat.click();
  await page.getByRole("button", { name: "Expand" }).click();
  await expect(row(page, "layer b39")).toBeAttached();
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});

test("a phone shows each layer's whole name and all of its figures", async ({ page }) => {
  await page.setViewportSize({ width: 400, height: 900 });
  await page.goto("/networks/residual-deep");
  await page.getByRole("button", { name: "Expand" }).click();
  const layer = row(page, "layer blocks.0.convs.0.depthwise");
  await layer.scrollIntoViewIfNeeded();
  await expect(layer).toContainText("convs.0.depthwise");
  const cut = await layer.evaluate((element) =>
    [...element.querySelectorAll("b, span:not(.cost-bar)")]
      .filter((part) => part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).display !== "inline")
      .map((part) => part.className),
  );
  expect(cut).toEqual([]);
  const edge = await layer.evaluate((element) => element.getBoundingClientRect().right);
  for (const part of [".layer-shape", ".layer-parameters", '[data-cost="time"]', '[data-cost="memory"]']) {
    const box = await layer.locator(part).boundingBox();
    expect(box?.height, part).toBeGreaterThan(0);
    expect((box?.x ?? 0) + (box?.width ?? 0), part).toBeLessThanOrEqual(edge);
  }
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});

test("a file in the folder that cannot be read shows why", async ({ page, server }) => {
  mkdirSync(`${server.dataDir}/networks`, { recursive: true });
  writeFileSync(`${server.dataDir}/networks/broken.py`, "def broken(classes:\n");
  await page.goto("/networks");
  await expect(page.locator('[data-network="broken"]')).toContainText(/Line \d+, column \d+: /);
  rmSync(`${server.dataDir}/networks/broken.py`);
});
