// Builds DOM elements. Text is inserted as text, never as HTML, so user input is never markup.

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Properties of an element: `class`, `on` (listeners), `data` (data attributes), `vars` (CSS
 * custom properties); the rest are attributes, where `true` means present and `false` absent.
 * @typedef {{
 *   class?: string,
 *   on?: { [event: string]: (event: any) => void },
 *   data?: { [name: string]: string | number | null | undefined },
 *   vars?: { [name: string]: string | number },
 *   [attribute: string]: any,
 * }} Props
 */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...(Child | Child[])} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function s(tag, props = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

/**
 * @template {HTMLElement | SVGElement} E
 * @param {E} element
 * @param {Props} props
 * @param {(Child | Child[])[]} children
 */
function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.setAttribute("class", value);
    else if (name === "on")
      for (const [event, listener] of Object.entries(value))
        element.addEventListener(event, /** @type {EventListener} */ (listener));
    else if (name === "data")
      for (const [key, text] of Object.entries(value)) setData(element, key, /** @type {any} */ (text));
    else if (name === "vars")
      for (const [key, text] of Object.entries(value)) element.style.setProperty(`--${key}`, String(text));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/** @param {HTMLElement | SVGElement} element @param {string} key @param {string | number | null | undefined} value */
function setData(element, key, value) {
  if (value !== null && value !== undefined) element.dataset[key] = String(value);
}

/** @param {Node} parent @param {(Child | Child[])[]} children */
function append(parent, children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/**
 * Sets text only if it differs, which avoids needless layout and screen reader announcements.
 * @param {Node} node
 * @param {string | number} text
 */
export function setText(node, text) {
  const value = String(text);
  if (node.textContent !== value) node.textContent = value;
}

/** @param {Element} element @param {string} name @param {string | null} value */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** The element with an id from the template. @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element “${id}”`);
  return element;
}

/** The JSON data embedded in the page. @returns {any} */
export function pageData() {
  return JSON.parse(byId("data").textContent ?? "null");
}

/**
 * Downloads a file from the server; the response names it by default.
 * @param {string} url
 * @param {string} [name]
 */
export function downloadFrom(url, name = "") {
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** Saves a blob as a download. @param {string} name @param {Blob} blob */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  downloadFrom(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
