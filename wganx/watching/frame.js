"use strict";
const frame = document.querySelector("iframe");
const told = document.querySelector("p");
let shown = document.body.dataset.version;

async function look() {
  try {
    const version = await (await fetch("version")).text();
    told.textContent = "";
    if (version !== shown) {
      shown = version;
      frame.contentWindow.location.reload();  // where it was scrolled to stays
    }
  } catch {
    clearInterval(asking);  // whoever comes back to the page asks once more
    told.textContent = "No longer followed. The newest page is report.html in the run's folder.";
  }
}

const asking = setInterval(look, 1000 * document.body.dataset.seconds);
document.addEventListener("visibilitychange", look);
