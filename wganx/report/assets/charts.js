// Charts: read values by pointer, slider or key, zoom all of a group at once, hide lines, scale by logarithm.
for (const root of document.querySelectorAll(".chart-group")) startCharts(root);

function startCharts(root) {
  const depth = 65535;
  const first = Number(root.dataset.first);
  const span = Number(root.dataset.span);
  const scale = Number(root.dataset.scale);
  const slider = root.querySelector(".reader input");
  const output = root.querySelector(".reader output");
  const logarithm = root.querySelector("[data-log]");
  const charts = [...root.querySelectorAll(".chart")].map(readChart);
  const lines = charts.flatMap((chart) => chart.lines);
  // Arrows go from reading to reading of the densest line.
  const places = lines.reduce((a, b) => (b.steps.length > a.steps.length ? b : a)).steps;
  let view = [0, span];
  let cursor = span;
  let chosen = charts[0];
  let logarithmic = false;

  logarithm.hidden = !charts.some((chart) => chart.positive);

  function readChart(figure) {
    const low = Number(figure.dataset.low);
    const high = Number(figure.dataset.high);
    const value = (y) => high - (y / depth) * (high - low);
    const paths = [...figure.querySelectorAll(".data path:not(.band)")].map((path) => {
      const pieces = readPath(path.getAttribute("d")).map((piece) => piece.map(([x, y]) => [x, value(y)]));
      const points = pieces.flat();
      return { path, pieces, linear: path.getAttribute("d"), steps: points.map((p) => p[0]), values: points.map((p) => p[1]) };
    });
    const read = paths.filter((one) => "read" in one.path.dataset);
    return {
      figure, low, high, paths,
      lines: read.map((one) => ({ name: one.path.dataset.line, steps: one.steps, values: one.values })),
      positive: paths.every((one) => one.values.every((v) => v > 0)),
      title: figure.dataset.title,
      target: figure.dataset.target === undefined ? null : Number(figure.dataset.target.replaceAll(",", "")),
      plot: figure.querySelector(".plot"),
      svg: figure.querySelector(".plot > svg"),
      data: figure.querySelector("svg.data"),
      targetLine: figure.querySelector(".target"),
      rows: figure.querySelector(".rows"),
      columns: figure.querySelector(".columns"),
      readouts: [...figure.querySelectorAll(".values b")],
      written: [".rows", ".columns"].map((group) => [...figure.querySelector(group).childNodes]),
      viewBox: figure.querySelector("svg.data").getAttribute("viewBox"),
      cursor: figure.querySelector(".cursor"),
      selection: figure.querySelector(".selection"),
    };
  }
  // The path is the data: absolute starts, then relative moves in steps and in 1/65535 of the axis.
  function readPath(text) {
    return text.split("M").slice(1).map((piece) => {
      const numbers = piece.match(/-?\d+/g).map(Number);
      let [x, y] = numbers;
      const points = [[x, y]];
      for (let i = 2; i < numbers.length; i += 2) {
        if (numbers.length === 4 && !numbers[2] && !numbers[3]) break; // a dot, drawn as a line to itself
        points.push([(x += numbers[i]), (y += numbers[i + 1])]);
      }
      return points;
    });
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
  function place(x) {
    const text = ((first + x) / scale).toLocaleString("en-US", { maximumFractionDigits: 2 });
    return root.dataset.unit === "step" ? `step ${text}` : `${text} ${root.dataset.unit}`;
  }

  function read(x) {
    cursor = Math.max(view[0], Math.min(view[1], Math.round(x)));
    slider.value = nearest(places, cursor);
    const across = `${(100 * (cursor - view[0])) / (view[1] - view[0])}%`;
    for (const chart of charts) {
      chart.cursor.setAttribute("x1", across);
      chart.cursor.setAttribute("x2", across);
      chart.cursor.setAttribute("visibility", "visible");
      chart.lines.forEach((line, index) => {
        line.text = words(line.values[nearest(line.steps, cursor)]);
        chart.readouts[index].textContent = line.text;
      });
    }
    // One chart is told, the one that was looked at last: all of them at every press would be a flood.
    const told = chosen.lines.map((line) => (chosen.lines.length > 1 ? `${line.name} ${line.text}` : line.text));
    output.textContent = `${place(cursor)}: ${chosen.title} ${told.join(", ")}`;
    slider.setAttribute("aria-valuetext", place(cursor));
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
  function powers(low, high) {
    const [from, to] = [Math.floor(low + 1e-9), Math.max(Math.ceil(high - 1e-9), Math.floor(low) + 1)];
    const stride = Math.ceil((to - from) / 5);
    const marks = [];
    for (let i = from; i < to + stride; i += stride) marks.push(i);
    return marks;
  }
  function mark(group, marks, at, label, attributes) {
    group.replaceChildren();
    for (const value of marks) {
      for (const [tag, own] of attributes(`${at(value)}%`)) {
        const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
        for (const [name, text] of Object.entries(own)) node.setAttribute(name, text);
        if (tag === "text") node.textContent = label(value);
        group.append(node);
      }
    }
  }

  function zoom(from, to) {
    const width = Math.max(Math.min(4, span), Math.min(span, to - from));
    const start = Math.max(0, Math.min(span - width, from));
    view = [start, start + width];
    slider.min = places.findIndex((step) => step >= view[0] - 1e-9);
    slider.max = Math.max(slider.min, places.findLastIndex((step) => step <= view[1] + 1e-9));
    const [left, right] = view.map((x) => (first + x) / scale);
    const steps = niceMarks(left, right, 5).filter((m) => m >= left && m <= right);
    for (const chart of charts) drawChart(chart, steps, left, right);
    read(cursor);
  }
  function drawChart(chart, steps, left, right) {
    const whole = view[1] - view[0] === span;
    const log = logarithmic && chart.positive;
    chart.figure.classList.toggle("redrawn", !whole || log);
    if (whole && !log) return restore(chart);
    const bend = log ? Math.log10 : (value) => value;
    let [low, high] = [chart.low, chart.high];
    const seen = chart.paths.filter((one) => !one.path.classList.contains("off")).flatMap((one) =>
      one.values.filter((_, i) => one.steps[i] >= view[0] && one.steps[i] <= view[1]));
    if (chart.target !== null && (!log || chart.target > 0)) seen.push(chart.target);
    if (seen.length) {
      low = seen.reduce((a, b) => Math.min(a, b));
      high = seen.reduce((a, b) => Math.max(a, b));
      if (!(high - low > 1e-6 * (chart.high - chart.low))) [low, high] = [chart.low, chart.high];
    }
    if (log) low = Math.max(low, Number.MIN_VALUE); // an axis that ended at 0
    const marks = log ? powers(bend(low), bend(high)) : niceMarks(low, high, 4);
    [low, high] = [marks[0], marks[marks.length - 1]];
    // On a straight scale the paths stay as they are and the window onto them moves; on a bent one they are drawn anew.
    const y = log ? (value) => ((high - bend(value)) / (high - low)) * depth
      : (value) => ((chart.high - value) / (chart.high - chart.low)) * depth;
    for (const one of chart.paths) {
      one.path.setAttribute("d", log ? one.pieces.map((piece) =>
        `M${piece.map(([x, value]) => `${x} ${Math.round(y(value))}`).join("L")}${piece.length > 1 ? "" : "l0 0"}`).join("") : one.linear);
    }
    if (chart.targetLine) {
      const drawn = !log || chart.target > 0;
      chart.targetLine.classList.toggle("off", !drawn);
      for (const end of drawn ? ["y1", "y2"] : []) chart.targetLine.setAttribute(end, Math.round(y(chart.target)));
    }
    const [top, foot] = log ? [0, depth] : [y(high), y(low)];
    chart.data.setAttribute("viewBox", `${view[0]} ${top} ${view[1] - view[0]} ${foot - top}`);
    mark(chart.rows, marks, (m) => (100 * (high - m)) / (high - low), (m) => words(log ? Number(`1e${m}`) : m), (p) => [
      ["line", { x1: 0, x2: "100%", y1: p, y2: p }],
      ["text", { x: 0, y: p, dx: -8, dy: 4 }],
    ]);
    mark(chart.columns, steps, (m) => (100 * (m - left)) / (right - left), words, (p) => [
      ["text", { x: p, y: "100%", dy: 18 }],
    ]);
  }
  // As the page was written.
  function restore(chart) {
    for (const one of chart.paths) one.path.setAttribute("d", one.linear);
    chart.rows.replaceChildren(...chart.written[0]);
    chart.columns.replaceChildren(...chart.written[1]);
    chart.data.setAttribute("viewBox", chart.viewBox);
    if (chart.targetLine) {
      chart.targetLine.classList.remove("off");
      const y = Math.round(((chart.high - chart.target) / (chart.high - chart.low)) * depth);
      for (const end of ["y1", "y2"]) chart.targetLine.setAttribute(end, y);
    }
  }
  function zoomBy(factor) {
    const width = (view[1] - view[0]) * factor;
    zoom(cursor - width / 2, cursor + width / 2);
  }
  function walk(by) {
    const index = Math.max(Number(slider.min), Math.min(Number(slider.max), nearest(places, cursor) + by));
    read(places[index]);
  }
  const keys = {
    ArrowLeft: () => walk(-1),
    ArrowRight: () => walk(1),
    PageDown: () => walk(-Math.ceil((slider.max - slider.min) / 10)),
    PageUp: () => walk(Math.ceil((slider.max - slider.min) / 10)),
    Home: () => read(view[0]),
    End: () => read(view[1]),
    "+": () => zoomBy(0.5),
    "=": () => zoomBy(0.5),
    "-": () => zoomBy(2),
    0: () => zoom(0, span),
  };
  function obey(event) {
    const own = event.target === slider && !["+", "=", "-", "0"].includes(event.key); // a slider has keys of its own
    if (own || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  }

  root.addEventListener("click", (event) => {
    const how = event.target.dataset.zoom;
    if (how === "in") zoomBy(0.5);
    if (how === "out") zoomBy(2);
    if (how === "all") zoom(0, span);
  });
  logarithm.addEventListener("click", () => {
    logarithmic = !logarithmic;
    logarithm.setAttribute("aria-pressed", logarithmic);
    zoom(...view);
  });
  slider.addEventListener("input", () => read(places[Number(slider.value)]));
  slider.addEventListener("keydown", obey);
  for (const chart of charts) {
    chart.plot.tabIndex = 0;
    chart.plot.setAttribute("role", "application"); // so that screen readers hand it the arrows
    chart.plot.setAttribute("aria-roledescription", "chart");
    chart.plot.setAttribute("aria-label", `${chart.title}: arrows read values, plus and minus zoom, 0 shows all`);
    chart.plot.addEventListener("keydown", obey);
    chart.plot.addEventListener("focus", () => {
      chosen = chart;
      read(cursor);
    });
    if (chart.lines.length > 1) startLegend(chart);
    startPointer(chart);
  }
  slider.min = 0;
  slider.max = places.length - 1;
  slider.value = places.length - 1;

  function startLegend(chart) {
    for (const item of chart.figure.querySelectorAll(".values > span")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = item.className;
      button.setAttribute("aria-pressed", "true");
      button.append(...item.childNodes);
      item.replaceWith(button);
      button.addEventListener("click", () => {
        const shows = button.getAttribute("aria-pressed") === "false";
        button.setAttribute("aria-pressed", shows);
        const same = `.${[...button.classList].find((name) => name.startsWith("ink-"))}`;
        for (const part of chart.svg.querySelectorAll(same)) part.classList.toggle("off", !shows);
      });
    }
  }
  function startPointer(chart) {
    let from = null;
    const share = (event) => {
      const box = chart.svg.getBoundingClientRect();
      return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    };
    const at = (part) => view[0] + part * (view[1] - view[0]);
    chart.plot.addEventListener("pointermove", (event) => {
      const here = share(event);
      chosen = chart;
      read(at(here));
      if (from === null) return;
      chart.selection.setAttribute("x", `${100 * Math.min(from, here)}%`);
      chart.selection.setAttribute("width", `${100 * Math.abs(here - from)}%`);
      chart.selection.setAttribute("visibility", "visible");
    });
    chart.plot.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      from = share(event);
      chart.plot.setPointerCapture(event.pointerId);
    });
    const drop = (event) => {
      const start = from;
      from = null;
      chart.selection.setAttribute("visibility", "hidden");
      if (event.type !== "pointerup" || start === null || Math.abs(share(event) - start) < 0.02) return;
      zoom(at(Math.min(start, share(event))), at(Math.max(start, share(event))));
    };
    chart.plot.addEventListener("pointerup", drop);
    chart.plot.addEventListener("pointercancel", drop);
    chart.plot.addEventListener("dblclick", () => zoom(0, span));
  }
}
