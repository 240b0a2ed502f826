// Everything that is drawn without uPlot: single values, gauges, bars, tables, heatmaps,
// pies and states over time. Each takes a panel and the box to draw it into.

const valueOf = s => s.reduced?.[0] ?? null;

// extent is the range that a value is seen against: the field's, else that of all.
function extent(p, s, otherwise) {
  const f = fieldOf(p, s), all = p.series.flatMap(o => [...(o.values || []), valueOf(o)]).filter(v => typeof v === "number");
  const min = f.min ?? otherwise?.[0] ?? (all.length ? Math.min(...all) : 0), max = f.max ?? otherwise?.[1] ?? (all.length ? Math.max(...all) : 100);
  return max > min ? [min, max] : [min, min + 1];
}

// tiles shares a box out among so many values, as near to the shape that they need as
// it goes.
function tiles(n, width, height, horizontal, ratio) {
  if (horizontal !== undefined) return horizontal ? { across: 1, down: n } : { across: n, down: 1 };
  let best = { across: 1, down: n, score: 0 };
  for (let across = 1; across <= n; across++) {
    const down = Math.ceil(n / across), w = width / across, h = height / down;
    const score = Math.min(w, h * ratio);
    if (score > best.score) best = { across, down, score };
  }
  return best;
}

function grid(box, n, options) {
  const { across, down } = tiles(n, box.clientWidth, box.clientHeight, options.horizontal, options.ratio);
  const most = Math.max(1, Math.floor(box.clientWidth / 60)) * Math.max(1, Math.floor(box.clientHeight / 36));
  const shown = Math.min(n, most), inner = el("div", { class: "tiles" });
  inner.style.gridTemplateColumns = `repeat(${across}, minmax(0, 1fr))`;
  inner.style.gridAutoRows = n > most ? "minmax(36px, 1fr)" : "minmax(0, 1fr)";
  box.append(inner);
  return { inner, shown, width: box.clientWidth / across, height: box.clientHeight / Math.min(down, Math.ceil(shown / across)) };
}

function drawStat(p, box) {
  const many = p.series.length > 1, g = grid(box, p.series.length, { ratio: 1.8 });
  p.series.slice(0, g.shown).forEach((s, i) => {
    const f = fieldOf(p, s), v = valueOf(s), look = p.look || {};
    const color = look.plain ? cssValue("--text-strong") : f.color?.mode || f.mappings ? valueColor(f, v, extent(p, s)) : seriesColor(f, i, v);
    const text = (look.prefix || "") + (v === null && f.no_value ? f.no_value : shown(v, f)) + (look.postfix || "");
    const mode = look.text_mode || "auto", name = mode === "name" || mode !== "value" && mode !== "none" && (many || mode === "value_and_name");
    const size = Math.max(14, Math.min((g.height - (name ? 24 : 8)) * (look.sparkline ? 0.42 : 0.6), (g.width - 16) / Math.max(text.length, 3) / 0.58, 72));
    const ground = look.background && /^#/.test(color) ? color : "";
    const tile = el("div", { class: "stat" });
    if (ground) { tile.style.background = ground; tile.style.color = on(ground); }
    if (look.sparkline && s.values?.length > 1) tile.append(sparkline(s.values, f, ground ? on(ground) : color, g.width, g.height));
    if (name) tile.append(el("div", { class: "name", text: s.name }));
    if (mode !== "name" && mode !== "none") {
      const value = el("div", { class: "value", text });
      value.style.fontSize = size + "px";
      if (!ground) value.style.color = legible(color);
      tile.append(value);
    }
    g.inner.append(tile);
  });
  return g.shown < p.series.length ? { note: `${p.series.length - g.shown} more values` } : {};
}

function sparkline(values, field, color, width, height) {
  const there = values.filter(v => typeof v === "number"), low = field.min ?? Math.min(...there), high = Math.max(...there);
  const h = height * 0.4, y = v => h - 2 - (high > low ? (v - low) / (high - low) : 0) * (h - 4), x = i => i / (values.length - 1) * width;
  const parts = [];
  let from = null;
  values.forEach((v, i) => {
    if (typeof v !== "number") { from = null; return; }
    if (from === null) parts.push({ from: from = i, d: `M${x(i).toFixed(1)} ${y(v).toFixed(1)}` });
    else parts.at(-1).d += `L${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
    parts.at(-1).to = i;
  });
  const out = svg("svg", { class: "spark", viewBox: `0 0 ${width} ${h}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  for (const part of parts) {
    out.append(svg("path", { d: `${part.d}L${x(part.to)} ${h}L${x(part.from)} ${h}Z`, fill: color, "fill-opacity": 0.18 }), svg("path", { d: part.d, fill: "none", stroke: color, "stroke-width": 1.5 }));
  }
  return out;
}

const arc = (cx, cy, r, from, to) => {
  const at = t => { const a = (150 + 240 * t) * Math.PI / 180; return `${(cx + r * Math.cos(a)).toFixed(2)} ${(cy + r * Math.sin(a)).toFixed(2)}`; };
  return `M${at(from)}A${r} ${r} 0 ${(to - from) * 240 > 180 ? 1 : 0} 1 ${at(to)}`;
};

function drawGauge(p, box) {
  const g = grid(box, p.series.length, { ratio: 1.2 });
  p.series.slice(0, g.shown).forEach((s, i) => {
    const f = fieldOf(p, s), v = valueOf(s), range = extent(p, s, [f.min ?? 0, f.max ?? 100]), named = p.series.length > 1;
    const h = Math.max(g.height - (named ? 22 : 4), 20), r = Math.max(10, Math.min(g.width * 0.42, h * 0.58)), thick = r * 0.24, cx = g.width / 2, cy = Math.min(h * 0.62, r + thick * 0.9 + 2);
    const color = f.color?.mode === "fixed" || f.thresholds || f.color?.mode ? valueColor(f, v, range) : seriesColor(f, i, v);
    const picture = svg("svg", { width: g.width, height: h, "aria-hidden": "true" }, svg("path", { d: arc(cx, cy, r - thick / 2, 0, 1), fill: "none", stroke: cssValue("--track"), "stroke-width": thick }));
    if (typeof v === "number" && position(v, range) > 0) picture.append(svg("path", { d: arc(cx, cy, r - thick / 2, 0, Math.max(position(v, range), 0.004)), fill: "none", stroke: color, "stroke-width": thick }));
    const steps = stepsOf(f, range);
    steps.forEach((step, k) => {
      const from = position(Math.max(step.value, range[0]), range), to = position(Math.min(steps[k + 1]?.value ?? range[1], range[1]), range);
      if (to > from && steps.length > 1) picture.append(svg("path", { d: arc(cx, cy, r + 3, from, to), fill: "none", stroke: own(step.color), "stroke-width": 3 }));
    });
    const text = v === null && f.no_value ? f.no_value : shown(v, f);
    const size = Math.min(r * 0.5, (r - thick) * 1.9 / Math.max(text.length, 3) / 0.56);
    const label = svg("text", { x: cx, y: cy + size * 0.35, "text-anchor": "middle", "font-size": size.toFixed(1), "font-weight": 500, text });
    label.style.fill = legible(color);
    picture.append(label);
    g.inner.append(el("div", { class: "gauge" }, picture, named && el("div", { class: "name", text: s.name, title: s.name })));
  });
  return g.shown < p.series.length ? { note: `${p.series.length - g.shown} more values` } : {};
}

function drawBars(p, box) {
  const all = p.series.map(valueOf).filter(v => typeof v === "number");
  const across = [Math.min(0, ...all), Math.max(...all, 0)];
  const list = el("div", { class: "bars", tabindex: "0", role: "group", "aria-label": "Bars" });
  p.series.forEach((s, i) => {
    const f = fieldOf(p, s), v = valueOf(s), range = [f.min ?? across[0], f.max ?? across[1]];
    const color = f.color?.mode ? valueColor(f, v, range) : seriesColor(f, i, v);
    const fill = el("div", { class: "fill" });
    fill.style.width = 100 * position(v, range) + "%";
    fill.style.background = color;
    const value = el("span", { class: "value", text: shown(v, f) });
    value.style.color = legible(color);
    list.append(el("div", { class: "bar" }, el("span", { class: "name", text: s.name, title: s.name }), el("div", { class: "track" }, fill), value));
  });
  box.append(list);
  return {};
}

function drawTable(p, box) {
  const { columns, rows, more } = p.table;
  const field = c => c.field || p.field || {};
  const text = (cell, c) => c.time ? iso(cell) : typeof cell === "number" || cell === null ? shown(cell, field(c)) : cell;
  const body = el("tbody");
  let sorted = { by: -1, down: true };
  const fill = () => body.replaceChildren(...ordered().map(r => el("tr", {}, ...r.map((cell, i) => {
    const numeric = typeof cell === "number" && !columns[i].time, td = el("td", { class: numeric ? "number" : "", text: text(cell, columns[i]) });
    const f = field(columns[i]);
    if (numeric && f.color?.mode === "thresholds" && f.thresholds?.steps?.length > 1) td.style.color = legible(valueColor(f, cell, [f.min ?? 0, f.max ?? 100]));
    return td;
  }))));
  const ordered = () => sorted.by < 0 ? rows : [...rows].sort((a, b) => {
    const [x, y] = [a[sorted.by], b[sorted.by]], less = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
    return sorted.down ? -less : less;
  });
  const heads = columns.map((c, i) => {
    const numeric = rows.some(r => typeof r[i] === "number") && !c.time;
    const th = el("th", { scope: "col", class: numeric ? "number" : "" }, el("button", { type: "button", text: c.name, onclick: () => {
      sorted = { by: i, down: sorted.by === i ? !sorted.down : numeric };
      heads.forEach((h, k) => k === i ? h.setAttribute("aria-sort", sorted.down ? "descending" : "ascending") : h.removeAttribute("aria-sort"));
      fill();
    } }));
    return th;
  });
  fill();
  box.append(el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table " + p.title }, el("table", { class: "data" }, el("thead", {}, el("tr", {}, ...heads)), body)));
  return more ? { note: `${more} more rows` } : {};
}

function drawHeatmap(p, box) {
  const { names, bounds, cells, start, step } = p.buckets, n = names.length, times = Math.max(1, ...cells.map(c => c.length));
  const surface = el("canvas"), tip = el("div", { class: "tip", hidden: true, "aria-hidden": "true" }), plot = el("div", { class: "plot" }, surface, tip);
  box.append(plot);
  const greatest = Math.max(0, ...cells.flat().filter(v => typeof v === "number"));
  const label = i => bounds ? format(bounds[i], { unit: p.field?.unit }, true) : names[i];
  const font = "11px " + cssValue("--font");
  const left = Math.ceil(Math.max(...names.map((_, i) => textWidth(label(i), font)))) + 12, low = 22, top = 6;
  const scale = [cssValue("--heat-low"), cssValue("--heat-mid"), cssValue("--heat-high")];
  const width = plot.clientWidth, height = plot.clientHeight, w = (width - left - 8) / times, h = (height - low - top) / n, dpr = devicePixelRatio || 1;
  surface.width = width * dpr;
  surface.height = height * dpr;
  surface.style.width = width + "px";
  surface.style.height = height + "px";
  const ctx = surface.getContext("2d");
  ctx.scale(dpr, dpr);
  ctx.font = font;
  cells.forEach((row, i) => row.forEach((v, t) => {
    if (typeof v !== "number" || v <= 0) return;
    ctx.fillStyle = blend(scale, Math.sqrt(v / greatest));
    ctx.fillRect(left + t * w, top + (n - 1 - i) * h, Math.max(w - (w > 4 ? 1 : 0), 1), Math.max(h - (h > 6 ? 1 : 0), 1));
  }));
  ctx.fillStyle = cssValue("--text-soft");
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  const every = Math.ceil(16 / h);
  names.forEach((_, i) => { if (i % every === 0) ctx.fillText(label(i), left - 6, top + (n - 0.5 - i) * h); });
  ctx.textAlign = "center";
  const span = times * step, ticks = Math.max(2, Math.floor((width - left) / 90));
  const incr = SECONDS.find(s => s * 1000 >= span / ticks) * 1000;
  for (let t = Math.ceil(start / incr) * incr; t <= start + span; t += incr) {
    const x = left + (t - start) / step * w;
    if (x > left + 16 && x < width - 18) ctx.fillText(clock(t, span), x, height - low / 2);
  }
  surface.addEventListener("mousemove", e => {
    const t = Math.floor((e.offsetX - left) / w), i = n - 1 - Math.floor((e.offsetY - top) / h);
    tip.hidden = t < 0 || t >= times || i < 0 || i >= n;
    if (tip.hidden) return;
    const lower = i > 0 ? label(i - 1) : "";
    tip.replaceChildren(el("div", { class: "when", text: iso(start + t * step) + " UTC" }), el("div", { text: `${bounds && lower ? lower + " – " : bounds ? "up to " : ""}${label(i)}: ${format(cells[i][t] ?? null, {})}` }));
    tip.style.left = Math.min(e.offsetX + 12, width - 160) + "px";
  });
  surface.addEventListener("mouseleave", () => { tip.hidden = true; });
  return {};
}

function drawPie(p, box) {
  const slices = p.series.map((s, i) => ({ s, i, v: valueOf(s) })).filter(x => typeof x.v === "number" && x.v > 0);
  const total = slices.reduce((sum, x) => sum + x.v, 0), side = p.look?.legend_side && box.clientWidth > 260;
  box.classList.toggle("beside", !!side);
  const plot = el("div", { class: "plot" });
  const legend = p.look?.legend && el("div", { class: "legend list", tabindex: "0", role: "region", "aria-label": "Legend of " + p.title }, ...slices.map(x => el("span", { class: "entry" },
    el("span", { class: "swatch", style: { background: seriesColor(fieldOf(p, x.s), x.i, x.v) } }), el("span", { class: "name", text: x.s.name }),
    el("span", { class: "calc", text: `${shown(x.v, fieldOf(p, x.s))} · ${Math.round(100 * x.v / total)}%` }))));
  box.append(...[plot, legend].filter(Boolean));
  const size = Math.max(40, Math.min(plot.clientWidth, plot.clientHeight) - 12), r = size / 2, hole = p.look?.display === "donut" ? r * 0.6 : 0;
  const picture = svg("svg", { width: size, height: size, viewBox: `${-r} ${-r} ${size} ${size}`, "aria-hidden": "true" });
  let from = 0;
  for (const x of slices) {
    const to = from + x.v / total, color = seriesColor(fieldOf(p, x.s), x.i, x.v), at = (t, radius) => `${(radius * Math.sin(2 * Math.PI * t)).toFixed(2)} ${(-radius * Math.cos(2 * Math.PI * t)).toFixed(2)}`;
    const large = to - from > 0.5 ? 1 : 0, end = Math.min(to, from + 0.99999);
    picture.append(svg("path", { d: `M${at(from, r)}A${r} ${r} 0 ${large} 1 ${at(end, r)}L${at(end, hole)}A${hole} ${hole} 0 ${large} 0 ${at(from, hole)}Z`, fill: color, stroke: cssValue("--panel"), "stroke-width": 1 }));
    from = to;
  }
  plot.classList.add("centred");
  plot.append(picture);
  return {};
}

function drawTimeline(p, box) {
  const list = el("div", { class: "states", tabindex: "0", role: "group", "aria-label": "States over time" });
  const span = Math.max(p.to - p.from, 1);
  p.series.forEach((s, n) => {
    const f = fieldOf(p, s), lane = el("div", { class: "lane" });
    let from = 0;
    const values = s.values || [];
    for (let i = 1; i <= values.length; i++) {
      if (i < values.length && shown(values[i], f) === shown(values[from], f)) continue;
      const v = values[from];
      if (v !== null) {
        const color = f.thresholds?.steps?.length > 1 || f.mappings ? valueColor(f, v, extent(p, s)) : PALETTE[(n + Math.round(Math.abs(Number(v)) || 0)) % PALETTE.length];
        const state = el("div", { class: "state", text: shown(v, f), title: `${shown(v, f)}, from ${iso(s.start + from * s.step)} UTC` });
        state.style.left = 100 * Math.max(s.start + from * s.step - p.from, 0) / span + "%";
        state.style.width = 100 * (i - from) * s.step / span + "%";
        state.style.background = color;
        state.style.color = /^#/.test(color) ? on(color) : "inherit";
        lane.append(state);
      }
      from = i;
    }
    list.append(el("span", { class: "name", text: s.name, title: s.name }), lane);
  });
  const axis = el("div", { class: "axis" });
  for (let i = 0; i <= 4; i++) axis.append(el("span", { text: clock(p.from + span * i / 4, span) }));
  list.append(el("span"), axis);
  box.append(list);
  return {};
}

const DRAWN = { graph: drawGraph, stat: drawStat, gauge: drawGauge, bargauge: drawBars, table: drawTable, heatmap: drawHeatmap, pie: drawPie, timeline: drawTimeline };
