// Browser storage. It may be unavailable: site data blocked, a private window, no space left. The values then live as
// long as the page.

/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} SafeStorage */

/**
 * A storage that never throws.
 * @param {() => Storage} storage called each time, since even reading the property throws if storage is blocked
 * @returns {SafeStorage & { lasts: (key: string) => boolean, keys: () => string[] }} `lasts`: whether the value of a key
 *   outlives the page; `keys`: those that have a value
 */
export function safeStorage(storage) {
  /**
   * Values that the browser did not store; `null` for a key that it did not remove.
   * @type {Map<string, string | null>}
   */
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
    keys() {
      /** @type {Set<string>} */
      const keys = new Set();
      try {
        const stored = storage();
        for (let i = 0; i < stored.length; i += 1) keys.add(stored.key(i) ?? "");
      } catch {
        // What the browser does not give is not there.
      }
      for (const [key, value] of here) {
        if (value === null) keys.delete(key);
        else keys.add(key);
      }
      return [...keys];
    },
  };
}

/** Shared by all tabs and permanent. */
export const safeLocalStorage = safeStorage(() => localStorage);
/** For this tab until it is closed. */
export const safeSessionStorage = safeStorage(() => sessionStorage);
