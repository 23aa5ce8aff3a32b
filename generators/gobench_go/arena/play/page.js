// The page: shows the state that the server tells, and sends wishes. The rules are the server's.

import { Board } from "./board.js";

const SIZES = [5, 7, 9, 13, 19];
const SIDES = ["", "Black", "White"];
const SURE_FOR = 4000; // milliseconds in which a second press resigns
const el = (id) => document.getElementById(id);
const board = new Board(el("board"), (words) => text("said", words), (point) => move(point));
let state = null, gone = false, picked = null, doubt = 0, complaint = "", passing = "";

// --- the server ---

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function ask(path, wish) {
  const options = wish ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wish) } : {};
  const answer = await fetch(path, { cache: "no-store", ...options });
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.error || answer.statusText), { status: answer.status });
  return told;
}

async function listen() {
  for (;;) {
    try {
      const known = state && state.version;
      take(await ask(state ? `state?after=${known}` : "state"));
      if (state.version === known) await pause(500);
      if (gone) complain("");
      gone = false;
    } catch {
      gone = true;
      complain("The server does not answer: is gobench still running?");
      await pause(1500);
    }
  }
}

async function wish(act, more = {}) {
  if (!state) return;
  try {
    const told = await ask("act", { act, game: state.game, ply: state.ply, ...more });
    complain("");
    take(told);
  } catch (error) {
    if (error.status === 409) take(await ask("state"));
    complain(error.message);
  }
}

function take(told) {
  if (state && told.version < state.version) return;
  if (state && (told.game !== state.game || told.ply !== state.ply)) complaint = passing = "";
  const shown = state && JSON.stringify(state.shown);
  state = told;
  if (shown !== JSON.stringify(state.shown)) picked = null;
  draw();
}

// --- wishes ---

function move(point) {
  if (!state) return;
  if (state.your_turn && !state.legal.includes(point) && state.board[point] === 0) {
    complain(`${board.name(point)} is not legal here.`);
    return;
  }
  wish("play", { move: point });
}

// A pass that ends the game, or comes early, is asked about once.
function pass() {
  if (!state) return;
  const asked = passing;
  passing = state.if_passed && `${state.game}/${state.ply}`;
  if (passing && asked !== passing) buttons();
  else wish("play", { move: state.rows * state.cols });
}

function resign() {
  if (Date.now() - doubt < SURE_FOR) {
    doubt = 0;
    wish("resign");
  } else {
    doubt = Date.now();
    setTimeout(buttons, SURE_FOR + 50);
  }
  buttons();
}

function start() {
  const [rows, cols] = el("size").value.split("x").map(Number);
  wish("new", { you: el("you").value, rows, cols });
  el("board").focus();
}

// --- drawing ---

const text = (id, words) => { if (el(id).textContent !== words) el(id).textContent = words; };

// What the page itself has to say, before what the server says.
function complain(words) {
  complaint = words;
  const all = complaint || (state && state.error) || "";
  el("error").hidden = !all;
  text("error", all);
}

function draw() {
  const [black, white] = state.names;
  document.title = `${black} – ${white}`;
  text("title", `${called(black)} (Black) against ${white} (White)`);
  text("facts", `${state.rows}×${state.cols}, komi ${state.komi}, rules ${state.rules}, move ${state.ply}`);
  text("status", status());
  complain(complaint);
  text("captures", `Captured by Black ${state.captures[0]}, by White ${state.captures[1]}`);
  board.show(state);
  buttons();
  frames();
  oracle();
  moves();
  choices();
}

const called = (name) => name.charAt(0).toUpperCase() + name.slice(1);

function status() {
  const side = SIDES[state.to_move], last = state.moves.at(-1);
  const before = last ? `${SIDES[last.color]} ${last.move === "pass" ? "passed" : `played ${last.move}`}. ` : "";
  if (state.over) return `${before}${state.end} ${state.result}`;
  if (state.error) return `${before}${side} did not answer.`;
  if (state.your_turn) return `${before}Your move (${side}).`;
  if (state.paused) return `${before}Paused, ${side} to move.`;
  return `${before}${called(state.names[state.to_move - 1])} is thinking (${side})…`;
}

function buttons() {
  const human = state.seats.includes("you");
  el("pass").disabled = !state.your_turn;
  const unsure = state.your_turn && passing === `${state.game}/${state.ply}`;
  el("warning").hidden = !unsure;
  text("warning", unsure ? `${state.if_passed} Pass again if that is meant.` : "");
  text("pass", unsure ? "Really pass?" : "Pass");
  el("undo").disabled = !state.ply && !state.over;
  el("resign").disabled = !human || state.over;
  text("resign", Date.now() - doubt < SURE_FOR ? "Really resign?" : "Resign");
  el("pause").hidden = human || state.over;
  text("pause", state.paused ? "Go on" : "Pause");
  el("retry").hidden = !state.error;
}

function frames() {
  const shown = state.shown;
  el("no-frame").hidden = Boolean(shown);
  el("pictures").hidden = el("reading").hidden = !shown;
  text("no-frame", state.video ? "No frame yet: it is asked when it is to move." : "None: this player is no video model.");
  if (!shown) return;
  const number = picked ?? shown.tries.length - 1, each = shown.tries[number];
  source("prompt", shown.prompt);
  source("frame", each.frame);
  el("prompt").alt = "The last frame that the model was shown";
  el("frame").alt = `Generated frame, try ${number + 1}: ${each.about}`;
  text("prompt-text", `Shown: the last of ${shown.seen}`);
  text("frame-text", `Generated for move ${shown.ply + 1}, try ${number + 1} of ${shown.tries.length}: ${each.about}`);
  el("reading").tBodies[0].replaceChildren(...shown.tries.map((t, n) => row(t, n, number)));
}

function source(id, address) {
  el(id).hidden = !address;
  if (address && el(id).getAttribute("src") !== address) el(id).src = address;
}

function row(each, n, number) {
  const line = document.createElement("tr"), button = document.createElement("button");
  button.type = "button";
  button.textContent = n + 1;
  button.setAttribute("aria-pressed", String(n === number));
  button.setAttribute("aria-label", `Show try ${n + 1}`);
  button.addEventListener("click", () => { picked = n; frames(); });
  line.insertCell().append(button);
  const kind = line.insertCell();
  kind.textContent = each.kind;
  kind.title = each.about;
  line.insertCell().textContent = each.move || "–";
  line.insertCell().textContent = each.confidence === null ? "–" : sure(each);
  const verdict = line.insertCell();
  verdict.textContent = !each.illegal ? "legal" : each.move ? `not legal: ${each.illegal}` : "no move";
  verdict.className = each.illegal ? "illegal" : "legal";
  return line;
}

function sure(each) {
  const least = each.confidence.toFixed(2);
  return each.unsure ? `${least} (${each.unsure} unsure)` : least;
}

function oracle() {
  const told = state.oracle;
  el("oracle").hidden = !told;
  if (!told) return;
  text("oracle-name", told.name);
  el("heat").checked = told.on;
  el("legend").hidden = told.gives !== "chances";
  el("only-moves").hidden = told.gives !== "moves";
  text("opinion", told.error || told.text || (told.on && !state.over ? "thinking…" : ""));
}

function moves() {
  const list = el("moves");
  list.replaceChildren(...state.moves.map((each, n) => {
    const item = document.createElement("li"), more = document.createElement("small");
    const stone = document.createElement("i"), side = document.createElement("span");
    stone.className = each.color === 1 ? "stone black" : "stone white";
    side.className = "unseen";
    side.textContent = SIDES[each.color];
    more.textContent = notes(each);
    item.append(stone, side, ` ${each.move} `, more);
    if (n === state.moves.length - 1) item.className = "now";
    return item;
  }));
  list.scrollTop = list.scrollHeight;
}

function notes(each) {
  return [
    each.captured ? `takes ${each.captured}` : "",
    each.tries ? `${each.tries} tries` : "",
    each.lost >= 0.005 ? `loses ${(100 * each.lost).toFixed(0)}%` : "",
  ].filter(Boolean).join(", ");
}

function choices() {
  const now = `${state.rows}x${state.cols}`;
  if (el("size").dataset.for !== now) {
    const sizes = SIZES.map((n) => `${n}x${n}`);
    const all = sizes.includes(now) ? sizes : [now, ...sizes];
    el("size").replaceChildren(...all.map((size) => new Option(size.replace("x", "×"), size, size === now, size === now)));
    el("size").dataset.for = now;
    el("you").value = state.seats[1] === "you" ? "white" : "black";
  }
  if (state.opponent && el("you").options.length === 2) el("you").add(new Option("Nobody: look on", ""));
  if (!state.seats.includes("you") && el("you").dataset.looked !== now) {
    el("you").value = "";
    el("you").dataset.looked = now;
  }
}

// --- buttons and keys ---

const KEYS = {
  ArrowUp: () => board.go(-1, 0),
  ArrowDown: () => board.go(1, 0),
  ArrowLeft: () => board.go(0, -1),
  ArrowRight: () => board.go(0, 1),
  Enter: () => board.press(),
  " ": () => board.press(),
  p: () => pass(),
  u: () => wish("undo"),
  h: () => state && state.oracle && wish("oracle", { on: !state.oracle.on }),
  n: () => el("start").focus(),
};

document.addEventListener("keydown", (event) => {
  const on = document.activeElement, plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  const typing = on && /^(INPUT|SELECT|TEXTAREA)$/.test(on.tagName) && on.type !== "checkbox";
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const own = on === el("board") || on === document.body || key.length === 1 && key !== " ";
  if (!plain || typing || !own || !KEYS[key]) return;
  event.preventDefault();
  KEYS[key]();
});
el("pass").addEventListener("click", pass);
el("undo").addEventListener("click", () => wish("undo"));
el("resign").addEventListener("click", resign);
el("pause").addEventListener("click", () => wish("pause"));
el("retry").addEventListener("click", () => wish("retry"));
el("heat").addEventListener("change", () => wish("oracle", { on: el("heat").checked }));
el("new").addEventListener("submit", (event) => { event.preventDefault(); start(); });
el("point").addEventListener("submit", (event) => {
  event.preventDefault();
  const typed = el("vertex").value, point = board.point(typed);
  if (/^pass$/i.test(typed.trim())) pass();
  else if (point === null) complain(`${typed || "nothing"} is no point: write a letter and a number, such as E5.`);
  else { el("vertex").value = ""; move(point); }
});
listen();
