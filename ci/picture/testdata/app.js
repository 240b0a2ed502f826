// A front end as slow as it takes: panels come after their dashboard, are loaded as they
// come into sight, and show that they are loading until they have their data.
const query = new URLSearchParams(location.search);

async function load(panel) {
	panel.innerHTML = '<div role="status" aria-label="Panel loading bar"></div>';
	await fetch("/api/live/seen/" + panel.dataset.vizPanelKey); // the server holds data back until then
	const answer = await fetch("/api/ds/query?panel=" + panel.dataset.vizPanelKey, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ from: query.get("from"), to: query.get("to") }),
	});
	panel.style.background = await answer.text();
	panel.innerHTML = "";
}

addEventListener("load", async () => {
	const panels = await (await fetch("/api/panels")).json();
	const all = document.createElement("div");
	all.className = "scroll";
	all.innerHTML = "<div></div>";
	document.body.append(all);
	for (const key of panels) {
		const panel = document.createElement("section");
		panel.dataset.vizPanelKey = key;
		all.firstChild.append(panel);
		new IntersectionObserver((seen, observer) => {
			if (!seen.some(s => s.isIntersecting)) return;
			observer.disconnect();
			load(panel);
		}).observe(panel);
	}
	document.querySelector(".preloader").remove();
});
