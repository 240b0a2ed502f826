// The page: its heading, its dashboards, and how one gets about in it.

const run = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const FILTERS = [["all", "All"], ["broken", "Broken"], ["warning", "Warnings"], ["unchecked", "Unchecked"], ["ok", "OK"]];
const page = { filter: "all", search: "", boards: [], panels: [], observer: null, resizes: null };

// kept remembers a choice where the browser lets it.
const kept = {
  get(store, key) { try { return window[store].getItem("panelgate." + key); } catch { return null; } },
  set(store, key, value) { try { window[store].setItem("panelgate." + key, value); } catch { /* a page from a file may have no storage */ } },
};

function theme(next) {
  if (next) kept.set("localStorage", "theme", next);
  const chosen = next || kept.get("localStorage", "theme");
  root.dataset.theme = chosen === "light" || chosen === "dark" ? chosen : matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

const plural = (n, one, many = one + "s") => `${n} ${n === 1 ? one : many}`;
const took = ms => ms < 1000 ? `${Math.round(ms)} ms` : ms < 60e3 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(ms / 60e3)} min ${Math.round(ms % 60e3 / 1000)} s`;
const VERDICT = { pass: "Pass", fail: "Fail", error: "Could not run" };

function heading() {
  const c = run.counts, facts = [
    plural(c.dashboards, "dashboard"), plural(c.panels, "panel"), plural(c.queries, "query", "queries"),
    c.errors && plural(c.errors, "error"), c.warnings && plural(c.warnings, "warning"), c.infos && `${c.infos} for information`,
    c.unchecked && `${c.unchecked} unchecked`, c.expected_empty && `${c.expected_empty} expected to be empty`, c.suppressed && `${c.suppressed} suppressed`,
  ].filter(Boolean);
  const about = [run.stack, "in " + run.env, run.began && iso(run.began) + " UTC", "took " + took(run.duration_ms), "panelgate " + run.version].filter(Boolean);
  return el("header", { class: "top" },
    el("div", { class: "title" }, el("span", { class: "verdict " + run.verdict, text: VERDICT[run.verdict] || run.verdict }), el("h1", { text: "panelgate" }),
      el("div", { class: "buttons" }, el("button", { type: "button", id: "theme", "aria-label": "Dark or light", title: "Dark or light", text: "◐", onclick: () => { theme(root.dataset.theme === "dark" ? "light" : "dark"); redraw(); } }),
        el("button", { type: "button", id: "help", "aria-label": "Keys", title: "Keys (?)", text: "?", onclick: help }))),
    el("p", { class: "counts", text: facts.join(" · ") }), el("p", { class: "about", text: about.join(" · ") }),
    run.error && el("p", { class: "fault", role: "alert", text: run.error }), targets());
}

function targets() {
  if (!run.targets?.length) return null;
  const up = run.targets.filter(t => t.up).length, list = [...run.targets].sort((a, b) => a.up - b.up);
  return el("details", { class: "targets", open: up < run.targets.length },
    el("summary", { text: `${up} of ${plural(run.targets.length, "target")} up` }),
    el("ul", {}, ...list.map(t => el("li", {}, el("span", { class: "badge " + (t.up ? "ok" : "broken"), text: t.up ? "✓ up" : "✕ down" }), ` ${t.job} `, el("code", { text: t.url || t.instance }),
      t.answered_by && ` answered by ${t.answered_by}`, t.error && el("span", { class: "fault", text: " " + t.error })))));
}

// listed is a list of findings that can be closed.
function listed(title, findings, open, extra) {
  if (!findings?.length) return null;
  return el("details", { class: "listed", open }, el("summary", {}, el("h3", { text: `${title} (${findings.length})` })), ...findings.map(f => {
    const e = findingOf(f);
    if (extra) e.append(extra(f));
    return e;
  }));
}

function controls() {
  const of = s => page.panels.filter(x => s === "all" || x.p.status === s).length;
  const filters = FILTERS.map(([id, name]) => el("button", { type: "button", class: "filter " + id, "data-filter": id, "aria-pressed": String(page.filter === id), onclick: () => choose(id) }, name, el("span", { class: "n", text: of(id) })));
  return el("div", { class: "controls", role: "search" }, el("div", { class: "filters", role: "group", "aria-label": "Show panels" }, ...filters),
    el("input", { type: "search", id: "search", placeholder: "Search  /", "aria-label": "Search titles, expressions and rules", value: page.search, oninput: e => { page.search = e.target.value; apply(); } }),
    el("span", { id: "found", role: "status" }));
}

function contents() {
  if (run.dashboards.length < 2) return null;
  return el("nav", { class: "contents", "aria-label": "Dashboards" }, ...run.dashboards.map((d, n) => {
    const broken = d.panels.filter(p => p.status === "broken").length;
    return el("a", { href: `#d=${n}` }, el("span", { dir: "auto", text: d.title }), broken > 0 && el("span", { class: "badge broken", text: `✕ ${broken}` }));
  }));
}

// board makes a dashboard: sections, each a row's heading and the grid below it.
function board(d, n) {
  const sections = new Map(), section = p => {
    const number = p.section || 0;
    if (!sections.has(number)) sections.set(number, { row: null, cards: [] });
    return sections.get(number);
  };
  d.panels.forEach((p, i) => {
    if (p.kind === "row") section(p).row = p;
    else section(p).cards.push(card(p, `p-${n}-${i}`));
  });
  const rows = [...sections.values()].map(s => sectionOf(s));
  page.panels.push(...rows.flatMap(r => r.cards));
  const count = status => rows.flatMap(r => r.cards).filter(c => c.p.status === status).length;
  const queries = d.panels.reduce((sum, p) => sum + (p.queries || []).length, 0);
  const element = el("section", { class: "board", "data-dashboard": n, "aria-labelledby": `d-${n}` },
    el("div", { class: "head" }, el("h2", { id: `d-${n}`, dir: "auto", tabindex: "-1", text: d.title }), ...["broken", "warning", "unchecked"].filter(count).map(s => el("span", { class: "badge " + s, text: `${STATUS[s][0]} ${s === "warning" ? plural(count(s), "warning") : count(s) + " " + STATUS[s][1]}` })),
      el("span", { class: "soft", text: [plural(d.panels.filter(p => p.kind !== "row").length, "panel"), plural(queries, "query", "queries"), d.file].join(" · ") })),
    listed("Of the dashboard", d.findings, (d.findings || []).some(f => f.severity !== "info")), ...rows.flatMap(r => [r.heading, r.grid].filter(Boolean)));
  return { element, rows, d };
}

function sectionOf({ row, cards }) {
  const grid = el("div", { class: "grid" }, ...cards.map(c => c.article));
  const worst = ["broken", "warning"].find(s => cards.some(c => c.p.status === s));
  let open = !row || !row.collapsed || worst === "broken";
  const button = row && el("button", { type: "button", "aria-expanded": String(open), onclick: () => set(!open) }, el("span", { class: "chevron", "aria-hidden": "true", text: "›" }), el("span", { dir: "auto", text: row.title || "Row" }),
    el("span", { class: "soft", text: plural(cards.length, "panel") }), worst && el("span", { class: "badge " + worst, text: STATUS[worst][0] + " " + STATUS[worst][1] }));
  const set = value => { open = value; grid.hidden = !open; button?.setAttribute("aria-expanded", String(open)); };
  set(open);
  return { heading: row && el("h3", { class: "row" }, button), grid, cards, open: set, was: () => open };
}

// haystack is everything that a panel is found by.
function haystack(c) {
  c.text ??= [c.title, c.p.type, c.p.description, ...(c.p.queries || []).flatMap(q => [q.expr, q.expr_run, q.ref_id]), ...(c.p.findings || []).flatMap(f => [f.rule, f.message, f.reason, f.fix]), ...(c.p.series || []).map(s => s.name)].join("\n").toLowerCase();
  return c.text;
}

function choose(filter) { page.filter = filter; apply(); }

// apply hides what the filter and the search leave out. What is left closes up.
function apply() {
  const words = page.search.toLowerCase().split(/\s+/).filter(Boolean), narrowed = page.filter !== "all" || words.length > 0;
  let found = 0;
  for (const b of page.boards) {
    let of = 0;
    for (const r of b.rows) {
      let here = 0;
      for (const c of r.cards) {
        const fits = (page.filter === "all" || c.p.status === page.filter) && words.every(w => haystack(c).includes(w));
        c.article.hidden = !fits;
        here += fits;
      }
      if (r.heading) r.heading.hidden = narrowed && here === 0;
      if (narrowed) { r.before ??= r.was(); r.open(here > 0); } else if (r.before !== undefined) { r.open(r.before); r.before = undefined; }
      r.grid.classList.toggle("narrowed", narrowed);
      of += here;
    }
    b.element.hidden = narrowed && of === 0;
    found += of;
  }
  document.querySelectorAll("[data-filter]").forEach(f => f.setAttribute("aria-pressed", String(f.dataset.filter === page.filter)));
  const status = document.getElementById("found");
  if (status) status.textContent = narrowed ? `${found} of ${plural(page.panels.length, "panel")}` : "";
  kept.set("sessionStorage", "view", JSON.stringify({ filter: page.filter, search: page.search }));
}

// goTo brings a panel into view and puts the focus on it.
function goTo(c) {
  for (const b of page.boards) for (const r of b.rows) if (r.cards.includes(c)) r.open(true);
  c.article.scrollIntoView({ block: "center" });
  c.article.focus({ preventScroll: true });
}

// step goes to the next panel that is broken, or, where none is, has a warning.
function step(by) {
  const visible = page.panels.filter(c => !c.article.hidden);
  let list = visible.filter(c => c.p.status === "broken");
  if (!list.length) list = visible.filter(c => c.p.status === "warning");
  if (!list.length) return;
  const at = list.findIndex(c => c.article === document.activeElement);
  goTo(list[at < 0 ? (by > 0 ? 0 : list.length - 1) : (at + by + list.length) % list.length]);
}

function help() {
  const keys = [["/", "search"], ["j", "next broken panel"], ["k", "previous broken panel"], ["Enter", "queries and data of the panel"], ["Esc", "leave the search, show all"], ["?", "this"]];
  const dialog = el("dialog", { class: "details keys", "aria-label": "Keys" }, el("header", {}, el("h3", { text: "Keys" }), el("button", { class: "close", type: "button", "aria-label": "Close", text: "✕", onclick: () => dialog.close() })),
    el("dl", {}, ...keys.flatMap(([k, what]) => [el("dt", {}, el("kbd", { text: k })), el("dd", { text: what })])));
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}

function pressed(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
  const search = document.getElementById("search");
  if (e.key === "Escape") {
    if (document.activeElement === search) search.blur();
    if (page.search || page.filter !== "all") { page.search = search.value = ""; choose("all"); }
    return;
  }
  if (e.target.matches?.("input, select, textarea")) return;
  if (e.key === "Enter" && e.target.matches?.(".panel")) { e.preventDefault(); details(e.target.state.p); } // else it presses what has the focus then
  else if (e.key === "/") { e.preventDefault(); search?.focus(); }
  else if (e.key === "j") step(1);
  else if (e.key === "k") step(-1);
  else if (e.key === "?") help();
}

// redraw draws anew what is drawn, in the colours of another theme.
function redraw() { for (const c of page.panels) if (c.drawn) c.draw(); }

// ready says that what is in view is drawn, once the browser has painted it.
function ready() { requestAnimationFrame(() => requestAnimationFrame(() => { root.dataset.ready = "true"; })); }

// watch draws panels when they come near the view, and again when their size changes.
function watch() {
  page.observer = new IntersectionObserver(entries => {
    for (const e of entries) if (e.isIntersecting && !e.target.state.drawn) {
      e.target.state.draw();
      page.resizes.observe(e.target);
      page.observer.unobserve(e.target);
    }
    if (!root.dataset.ready) ready();
  }, { rootMargin: "300px 0px" });
  const sizes = new WeakMap();
  page.resizes = new ResizeObserver(entries => {
    for (const e of entries) {
      const size = Math.round(e.contentRect.width) + "x" + Math.round(e.contentRect.height), before = sizes.get(e.target);
      sizes.set(e.target, size);
      if (before && before !== size && e.contentRect.width > 0) e.target.state.resize();
    }
  });
  for (const c of page.panels) page.observer.observe(c.article);
  if (!page.panels.length) ready();
}

const hash = () => new URLSearchParams(location.hash.slice(1));

// follow goes where the address says: to a dashboard, or a panel of it by its id.
function follow() {
  const to = hash();
  if (!to.has("d")) return;
  const b = page.boards[Number(to.get("d"))];
  if (!b) return;
  const c = to.has("p") && b.rows.flatMap(r => r.cards).find(x => String(x.p.id) === to.get("p"));
  if (c) goTo(c);
  else b.element.scrollIntoView();
}

// picture shows one dashboard by itself, all of it drawn at once.
function picture(n) {
  root.dataset.picture = n;
  const d = run.dashboards[n];
  document.body.replaceChildren(el("main", {}));
  if (d) {
    const b = board(d, n);
    page.boards.push(b);
    document.querySelector("main").append(b.element);
    for (const r of b.rows) for (const c of r.cards) if (r.was()) c.draw();
  }
  ready();
}

function whole() {
  delete root.dataset.picture;
  page.boards = run.dashboards.map(board);
  const suppressed = listed("Suppressed", run.suppressed, false, f => el("p", { class: "why" }, "suppressed: ", f.why, " ", el("code", { text: f.by || "" })));
  document.body.replaceChildren(el("a", { class: "skip", href: "#main", text: "To the dashboards", onclick: e => { e.preventDefault(); document.getElementById("main").focus(); } }), heading(), controls(),
    el("main", { id: "main", tabindex: "-1" }, ...[listed("Of no panel", run.findings, run.findings.some(f => f.severity !== "info")), run.notes?.length && el("details", { class: "listed" }, el("summary", {}, el("h3", { text: `Notes (${run.notes.length})` })), el("ul", {}, ...run.notes.map(t => el("li", { text: t })))),
      suppressed, contents(), ...page.boards.map(b => b.element), !run.dashboards.length && el("p", { class: "nothing", text: "no dashboard was checked" })].filter(Boolean)));
  recall();
  watch();
  follow();
}

// recall brings back the filter and the place of before the page loaded itself anew.
function recall() {
  let view = {};
  try { view = JSON.parse(kept.get("sessionStorage", "view")) || {}; } catch { /* somebody else's */ }
  if (run.live && FILTERS.some(f => f[0] === view.filter)) {
    page.filter = view.filter;
    page.search = document.getElementById("search").value = String(view.search || "");
  }
  apply();
  const at = run.live && Number(kept.get("sessionStorage", "scroll"));
  if (at) scrollTo(0, at);
  kept.set("sessionStorage", "scroll", "");
}

// listen loads the page anew when the gate has run again.
function listen() {
  if (!run.live) return;
  new EventSource("events").addEventListener("message", () => {
    kept.set("sessionStorage", "scroll", String(scrollY));
    location.reload();
  });
}

function start() {
  delete root.dataset.ready;
  page.observer?.disconnect();
  page.resizes?.disconnect();
  Object.assign(page, { boards: [], panels: [] });
  hash().has("picture") ? picture(Number(hash().get("picture"))) : whole();
}

run.dashboards ??= [];
theme();
start();
listen();
document.addEventListener("keydown", pressed);
addEventListener("hashchange", () => hash().has("picture") || root.dataset.picture ? start() : follow());
matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => { theme(); redraw(); });
