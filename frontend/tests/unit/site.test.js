import assert from "node:assert/strict";
import { test } from "node:test";
import { apiUrl, linkUrl, sitePath, siteUrl } from "../../lib/site.js";

test("without a path before the site, addresses are as they are", () => {
  assert.equal(siteUrl("/new"), "/new");
  assert.equal(apiUrl("/runs"), "/api/v1/runs");
  for (const href of ["/runs/a", "https://lab.example/", "#runs", "//lab.example", "mailto:a@lab.example"]) {
    assert.equal(linkUrl(href), href);
    assert.equal(sitePath(href), href);
  }
});
