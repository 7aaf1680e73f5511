// Sounds and clips: one sound at a time, what is out of sight is silent, and all clips in step if that is wished.
(() => {
  const all = [...document.querySelectorAll("audio, video")];
  const button = document.getElementById("clips");
  const inSight = (player) => !player.closest("[hidden]");
  let together = false;

  for (const player of all) {
    player.addEventListener("play", () => {
      if (!player.muted) for (const other of all) if (other !== player && !other.muted) other.pause();
    });
    // Small clips are shown as pictures are: pixel by pixel.
    if (player.tagName === "VIDEO") player.addEventListener("loadedmetadata", () => {
      player.classList.toggle("pixelated", player.clientWidth >= 2 * player.videoWidth);
    });
  }
  function playTogether() {
    for (const player of all) {
      if (player.tagName !== "VIDEO" || !inSight(player)) continue;
      player.currentTime = 0;
      player.play().catch(() => {}); // a clip that this browser cannot play says so itself
    }
  }
  new MutationObserver(() => {
    for (const player of all) {
      if (!inSight(player)) player.pause();
      else if (player.preload === "none") player.preload = "auto";
    }
    if (together) playTogether();
  }).observe(document.querySelector(".player"), { attributes: true, attributeFilter: ["hidden"], subtree: true });
  if (button) button.addEventListener("click", () => {
    together = !together;
    button.textContent = together ? "Pause all clips" : "Play all clips";
    if (together) playTogether();
    else for (const player of all) if (player.tagName === "VIDEO") player.pause();
  });
})();
