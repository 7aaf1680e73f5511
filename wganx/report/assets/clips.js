// Clips: every frame lies in one picture, drawn onto a canvas each; all of a player's clips stay in step.
for (const controls of document.querySelectorAll(".clips")) startClips(controls.closest(".player"), controls);

function startClips(root, controls) {
  const strips = [...root.querySelectorAll("img[data-frames]")].map(openStrip);
  const videos = [...root.querySelectorAll("video")];
  const count = Math.max(strips.reduce((most, strip) => Math.max(most, strip.frames), 0), videos.length ? 50 : 2);
  const every = strips.length ? strips[0].milliseconds : 100;
  const slow = controls.querySelector("[data-slow]");
  let at = 0;
  let moving = false;

  function openStrip(image) {
    const { frames, columns, milliseconds, width, height } = image.dataset;
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", image.alt.replace(" in rows", ""));
    canvas.className = image.className;
    canvas.style.width = `${width}px`;
    const strip = { image, canvas, frames: Number(frames), columns: Number(columns), milliseconds: Number(milliseconds), ready: false };
    image.decode().then(() => {
      canvas.width = image.naturalWidth / strip.columns;
      canvas.height = image.naturalHeight / Math.ceil(strip.frames / strip.columns);
      canvas.style.aspectRatio = `${width} / ${height}`;
      image.replaceWith(canvas);
      strip.ready = true;
      draw(strip);
    }).catch(() => {}); // the frames stay beside each other
    return strip;
  }
  function draw(strip) {
    if (!strip.ready || strip.canvas.closest("[hidden]")) return;
    const frame = at % strip.frames;
    const { width, height } = strip.canvas;
    strip.canvas.getContext("2d").drawImage(
      strip.image, (frame % strip.columns) * width, Math.floor(frame / strip.columns) * height, width, height, 0, 0, width, height);
  }
  function show(index) {
    at = index;
    strips.forEach(draw);
    for (const video of videos) {
      if (!moving && !video.closest("[hidden]") && video.duration > 0) video.currentTime = (video.duration * index) / count;
    }
  }
  function moves(now) {
    moving = now;
    for (const video of videos) {
      if (!now || video.closest("[hidden]")) video.pause();
      else video.play().catch(() => {}); // one that this browser cannot play says so itself
    }
  }
  controls.querySelector("input").max = count - 1;
  const stepper = startStepper(controls, {
    count, at: 0, every: () => (slow.getAttribute("aria-pressed") === "true" ? 2 : 1) * every,
    circles: true, show, told: moves, spoken: (index) => `frame ${index + 1}`,
  });
  slow.addEventListener("click", () => {
    const half = slow.getAttribute("aria-pressed") === "false";
    slow.setAttribute("aria-pressed", half);
    for (const video of videos) video.playbackRate = half ? 0.5 : 1;
    if (moving) stepper.start();
  });
  for (const video of videos) {
    video.controls = false;
    // Small clips are shown as pictures are: pixel by pixel.
    video.addEventListener("loadedmetadata", () => video.classList.toggle("pixelated", video.clientWidth >= 2 * video.videoWidth));
    if (!video.closest("[hidden]")) video.preload = "auto";
  }
  root.addEventListener("slide", () => {
    for (const video of videos) if (!video.closest("[hidden]")) video.preload = "auto";
    strips.forEach(draw);
    if (moving) moves(true);
  });
  // They begin when they come into view, and stop when they leave it; never by themselves for who wants no motion.
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let begun = false;
  new IntersectionObserver((entries) => {
    const inView = entries[entries.length - 1].isIntersecting;
    if (!inView) stepper.stop();
    else if (!begun && !still.matches) {
      begun = true;
      stepper.start();
    }
  }).observe(root);
}
