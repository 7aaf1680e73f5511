// Asks for work, waits in line for it, and shows what was made.
startDemo(document.getElementById("wish"));

function startDemo(form) {
  const by = (id) => document.getElementById(id);
  const told = by("told"), refused = by("refused"), share = by("share"), result = by("result"), made = by("made"), leaving = by("leave");
  let place = null; // in the line, or of what is shown
  let wishes = 0; // so that what is overtaken says nothing more
  let asking = new AbortController();

  const way = () => form.elements.do.value || form.elements.do[0].value;
  function fit() {
    const now = way();
    for (const part of form.querySelectorAll("[data-for]")) {
      part.hidden = !part.dataset.for.split(" ").includes(now);
      for (const field of part.querySelectorAll("input, select")) field.disabled = part.hidden;
    }
    for (const option of form.querySelectorAll("[data-not-for]")) {
      option.disabled = option.hidden = option.dataset.notFor === now;
      if (option.disabled && option.selected) option.parentElement.selectedIndex = 1;
      else if (!option.disabled && !option.parentElement.touched) option.selected = true;
    }
    const count = by("count");
    if (count) {
      if (!count.whole) count.whole = count.max;
      count.max = now === "draw" ? count.whole : count.dataset.mostStopped;
      if (!count.touched) count.value = now === "draw" ? count.defaultValue : count.dataset.few;
      else if (Number(count.value) > Number(count.max)) count.value = count.max;
    }
  }
  for (const radio of form.querySelectorAll("[name=do]")) radio.addEventListener("change", fit);
  form.addEventListener("input", (event) => {
    event.target.touched = true;
    const output = event.target.type === "range" && event.target.parentElement.querySelector("output");
    if (output) output.textContent = Number(Number(event.target.value).toPrecision(4));
  });
  const another = by("another");
  if (another) another.addEventListener("click", () => {
    by("seed").value = Math.floor(Math.random() * 1e6);
    if (way() !== "send") form.requestSubmit();
  });

  // What was not touched is left to the run: a number that a file brings along must not be overruled by the usual one.
  function query(file) {
    const said = new URLSearchParams({ do: way() });
    for (const field of form.elements) {
      if (!field.name || field.name === "do" || field.disabled || field.value === "") continue;
      if (field.type === "range" && !field.touched) continue;
      said.set(field.name, field.value);
    }
    if (file) said.set("name", file.name);
    return said;
  }
  function say(text, percent) {
    told.textContent = text;
    share.hidden = percent === undefined;
    if (percent === null) share.removeAttribute("value");
    else if (percent !== undefined) share.value = percent;
  }
  function rest() {
    say("");
    leaving.hidden = true;
    made.setAttribute("aria-busy", "false");
  }
  function refuse(text) {
    rest();
    refused.textContent = text;
    refused.hidden = false;
  }
  function leave() {
    asking.abort(); // first, or the answer that the place is gone may still come
    asking = new AbortController();
    // Also when the page is closed, when only a beacon is still sent.
    if (place) navigator.sendBeacon(`jobs/${place}/leave`);
    place = null;
  }
  const says = (state) =>
    state.state === "working" ? "Being made" : state.before === 0 ? "You are next" : `${state.before} before you`;

  async function ask(event) {
    event.preventDefault();
    const mine = ++wishes;
    leave();
    refused.hidden = true;
    const file = way() === "send" ? by("file").files[0] : null;
    if (way() === "send" && !file) return refuse("Choose a file first.");
    if (file && file.size > Number(form.dataset.most)) return refuse(`${file.name} is larger than ${form.dataset.mostSaid}, the most that this demo takes. Send a smaller one.`);
    say(file ? "Sending" : "Asking");
    made.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`jobs?${query(file)}`, {
        method: "POST", body: file || "", headers: { "Content-Type": "application/octet-stream" }, signal: asking.signal,
      });
      const text = await answer.text();
      if (mine !== wishes) return;
      if (!answer.ok) return refuse(text);
      place = text;
      leaving.hidden = false;
      await wait(mine, text);
    } catch {
      if (mine === wishes) refuse("The demo does not answer. It may have ended.");
    }
  }
  async function wait(mine, token) {
    for (let known = ""; ; ) {
      const answer = await fetch(`jobs/${token}?known=${known}`, { signal: asking.signal });
      if (mine !== wishes) return;
      if (answer.status === 404) return refuse("Your place in the line is gone. Ask again.");
      const state = await answer.json();
      if (mine !== wishes) return;
      known = state.known;
      if (state.state === "done") return show(state.html);
      if (state.state === "failed") return refuse(state.message);
      say(says(state), state.state === "working" ? state.percent : undefined);
    }
  }
  function show(html) {
    rest();
    result.innerHTML = html; // of the server, in which whatever a stranger wrote is text
    document.dispatchEvent(new CustomEvent("slide")); // what is no longer there is silent
    for (const part of result.querySelectorAll("[data-scripted]")) part.hidden = false;
    for (const button of result.querySelectorAll("[data-copy]")) startCopying(button, by(button.dataset.copy));
    for (const player of result.querySelectorAll(".player")) startSlides(player);
    for (const controls of result.querySelectorAll(".clips")) startClips(controls.closest(".player"), controls);
    startSounds([...result.querySelectorAll("li.audio")]);
    told.textContent = "Here it is";
    if (made.getBoundingClientRect().top > 0.6 * innerHeight) made.scrollIntoView();
  }
  form.addEventListener("submit", ask);
  leaving.addEventListener("click", () => {
    wishes += 1;
    leave();
    rest();
    say("You left the line");
    form.querySelector(".go").focus();
  });
  addEventListener("pagehide", leave);
  fit();
}
