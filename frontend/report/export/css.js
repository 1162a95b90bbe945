// The style sheet of an exported report: the rules of the current page that match something in it. The export looks as
// on the screen and has no unused rules.

/** States that do not occur without scripts or on paper. */
const UNUSED_STATES = /:(hover|focus|focus-visible|focus-within|active|disabled|checked|target|popover-open)\b/;
/** Pseudo-elements, which `querySelector` cannot match. */
const PSEUDO_ELEMENTS = /::?(before|after|marker|selection|placeholder|backdrop|file-selector-button)\b/g;

/** @param {Document} page the exported document @param {Iterable<CSSStyleSheet>} sheets */
export function usedCss(page, sheets) {
  return [...sheets].flatMap(({ cssRules }) => used(page, cssRules)).join("\n");
}

/** @param {Document} page @param {CSSRuleList} rules @returns {string[]} */
function used(page, rules) {
  return [...rules].flatMap((rule) => {
    // The page of a printer, with its margins.
    if (rule instanceof CSSPageRule) return [rule.cssText];
    if (rule instanceof CSSStyleRule) return isUsed(page, rule.selectorText) ? [rule.cssText] : [];
    const name = nameOf(rule);
    if (name !== null) {
      const { cssRules, conditionText } = /** @type {CSSConditionRule} */ (rule);
      const inner = used(page, cssRules);
      const head = `@${name} ${conditionText}`;
      return inner.length > 0 ? [`${head} {\n${inner.join("\n")}\n}`] : [];
    }
    return [];
  });
}

/** The name of a rule with a condition around others; null for other rules. @param {CSSRule} rule */
function nameOf(rule) {
  if (rule instanceof CSSMediaRule) return "media";
  if (rule instanceof CSSContainerRule) return "container";
  return rule instanceof CSSSupportsRule ? "supports" : null;
}

/** @param {Document} page @param {string} selector */
function isUsed(page, selector) {
  return split(selector).some((one) => {
    if (UNUSED_STATES.test(one)) return false;
    try {
      return page.querySelector(one.replace(PSEUDO_ELEMENTS, "") || "*") !== null;
    } catch {
      // A selector that this browser cannot match is kept.
      return true;
    }
  });
}

/** Splits a selector list at commas outside brackets. @param {string} list */
function split(list) {
  const out = [""];
  let depth = 0;
  for (const letter of list) {
    if (letter === "(" || letter === "[") depth += 1;
    if (letter === ")" || letter === "]") depth -= 1;
    if (letter === "," && depth === 0) out.push("");
    else out[out.length - 1] += letter;
  }
  return out.map((one) => one.trim());
}
