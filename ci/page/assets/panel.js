// A panel: its heading, what is wrong with it, and what it shows.

const STATUS = { broken: ["✕", "broken"], warning: ["!", "warning"], unchecked: ["?", "not checked"], ok: ["✓", "ok"] };
const WEIGHT = { error: "broken", warning: "warning", info: "info" };

const placeOf = f => f.file ? f.file + (f.line ? `:${f.line}:${f.column}` : "") : "";

// expression is PromQL with the part that is empty marked. A span is in bytes.
function expression(text, span) {
  const code = el("code", { class: "expr" });
  if (!span) { code.textContent = text; return code; }
  const bytes = new TextEncoder().encode(text), part = (from, to) => new TextDecoder().decode(bytes.slice(from, to));
  code.append(part(0, span.start), el("mark", { title: "this part is empty", text: part(span.start, span.end) }), part(span.end));
  return code;
}

// findingOf tells one finding in full.
function findingOf(f, of) {
  const rows = [];
  const row = (name, ...content) => rows.push(el("dt", { text: name }), el("dd", {}, ...content));
  const at = [f.dashboard_title, f.panel || f.subject, f.ref_id].filter(Boolean).join(" › ");
  if (!of && at) row("at", at);
  row("seen", f.message);
  if (f.expr_run || f.expr) row(f.expr_run && f.expr_run !== f.expr ? "run as" : "expr", expression(f.expr_run || f.expr, f.expr_run ? f.empty : null));
  const why = [f.reason, ...(f.evidence || [])].filter(Boolean);
  if (why.length) row("why", ...why.map(w => el("div", { text: w })));
  if (f.fix) row("fix", f.fix);
  if (f.mended) row("write", expression(f.mended));
  if (placeOf(f)) row("place", el("code", { text: placeOf(f) }));
  return el("div", { class: "finding " + (WEIGHT[f.severity] || "broken") },
    el("div", { class: "what" }, el("span", { class: "severity", text: f.severity }), " ", el("code", { text: f.rule }), of && f.ref_id ? el("span", { class: "ref", text: "query " + f.ref_id }) : null), el("dl", {}, ...rows));
}

// brief tells a finding that lets the data be seen in a line; details has all of it.
const brief = f => el("div", { class: "finding brief " + (WEIGHT[f.severity] || "broken") }, el("span", { class: "severity", text: f.severity }), " ", el("code", { text: f.rule }), " ", f.message);

// emptiness says why there is nothing to draw, "" where there is.
function emptiness(p) {
  if (p.kind === "text") return "";
  const series = (p.series || []).length;
  if (p.kind === "none") return `not drawn: panel type ${p.type || "unknown"}, ${series} series`;
  const data = p.kind === "table" ? p.table?.rows.length : p.kind === "heatmap" ? p.buckets?.cells.length : p.series?.some(s => (s.values || []).some(v => v !== null) || (s.reduced || []).some(v => v !== null && v !== undefined));
  if (data) return "";
  const queries = p.queries || [], unchecked = queries.find(q => q.status === "unchecked");
  if (unchecked) return "not checked: " + (unchecked.why || "it was not asked");
  if (run.static) return "not checked: only the files were looked at";
  if (queries.some(q => q.status === "expected_empty")) return "No data, as panelgate.yml expects";
  const why = queries.find(q => q.why)?.why;
  return why ? "No data: " + why : p.field?.no_value || "No data";
}

// summary is what a chart shows, in words.
function summary(p) {
  if (p.kind === "table") return `Table with ${p.table?.rows.length || 0} rows and the columns ${(p.table?.columns || []).map(c => c.name).join(", ")}`;
  if (p.kind === "heatmap") return `Heatmap with ${p.buckets?.names.length || 0} buckets`;
  const names = { graph: "Time series", stat: "Value", gauge: "Gauge", bargauge: "Bars", pie: "Pie chart", timeline: "States over time" };
  const some = (p.series || []).slice(0, 5).map(s => `${s.name}: ${p.kind === "graph" || p.kind === "timeline" ? "last " + shown(last(s.values), fieldOf(p, s)) : shown(valueOf(s), fieldOf(p, s))}`);
  const range = p.from && p.kind === "graph" ? ` from ${iso(p.from)} to ${iso(p.to)} UTC` : "";
  const n = (p.series || []).length + (p.more || 0);
  return `${names[p.kind] || "Panel"}, ${n} series${range}. ${some.join("; ")}${n > some.length ? "; and others" : ""}`;
}

// card makes a panel's element. It is drawn when draw is called.
function card(p, id) {
  const [sign, word] = STATUS[p.status], heading = id + "-t", title = p.title || (p.type ? `(${p.type} without a title)` : "(without a title)");
  const body = el("div", { class: "body" });
  const article = el("article", { class: "panel " + p.status, id, tabindex: "-1", "aria-labelledby": heading, "data-status": p.status, "data-kind": p.kind },
    el("header", {}, el("h4", { id: heading, dir: "auto", title: p.description || title, text: title }),
      p.status !== "ok" && el("span", { class: "badge " + p.status, title: word }, el("span", { "aria-hidden": "true", text: sign + " " }), word),
      el("button", { class: "open", type: "button", "aria-label": "Details of " + title, title: "Queries and data (Enter)", text: "⋯", onclick: () => details(p) })), body);
  const { x, y, w, h } = p.grid;
  for (const [k, v] of Object.entries({ "--x": x + 1, "--y": y + 1, "--w": w, "--h": h })) article.style.setProperty(k, v);
  let drawn = null;
  const state = {
    p, article, title,
    get drawn() { return drawn !== null; },
    draw() {
      drawn?.destroy?.();
      body.replaceChildren();
      drawn = drawBody(p, body) || {};
      article.dataset.drawn = "true";
    },
    resize() { if (drawn?.resize) drawn.resize(); else if (drawn) state.draw(); },
  };
  article.state = state;
  return state;
}

// drawBody draws what is below the heading: findings first, then the data.
function drawBody(p, body, full = false) {
  const told = (p.findings || []).filter(f => full || f.severity !== "info");
  const nothing = emptiness(p);
  if (told.length) body.append(el("div", { class: "findings" + (nothing ? " alone" : ""), tabindex: "0", role: "region", "aria-label": "Findings of " + p.title }, ...told.map(f => !full && !nothing && f.severity !== "error" ? brief(f) : findingOf(f, true))));
  if (p.kind === "text") {
    body.append(el("div", { class: "prose", tabindex: "0", dir: "auto", text: p.text || "" }));
    return {};
  }
  if (nothing) {
    if (!told.length) body.append(el("p", { class: "nothing", text: nothing }));
    return {};
  }
  const box = el("div", { class: "data", role: ["table", "bargauge", "timeline"].includes(p.kind) ? "group" : "figure", "aria-label": summary(p) });
  body.append(box);
  const drawn = DRAWN[p.kind](p, box) || {};
  const notes = [...(p.notes || []), ...(p.more && !p.look?.legend ? [`${p.more} more series are not drawn`] : []), ...(drawn.note ? [drawn.note] : [])];
  const seen = full ? notes : notes.filter(n => !n.startsWith("thinned"));
  if (seen.length) body.append(el("p", { class: "note", text: seen.join(" · ") }));
  return drawn;
}

// details shows a panel by itself: findings, data, and each query as it was run.
function details(p) {
  const body = el("div", { class: "body" });
  const close = el("button", { class: "close", type: "button", "aria-label": "Close", text: "✕", onclick: () => dialog.close() });
  const dialog = el("dialog", { class: "details", "aria-label": p.title || "Panel" }, el("header", {}, el("h3", { dir: "auto", text: p.title || p.type }), close), p.description && el("p", { class: "description", dir: "auto", text: p.description }),
    p.place && el("p", { class: "place" }, el("code", { text: p.place })), body,
    el("h4", { text: "Queries" }), ...(p.queries || []).map(q => el("div", { class: "query" },
      el("div", { class: "what" }, el("strong", { text: q.ref_id || "–" }), ` ${q.status.replace("_", " ")}, ${q.series} series, ${q.samples} samples in ${q.duration_ms} ms`, q.datasource && " from ", q.datasource && el("code", { text: q.datasource })),
      expression(q.expr), q.expr_run && q.expr_run !== q.expr && el("div", { class: "soft", text: "run as" }), q.expr_run && q.expr_run !== q.expr && expression(q.expr_run), q.why && el("p", { text: q.why }))),
    !(p.queries || []).length && el("p", { class: "soft", text: "none was asked" }));
  document.body.append(dialog);
  dialog.addEventListener("close", () => { drawn?.destroy?.(); dialog.remove(); });
  dialog.addEventListener("click", e => { if (e.target === dialog) dialog.close(); });
  dialog.showModal();
  const drawn = drawBody(p, body, true);
  body.classList.toggle("tall", !!body.querySelector(".data"));
  drawn?.resize?.();
}
