// A page in Airflow follows Airflow's theme and opens other pages of Airflow in Airflow's own window: the frame around
// it may not navigate that window or open new ones, but the window may.
const outer = (() => {
  try {
    return window.parent !== window && window.parent.document ? window.parent : null;
  } catch {
    return null; // a window of another origin
  }
})();
const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

function followTheme() {
  const chosen = localStorage.getItem("theme");
  const isDark = outer
    ? outer.document.documentElement.classList.contains("dark")
    : chosen === "dark" || (chosen !== "light" && prefersDark.matches);
  document.documentElement.classList.toggle("dark", isDark);
}

followTheme();
prefersDark.addEventListener("change", followTheme);
window.addEventListener("storage", followTheme);
if (outer) {
  new MutationObserver(followTheme).observe(outer.document.documentElement, { attributeFilter: ["class"] });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[target]");
    if (!link) return;
    event.preventDefault();
    const outside = outer.document.createElement("a");
    outside.href = link.href;
    outside.rel = link.rel;
    outside.target = link.target === "_blank" || event.ctrlKey || event.metaKey ? "_blank" : "_self";
    outer.document.body.append(outside);
    outside.click();
    outside.remove();
  });
}
