// Time series, drawn with uPlot.

// el makes an element. Text is always text: nothing here is parsed as HTML.
function el(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") e.className = value;
    else if (key === "text") e.textContent = value;
    else if (key === "style") for (const [k, v] of Object.entries(value)) e.style.setProperty(k, v);
    else if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else e.setAttribute(key, value === true ? "" : value);
  }
  e.append(...children.filter(c => c !== null && c !== undefined && c !== false));
  return e;
}

const SVG = "http://www.w3.org/2000/svg";
function svg(tag, attributes = {}, ...children) {
  const e = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) key === "text" ? e.textContent = value : e.setAttribute(key, value);
  e.append(...children);
  return e;
}

const real = v => v === "+Inf" || v === "-Inf" ? null : v;
const fieldOf = (p, s) => s.field || p.field || {};

// table brings series of different steps onto one axis of time, in seconds.
function table(series) {
  const groups = new Map();
  for (const s of series) {
    const key = `${s.start}/${s.step}/${(s.values || []).length}`;
    if (!groups.has(key)) groups.set(key, { s, members: [] });
    groups.get(key).members.push(s);
  }
  const order = [], tables = [];
  for (const g of groups.values()) {
    const x = (g.s.values || []).map((_, i) => (g.s.start + i * g.s.step) / 1000);
    tables.push([x, ...g.members.map(m => m.values.map(real))]);
    order.push(...g.members);
  }
  const joined = tables.length === 1 ? tables[0] : uPlot.join(tables);
  return [joined[0], ...series.map(s => joined[order.indexOf(s) + 1])];
}

// stacked puts the values of each stack on top of one another, and says on what each
// series stands.
function stacked(fields, data) {
  const out = [data[0]], bands = [], stacks = new Map();
  const totals = new Map();
  fields.forEach((f, i) => {
    if (f.line.stack !== "percent") return;
    const total = totals.get(keyOf(f)) || data[0].map(() => 0);
    data[i + 1].forEach((v, k) => total[k] += v || 0);
    totals.set(keyOf(f), total);
  });
  fields.forEach((f, i) => {
    let values = data[i + 1];
    if (f.line.negative) values = values.map(v => v === null || v === undefined ? v : -v);
    if (f.line.stack) {
      const key = keyOf(f), below = stacks.get(key), total = totals.get(key);
      const sums = below ? below.sums : data[0].map(() => 0);
      values = values.map((v, k) => v === null || v === undefined ? v : sums[k] + (total ? (total[k] ? v / Math.abs(total[k]) : 0) : v));
      if (below) bands.push({ series: [i + 1, below.index], dir: f.line.negative ? 1 : -1 });
      stacks.set(key, { index: i + 1, sums: sums.map((s, k) => values[k] ?? s) });
    }
    if (f.line.log) values = values.map(v => v > 0 ? v : null);
    out.push(values);
  });
  return [out, bands];
}

const keyOf = f => `${f.line.stack_group || ""}/${f.line.negative ? "-" : "+"}/${f.line.right ? "r" : "l"}`;

const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000];
const isTime = id => ["s", "m", "h", "d", "dtdurations", "clocks"].includes(id);
const isBinary = id => /^(k|m|g|t)?bytes$|^bits$|^bin|iBs$/.test(id || "");

// increments are the distances between the lines of an axis that are round in its unit.
function increments(field) {
  if (isBinary(field.unit)) return Array.from({ length: 80 }, (_, i) => 2 ** (i - 20));
  if (isTime(field.unit)) return [...Array.from({ length: 9 }, (_, i) => [1, 2, 5].map(n => n * 10 ** (i - 9))).flat(), ...SECONDS, ...Array.from({ length: 20 }, (_, i) => 31536000 * 2 ** (i + 1))];
  return Array.from({ length: 40 }, (_, i) => [1, 2, 2.5, 5].map(n => Number((n + "e" + (i - 16))))).flat();
}

function rangeOf(field, grounded) {
  return (u, min, max) => {
    const { line = {} } = field;
    if (field.line.log) return uPlot.rangeLog(min ?? 1, max ?? 10, field.line.log === 2 ? 2 : 10, true);
    if (min === null || min === undefined) [min, max] = [field.min ?? 0, field.max ?? (field.min ?? 0) + 1];
    if (grounded) [min, max] = [Math.min(min, 0), Math.max(max, 0)];
    if (line.soft_min !== undefined) min = Math.min(min, line.soft_min);
    if (line.soft_max !== undefined) max = Math.max(max, line.soft_max);
    let [low, high] = min === 0 && max === 0 ? [0, 1] : uPlot.rangeNum(min, max, { min: { pad: 0.1, soft: 0, mode: 3 }, max: { pad: 0.1, soft: 0, mode: 3 } });
    if (field.min !== undefined && field.min !== null && field.min < high) low = field.min;
    if (field.max !== undefined && field.max !== null && field.max > low) high = field.max;
    if (line.stack === "percent") high = 1;
    return low < high ? [low, high] : [low, low + 1];
  };
}

function pathsOf(line) {
  if (line.style === "bars") return uPlot.paths.bars({ size: [0.8, 60], align: 0 });
  if (line.style === "points") return () => null;
  if (line.steps === "smooth") return uPlot.paths.spline();
  if (line.steps === "stepAfter") return uPlot.paths.stepped({ align: 1 });
  if (line.steps === "stepBefore") return uPlot.paths.stepped({ align: -1 });
  return uPlot.paths.linear();
}

// drawGraph draws the series of a panel into a box, with the legend that it asks for.
function drawGraph(p, box) {
  const fields = p.series.map(s => { const f = fieldOf(p, s); return { ...f, line: f.line || { width: 1 } }; });
  const data = table(p.series);
  const [values, bands] = stacked(fields, data);
  const colors = p.series.map((s, i) => seriesColor(fields[i], i, last(s.values)));
  const plot = el("div", { class: "plot" });
  const legend = p.look?.legend ? legendOf(p, fields, colors) : null;
  box.classList.toggle("beside", !!p.look?.legend_side && box.clientWidth > 420);
  box.append(...[plot, legend?.box].filter(Boolean));
  const chart = new uPlot(chartOptions(p, fields, colors, bands, plot), values, plot);
  chart.root.setAttribute("aria-hidden", "true");
  tooltipOf(chart, p, fields, colors, data, plot);
  legend?.bind(chart);
  return { resize: () => chart.setSize({ width: Math.max(plot.clientWidth, 40), height: Math.max(plot.clientHeight, 40) }), destroy: () => chart.destroy() };
}

function chartOptions(p, fields, colors, bands, plot) {
  const text = cssValue("--text-soft"), grid = cssValue("--grid"), span = p.to - p.from;
  const units = [...new Set(fields.map(f => f.line.right ? "" : f.unit || ""))];
  const atRight = f => f.line.right || units.indexOf(f.unit || "") > 0 && units[0] !== "";
  const axisField = right => fields.find(f => !!atRight(f) === right);
  const grounded = right => fields.some(f => !!atRight(f) === right && (f.line.style === "bars" || f.line.stack));
  const font = "11px " + cssValue("--font");
  const scales = { x: { time: false, range: () => [p.from / 1000, Math.max(p.to, p.from + 1000) / 1000] } };
  const axes = [{
    stroke: text, font, size: 24, gap: 4, space: 64, grid: { stroke: grid, width: 1 }, ticks: { show: false }, incrs: SECONDS,
    values: (u, splits) => splits.map(s => clock(s * 1000, span)),
  }];
  for (const right of [false, true]) {
    const f = axisField(right);
    if (!f) continue;
    const key = right ? "r" : "y";
    scales[key] = { range: rangeOf(f, grounded(right)), ...(f.line.log ? { distr: 3, log: f.line.log === 2 ? 2 : 10 } : {}) };
    const unit = f.line.stack === "percent" ? { unit: "percentunit" } : { unit: f.unit };
    axes.push({
      scale: key, side: right ? 1 : 3, stroke: text, font, gap: 4, space: 32, incrs: f.line.log ? undefined : increments(f), ticks: { show: false },
      grid: { show: !right || !axisField(false), stroke: grid, width: 1 }, label: f.line.label || undefined, labelSize: 18, labelFont: font, labelGap: 0,
      values: (u, splits) => splits.map(v => v === null ? "" : format(v, unit, true)),
      size: (u, texts) => Math.ceil(Math.max(24, ...(texts || []).map(t => textWidth(t, font)))) + 10,
    });
  }
  const filling = f => f.line.style === "points" ? 0 : f.line.fill || 0;
  return {
    width: Math.max(plot.clientWidth, 40), height: Math.max(plot.clientHeight, 40), scales, axes, bands, legend: { show: false }, padding: [8, 8, 0, axisField(false) ? 0 : 8],
    cursor: { drag: { setScale: false, x: false, y: false }, points: { size: 6 }, y: false },
    series: [{}, ...p.series.map((s, i) => {
      const f = fields[i], few = s.values.filter(v => v !== null).length < 2;
      return {
        label: s.name, scale: atRight(f) ? "r" : "y", stroke: colors[i], width: f.line.width, fill: filling(f) ? faded(colors[i], filling(f) / 100) : undefined,
        dash: f.line.dashed ? [8, 6] : undefined, spanGaps: !!f.line.span, paths: pathsOf(f.line),
        points: { size: 4 + f.line.width, fill: colors[i], ...(few || f.line.points === "always" || f.line.style === "points" ? { show: true } : f.line.points === "never" || f.line.style === "bars" ? { show: false } : {}) },
      };
    })],
    hooks: { drawClear: [u => marked(u, p.field, true)], draw: [u => marked(u, p.field, false)] },
  };
}

const canvas = document.createElement("canvas").getContext("2d");
function textWidth(text, font) { canvas.font = font; return canvas.measureText(text).width; }

// marked draws the thresholds of a panel, as areas behind or as lines over its series.
function marked(u, field, behind) {
  const style = field?.line?.thresholds || "";
  if (!u.scales.y || behind !== style.includes("area") && behind || !behind && !/line|dash/.test(style)) return;
  const { left, top, width, height } = u.bbox, { min, max } = u.scales.y, steps = stepsOf(field, [field.min ?? min, field.max ?? max]);
  const at = v => Math.min(Math.max(u.valToPos(v, "y", true), top), top + height);
  u.ctx.save();
  steps.forEach((s, i) => {
    const color = own(s.color);
    if (behind) {
      const upper = steps[i + 1]?.value ?? max;
      u.ctx.fillStyle = faded(color, 0.12);
      u.ctx.fillRect(left, at(Math.min(upper, max)), width, at(Math.max(s.value, min)) - at(Math.min(upper, max)));
    } else if (s.value >= min && s.value <= max) {
      u.ctx.strokeStyle = color;
      u.ctx.lineWidth = devicePixelRatio * 1.5;
      u.ctx.setLineDash(style.startsWith("dashed") ? [8 * devicePixelRatio, 6 * devicePixelRatio] : []);
      u.ctx.beginPath();
      u.ctx.moveTo(left, at(s.value));
      u.ctx.lineTo(left + width, at(s.value));
      u.ctx.stroke();
    }
  });
  u.ctx.restore();
}

const last = values => (values || []).findLast(v => v !== null) ?? null;

const CALCS = { lastNotNull: "Last *", last: "Last", mean: "Mean", max: "Max", min: "Min", sum: "Total", total: "Total", first: "First", firstNotNull: "First *", range: "Range", diff: "Difference", delta: "Delta", count: "Count", stdDev: "StdDev", variance: "Variance", median: "Median" };
const calcName = id => CALCS[id] || id;

// legendOf is the list or the table below a chart. An entry shows its series alone.
function legendOf(p, fields, colors) {
  const entries = p.series.map((s, i) => el("button", { class: "entry", type: "button", "aria-pressed": "false", title: s.name },
    el("span", { class: "swatch", style: { background: colors[i] } }), el("span", { class: "name", text: s.name })));
  const calcs = p.calcs || [];
  const value = (s, i, k) => format(s.reduced?.[k] ?? null, fields[i]);
  let box;
  if (p.look.legend === "table") {
    box = el("div", { class: "legend", tabindex: "0", role: "region", "aria-label": "Legend of " + p.title }, el("table", {},
      el("thead", {}, el("tr", {}, el("th", { scope: "col", text: "Name" }), ...calcs.map(c => el("th", { scope: "col", class: "number", text: calcName(c) })))),
      el("tbody", {}, ...p.series.map((s, i) => el("tr", {}, el("td", {}, entries[i]), ...calcs.map((_, k) => el("td", { class: "number", text: value(s, i, k) })))))));
  } else {
    box = el("div", { class: "legend list", tabindex: "0", role: "region", "aria-label": "Legend of " + p.title });
    p.series.forEach((s, i) => {
      calcs.forEach((c, k) => entries[i].append(el("span", { class: "calc", text: `${calcName(c)}: ${value(s, i, k)}` })));
      box.append(entries[i]);
    });
  }
  if (p.more) box.append(el("p", { class: "more", text: `${p.more} more series are not drawn` }));
  const bind = chart => entries.forEach((e, i) => e.addEventListener("click", () => {
    const alone = e.getAttribute("aria-pressed") === "true";
    entries.forEach((other, k) => {
      other.setAttribute("aria-pressed", String(!alone && k === i));
      other.classList.toggle("off", !alone && k !== i);
      chart.setSeries(k + 1, { show: alone || k === i });
    });
  }));
  return { box, bind };
}

// tooltipOf shows the values under the pointer, the greatest first.
function tooltipOf(chart, p, fields, colors, data, plot) {
  const tip = el("div", { class: "tip", hidden: true, "aria-hidden": "true" });
  plot.append(tip);
  const show = () => {
    const { idx, left } = chart.cursor;
    if (idx === null || idx === undefined || left < 0) { tip.hidden = true; return; }
    const rows = p.series.map((s, i) => ({ s, i, v: data[i + 1][idx] })).filter(r => r.v !== null && r.v !== undefined && chart.series[r.i + 1].show);
    rows.sort((a, b) => b.v - a.v);
    const most = 12;
    tip.replaceChildren(el("div", { class: "when", text: iso(data[0][idx] * 1000) + " UTC" }), ...rows.slice(0, most).map(r => el("div", { class: "line" },
      el("span", { class: "swatch", style: { background: colors[r.i] } }), el("span", { class: "name", text: r.s.name }), el("span", { class: "value", text: shown(r.v, fields[r.i]) }))));
    if (rows.length > most) tip.append(el("div", { class: "more", text: `${rows.length - most} more` }));
    tip.hidden = rows.length === 0;
    const half = left > chart.over.clientWidth / 2;
    tip.style.left = half ? "auto" : chart.over.offsetLeft + left + 12 + "px";
    tip.style.right = half ? plot.clientWidth - chart.over.offsetLeft - left + 12 + "px" : "auto";
  };
  chart.over.addEventListener("mousemove", show);
  chart.over.addEventListener("mouseleave", () => { tip.hidden = true; });
}
