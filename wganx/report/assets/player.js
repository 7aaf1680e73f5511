// The one player of all that moves: a slider, play and pause, a step back and on.
for (const root of document.querySelectorAll(".player")) startSlides(root);

// `show(index)` draws, `spoken(index)` says where that is, `told(playing)` hears of it, `every()` is in milliseconds.
function startStepper(root, { count, at, every, circles, show, spoken, told }) {
  const slider = root.querySelector("input");
  const play = root.querySelector("[data-go=play]");
  let timer = 0;
  let index = at;

  function go(wanted) {
    index = circles ? (wanted + count) % count : Math.max(0, Math.min(count - 1, wanted));
    slider.value = index;
    slider.setAttribute("aria-valuetext", spoken(index));
    show(index);
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
    if (told) told(false);
  }
  function start() {
    clearInterval(timer);
    play.textContent = "Pause";
    if (told) told(true);
    go(index === count - 1 ? 0 : index + 1);
    timer = setInterval(() => {
      if (index === count - 1 && !circles) stop();
      else go(index + 1);
    }, every());
  }
  const moves = { back: () => go(index - 1), on: () => go(index + 1), last: () => go(count - 1) };
  root.addEventListener("click", (event) => {
    const action = event.target.dataset.go;
    if (action === "play" && !timer) start();
    else if (action) {
      stop();
      if (moves[action]) moves[action]();
    }
  });
  slider.addEventListener("input", () => {
    stop();
    go(Number(slider.value));
  });
  root.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !root.contains(event.relatedTarget)) stop();
  });
  return { go, start, stop };
}

function startSlides(root) {
  const controls = root.querySelector(".stepper");
  const slides = [...root.querySelectorAll(".stage > .slide")];
  if (!controls || slides.length < 2) return;
  const first = slides.findIndex((slide) => !slide.hidden);
  let wanted = slides[first];

  async function show(index) {
    const slide = (wanted = slides[index]);
    // Decoded before the swap, so that no empty frame flashes; a later wish may have overtaken this one.
    await Promise.all([...slide.querySelectorAll("img")].map((image) => image.decode().catch(() => {})));
    if (slide !== wanted) return;
    for (const other of slides) other.hidden = other !== slide;
    root.dispatchEvent(new CustomEvent("slide", { bubbles: true })); // for sounds and clips, that follow what is seen
    // The next ones are made ready meanwhile.
    for (const near of [slides[index + 1], slides[index - 1]]) {
      for (const image of near ? near.querySelectorAll("img") : []) image.decode().catch(() => {});
    }
  }
  const stepper = startStepper(controls, {
    count: slides.length, at: first, every: () => 500, circles: false, show,
    spoken: (index) => slides[index].dataset.label,
  });
  if (!slides.some((slide) => slide.id)) return;
  // What is shown can be linked to (report.html#step-500), and is still there when the page is loaded anew; whoever
  // looks at the latest goes on to look at the latest.
  controls.querySelector("input").addEventListener("change", () => {
    const isLatest = wanted === slides[slides.length - 1];
    if (wanted.id) history.replaceState(null, "", isLatest ? location.pathname + location.search : `#${wanted.id}`);
  });
  function follow() {
    const index = slides.findIndex((slide) => slide.id && `#${slide.id}` === location.hash);
    if (index < 0) return false;
    stepper.stop();
    stepper.go(index);
    return true;
  }
  addEventListener("hashchange", () => follow() && root.scrollIntoView());
  const again = performance.getEntriesByType("navigation").some((entry) => entry.type === "reload");
  if (follow() && !again) root.scrollIntoView();
}
