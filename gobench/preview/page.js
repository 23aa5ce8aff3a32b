"use strict";
// Plays the episodes of the page. All that comes from records is set as text or attributes, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
const { episodes, splits } = JSON.parse(byId("data").textContent);
const state = { shown: [], current: null, view: "board", at: 0, timer: 0 };
const prepared = new Map(); // episode -> boards or the address of its video

function element(parent, tag, attributes, text) {
  const made = parent.namespaceURI === SVG || tag === "svg"
    ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

// ---- episodes ----

function boardsOf(episode) {
  if (!prepared.has(episode.board)) {
    const boards = [Array.from(episode.board.start)];
    for (const step of episode.board.steps) {
      const board = boards[boards.length - 1].slice();
      for (const [, point, disc] of step.matchAll(/(\d+)([.XO])/g)) board[+point] = disc;
      boards.push(board);
    }
    prepared.set(episode.board, boards);
  }
  return prepared.get(episode.board);
}

function videoOf(pixels) {
  if (!prepared.has(pixels)) {
    const bytes = Uint8Array.from(atob(pixels.video.split(",")[1]), (c) => c.charCodeAt(0));
    prepared.set(pixels, URL.createObjectURL(new Blob([bytes], { type: "video/mp4" })));
  }
  return prepared.get(pixels);
}

function moments(episode, view) { // how many there are to show
  if (view === "board") return episode.board.steps.length + 1;
  return episode.pixels.video ? episode.pixels.frames : episode.pixels.pictures.length;
}

// ---- the stage ----

function drawGrid(stage, board) {
  const names = board.columns && board.lines;
  const edge = names ? 1.15 : 0.75;
  const width = board.cols - 1 + 2 * edge, height = board.rows - 1 + 2 * edge;
  const svg = element(stage, "svg", { class: "board", viewBox: `${-edge} ${-edge} ${width} ${height}`, role: "img" });
  element(svg, "rect", { class: "wood", x: -edge, y: -edge, width, height, rx: 0.12 });
  for (let r = 0; r < board.rows; r++) element(svg, "line", { x1: 0, y1: r, x2: board.cols - 1, y2: r });
  for (let c = 0; c < board.cols; c++) element(svg, "line", { x1: c, y1: 0, x2: c, y2: board.rows - 1 });
  for (const p of board.dots || []) {
    element(svg, "circle", { class: "dot", cx: p % board.cols, cy: Math.floor(p / board.cols), r: 0.1 });
  }
  if (names) {
    board.columns.forEach((name, c) => element(svg, "text", { x: c, y: board.rows - 1 + 0.85 }, name));
    board.lines.forEach((name, r) => element(svg, "text", { x: -0.85, y: r }, name));
  }
  return { svg, discs: element(svg, "g", {}) };
}

function showBoard(episode) {
  const board = episode.board, stage = byId("stage");
  if (!stage.grid) stage.grid = drawGrid(stage, board);
  const now = boardsOf(episode)[state.at];
  const { svg, discs } = stage.grid;
  discs.replaceChildren();
  const place = (p) => ({ cx: p % board.cols, cy: Math.floor(p / board.cols) });
  now.forEach((disc, p) => {
    if (disc !== ".") element(discs, "circle", { class: `disc ${disc}`, ...place(p), r: 0.47 });
  });
  const last = board.last ? board.last[state.at] : -1;
  if (last >= 0 && now[last] && now[last] !== ".") {
    element(discs, "circle", { class: `mark ${now[last]}`, ...place(last), r: 0.22 });
  }
  const hint = board.hints && byId("hint").checked ? board.hints[state.at] : -1;
  if (hint >= 0 && hint < now.length) element(discs, "circle", { class: "hint", ...place(hint), r: 0.4 });
  svg.setAttribute("aria-label", captionOf(episode));
}

function showPixels(episode) {
  const pixels = episode.pixels, stage = byId("stage");
  if (pixels.video) {
    if (!stage.film) {
      stage.film = element(stage, "video", { playsinline: "", preload: "auto" });
      stage.film.muted = true;
      stage.film.src = videoOf(pixels);
    }
    stage.film.currentTime = (state.at + 0.5) / pixels.fps;
  } else {
    if (!stage.film) stage.film = element(stage, "img", { alt: "" });
    stage.film.src = pixels.pictures[state.at];
  }
}

function captionOf(episode) {
  const total = moments(episode, state.view) - 1;
  const frame = state.view === "pixels" && episode.pixels.times ? episode.pixels.times[state.at] : state.at;
  const place = `${state.view === "board" ? "move" : "frame"} ${frame} / ${
    state.view === "pixels" && episode.pixels.times ? episode.pixels.times[total] : total}`;
  const label = state.view === "board" && episode.board.labels ? episode.board.labels[state.at] : "";
  return label ? `${place} · ${label}` : place;
}

function show(at) {
  const episode = state.current;
  state.at = Math.max(0, Math.min(at, moments(episode, state.view) - 1));
  (state.view === "board" ? showBoard : showPixels)(episode);
  byId("at").value = state.at;
  let caption = captionOf(episode);
  const values = state.view === "board" && episode.board.values;
  if (values && values[state.at] >= 0) {
    caption += ` · ${episode.board.values_name || "value"} ${Math.round(100 * values[state.at])}%`;
  }
  byId("caption").textContent = caption;
  const now = byId("curve").querySelector(".now");
  if (now) { now.setAttribute("x1", state.at); now.setAttribute("x2", state.at); }
}

function drawCurve(episode) {
  const curve = byId("curve");
  curve.replaceChildren();
  const values = state.view === "board" && episode.board.values;
  curve.toggleAttribute("hidden", !values);
  if (!values) return;
  curve.setAttribute("viewBox", `0 0 ${Math.max(1, values.length - 1)} 1`);
  curve.setAttribute("preserveAspectRatio", "none");
  element(curve, "line", { class: "half", x1: 0, y1: 0.5, x2: values.length - 1, y2: 0.5 });
  const points = values.map((v, i) => (v < 0 ? "" : `${i},${(1 - v).toFixed(4)}`)).filter(Boolean);
  element(curve, "polyline", { class: "line", points: points.join(" ") });
  element(curve, "line", { class: "now", x1: 0, y1: 0, x2: 0, y2: 1 });
}

// ---- choosing ----

function setView(view) {
  const episode = state.current, was = state.view;
  const first = (episode.board && episode.board.first) || 0;
  state.view = episode[view] ? view : episode.board ? "board" : "pixels";
  if (was !== state.view && episode.board && episode.pixels) state.at += state.view === "pixels" ? -first : first;
  const stage = byId("stage");
  stage.replaceChildren();
  stage.grid = stage.film = null;
  byId("view-board").setAttribute("aria-pressed", state.view === "board");
  byId("view-pixels").setAttribute("aria-pressed", state.view === "pixels");
  byId("views").hidden = !(episode.board && episode.pixels);
  byId("hinting").hidden = !(state.view === "board" && episode.board.hints);
  byId("at").max = moments(episode, state.view) - 1;
  drawCurve(episode);
  show(state.at);
}

function select(episode, at = episode.opens || 0) {
  pause();
  state.current = episode;
  state.at = at;
  byId("name").textContent = episode.title || episode.key;
  const about = byId("about");
  about.replaceChildren();
  for (const [name, text] of episode.facts) {
    element(about, "dt", {}, name);
    element(about, "dd", {}, text);
  }
  for (const button of byId("list").querySelectorAll("button")) {
    button.setAttribute("aria-current", button.episode === episode);
  }
  setView(state.view);
}

function step(by) { // another clip of the gallery
  const i = state.shown.indexOf(state.current);
  const next = state.shown[Math.max(0, Math.min(i + by, state.shown.length - 1))];
  if (!next) return;
  select(next);
  address();
  const button = [...byId("list").querySelectorAll("button")].find((b) => b.episode === next);
  if (button) button.scrollIntoView({ block: "nearest" });
}

function list() {
  const words = byId("search").value.toLowerCase(), split = byId("split").value;
  state.shown = episodes.filter((e) => (!split || e.split === split)
    && (!words || [e.key, e.title, ...e.facts.flat()].join(" ").toLowerCase().includes(words)));
  byId("list").replaceChildren();
  for (const episode of state.shown) {
    const button = element(element(byId("list"), "li"), "button", { type: "button", title: episode.key });
    button.episode = episode;
    element(button, "img", { src: episode.thumb, alt: "", loading: "lazy" });
    element(button, "span", { class: "name" }, episode.title || episode.key);
    element(button, "span", { class: "split" }, episode.title ? `${episode.split} · ${episode.key}` : episode.split);
    button.setAttribute("aria-current", episode === state.current);
    button.addEventListener("click", () => {
      select(episode);
      address();
      const top = byId("player").getBoundingClientRect().top;
      if (top < 0 || top > innerHeight / 2) byId("player").scrollIntoView({ behavior: "smooth" });
    });
  }
  byId("count").textContent = `${state.shown.length} of ${episodes.length}`;
}

// ---- addresses: page.html#KEY:MOMENT:VIEW ----

function follow() {
  const [key, at, view] = decodeURIComponent(location.hash.slice(1)).split(":");
  const episode = episodes.find((e) => e.key === key);
  if (view === "board" || view === "pixels") state.view = view;
  const moment = Number.parseInt(at, 10);
  select(episode || state.current || episodes[0], Number.isNaN(moment) ? undefined : moment);
}

function address() {
  const parts = [state.current.key, state.at, state.view].map(encodeURIComponent);
  history.replaceState(null, "", `#${parts.join(":")}`);
}

// ---- playing ----

function pause() {
  clearInterval(state.timer);
  state.timer = 0;
  byId("play").textContent = "▶ play";
}

function play() {
  if (state.timer) return pause();
  if (state.at >= moments(state.current, state.view) - 1) show(0);
  byId("play").textContent = "❚❚ stop";
  state.timer = setInterval(() => {
    if (state.at >= moments(state.current, state.view) - 1) pause();
    else show(state.at + 1);
  }, 1000 / byId("speed").value);
}

function go(at) {
  pause();
  show(at);
  address();
}

const KEYS = {
  ArrowLeft: () => go(state.at - 1), ArrowRight: () => go(state.at + 1), ArrowUp: () => step(-1),
  ArrowDown: () => step(1), Home: () => go(0), End: () => go(Infinity), " ": play,
};

function start() {
  if (!episodes.length) return;
  const groups = [...new Set(episodes.map((e) => e.split))];
  element(byId("split"), "option", { value: "" }, `all ${splits}`);
  for (const split of groups) element(byId("split"), "option", { value: split }, split);
  byId("search").addEventListener("input", list);
  byId("split").addEventListener("change", list);
  byId("at").addEventListener("input", () => go(+byId("at").value));
  byId("first").addEventListener("click", KEYS.Home);
  byId("back").addEventListener("click", KEYS.ArrowLeft);
  byId("next").addEventListener("click", KEYS.ArrowRight);
  byId("last").addEventListener("click", KEYS.End);
  byId("play").addEventListener("click", play);
  byId("speed").addEventListener("change", () => { if (state.timer) { pause(); play(); } });
  byId("hint").addEventListener("change", () => show(state.at));
  byId("view-board").addEventListener("click", () => setView("board"));
  byId("view-pixels").addEventListener("click", () => setView("pixels"));
  byId("curve").addEventListener("click", (event) => {
    const box = byId("curve").getBoundingClientRect();
    go(Math.round((event.clientX - box.left) / box.width * (moments(state.current, state.view) - 1)));
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.matches("input[type=search], select");
    const slides = event.target.id === "at" && event.key.startsWith("Arrow");
    const presses = event.target.matches("button") && event.key === " ";
    if (typing || slides || presses || event.altKey || event.ctrlKey || event.metaKey || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  addEventListener("hashchange", follow);
  list();
  follow();
}

start();
