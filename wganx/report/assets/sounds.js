// Sounds: one button each and one player for all, so that only one is heard at a time.
const startSounds = makeSounds();
startSounds([...document.querySelectorAll("li.audio")]);

// Gives the function that starts sounds, now or when more of them come.
function makeSounds() {
  const shared = new Audio();
  let current = null;

  function startSound(item) {
    const native = item.querySelector("audio");
    const button = item.querySelector("button");
    const sound = { item, button, source: native.getAttribute("src"), mark: item.querySelector(".mark"), place: item.querySelector(".place") };
    native.remove();
    button.addEventListener("click", () => (current === sound && !shared.paused ? shared.pause() : play(sound)));
    button.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -0.1, ArrowRight: 0.1 }[event.key];
      if (!by || current !== sound || !(shared.duration > 0)) return;
      event.preventDefault();
      shared.currentTime = Math.max(0, Math.min(shared.duration, shared.currentTime + by * shared.duration));
      follow();
    });
  }

  function play(sound) {
    if (current !== sound) {
      if (current) rest(current);
      current = sound;
      shared.src = sound.source;
    }
    shared.play().catch(() => {}); // a sound that this browser cannot play says so below
  }
  function rest(sound) {
    sound.button.setAttribute("aria-pressed", "false");
    sound.mark.textContent = "▶";
    sound.item.classList.remove("playing");
    put(sound, 0);
  }
  function put(sound, share) {
    if (!sound.place) return;
    for (const end of ["x1", "x2"]) sound.place.setAttribute(end, 100 * share);
  }
  function follow() {
    if (current && shared.duration > 0) put(current, shared.currentTime / shared.duration);
    if (!shared.paused) requestAnimationFrame(follow);
  }
  shared.addEventListener("play", () => {
    current.button.setAttribute("aria-pressed", "true");
    current.mark.textContent = "❚❚";
    current.item.classList.add("playing");
    follow();
  });
  shared.addEventListener("pause", () => {
    current.button.setAttribute("aria-pressed", "false");
    current.mark.textContent = "▶";
  });
  shared.addEventListener("ended", () => rest(current));
  shared.addEventListener("error", () => {
    current.button.textContent = "This browser cannot play it";
    current.button.disabled = true;
  });
  // What is out of sight, or no longer there, is silent.
  document.addEventListener("slide", () => {
    if (current && (!current.item.isConnected || current.item.closest("[hidden]"))) shared.pause();
  });
  return (items) => items.forEach(startSound);
}
