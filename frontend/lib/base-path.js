// Where the site begins: behind a proxy, perhaps below a path.

/**
 * The path before the site's own addresses: "" or such as "/vivarium". Modules are served below it, so this one's own
 * address tells.
 */
const base = import.meta.url.startsWith("http") ? new URL("../..", import.meta.url).pathname.replace(/\/$/, "") : "";

/** The address of a page or a file of this site. @param {string} path from the site's beginning, with its slash */
export const siteUrl = (path) => base + path;

/** A link that a text gives: from the site's beginning, wherever that is. @param {string} href */
export const linkUrl = (href) => (/^\/(?!\/)/.test(href) && !`${href}/`.startsWith(`${base}/`) ? siteUrl(href) : href);

/** The address below the site's beginning. @param {string} href */
export const sitePath = (href) => (`${href}/`.startsWith(`${base}/`) ? href.slice(base.length) || "/" : href);

/** The address of something of the API. @param {string} path below /api/v1 */
export const apiUrl = (path) => siteUrl(`/api/v1${path}`);
