// What the browser keeps for the pages. It may refuse: site data blocked, a private window, no space left. Then a page
// keeps it for itself, as long as it is there, and goes on.

/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} SafeStorage */

/**
 * A storage that never throws.
 * @param {() => Storage} storage asked each time: the mere look at it throws where it is forbidden
 * @returns {SafeStorage & { lasts: (key: string) => boolean }} `lasts`: whether what is kept under a key outlives the
 *   page
 */
export function safeStorage(storage) {
  /** What the browser did not take; `null` where it did not let go. @type {Map<string, string | null>} */
  const here = new Map();
  return {
    getItem(key) {
      const own = here.get(key);
      if (own !== undefined) return own;
      try {
        return storage().getItem(key);
      } catch {
        return null;
      }
    },
    setItem(key, value) {
      try {
        storage().setItem(key, value);
        here.delete(key);
      } catch {
        here.set(key, value);
      }
    },
    removeItem(key) {
      try {
        storage().removeItem(key);
        here.delete(key);
      } catch {
        here.set(key, null);
      }
    },
    lasts: (key) => !here.has(key),
  };
}

/** For all tabs, and for good. */
export const safeLocalStorage = safeStorage(() => localStorage);
/** For this tab, until it is closed. */
export const safeSessionStorage = safeStorage(() => sessionStorage);
