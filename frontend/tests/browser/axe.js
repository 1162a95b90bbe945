// Accessibility: what axe finds wrong in a part of a page.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * The rules that a part of the page breaks, with the elements that break them.
 * @param {import("@playwright/test").Page} page
 * @param {string} part a selector
 * @returns {Promise<string[]>}
 */
export async function violations(page, part) {
  // The content security policy allows no inline script, but the browser's own console does.
  await page.evaluate(SOURCE);
  return page.evaluate(async (selector) => {
    const { axe } = /** @type {any} */ (window);
    const { violations: found } = await axe.run(selector);
    return found.flatMap((/** @type {any} */ { id, nodes }) =>
      nodes.map((/** @type {any} */ node) => `${id}: ${node.target.join(" ")} ${node.failureSummary}`),
    );
  }, part);
}
