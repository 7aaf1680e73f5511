// Everything here adds to a page that is complete without it.
for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;

for (const button of document.querySelectorAll("[data-copy]")) startCopying(button, document.getElementById(button.dataset.copy));

addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});

function startCopying(button, source) {
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      // Some browsers refuse the clipboard to a local file: then the command is selected, ready for Ctrl+C.
      getSelection().selectAllChildren(source);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
}
