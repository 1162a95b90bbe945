// Runs before the first paint, so that the other theme does not flash first.
(() => {
  try {
    const theme = localStorage.getItem("vivarium.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be blocked; then the system's theme applies.
  }
})();
