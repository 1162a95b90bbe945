// Runs before the first paint, so that a chosen theme does not flash in after the other one.
(() => {
  try {
    const theme = localStorage.getItem("vivarium.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; then the system's preference holds.
  }
})();
