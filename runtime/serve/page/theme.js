// Before the first paint: the theme that was chosen, so that a dark page does not flash. The rest is in main.js.
"use strict";
try {
  document.documentElement.dataset.theme = JSON.parse(localStorage.getItem("tinyllm")).theme;
} catch {
  document.documentElement.dataset.theme = "auto";
}
