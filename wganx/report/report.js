"use strict";
// Everything here adds to a page that is complete without it: the player, reading and zooming charts, copying.
(() => {
  for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;

  const player = document.getElementById("player");
  if (player && player.querySelector("input")) startPlayer(player);
  const reader = document.getElementById("reader");
  if (reader) startCharts(reader, [...document.querySelectorAll(".chart")]);
  startCopying(document.querySelector("[data-copy]"), document.getElementById("command"));
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });

  function startPlayer(root) {
    const slides = [...root.querySelectorAll(".slide")];
    const slider = root.querySelector("input");
    const play = root.querySelector(".play");
    let timer = 0;
    let wanted = slides.length - 1;

    async function show(index) {
      wanted = Math.max(0, Math.min(slides.length - 1, index));
      const slide = slides[wanted];
      slider.value = wanted;
      slider.setAttribute("aria-valuetext", `step ${slide.dataset.step}`);
      // Decoded before the swap, so that no empty frame flashes; a later wish may have overtaken this one.
      await slide.querySelector("img")?.decode().catch(() => {});
      if (slide === slides[wanted]) for (const other of slides) other.hidden = other !== slide;
    }
    function stop() {
      clearInterval(timer);
      timer = 0;
      play.textContent = "Play";
    }
    function start() {
      play.textContent = "Pause";
      show(wanted === slides.length - 1 ? 0 : wanted + 1);
      timer = setInterval(() => {
        if (wanted === slides.length - 1) stop();
        else show(wanted + 1);
      }, 500);
    }
    const go = {
      back: () => show(wanted - 1),
      on: () => show(wanted + 1),
      latest: () => show(slides.length - 1),
    };
    root.addEventListener("click", (event) => {
      const action = event.target.dataset.go;
      if (action === "play" && !timer) start();
      else if (action) {
        stop();
        if (go[action]) go[action]();
      }
    });
    slider.addEventListener("input", () => {
      stop();
      show(Number(slider.value));
    });
    root.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !root.contains(event.relatedTarget)) stop();
    });
  }

  function startCharts(root, figures) {
    const depth = 65535;
    const slider = root.querySelector("input");
    const output = root.querySelector("output");
    const first = Number(slider.min);
    const span = Number(slider.max) - first;
    const charts = figures.map(readChart);
    let view = [0, span];
    let cursor = span;

    function readChart(figure) {
      const low = Number(figure.dataset.low);
      const high = Number(figure.dataset.high);
      const value = (y) => high - (y / depth) * (high - low);
      const lines = [...figure.querySelectorAll("path.raw")].map((path) => {
        const points = readPath(path.getAttribute("d"));
        return { name: path.dataset.name, steps: points.map((p) => p[0]), values: points.map((p) => value(p[1])) };
      });
      return {
        figure, low, high, lines,
        target: figure.dataset.target === undefined ? null : Number(figure.dataset.target.replaceAll(",", "")),
        svg: figure.querySelector(".plot > svg"),
        data: figure.querySelector("svg.data"),
        rows: figure.querySelector(".rows"),
        columns: figure.querySelector(".columns"),
        readouts: [...figure.querySelectorAll(".values b")],
        cursor: figure.querySelector(".cursor"),
        selection: figure.querySelector(".selection"),
      };
    }
    // The path is the data: absolute starts, then relative moves in steps and in 1/65535 of the axis.
    function readPath(text) {
      const points = [];
      for (const piece of text.split("M").slice(1)) {
        const numbers = piece.match(/-?\d+/g).map(Number);
        let [x, y] = numbers;
        points.push([x, y]);
        for (let i = 2; i < numbers.length; i += 2) {
          if (numbers.length === 4 && !numbers[2] && !numbers[3]) break; // a dot, drawn as a line to itself
          points.push([(x += numbers[i]), (y += numbers[i + 1])]);
        }
      }
      return points;
    }
    function nearest(steps, x) {
      let low = 0;
      let high = steps.length - 1;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (steps[middle] <= x) low = middle;
        else high = middle;
      }
      return Math.abs(steps[high] - x) < Math.abs(steps[low] - x) ? high : low;
    }
    const words = (value) => {
      const size = Math.abs(value);
      if (size >= 1e4 && size < 1e9) return Math.round(value).toLocaleString("en-US");
      return String(Number(value.toPrecision(4)));
    };

    function read(x) {
      cursor = Math.max(view[0], Math.min(view[1], Math.round(x)));
      slider.value = first + cursor;
      const place = `${(100 * (cursor - view[0])) / (view[1] - view[0])}%`;
      const spoken = [];
      for (const chart of charts) {
        chart.cursor.setAttribute("x1", place);
        chart.cursor.setAttribute("x2", place);
        chart.cursor.setAttribute("visibility", "visible");
        chart.lines.forEach((line, index) => {
          const text = words(line.values[nearest(line.steps, cursor)]);
          chart.readouts[index].textContent = text;
          const title = chart.figure.querySelector("h3").textContent;
          spoken.push(`${chart.lines.length > 1 ? line.name : title} ${text}`);
        });
      }
      output.textContent = `step ${(first + cursor).toLocaleString("en-US")}`;
      slider.setAttribute("aria-valuetext", `${output.textContent}: ${spoken.join(", ")}`);
    }

    function niceMarks(low, high, about) {
      const rough = (high - low) / about;
      const power = 10 ** Math.floor(Math.log10(rough));
      const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough * 0.999);
      const marks = [];
      for (let i = Math.floor(low / step + 1e-9); i <= Math.ceil(high / step - 1e-9); i++) {
        marks.push(Number((i * step).toPrecision(12)));
      }
      return marks;
    }
    function draw(group, marks, place, attributes) {
      group.replaceChildren();
      for (const mark of marks) {
        for (const [tag, own] of attributes(`${place(mark)}%`)) {
          const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
          for (const [name, value] of Object.entries(own)) node.setAttribute(name, value);
          if (tag === "text") node.textContent = words(mark);
          group.append(node);
        }
      }
    }
    function zoom(from, to) {
      const width = Math.max(Math.min(4, span), Math.min(span, to - from));
      const start = Math.max(0, Math.min(span - width, from));
      view = [start, start + width];
      const whole = width === span;
      slider.min = first + Math.ceil(view[0]);
      slider.max = first + Math.floor(view[1]);
      const steps = niceMarks(first + view[0], first + view[1], 5).filter((m) => m >= first + view[0] && m <= first + view[1]);
      for (const chart of charts) {
        const seen = chart.lines.flatMap((line) => line.values.filter((_, i) => line.steps[i] >= view[0] && line.steps[i] <= view[1]));
        if (chart.target !== null) seen.push(chart.target);
        let low = chart.low;
        let high = chart.high;
        if (!whole && seen.length) {
          low = seen.reduce((a, b) => Math.min(a, b));
          high = seen.reduce((a, b) => Math.max(a, b));
          if (!(high - low > 1e-6 * (chart.high - chart.low))) [low, high] = [chart.low, chart.high];
        }
        const marks = niceMarks(low, high, 4);
        [low, high] = [marks[0], marks[marks.length - 1]];
        const y = (value) => ((chart.high - value) / (chart.high - chart.low)) * depth;
        chart.data.setAttribute("viewBox", `${view[0]} ${y(high)} ${width} ${y(low) - y(high)}`);
        draw(chart.rows, marks, (m) => (100 * (high - m)) / (high - low), (p) => [
          ["line", { x1: 0, x2: "100%", y1: p, y2: p }],
          ["text", { x: 0, y: p, dx: -8, dy: 4 }],
        ]);
        draw(chart.columns, steps, (m) => (100 * (m - first - view[0])) / width, (p) => [
          ["text", { x: p, y: "100%", dy: 18 }],
        ]);
        chart.figure.classList.toggle("zoomed", !whole);
      }
      read(cursor);
    }
    function zoomBy(factor) {
      const width = (view[1] - view[0]) * factor;
      zoom(cursor - width / 2, cursor + width / 2);
    }

    root.addEventListener("click", (event) => {
      const how = event.target.dataset.zoom;
      if (how === "in") zoomBy(0.5);
      if (how === "out") zoomBy(2);
      if (how === "all") zoom(0, span);
    });
    slider.addEventListener("input", () => read(Number(slider.value) - first));
    for (const chart of charts) {
      let from = null;
      const share = (event) => {
        const box = chart.svg.getBoundingClientRect();
        return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
      };
      const at = (part) => view[0] + part * (view[1] - view[0]);
      const plot = chart.svg.parentElement;
      plot.addEventListener("pointermove", (event) => {
        const here = share(event);
        read(at(here));
        if (from === null) return;
        chart.selection.setAttribute("x", `${100 * Math.min(from, here)}%`);
        chart.selection.setAttribute("width", `${100 * Math.abs(here - from)}%`);
        chart.selection.setAttribute("visibility", "visible");
      });
      plot.addEventListener("pointerdown", (event) => {
        if (event.button !== 0 || event.pointerType === "touch") return;
        from = share(event);
        plot.setPointerCapture(event.pointerId);
      });
      const drop = (event) => {
        const start = from;
        from = null;
        chart.selection.setAttribute("visibility", "hidden");
        if (event.type !== "pointerup" || start === null || Math.abs(share(event) - start) < 0.02) return;
        zoom(at(Math.min(start, share(event))), at(Math.max(start, share(event))));
      };
      plot.addEventListener("pointerup", drop);
      plot.addEventListener("pointercancel", drop);
      plot.addEventListener("dblclick", () => zoom(0, span));
    }
  }

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
})();
