"use strict";
// The diagram of a failure: a row for each step, a lane for each task, address and kind of fault. Of the rows only those in view are in the
// document, so that a run of 100,000 steps scrolls as one of ten does. All texts come from the run and are set as text or escaped.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const S = data.strings, count = data.op.length;
  const END = count; // a row behind the last one: what was left
  const SETUP = 0, TASK = 0, ADDRESS = 1, TIMERS = 2, FAULTS = 3, TIME = 4;
  const $ = (id) => document.getElementById(id);
  const escape = (text) => String(text).replace(/[&<>"']/g, (c) => "&#" + c.charCodeAt(0) + ";");
  const stepOf = (row) => (row === SETUP ? 0 : data.first + row - 1);
  const rowOf = (step) => Math.min(count - 1, Math.max(0, step - data.first + 1));
  const nameOfStep = (row) => (row === SETUP ? "set-up" : "step " + stepOf(row));

  // What the flat lists say, by row: where in the list, sorted by the row in a column of it.
  const grouped = (flat, width, column = 0) => {
    const starts = new Int32Array(count + 1), positions = new Int32Array(flat.length / width);
    for (let i = column; i < flat.length; i += width) if (flat[i] >= 0) starts[flat[i] + 1]++;
    for (let row = 0; row < count; row++) starts[row + 1] += starts[row];
    const next = starts.slice();
    for (let i = 0; i < flat.length; i += width) if (flat[i + column] >= 0) positions[next[flat[i + column]]++] = i;
    return {
      many: (row) => starts[row + 1] - starts[row],
      get: (row) => (row < count ? Array.from(positions.subarray(starts[row], starts[row + 1])) : []),
      rows: () => { const all = []; for (let row = 0; row < count; row++) if (starts[row + 1] > starts[row]) all.push(row); return all; },
    };
  };
  const notes = grouped(data.notes, 2), values = grouped(data.values, 2), faults = grouped(data.faults, 2);
  const sends = grouped(data.messages, 5), arrives = grouped(data.messages, 5, 1);
  const decisive = new Set(data.decisive.map(rowOf));
  const choices = new Map();
  for (const [step, n] of data.choices) {
    const row = rowOf(step);
    choices.has(row) ? choices.get(row).push(n) : choices.set(row, [n]);
  }
  const failed = data.failed > 0 ? rowOf(data.failed) : -1;
  const times = new Float64Array(count);
  for (let i = 1; i < count; i++) times[i] = Math.round(1e3 * (times[i - 1] + data.time[i])) / 1e3; // in nanoseconds
  const textsOf = (map, flat, row) => map.get(row).map((i) => S[flat[i + 1]]);
  const time = (us) => {
    const ms = Math.round(us / 1e3), minutes = Math.floor(ms / 60e3);
    if (ms >= 1e3) return (minutes >= 60 ? Math.floor(minutes / 60) + "h" : "") + (minutes ? (minutes % 60) + "m" : "") + (ms % 60e3) / 1e3 + "s";
    return us >= 1e3 ? +(us / 1e3).toFixed(3) + "ms" : us ? us + "µs" : "0s";
  };
  const laneName = (row) => (row === SETUP ? "set-up" : S[data.lanes[data.lane[row]][0]]);
  const what = (row) => {
    if (row === SETUP) return "the world is made";
    const kind = data.lanes[data.lane[row]][1];
    const object = S[data.object[row]];
    if (kind === TIME) return "time passes, to " + time(times[row]);
    const arrived = arrives.get(row);
    if (S[data.op[row]] === "deliver" && arrived.length) return "hears: " + S[data.messages[arrived[0] + 4]];
    return (S[data.op[row]] + " " + object).trim();
  };

  // What is shown: rows of the run, and in the story gaps between them.
  const state = { story: !!data.story, task: "", object: "", router: "", text: "", lanes: "auto", zoom: 1, chosen: Math.max(0, failed) };
  let rows, extent, tops, lines, laneCount, laneOf, laneNames, heights;
  const taskNames = new Set(data.lanes.filter((l) => l[1] !== TIME && l[1] !== ADDRESS).map((l) => S[l[0]]));
  const objectNames = new Set(data.object.map((o) => S[o]).filter((o) => o));
  const named = (wanted, all) => (all.has(wanted) ? (name) => name === wanted : (name) => name.includes(wanted)); // or a part of the name
  const sees = () => {
    const touches = new Uint8Array(count);
    if (state.router !== "") {
      for (let i = 0; i < data.messages.length; i += 5) {
        if (S[data.messages[i + 2]] !== state.router) continue;
        touches[data.messages[i]] = 1;
        if (data.messages[i + 1] >= 0) touches[data.messages[i + 1]] = 1;
      }
    }
    const text = state.text.toLowerCase(), isTask = named(state.task, taskNames), isObject = named(state.object, objectNames);
    return (row) => {
      if (row === SETUP) return !(state.task || state.object || state.router || text);
      if (state.task && !isTask(laneName(row))) return false;
      if (state.object && !isObject(S[data.object[row]])) return false;
      if (state.router && !touches[row] && laneName(row) !== state.router && !S[data.object[row]].endsWith(":" + state.router)) return false;
      if (!text) return true;
      const all = laneName(row) + " " + what(row) + " " + textsOf(notes, data.notes, row).join(" ");
      return all.toLowerCase().includes(text);
    };
  };
  const layOut = () => {
    const visible = sees(), filtered = state.task || state.object || state.router || state.text;
    rows = []; extent = [];
    if (state.story && !filtered) {
      let next = 1;
      for (const step of data.story) {
        const row = rowOf(step);
        if (step > 0 && step < data.first) continue;
        if (row > next) { rows.push(-1); extent.push([next, row - 1]); }
        rows.push(row); extent.push(null);
        next = row + 1;
      }
    } else {
      for (let row = 0; row < count; row++) if (visible(row)) { rows.push(row); extent.push(null); }
    }
    if (data.end.length && !filtered) { rows.push(END); extent.push(null); }
    lines = new Uint8Array(rows.length);
    tops = new Float64Array(rows.length + 1);
    const most = state.story ? 6 : 3, line = Math.round(20 * state.zoom);
    for (let i = 0; i < rows.length; i++) {
      const said = rows[i] === END ? data.end.length : rows[i] >= 0 ? notes.many(rows[i]) + sends.many(rows[i]) : 0;
      lines[i] = rows[i] === END ? 2 * Math.min(said, 6) : Math.min(said, rows[i] === SETUP ? 2 : most);
      tops[i + 1] = tops[i] + line * (1 + (state.zoom < 0.7 ? 0 : lines[i] * 0.9)) + 1;
    }
    chooseLanes();
  };
  const saidAt = (row) => {
    if (row === END) return data.end.map(([lane, text]) => [S[data.lanes[lane][0]] + " " + text, true]);
    const said = textsOf(notes, data.notes, row).map((text) => [text.replace(/^violated \S+: /, ""), /^(violated |fault )/.test(text)]);
    for (const i of sends.get(row)) {
      said.push([(data.messages[i + 3] ? "sends to " + S[data.messages[i + 2]] : "sends") + ": " + S[data.messages[i + 4]] + (data.messages[i + 1] < 0 ? " (never arrives)" : ""), false, true]);
    }
    return said;
  };

  const brief = (path) => { const parts = path.split("/"); return parts.length > 2 ? parts[0] + "/…" + parts[parts.length - 1] : path; };

  // Lanes: those of the rows that are shown, and as coarse as it takes for them to fit.
  const short = (path) => path.replace(/#\d+/g, "");
  const chooseLanes = () => {
    const used = new Set();
    for (const row of rows) if (row > 0 && row < END) used.add(data.lane[row]);
    for (const [lane] of data.end) used.add(lane);
    const key = (by) => (lane) => {
      const [name, kind, node] = data.lanes[lane];
      if (kind === TIME) return "";
      if (kind !== TASK || by === "task") return S[name];
      return by === "name" ? short(S[name]) : S[node] || S[name];
    };
    let by = state.lanes;
    const width = scroll.clientWidth || 800;
    if (by === "auto") {
      by = ["task", "name", "node"].find((b) => new Set([...used].map(key(b))).size <= Math.max(6, width * 0.33 / 18)) || "node";
    }
    const named = key(by), order = new Map(), order2 = [];
    for (const lane of [...used].sort((a, b) => (data.lanes[a][1] - data.lanes[b][1]) || a - b)) {
      const name = named(lane);
      if (name !== "" && !order.has(name)) { order.set(name, order.size); order2.push([name, data.lanes[lane][1]]); }
    }
    laneOf = data.lanes.map((_, lane) => (used.has(lane) && named(lane) !== "" ? order.get(named(lane)) : -1));
    laneNames = order2; laneCount = order2.length;
    const lw = Math.max(18, Math.min(90, Math.max(180, width * 0.33) / Math.max(1, laneCount))) * Math.max(1, state.zoom);
    heights = { gutter: 146, lane: lw, text: 146 + lw * laneCount + 10 };
  };
  const center = (lane) => heights.gutter + heights.lane * (lane + 0.5);
  const drawHeads = () => {
    const wide = heights.lane >= 80, heads = $("heads");
    heads.style.height = wide ? "22px" : "88px";
    const tail = (name, n) => name.split("/").slice(-n).join("/"), nodes = new Set(laneNames.map(([name]) => name.split("/")[0]));
    const labels = laneNames.map(([name, kind]) => {
      if (kind !== TASK) return name;
      let n = 1;
      while (n < 3 && laneNames.some(([other]) => other !== name && tail(other, n) === tail(name, n))) n++;
      const node = name.split("/")[0], label = tail(name, n);
      return nodes.size > 2 && label !== name && !label.startsWith(node) ? node + "/" + label : label;
    });
    heads.innerHTML = `<span style="left:22px;width:40px">step</span><span style="left:70px;width:56px">time</span>` +
      laneNames.map(([name], i) => {
        const at = wide ? `left:${center(i) - heights.lane / 2 + 2}px;width:${heights.lane - 4}px` : `left:${center(i) + 4}px`;
        return `<span class="${wide ? "" : "up"}" style="${at}" title="${escape(name)}">${escape(labels[i])}</span>`;
      }).join("") + `<span style="left:${heights.text}px">what happened</span>`;
  };

  // Drawing what is in view.
  const scroll = document.createElement("div"), body = document.createElement("div"), map = document.createElement("canvas");
  const at = (y) => { // the row at a height
    let low = 0, high = rows.length - 1;
    while (low < high) { const mid = (low + high + 1) >> 1; if (tops[mid] <= y) low = mid; else high = mid - 1; }
    return Math.max(0, low);
  };
  const upTo = (row) => { // the last of what is shown that does not begin behind a row of the run; -1: nothing
    let low = -1, high = rows.length - 1;
    const from = (i) => (extent[i] ? extent[i][0] : rows[i]);
    while (low < high) { const mid = (low + high + 1) >> 1; if (from(mid) <= row) low = mid; else high = mid - 1; }
    return low;
  };
  const indexOf = (row) => { // where a row of the run is shown, or the gap that has it; -1: nowhere
    const i = upTo(row);
    return i >= 0 && (extent[i] ? row <= extent[i][1] : rows[i] === row) ? i : -1;
  };
  let blocks; // for every so many rows, the messages and orders that pass there
  const BLOCK = 64;
  const place = () => {
    blocks = new Map();
    const add = (from, to, arrow) => {
      for (let b = Math.floor(Math.min(from, to) / BLOCK); b <= Math.floor(Math.max(from, to) / BLOCK); b++) {
        blocks.has(b) ? blocks.get(b).push(arrow) : blocks.set(b, [arrow]);
      }
    };
    for (let i = 0; i < data.messages.length; i += 5) {
      const from = indexOf(data.messages[i]), to = data.messages[i + 1] < 0 ? -1 : indexOf(data.messages[i + 1]);
      if (from < 0 || (rows[from] < 0 && (to < 0 || rows[to] < 0))) continue;
      const a = laneOf[data.lane[data.messages[i]]], b = to < 0 ? -1 : laneOf[data.lane[data.messages[i + 1]]];
      if (a >= 0 && (to < 0 || b >= 0)) add(from, to < 0 ? from + 1 : to, { kind: "wire", from, to, a, b, i, known: data.messages[i + 1] >= 0 });
    }
    for (const [first, then] of data.orders) {
      const from = indexOf(rowOf(first)), to = indexOf(rowOf(then));
      if (from < 0 || to < 0) continue;
      const a = laneOf[data.lane[rowOf(first)]], b = laneOf[data.lane[rowOf(then)]];
      if (a >= 0 && b >= 0) add(from, to, { kind: "order", from, to, a, b });
    }
  };
  const middle = (i) => tops[i] + 10 * state.zoom;
  const arrowTo = (x1, y1, x2, y2, cls, tip) => {
    const angle = Math.atan2(y2 - y1, x2 - x1), r = 6;
    const ex = x2 - r * Math.cos(angle), ey = y2 - r * Math.sin(angle);
    const p = (d, s) => `${(ex - 8 * Math.cos(angle + d * s)).toFixed(1)},${(ey - 8 * Math.sin(angle + d * s)).toFixed(1)}`;
    return `<path class="${cls}" d="M${x1.toFixed(1)} ${y1.toFixed(1)}L${ex.toFixed(1)} ${ey.toFixed(1)}"/><path class="${tip}" d="M${ex.toFixed(1)},${ey.toFixed(1)}L${p(1, 0.4)}L${p(-1, 0.4)}Z"/>`;
  };
  let drawn = "";
  const draw = () => {
    const top = scroll.scrollTop, height = scroll.clientHeight;
    const from = Math.max(0, at(top) - 8), to = Math.min(rows.length - 1, at(top + height) + 8);
    const line = Math.round(20 * state.zoom);
    let html = "", svg = "";
    const y0 = tops[from], y1 = tops[to + 1] || 0;
    for (let l = 0; l < laneCount; l++) svg += `<path class="lane" d="M${center(l)} ${y0}V${y1}"/>`;
    const seen = new Set();
    for (let b = Math.floor(from / BLOCK); b <= Math.floor(to / BLOCK); b++) {
      for (const arrow of blocks.get(b) || []) {
        if (seen.has(arrow) || Math.max(arrow.from, arrow.to) < from || Math.min(arrow.from, arrow.to) > to) continue;
        seen.add(arrow);
        if (arrow.kind === "order") {
          svg += arrowTo(center(arrow.a), middle(arrow.from), center(arrow.b), middle(arrow.to), "order", "order-tip");
          continue;
        }
        const chosen = rows[arrow.from] === state.chosen || rows[arrow.to] === state.chosen ? " chosen" : "";
        if (arrow.to >= 0) {
          svg += arrowTo(center(arrow.a), middle(arrow.from), center(arrow.b), middle(arrow.to), "wire" + chosen, "tip");
        } else {
          const x = center(arrow.a) + 14, y = middle(arrow.from) + 12;
          svg += `<path class="wire${arrow.known ? "" : " lost"}${chosen}" d="M${center(arrow.a)} ${middle(arrow.from)}L${x} ${y}"/>`;
          if (!arrow.known) svg += `<path class="tip lost" d="M${x - 4} ${y - 4}l8 8m0 -8l-8 8"/>`;
        }
      }
    }
    const before = state.chosen > 0 ? previousAt(state.chosen) : -1;
    if (before >= 0) {
      const a = indexOf(before), b = indexOf(state.chosen);
      if (a >= 0 && b >= 0 && rows[a] >= 0 && laneOf[data.lane[before]] >= 0 && laneOf[data.lane[state.chosen]] >= 0) {
        svg += arrowTo(center(laneOf[data.lane[before]]), middle(a), center(laneOf[data.lane[state.chosen]]), middle(b), "same", "same");
      }
    }
    for (let i = from; i <= to; i++) {
      const row = rows[i], style = `top:${tops[i]}px;height:${tops[i + 1] - tops[i]}px;line-height:${line}px`;
      if (row < 0) {
        const [a, b] = extent[i], n = b - a + 1;
        html += `<div class="row gap" role="row" id="row-${i}" aria-rowindex="${i + 1}" data-i="${i}" style="${style}"><span role="gridcell" class="what" style="left:${heights.text}px">… ${n} step${n > 1 ? "s" : ""} that matter less</span></div>`;
        continue;
      }
      if (row === END) {
        html += `<div class="row failed" role="row" id="row-${i}" aria-rowindex="${i + 1}" style="${style}"><span class="mark" aria-hidden="true">✖</span>` +
          `<span role="gridcell" class="n" style="width:46px">end</span><span role="gridcell" class="what" style="left:${heights.text}px"><b>nothing of this comes to pass any more</b></span>` +
          data.end.slice(0, lines[i] / 2).map(([lane, text], k) => `<span class="note fault long" style="left:${heights.text + 14}px;top:${line * (1 + k * 1.8)}px;height:${line * 1.8}px;line-height:${line * 0.85}px" title="${escape(text)}"><b>${escape(S[data.lanes[lane][0]])}</b> ${escape(text)}</span>`).join("") + "</div>";
        for (const [lane] of data.end) {
          const x = center(laneOf[lane]), y = middle(i);
          svg += `<path class="stuck" d="M${x - 5} ${y - 5}l10 10m0 -10l-10 10"/>`;
        }
        continue;
      }
      const isFailed = row === failed, decides = decisive.has(row), struck = faults.many(row) > 0;
      const lane = row === SETUP ? -1 : laneOf[data.lane[row]];
      const later = row > 0 && (i === from || i === 0 || rows[i - 1] < 0 || times[row] !== times[rows[i - 1]]);
      let marks = decides ? `<span class="badge">decides</span>` : ""; // before the text, which may be cut off
      for (const n of choices.get(row) || []) marks += `<span class="badge">decision ${n}</span>`;
      if (struck) marks += textsOf(faults, data.faults, row).map((f) => `<span class="badge bad">fault: ${escape(f)}</span>`).join("");
      if (isFailed) marks += `<span class="badge bad">violated</span>`;
      html += `<div class="row${decides ? " decisive" : ""}${isFailed ? " failed" : ""}" role="row" id="row-${i}" aria-rowindex="${i + 1}" aria-selected="${row === state.chosen}" data-i="${i}" style="${style}">` +
        `<span class="mark" aria-hidden="true">${isFailed ? "✖" : decides ? "▶" : struck ? "⚡" : ""}</span>` +
        `<span role="gridcell" class="n" style="width:46px">${row === SETUP ? "set-up" : stepOf(row)}</span>` +
        `<span role="gridcell" class="t" style="left:74px;width:72px">${later ? time(times[row]) : ""}</span>` +
        `<span role="gridcell" class="what" style="left:${heights.text}px" title="${escape(laneName(row) + " " + what(row))}">${marks}<b>${escape(brief(laneName(row)))}</b> ${escape(what(row))}</span>`;
      if (state.zoom >= 0.7) {
        const said = saidAt(row);
        for (let k = 0; k < lines[i]; k++) {
          const [text, bad] = said[k], more = k === lines[i] - 1 && said.length > lines[i] ? ` (and ${said.length - lines[i]} more)` : "";
          html += `<span class="note${bad ? " fault" : ""}" style="left:${heights.text + 14}px;top:${line * (1 + k * 0.9)}px" title="${escape(text)}">${escape(text + more)}</span>`;
        }
      }
      html += "</div>";
      if (lane >= 0) {
        const cls = isFailed ? "failed" : struck ? "fault" : decides ? "decisive" : "", x = center(lane), y = middle(i), kind = data.lanes[data.lane[row]][1];
        if (arrives.many(row)) svg += `<path class="dot ${cls}" d="M${x - 5} ${y - 4}h10l-5 9z"/>`;
        else if (kind === TASK) svg += `<circle class="dot ${cls}" cx="${x}" cy="${y}" r="4.5"/>`;
        else svg += `<rect class="dot ${cls}" x="${x - 4}" y="${y - 4}" width="8" height="8"/>`;
      } else if (row > 0) svg += `<path class="live" stroke-dasharray="1 4" d="M${heights.gutter} ${middle(i)}H${heights.text - 8}"/>`;
    }
    if (!rows.length) html = `<div class="row" role="row" style="top:0;height:24px"><span role="gridcell" class="what" style="left:22px">no step is so</span></div>`;
    const now = svg + html;
    if (now === drawn) return;
    drawn = now;
    body.innerHTML = `<svg aria-hidden="true" width="${heights.text}" height="${Math.max(1, y1 - y0)}" style="top:${y0}px;z-index:1" viewBox="0 ${y0} ${heights.text} ${Math.max(1, y1 - y0)}">${svg}</svg>` + html;
    const i = indexOf(state.chosen);
    scroll.setAttribute("aria-activedescendant", i >= from && i <= to ? "row-" + i : "");
  };
  let waiting = false;
  const redraw = () => {
    if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; draw(); }); }
  };
  const drawMap = () => { // where in the whole run something is marked
    const height = scroll.clientHeight, total = tops[rows.length] || 1, c = map.getContext("2d"), style = getComputedStyle(document.documentElement);
    map.width = 12; map.height = Math.max(1, height);
    map.style.height = height + "px"; map.style.top = scroll.offsetTop + "px";
    map.hidden = total <= height;
    scroll.style.paddingRight = "";
    const mark = (row, color, size) => {
      const i = indexOf(row);
      if (i >= 0) { c.fillStyle = style.getPropertyValue(color); c.fillRect(1, Math.floor(tops[i] / total * height), 10, size); }
    };
    for (const row of faults.rows()) mark(row, "--wire", 2);
    for (const row of decisive) mark(row, "--decides", 3);
    if (failed >= 0) mark(failed, "--bad", 4);
  };

  // The step that is chosen.
  let byObject; // for each object, the rows that touch it
  const touching = (object) => {
    if (!byObject) {
      byObject = new Map();
      for (let row = 1; row < count; row++) byObject.has(data.object[row]) ? byObject.get(data.object[row]).push(row) : byObject.set(data.object[row], [row]);
    }
    return byObject.get(object) || [];
  };
  const previousAt = (row) => {
    if (row < 1 || S[data.object[row]] === "") return -1;
    const all = touching(data.object[row]);
    let low = 0, high = all.length - 1, found = -1;
    while (low <= high) { const mid = (low + high) >> 1; if (all[mid] < row) { found = all[mid]; low = mid + 1; } else high = mid - 1; }
    return found;
  };
  const stateAt = (row) => {
    const parts = new Map();
    for (let i = 0; i < data.states.length && data.states[i] <= row; i += 4) {
      const [at, part, field, value] = data.states.slice(i, i + 4);
      if (!parts.has(part)) parts.set(part, new Map());
      const fields = parts.get(part), before = fields.get(field);
      const was = before ? (before.at === row && at === row ? before.was : before.value) : "";
      if (S[value] === "" && at !== row) fields.delete(field); else fields.set(field, { value: S[value], at, was: at === row ? was : "" });
    }
    return parts;
  };
  const link = (row) => `<a href="#step-${stepOf(row)}">${nameOfStep(row)}</a>`;
  const list = (title, items) => (items.length ? `<h3>${title}</h3><ul>${items.map((i) => `<li>${i}</li>`).join("")}</ul>` : "");
  const showStep = () => {
    const row = state.chosen;
    const path = row === SETUP ? "" : S[data.lanes[data.lane[row]][3]];
    let html = `<h2>${row === SETUP ? "Set-up" : "Step " + stepOf(row)}: ${escape(laneName(row))} ${escape(what(row))}</h2><p>at ${time(times[row])}` +
      (decisive.has(row) ? "; <em>decides, by its order</em>" : "") + (choices.get(row) || []).map((n) => `; <em>decision ${n} beside the default</em>`).join("") +
      (row === failed ? `; <em class="property">the property is violated here</em>` : "") + "</p>";
    if (path && path !== laneName(row)) html += `<p>task <code>${escape(path)}</code></p>`;
    html += list("What it meant", textsOf(notes, data.notes, row).filter((t) => !t.startsWith("violated ")).map(escape));
    const parts = stateAt(row);
    const names = [...parts.keys()].sort((a, b) => (S[a] === "locks and channels") - (S[b] === "locks and channels") || (S[a] < S[b] ? -1 : 1));
    for (const part of names) {
      const fields = [...parts.get(part)].filter(([, f]) => f.at === row ? f.value !== "" || f.was !== "" : f.value !== "" && f.value !== "closed" && f.value !== "done");
      if (!fields.length) continue;
      fields.sort(([a, x], [b, y]) => (y.at === row) - (x.at === row) || (S[a] < S[b] ? -1 : 1));
      html += `<h3>State: ${escape(S[part])}</h3><table><tbody>` +
        fields.slice(0, 60).map(([name, f]) => `<tr${f.at === row ? ' class="changed"' : ""}><th scope="row">${escape(S[name])}<td>${f.at === row ? `<s>${escape(f.was || "nothing")}</s> <em>now</em> ` : ""}${escape(f.value || "nothing")}</tr>`).join("") + "</tbody></table>" +
        (fields.length > 60 ? `<p>and ${fields.length - 60} more</p>` : "");
    }
    html += list("Sends", sends.get(row).map((i) => escape((data.messages[i + 3] ? "to " : "from ") + S[data.messages[i + 2]] + ": " + S[data.messages[i + 4]]) + (data.messages[i + 1] < 0 ? "; it never arrives" : "; arrives at " + link(data.messages[i + 1]))));
    html += list("Hears", arrives.get(row).map((i) => escape(S[data.messages[i + 4]]) + ", sent at " + link(data.messages[i])));
    html += list("Decided", textsOf(values, data.values, row).map(escape));
    const before = previousAt(row);
    if (before >= 0) html += `<p>Before it, <b>${escape(laneName(before))}</b> did ${escape(S[data.op[before]])} there, in ${link(before)}.</p>`;
    $("step").innerHTML = html;
    $("heard").textContent = nameOfStep(row) + ", " + laneName(row) + ", " + what(row) + (decisive.has(row) ? ", decides" : "") + (row === failed ? ", violated" : "") + ". " + textsOf(notes, data.notes, row).join(". ");
  };
  const reveal = (i) => {
    const top = scroll.scrollTop, height = scroll.clientHeight, margin = Math.min(80, height / 4);
    if (tops[i] - margin < top) scroll.scrollTop = tops[i] - margin;
    else if (tops[i + 1] + margin > top + height) scroll.scrollTop = tops[i + 1] + margin - height;
  };
  const choose = (row) => {
    state.chosen = row;
    const i = indexOf(row);
    if (i >= 0) reveal(rows[i + 1] === END ? i + 1 : i);
    showStep();
    redraw();
  };
  const goTo = (row) => { // choose a step, and show it whatever is filtered
    let i = indexOf(row);
    if (i < 0 || rows[i] !== row) {
      state.story = false;
      Object.assign(state, { task: "", object: "", router: "", text: "" });
      refresh();
    }
    choose(row);
  };
  const beside = (way) => { // what is shown next to the chosen row, which a filter may have hidden
    const i = indexOf(state.chosen);
    return i >= 0 ? i + way : upTo(state.chosen) + (way > 0 ? 1 : 0);
  };
  const shift = (by) => { // by so many rows that are shown, gaps apart
    const way = Math.sign(by);
    let left = Math.abs(by), found = -1;
    for (let k = beside(way); k >= 0 && k < rows.length && left > 0; k += way) {
      if (rows[k] < 0 || rows[k] === END) continue;
      found = k;
      left--;
    }
    if (found >= 0) choose(rows[found]);
  };
  const next = (way, wanted) => {
    for (let k = beside(way); k >= 0 && k < rows.length; k += way) {
      if (rows[k] >= 0 && rows[k] < END && wanted(rows[k])) return choose(rows[k]);
    }
  };
  const marked = (row) => decisive.has(row) || choices.has(row) || faults.many(row) > 0 || row === failed;

  // Controls.
  const refresh = () => {
    layOut();
    place();
    body.style.height = (tops[rows.length] || 0) + "px";
    body.style.minWidth = heights.text + 160 + "px";
    scroll.setAttribute("aria-rowcount", rows.length);
    for (const [id, key] of [["task", "task"], ["object", "object"], ["router", "router"], ["find", "text"], ["lanes", "lanes"]]) $(id).value = state[key];
    if (data.story) { $("story-only").setAttribute("aria-pressed", state.story); $("all-steps").setAttribute("aria-pressed", !state.story); }
    $("shown").textContent = rows.filter((r) => r >= 0 && r < END).length.toLocaleString("en") + " of " + count.toLocaleString("en") + " rows";
    drawHeads();
    drawn = "";
    draw();
    drawMap();
  };
  const options = (names) => [...new Set(names)].sort().map((n) => `<option value="${escape(n)}">${escape(n)}</option>`).join("");
  const suggestions = (id, names) => `<datalist id="${id}">${options(names)}</datalist>`;
  const byKind = (kind) => data.lanes.filter((l) => l[1] === kind).map((l) => S[l[0]]);
  const addresses = [];
  for (let i = 0; i < data.messages.length; i += 5) addresses.push(S[data.messages[i + 2]]);
  const diagram = $("diagram");
  document.documentElement.className = "app";
  diagram.hidden = $("step").hidden = false;
  diagram.innerHTML = `<div class="tools" role="toolbar" aria-label="What the diagram shows">` +
    (data.story ? `<span class="group"><button type="button" id="story-only">What matters</button><button type="button" id="all-steps">All steps</button></span>` : "") +
    `<label>task <input id="task" type="search" list="tasks" placeholder="all"></label>${suggestions("tasks", taskNames)}` +
    `<label>object <input id="object" type="search" list="objects" placeholder="all"></label>${suggestions("objects", objectNames)}` +
    `<label>router <select id="router"><option value="">all</option>${options(addresses.concat(byKind(ADDRESS)))}</select></label>` +
    `<label>find <input id="find" type="search"></label>` +
    `<label>lanes <select id="lanes"><option value="auto">that fit</option><option value="task">tasks</option><option value="name">names</option><option value="node">nodes</option></select></label>` +
    `<span class="group"><button type="button" id="smaller" aria-label="zoom out">−</button><button type="button" id="larger" aria-label="zoom in">+</button></span><span id="shown" role="status"></span></div>` +
    `<div id="heads" aria-hidden="true"></div>`;
  scroll.id = "scroll"; body.id = "rows";
  scroll.tabIndex = 0;
  for (const [name, value] of [["role", "grid"], ["aria-label", "Steps of the run, in order"], ["aria-describedby", "keys"]]) scroll.setAttribute(name, value);
  body.setAttribute("role", "rowgroup");
  scroll.append(body);
  map.id = "map"; map.setAttribute("aria-hidden", "true");
  diagram.append(scroll, map);
  diagram.insertAdjacentHTML("beforeend", `<p class="legend" id="keys">● step ▽ arrival ■ timer, router, fault; ▶ decides ⚡ fault ✖ violated; → message. Keys: <kbd>↑</kbd> <kbd>↓</kbd> step, <kbd>n</kbd> <kbd>p</kbd> next and previous marked step, <kbd>[</kbd> <kbd>]</kbd> of the same task, <kbd>o</kbd> <kbd>O</kbd> at the same object, <kbd>/</kbd> find, <kbd>+</kbd> <kbd>−</kbd> zoom</p><p id="heard" role="status" aria-live="polite"></p>`);

  const on = (id, event, f) => $(id) && $(id).addEventListener(event, f);
  on("story-only", "click", () => { state.story = true; refresh(); choose(state.chosen); });
  on("all-steps", "click", () => { state.story = false; refresh(); choose(state.chosen); });
  for (const [id, key] of [["router", "router"], ["lanes", "lanes"]]) {
    on(id, "change", () => { state[key] = $(id).value; refresh(); if (indexOf(state.chosen) >= 0) choose(state.chosen); else scroll.scrollTop = 0; });
  }
  for (const id of ["task", "object"]) on(id, "input", () => { state[id] = $(id).value; refresh(); });
  on("find", "input", () => { state.text = $("find").value; refresh(); });
  const zoom = (by) => { state.zoom = Math.min(2, Math.max(0.5, +(state.zoom * by).toFixed(3))); refresh(); choose(state.chosen); };
  on("smaller", "click", () => zoom(0.8));
  on("larger", "click", () => zoom(1.25));
  scroll.addEventListener("scroll", () => { $("heads").scrollLeft = scroll.scrollLeft; redraw(); });
  body.addEventListener("click", (e) => {
    const row = e.target.closest(".row");
    if (!row || !row.dataset.i) return;
    const i = +row.dataset.i;
    if (rows[i] === END) return;
    if (rows[i] >= 0) choose(rows[i]); else goTo(extent[i][0]);
  });
  map.addEventListener("click", (e) => { scroll.scrollTop = e.offsetY / map.height * tops[rows.length] - scroll.clientHeight / 2; });
  const keys = {
    ArrowDown: () => shift(1), ArrowUp: () => shift(-1), j: () => shift(1), k: () => shift(-1), PageDown: () => shift(20), PageUp: () => shift(-20),
    Home: () => shift(-rows.length), End: () => shift(rows.length), n: () => next(1, marked), p: () => next(-1, marked),
    "]": () => next(1, (r) => r > 0 && laneName(r) === laneName(state.chosen)), "[": () => next(-1, (r) => r > 0 && laneName(r) === laneName(state.chosen)),
    o: () => next(1, (r) => data.object[r] === data.object[state.chosen]), O: () => next(-1, (r) => data.object[r] === data.object[state.chosen]),
    "+": () => zoom(1.25), "-": () => zoom(0.8), "/": () => $("find").focus(),
    Enter: () => { const i = indexOf(state.chosen); if (i >= 0) choose(state.chosen); },
  };
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|SELECT|TEXTAREA|IFRAME)$/.test(e.target.tagName) || !keys[e.key]) return;
    if (e.target.closest("button, a, summary") && e.key === "Enter") return;
    if (e.target.closest(".panel, #step, #replay") && /^(Arrow|Page|Home|End)/.test(e.key)) return;
    e.preventDefault();
    keys[e.key]();
  });
  const fromHash = () => {
    const found = /^#step-(\d+)$/.exec(location.hash);
    if (found) goTo(rowOf(+found[1]));
  };
  addEventListener("hashchange", fromHash);
  document.addEventListener("click", (e) => { // also the second time
    const a = e.target.closest && e.target.closest('a[href^="#step-"]');
    if (a && a.getAttribute("href") === location.hash) fromHash();
  });
  addEventListener("resize", refresh);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);

  const copy = $("copy");
  if (copy) {
    copy.hidden = false;
    copy.addEventListener("click", () => {
      const range = document.createRange();
      range.selectNodeContents($("replay"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      const done = () => { copy.textContent = "Copied"; };
      if (navigator.clipboard) navigator.clipboard.writeText($("replay").textContent).then(done, () => document.execCommand("copy") && done());
      else if (document.execCommand("copy")) done();
    });
  }

  // Tabs of what explains the failure.
  const panels = [...document.querySelectorAll("#explained > .panel")], tabs = document.createElement("div");
  tabs.className = "tabs";
  tabs.setAttribute("role", "tablist");
  tabs.setAttribute("aria-label", "What explains the failure");
  const open = (panel) => {
    for (const p of panels) {
      p.hidden = p !== panel;
      const tab = $("tab-" + p.id);
      tab.setAttribute("aria-selected", p === panel);
      tab.tabIndex = p === panel ? 0 : -1;
    }
    document.querySelector("main").classList.toggle("broad", panel.classList.contains("wide"));
    if (rows) refresh();
  };
  for (const p of panels) {
    const tab = document.createElement("button");
    tab.type = "button"; tab.id = "tab-" + p.id; tab.textContent = p.dataset.title;
    tab.setAttribute("role", "tab"); tab.setAttribute("aria-controls", p.id);
    p.setAttribute("role", "tabpanel"); p.setAttribute("aria-labelledby", tab.id); p.tabIndex = 0;
    tab.addEventListener("click", () => open(p));
    tabs.append(tab);
  }
  tabs.addEventListener("keydown", (e) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!way) return;
    const to = panels[(panels.findIndex((p) => !p.hidden) + way + panels.length) % panels.length];
    open(to);
    $("tab-" + to.id).focus();
  });
  $("explained").prepend(tabs);
  open(panels[0]);
  refresh();
  // What decided, if that and the end are not in one view: the end is told above.
  const ends = data.orders.length ? data.orders.flat().map(rowOf) : decisive.size ? [...decisive] : [...choices.keys()];
  const first = Math.min(...ends, count);
  if (first < count && indexOf(first) >= 0 && tops[indexOf(state.chosen)] - tops[indexOf(first)] > scroll.clientHeight - 60) state.chosen = first;
  choose(state.chosen);
  if (location.hash) fromHash();
  scroll.focus({ preventScroll: true });
  document.documentElement.dataset.ready = Math.round(performance.now()); // milliseconds until it can be stepped through
})();
