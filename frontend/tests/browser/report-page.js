// What the tests of reports press and read.

/** @import { Page } from "@playwright/test" */

/** @param {Page} page */
export const text = (page) => page.getByRole("textbox", { name: /Text of the report/ });

/** Shows the text as it is saved, or with names and cards. @param {Page} page */
export const source = (page) => page.getByRole("button", { name: "Source", exact: true }).click();
