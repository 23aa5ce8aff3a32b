// The board: points to click on, a cursor for the keyboard, the heat map. Numbers of points are row * cols + col.

import { Goban, h, render } from "./vendor/shudan.js";

// The board with the star points that it is given, and not those of its own.
class Starred extends Goban {
  static getDerivedStateFromProps(props, state) {
    return { ...Goban.getDerivedStateFromProps(props, state), hoshis: props.stars };
  }
}

const SMALL = 26; // pixels of a point below which a finger asks twice
const LARGEST = 72;
const COLORS = ["empty", "black stone", "white stone"];
const coarse = matchMedia("(pointer: coarse)");

export class Board {
  constructor(place, say, play) {
    Object.assign(this, { place, say, play, state: null, cursor: null, seen: false });
    new ResizeObserver(() => this.draw()).observe(place.parentElement);
    place.addEventListener("focus", () => { if (place.matches(":focus-visible")) this.go(0, 0); });
  }

  show(state) {
    const other = !this.state || this.state.rows !== state.rows || this.state.cols !== state.cols;
    if (other) Object.assign(this, { cursor: null, seen: false });
    this.state = state;
    this.draw();
  }

  name(point) {
    const { rows, cols, columns } = this.state;
    return columns[point % cols] + (rows - Math.floor(point / cols));
  }

  // The point of "E5"; null for what is none.
  point(text) {
    const found = /^\s*([a-z])\s*([0-9]{1,2})\s*$/i.exec(text);
    if (!found || !this.state) return null;
    const { rows, cols, columns } = this.state;
    const col = columns.indexOf(found[1].toUpperCase()), row = rows - Number(found[2]);
    return col < 0 || row < 0 || row >= rows ? null : row * cols + col;
  }

  about(point) {
    const { board, last, legal, oracle, your_turn: yours } = this.state;
    const heat = oracle && oracle.heat[point];
    return [
      this.name(point),
      COLORS[board[point]],
      point === last ? "last move" : "",
      yours && board[point] === 0 && !legal.includes(point) ? "not legal" : "",
      heat && heat.text ? `the mover wins ${heat.text} percent` : "",
    ].filter(Boolean).join(", ");
  }

  go(down, right) {
    if (!this.state) return;
    const { rows, cols, last } = this.state;
    const middle = Math.floor(rows / 2) * cols + Math.floor(cols / 2);
    const at = this.cursor ?? (last >= 0 ? last : middle);
    const row = Math.min(rows - 1, Math.max(0, Math.floor(at / cols) + down));
    const col = Math.min(cols - 1, Math.max(0, (at % cols) + right));
    this.cursor = row * cols + col;
    this.seen = true;
    this.draw();
  }

  press() {
    if (this.cursor === null) this.go(0, 0);
    else this.play(this.cursor);
  }

  click(point) {
    const twice = coarse.matches && this.size < SMALL && this.cursor !== point;
    this.cursor = point;
    this.seen = twice;
    this.draw();
    if (!twice) this.play(point);
  }

  // What stands at the cursor, while it is to be seen.
  line() {
    if (!this.seen || this.cursor === null) return "";
    const again = coarse.matches && this.size < SMALL && this.state.legal.includes(this.cursor);
    return this.about(this.cursor) + (again ? ". Tap again to play there." : "");
  }

  grid(make) {
    const { rows, cols } = this.state;
    return Array.from({ length: rows }, (_, y) => Array.from({ length: cols }, (_, x) => make(y * cols + x)));
  }

  draw() {
    if (!this.state) return;
    const { rows, cols, columns, board, stars, last, oracle, your_turn: yours } = this.state;
    const room = this.place.parentElement.clientWidth;
    this.size = Math.max(12, Math.min(LARGEST, Math.floor(room / (cols + 2.4))));
    const heat = oracle && oracle.heat.length ? oracle.heat : [];
    this.place.classList.toggle("yours", yours);
    this.place.setAttribute("aria-label", `Board of ${rows} by ${cols}. ${this.cursor === null ? "" : this.about(this.cursor)}`);
    this.say(this.line());
    render(h(Starred, {
      innerProps: { "aria-hidden": "true" }, // what it shows is said by the element around it
      vertexSize: this.size,
      showCoordinates: true,
      coordX: (x) => columns[x],
      coordY: (y) => rows - y,
      stars: stars.map((p) => [p % cols, Math.floor(p / cols)]),
      signMap: this.grid((p) => [0, 1, -1][board[p]]),
      markerMap: this.grid((p) => (p === last ? { type: "circle" } : null)),
      heatMap: this.grid((p) => heat[p] || null),
      selectedVertices: !this.seen || this.cursor === null ? [] : [[this.cursor % cols, Math.floor(this.cursor / cols)]],
      onVertexClick: (_, [x, y]) => this.click(y * cols + x),
    }), this.place);
  }
}
