"use strict";
// The live page: each event holds all that it shows. What is there already is changed in place, so that whoever reads it with the keyboard or
// with a screen reader keeps the place. All texts come from the search and are set as text.
(() => {
  const $ = (id) => document.getElementById(id);
  const number = (n) => n.toLocaleString("en-US");
  const plural = (n, what) => number(n) + " " + what + (n === 1 ? "" : "s");
  const short = (n) => (n >= 1e9 ? (n / 1e9).toFixed(2) + " G" : n >= 1e6 ? (n / 1e6).toFixed(2) + " M" : n >= 1e4 ? (n / 1e3).toFixed(1) + " k" : number(Math.round(n)));
  const rate = (n, seconds) => (seconds > 0 && n > 0 ? short(n / seconds) : "–");
  const percent = (chance) => (chance === 0 || chance >= 0.1 ? (100 * chance).toFixed(0) : (100 * chance).toPrecision(2)) + " %";
  const time = (seconds) => {
    const s = Math.round(seconds), pad = (n) => String(n).padStart(2, "0");
    return s >= 3600 ? `${Math.floor(s / 3600)} h ${pad(Math.floor(s / 60) % 60)} min` : s >= 60 ? `${Math.floor(s / 60)} min ${pad(s % 60)} s` : s + " s";
  };
  const set = (element, text, kind = element.className) => {
    if (element.textContent !== text) element.textContent = text;
    if (element.className !== kind) element.className = kind;
  };
  const make = (name, parent, kind = "") => {
    const e = parent.appendChild(document.createElement(name));
    e.className = kind;
    return e;
  };
  // fill has a child of the parent for each of the items, made once.
  const fill = (parent, items, create, update) => {
    while (parent.children.length > items.length) parent.lastChild.remove();
    items.forEach((item, i) => {
      if (!parent.children[i]) create(parent, i);
      update(parent.children[i], item, i);
    });
  };
  const row = (cells) => (parent) => {
    const tr = make("tr", parent);
    make("th", tr).scope = "row";
    for (let i = 1; i < cells; i++) make("td", tr);
  };

  let chosen = -1; // the scenario that is shown; below 0: nobody has chosen one
  let last = null, said = "", heard = 0;

  const states = { searching: "Searching", shrinking: "Making failures smaller", ended: "The search has ended" };
  const came = new Map(); // when each failure came, by its scenario and its place there
  const failuresOf = (e) => {
    const all = e.scenarios.flatMap((s, i) => s.failures.map((f, j) => ({ ...f, scenario: s.name, key: i + "/" + j })));
    for (const f of all) if (!came.has(f.key)) came.set(f.key, came.size);
    return all.sort((a, b) => came.get(a.key) - came.get(b.key));
  };

  const drawHead = (e, failures) => {
    set($("state"), e.interrupted ? "The search was interrupted" : states[e.state]);
    set($("how"), `seed ${e.seed}, strategy ${e.strategy}, ${plural(e.workers, "worker")}${e.only ? `, only ${e.only} is judged` : ""}${e.no_faults ? ", without faults" : ""}`);
    const part = e.most_runs ? e.runs / e.most_runs : e.seconds / e.most_seconds;
    $("progress").value = e.state === "searching" ? Math.min(1, part) : 1;
    const left = e.most_runs ? (e.seconds / e.runs) * (e.most_runs - e.runs) : e.most_seconds - e.seconds;
    set($("left"), e.state !== "searching" ? "after " + time(e.seconds) : e.runs ? time(Math.max(0, left)) + " left" : "");
    $("progress").setAttribute("aria-valuetext", $("left").textContent);
    set($("failed"), failures.length ? number(failures.length) : e.state === "searching" ? "none so far" : "none");
    $("verdict").className = failures.length ? "bad" : e.runs ? "good" : "";
    set($("runs"), number(e.runs));
    set($("steps"), short(e.steps));
    set($("runs-rate"), rate(e.runs, e.seconds));
    set($("steps-rate"), rate(e.steps, e.seconds));
    document.title = (failures.length ? plural(failures.length, "failure") + ": " : e.state === "searching" ? "" : "no failure: ") + "heddle run";
    if (e.error) warn("It ended early: " + e.error);
  };

  const warn = (text) => {
    set($("warning"), text);
    $("warning").hidden = false;
  };

  const link = (a, page, text, name) => {
    a.hidden = !page;
    if (a.getAttribute("href") !== page) a.setAttribute("href", page || "#");
    set(a, text);
    a.setAttribute("aria-label", text + ": " + name + ", opens in a new tab");
  };
  const drawFailures = (failures) => {
    $("found").hidden = !failures.length;
    fill($("failures"), failures, (parent) => {
      const li = make("li", parent), head = make("div", li, "head");
      make("b", head);
      make("span", head);
      make("span", head, "of");
      for (let i = 0; i < 2; i++) Object.assign(make("a", head), { target: "_blank", rel: "noopener" });
      make("div", li, "message");
    }, (li, f) => {
      const [property, scenario, of, small, page] = li.firstChild.children;
      set(property, f.property + " is violated");
      set(scenario, f.scenario);
      set(of, f.page ? `run ${number(f.run)}, ${plural(f.steps, "step")}${f.runs > 1 ? `, and ${plural(f.runs - 1, "run")} alike` : ""}` : "by the search as a whole");
      const name = f.property + " in " + f.scenario;
      link(small, f.smaller && f.smaller.page, f.smaller ? `Open the smaller failure, ${plural(f.smaller.steps, "step")}` : "", name);
      link(page, f.page, f.smaller ? "Open as found" : "Open the failure", name);
      set(li.lastChild, f.message.split("\n")[0]);
      li.lastChild.title = f.message;
    });
  };

  const drawScenarios = (e) => {
    fill($("scenarios"), e.scenarios, (parent, i) => {
      row(6)(parent);
      const label = make("label", parent.lastChild.firstChild), input = make("input", label);
      Object.assign(input, { type: "radio", name: "scenario", value: i });
      input.addEventListener("change", () => { chosen = i; drawScenario(last); });
      make("span", label);
      make("em", label);
    }, (tr, s, i) => {
      const [name, failed, runs, runsRate, stepsRate, fresh] = tr.children, b = s.behaviour;
      set(name.querySelector("span"), s.name);
      set(name.querySelector("em"), i === e.current && e.scenarios.length > 1 ? "now" : "");
      set(failed, s.failures.length ? number(s.failures.length) + " FAIL" : s.runs ? "none" : "–", s.failures.length ? "bad" : "");
      set(runs, number(s.runs));
      set(runsRate, rate(s.runs, s.seconds));
      set(stepsRate, rate(s.steps, s.seconds));
      set(fresh, b ? (b.quiet ? "quiet" : percent(Math.max(b.states.chance_of_new, b.orders.chance_of_new))) : "–");
    });
  };

  // first are the items with those first of which something is to be said.
  const first = (items, isFirst) => [...items.filter(isFirst), ...items.filter((item) => !isFirst(item))];

  const drawScenario = (e) => {
    const s = e.scenarios[Math.max(0, chosen)], b = s.behaviour;
    $("scenarios").querySelectorAll("input")[Math.max(0, chosen)].checked = true;
    set($("name"), s.name);
    set($("summary"), s.summary);
    set($("behaviour-title"), "Behaviour seen in " + s.name);
    $("unmeasured").hidden = !!b;
    $("charts").hidden = !b;
    if (b) {
      drawChart("states", b.states, b.runs);
      drawChart("orders", b.orders, b.runs);
    }
    const sometimes = s.sometimes || [], faults = s.faults || [], judged = s.properties.filter((p) => p.judged);
    const violated = judged.filter((p) => p.failures).length, met = sometimes.filter((seen) => seen.runs).length, hadEffect = faults.filter((f) => f.effect).length;
    table("properties", `Properties: ${violated ? number(violated) + " violated" : `all ${judged.length} hold so far`}`, first(s.properties, (p) => p.failures), 2, (tr, p) => {
      if (!tr.firstChild.firstChild) { make("b", tr.firstChild); make("span", tr.firstChild); }
      set(tr.firstChild.firstChild, p.id);
      set(tr.firstChild.lastChild, p.statement);
      tr.firstChild.title = p.statement;
      set(tr.lastChild, !p.judged ? "not judged" : p.failures ? "violated" : s.runs ? "holds" : "–", p.failures ? "bad" : p.judged && s.runs ? "good" : "");
    });
    table("sometimes", sometimes.length ? `Must be seen: ${met} of ${sometimes.length} met` : "Nothing that must be seen", first(sometimes, (seen) => !seen.runs), 2, (tr, seen) => {
      set(tr.firstChild, seen.id);
      set(tr.lastChild, seen.runs ? number(seen.runs) : "not yet", seen.runs ? "" : "open");
    });
    table("faults", faults.length ? `Faults: ${hadEffect} of ${faults.length} had an effect` : "No faults", first(faults, (f) => !f.effect), 4, (tr, f) => {
      [f.fault, number(f.armed), number(f.fired), f.effect ? number(f.effect) : "none"].forEach((text, i) => set(tr.children[i], text));
      tr.lastChild.className = f.effect ? "" : "open";
    });
  };

  // table draws a table below a title, if there is anything in it.
  const table = (id, title, items, cells, update) => {
    set($(id + "-title"), title);
    $(id).parentNode.hidden = !items.length;
    fill($(id), items, row(cells), update);
  };

  // drawChart draws how many were seen after how many runs.
  const drawChart = (id, v, runs) => {
    const text = v.seen ? `${number(v.seen)} ${id}\nin ${plural(runs, "measured run")}; next is new: ${percent(v.chance_of_new)}` : `no ${id}`;
    set($(id + "-text"), text);
    $(id).hidden = !v.seen;
    let svg = $(id).firstChild;
    if (!svg) {
      svg = $(id).appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
      svg.setAttribute("viewBox", "0 0 100 100");
      svg.setAttribute("preserveAspectRatio", "none");
      svg.setAttribute("role", "img");
      for (const kind of ["area", "line"]) svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path")).setAttribute("class", kind);
    }
    const points = [[0, 0], ...v.growth.map((g) => [g.runs, g.seen]), [runs, v.seen]];
    const at = points.map(([x, y]) => `${((100 * x) / Math.max(1, runs)).toFixed(2)} ${(100 - (95 * y) / Math.max(1, v.seen)).toFixed(2)}`).join(" L ");
    svg.firstChild.setAttribute("d", `M ${at} L 100 100 Z`);
    svg.lastChild.setAttribute("d", "M " + at);
    const half = points.findLast(([x]) => 2 * x <= runs);
    svg.setAttribute("aria-label", `${text}. After ${plural(half[0], "run")} it was ${number(half[1])}.`);
  };

  // announce says what has changed to those who do not see it, and not each number.
  const announce = (e, failures) => {
    let text = "";
    if (failures.length > heard) text = failures.slice(heard).map((f) => `${f.property} is violated in ${f.scenario}`).join("; ") + ". ";
    heard = failures.length;
    if (e.state !== said) text += `${states[e.state]}, ${failures.length ? plural(failures.length, "failure") : "no failure"}`;
    said = e.state;
    if (text) set($("heard"), text);
  };

  const draw = (e) => {
    const failures = failuresOf(e);
    if (chosen < 0 && failures.length) chosen = e.scenarios.findIndex((s) => s.failures.length);
    last = e;
    drawHead(e, failures);
    drawFailures(failures);
    drawScenarios(e);
    drawScenario(e);
    announce(e, failures);
    document.documentElement.dataset.state = e.state;
  };

  const source = new EventSource("events");
  source.onmessage = (message) => {
    const e = JSON.parse(message.data);
    if (e.state === "ended") source.close();
    draw(e);
  };
  source.onerror = () => {
    source.close();
    warn("Heddle does not answer any more: it has ended. This is the last that it told.");
  };
})();
