// Draws the panels of a Grafana dashboard, in the few kinds that this one has, from `data`.
"use strict";

const PALETTE = ["#73bf69", "#fade2a", "#8ab8ff", "#ff9830", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d", "#fa6400"];
const NAMED = { green: "#73bf69", orange: "#ff9830", red: "#f2495c" };
const SCALES = {
  bytes: [1024, ["B", "KiB", "MiB", "GiB"]],
  Bps: [1000, ["B/s", "kB/s", "MB/s"]],
  "µs": [1000, ["µs", "ms", "s"]],
};
const TIMES = [5, 15, 30, 60, 120, 180, 300, 600, 1800, 3600];
const BINARY = Array.from({ length: 40 }, (_, power) => 2 ** power);
const SUFFIX = { reqps: " req/s", cps: " /s" };

function told(value, unit, decimals) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (unit === "percentunit") return `${(value * 100).toFixed(decimals ?? (value && value < 0.1 ? 1 : 0))}%`;
  if (SCALES[unit]) {
    const [base, names] = SCALES[unit];
    let at = 0;
    while (Math.abs(value) >= base && at < names.length - 1) (value /= base), at++;
    return `${+value.toPrecision(3)} ${names[at]}`;
  }
  return `${+value.toPrecision(3)}${SUFFIX[unit] ?? ""}`;
}

function element(parent, name, text, kind) {
  const made = parent.appendChild(document.createElement(name));
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// One row of times for all series; where one has no value, null.
function columns(series) {
  const times = [...new Set(series.flatMap((one) => one.points.map(([at]) => at)))].sort((a, b) => a - b);
  const values = series.map((one) => {
    const by = new Map(one.points);
    return times.map((at) => (Number.isNaN(by.get(at)) ? null : by.get(at) ?? null));
  });
  return [times, ...values];
}

function colorOf(panel, name, index) {
  const found = panel.fieldConfig.overrides.find((one) => one.matcher.options === name);
  return found ? found.properties[0].value.fixedColor : PALETTE[index % PALETTE.length];
}

function timeseries(panel, section) {
  const { unit, custom, min, max } = panel.fieldConfig.defaults;
  const order = panel.fieldConfig.overrides.map((one) => one.matcher.options);
  const series = panel.series.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name) || a.name.localeCompare(b.name));
  const chart = element(section, "div", undefined, "chart");
  const legend = element(section, "div", undefined, "legend");
  const table = columns(series);
  const colors = series.map((one, index) => colorOf(panel, one.name, index));
  const bands = [];
  if (custom.stacking.mode === "normal") {
    const sum = table[0].map(() => 0);
    for (let at = 1; at < table.length; at++) {
      table[at] = table[at].map((value, index) => (sum[index] += value ?? 0));
      if (at > 1) bands.push({ series: [at, at - 1] });
    }
  }
  series.forEach((one, index) => {
    const item = element(legend, "span");
    element(item, "i").style.background = colors[index];
    item.append(one.name);
  });
  const alpha = Math.round(custom.fillOpacity * 2.55).toString(16).padStart(2, "0");
  const grid = { stroke: "#25272d", width: 1 };
  const axis = { stroke: "#8e8e9c", font: "11px Inter, sans-serif", grid, ticks: { show: false } };
  const top = Math.max(0, ...table.slice(1).flat().filter((value) => value !== null));
  new uPlot(
    {
      width: chart.clientWidth,
      height: chart.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { min: data.start, max: data.end }, y: { range: [min ?? 0, max ?? (top * 1.1 || 1)] } },
      axes: [
        { ...axis, size: 26, space: 46, incrs: TIMES, values: [[60, "{HH}:{mm}"], [1, "{HH}:{mm}:{ss}"]] },
        { ...axis, size: 66, space: 28, incrs: unit === "bytes" ? BINARY : undefined, values: (_, ticks) => ticks.map((value) => told(value, unit)) },
      ],
      bands,
      series: [
        {},
        ...series.map((_, index) => ({
          stroke: colors[index], fill: colors[index] + alpha, width: 1.3, points: { show: false }, spanGaps: false,
        })),
      ],
    },
    table,
    chart,
  );
}

function stat(panel, section) {
  const { unit, decimals, thresholds } = panel.fieldConfig.defaults;
  const [series] = panel.series;
  const value = series?.points.at(-1)[1];
  const step = thresholds.steps.filter((one) => one.value === null || value >= one.value).at(-1);
  const box = element(section, "div", undefined, "value");
  const spark = element(box, "div", undefined, "spark");
  element(box, "b", told(value, unit, decimals)).style.color = NAMED[step.color];
  if (!series) return;
  const table = columns([series]);
  const top = Math.max(...table[1].filter((one) => one !== null));
  new uPlot(
    {
      width: spark.clientWidth,
      height: spark.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      padding: [0, 0, 0, 0],
      scales: { x: { min: data.start, max: data.end }, y: { range: [0, top * 1.1 || 1] } },
      axes: [{ show: false }, { show: false }],
      series: [{}, { stroke: NAMED[step.color], fill: `${NAMED[step.color]}44`, width: 1, points: { show: false } }],
    },
    table,
    spark,
  );
}

function table(panel, section) {
  const { excludeByName, renameByName } = panel.transformations[0].options;
  const names = [...new Set(panel.rows.flatMap(Object.keys))].filter((name) => !excludeByName[name]);
  const made = element(section, "table");
  const head = element(made, "tr");
  for (const name of names) element(head, "th", renameByName[name] ?? name);
  for (const row of panel.rows) {
    const line = element(made, "tr");
    for (const name of names) element(line, "td", row[name] ?? "");
  }
}

const KINDS = { timeseries, stat, table };
document.querySelector("h1").textContent = data.title;
const [from, to] = [data.start, data.end].map((at) => new Date(at * 1000).toISOString().slice(11, 19));
document.querySelector("header span").textContent = `${new Date(data.end * 1000).toISOString().slice(0, 10)}  ${from} – ${to}`;
const main = document.querySelector("main");
for (const panel of data.panels) {
  const { x, y, w, h } = panel.gridPos;
  const section = element(main, "section", undefined, panel.type);
  const column = main.clientWidth / 24;
  Object.assign(section.style, {
    left: `${x * column}px`,
    top: `${y * data.row}px`,
    width: `${w * column - data.gap}px`,
    height: `${h * data.row - data.gap}px`,
  });
  if (panel.type === "row") section.textContent = panel.title;
  else element(section, "h2", panel.title), KINDS[panel.type](panel, section);
}
