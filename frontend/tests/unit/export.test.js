import assert from "node:assert/strict";
import { test } from "node:test";
import { cell, csv } from "../../chart/csv.js";
import { plotData } from "../../chart/plot-data.js";
import { chartSvg, escapeXml } from "../../chart/svg.js";

test("cells that look like formulas are text", () => {
  assert.equal(cell("=1+1"), `"'=1+1"`);
  assert.equal(cell("+a"), `"'+a"`);
  assert.equal(cell("-a"), `"'-a"`);
  assert.equal(cell("@cmd"), `"'@cmd"`);
  assert.equal(cell("\t=1"), `"'\t=1"`);
  assert.equal(cell(" =1"), `"' =1"`);
});

test("numbers are numbers, also negative ones", () => {
  assert.deepEqual([-0.5, 1e-8, Number.NaN, Number.NEGATIVE_INFINITY, null].map(cell), [
    "-0.5",
    "1e-8",
    "NaN",
    "-inf",
    "",
  ]);
});

test("commas, quotes and line breaks are quoted", () => {
  assert.equal(
    csv(
      ["name", "x"],
      [
        ['a "b", c', 1],
        ["two\nlines", 2],
      ],
    ),
    'name,x\r\n"a ""b"", c",1\r\n"two\nlines",2\r\n',
  );
});

const look = {
  title: "Loss",
  subtitle: "<script>\"&'",
  xLabel: "Step",
  width: 400,
  height: 300,
  ink: "#000",
  faint: "#555",
  grid: "#eee",
  page: "#fff",
  bad: "#c00",
  font: "sans-serif",
  colour: (/** @type {string} */ token) => (token === "--data-1" ? "rgb(1, 2, 3)" : "red"),
  marks: [2],
};
const line = {
  id: "a",
  label: "a < b",
  token: "--data-1",
  dash: [7, 4],
  width: 2,
  alpha: 1,
  markers: true,
  counts: true,
  x: [0, 1, 2, 3],
  y: [1, 2, Number.NaN, 4],
  length: 4,
  total: 4,
};

test("an SVG has lines, marks and labels, and escapes names", () => {
  const svg = chartSvg(
    plotData([line], { range: [0, 3], yRange: [0, 4], logX: false, logY: false, pixels: 300 }),
    look,
  );
  assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="400" height="300"/);
  assert.match(svg, /&lt;script&gt;&quot;&amp;&#39;/);
  assert.match(svg, /a &lt; b/);
  assert.doesNotMatch(svg, /<script/);
  // From left 56 to right 384, from bottom 256 to top 62; a gap begins a new subpath.
  assert.match(
    svg,
    /<path d="M56 207.5L165.33 159M384 62" fill="none" stroke="rgb\(1, 2, 3\)" stroke-width="2" stroke-opacity="1" stroke-linejoin="round" stroke-dasharray="7 4"\/>/,
  );
  assert.equal(svg.match(/<circle/g)?.length, 3);
  assert.match(svg, /fill="#c00"/);
});

test("an SVG names both axes, and labels fractions in percent", () => {
  const svg = chartSvg(
    plotData([{ ...line, y: [0.1, 0.2, 0.3, 0.4], unit: { name: "accuracy (%)", size: 0.01 } }], {
      range: [0, 3],
      yRange: [0, 0.4],
      logX: false,
      logY: false,
      pixels: 300,
    }),
    look,
  );
  assert.match(svg, />accuracy \(%\)<\/text>/);
  assert.match(svg, />Step<\/text>/);
  assert.match(svg, />20<\/text>/);
  assert.doesNotMatch(svg, />0\.2<\/text>/);
});

test("characters that XML forbids do not reach the document", () => {
  assert.equal(escapeXml("a\u0000b\u001f"), "a\ufffdb\ufffd");
});

test("an SVG has isolated points, and bands interrupted at gaps", () => {
  const of = (/** @type {Partial<typeof line> & { band?: { low: number[], high: number[] } }} */ more) =>
    chartSvg(
      plotData([{ ...line, markers: false, ...more }], {
        range: [0, 3],
        yRange: [0, 4],
        logX: false,
        logY: false,
        pixels: 300,
      }),
      look,
    );
  assert.equal(of({}).match(/<circle/g)?.length, 1);
  assert.equal(of({ x: [2], y: [3], length: 1 }).match(/<circle cx="[\d.]+" cy="[\d.]+" r="2.5"/g)?.length, 1);
  const banded = of({ band: { low: [0, 1, Number.NaN, 3], high: [2, 3, Number.NaN, 4] } });
  assert.equal(banded.match(/0\.18/g)?.length, 2);
  assert.doesNotMatch(banded, /NaN/);
});

test("a legend of a thousand lines names the first ones and leaves room for the plot", () => {
  const lines = Array.from({ length: 1000 }, (_, i) => ({ ...line, id: String(i), label: `lr ${i / 1e4}` }));
  const svg = chartSvg(plotData(lines, { range: [0, 3], yRange: [0, 4], logX: false, logY: false, pixels: 300 }), look);
  const [, top, height] =
    svg.match(/<clipPath id="plot"><rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/) ?? [];
  assert.ok(Number(height) > 80, height);
  const named = svg.match(/>lr /g)?.length ?? 0;
  assert.ok(named > 5);
  const [, x, y, more] = svg.match(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>and ([\d,]+) more</) ?? [];
  assert.equal(Number(more.replace(",", "")) + named, 1000);
  assert.ok(Number(y) < Number(top) && Number(x) + 100 <= look.width, `${x} ${y}`);
});
