// The base path of the site, which may be below a path of a proxy.

/**
 * The base path: "" or, for example, "/vivarium". It follows from this module's own URL.
 */
const base = import.meta.url.startsWith("http") ? new URL("../..", import.meta.url).pathname.replace(/\/$/, "") : "";

/** The URL of a page or file of this site. @param {string} path below the base path, with a leading slash */
export const siteUrl = (path) => base + path;

/** The URL for a link in a text, which is relative to the base path. @param {string} href */
export const linkUrl = (href) => (/^\/(?!\/)/.test(href) && !`${href}/`.startsWith(`${base}/`) ? siteUrl(href) : href);

/** The path of a URL below the base path. @param {string} href */
export const sitePath = (href) => (`${href}/`.startsWith(`${base}/`) ? href.slice(base.length) || "/" : href);

/** The URL of an API path. @param {string} path below /api/v1 */
export const apiUrl = (path) => siteUrl(`/api/v1${path}`);
