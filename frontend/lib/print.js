// The title in the margin of printed pages: CSS cannot read a document's title, so it gets it as a custom property.

/** A text as a CSS string. @param {string} text */
export const cssString = (text) => `"${text.replace(/[\\"]/g, "\\$&").replace(/[\n\r\f]/g, " ")}"`;

/** @param {HTMLElement} root @param {string} title */
export function setPrintTitle(root, title) {
  root.style.setProperty("--print-title", cssString(title));
}

/** Keeps the title of the page that is printed. */
export function titlePrints() {
  addEventListener("beforeprint", () =>
    setPrintTitle(document.documentElement, document.title.replace(/ · Vivarium$/, "")),
  );
}
