"use strict";
// Makes the lenses handier: switch observers, replay a time line, zoom it, step from record to record, filter by
// what could be opened. Everything is on the page without it; it reads one data block and asks nobody for anything.
(() => {
  const block = document.getElementById("lens-data");
  if (!block) return;
  const { texts, lenses } = JSON.parse(block.textContent);
  const CLASSES = ["outside", "sealed", "peeled", "read"];
  const WORDS = ["only that it passed", "bytes held, nothing opened", "a layer opened", "read"];
  const SVG = "http://www.w3.org/2000/svg";
  const LANE = 58, TITLE = 22, FACTS = 26, AXIS = 26, SMALLEST = 2.5, LARGEST = 9, ROWS = 60;
  const STEPS = [1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7, 3e7, 6e7, 1.2e8, 3e8, 6e8, 1.8e9, 3.6e9, 2.16e10, 8.64e10];

  const make = (tag, attributes, text) => {
    const element = tag === "svg" || tag === "path" || tag === "text" || tag === "rect"
      ? document.createElementNS(SVG, tag) : document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const button = (text, label) => make("button", { type: "button", "aria-label": label || text }, text);
  const seconds = (us) => `${(us / 1e6).toFixed(3)} s`;
  const clock = (us) => us >= 3.6e9 && us % 3.6e9 === 0 ? `${us / 3.6e9} h` : us >= 6e8 && us % 6e7 === 0 ? `${us / 6e7} min`
    : `${+(us / 1e6).toFixed(3)} s`;
  const size = (bytes) => bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toPrecision(3)} kB`
    : `${(bytes / 1e6).toPrecision(3)} MB`;
  const half = (bytes) => {
    const share = Math.log(Math.max(bytes, 1) / 64) / Math.log((1 << 20) / 64);
    return SMALLEST + (LARGEST - SMALLEST) * Math.min(1, Math.max(0, share));
  };

  class Line {
    constructor(details, lens) {
      this.lens = lens;
      this.details = details;
      this.from = lens.begin;
      this.to = Math.max(lens.end, lens.begin + 1);
      this.classes = new Set([0, 1, 2, 3]);
      this.chosen = -1;
      this.now = null;  // up to when the replay has come; null while there is none
      this.playing = false;
      this.figure = details.querySelector("figure.eye");
      this.body = details.querySelector(".records tbody");
      this.build();
      this.draw();
    }

    build() {
      const tools = make("div", { class: "tools", role: "group", "aria-label": `Time line of ${this.lens.observer}` });
      this.player = button("play", "Replay what is in view as it passed");
      this.player.addEventListener("click", () => { if (this.playing) this.pause(); else this.play(); });
      this.pace = make("select", { "aria-label": "How long the replay takes" });
      for (const lasts of [20, 60, 5]) this.pace.append(make("option", { value: lasts }, `in ${lasts} s`));
      tools.append(this.player, this.pace);
      const zoom = [["−", "Show more time", 2], ["+", "Show less time", 0.5]];
      for (const [sign, label, factor] of zoom) {
        const control = button(sign, label);
        control.addEventListener("click", () => this.zoom(factor));
        tools.append(control);
      }
      for (const [sign, label, way] of [["◀", "Earlier", -1], ["▶", "Later", 1]]) {
        const control = button(sign, label);
        control.addEventListener("click", () => this.shift(way * 0.5));
        tools.append(control);
      }
      const all = button("whole run");
      all.addEventListener("click", () => this.show(this.lens.begin, this.lens.end));
      tools.append(all);
      const present = new Set(this.lens.records.map((record) => record[4]));
      for (const opening of present.size > 1 ? [...present].sort() : []) {
        const label = make("label", {}), box = make("input", { type: "checkbox" });
        box.checked = true;
        box.addEventListener("change", () => {
          if (box.checked) this.classes.add(opening); else this.classes.delete(opening);
          this.draw();
        });
        label.append(box, ` ${WORDS[opening]}`);
        tools.append(label);
      }
      this.said = make("p", { class: "said", "aria-live": "polite" },
        "Point at a mark, or step through the records with the arrow keys. Drag over the time line to zoom.");
      this.holder = make("div", { class: "live" });
      for (const still of this.details.querySelectorAll(".eye .wide, .eye .narrow, .records .note")) still.remove();
      this.figure.prepend(tools, this.holder, this.said);
      new ResizeObserver(() => this.draw()).observe(this.holder);
    }

    visible() {
      return this.lens.records.map((record, k) => [record, k]).filter(([record]) =>
        record[0] >= this.from && record[0] <= this.to && this.classes.has(record[4]));
    }

    x(us) {
      return LARGEST + (us - this.from) / (this.to - this.from) * (this.width - 2 * LARGEST);
    }

    show(from, to) {
      const { begin, end } = this.lens, least = Math.min(1000, end - begin);
      const span = Math.max(least, Math.min(to - from, end - begin));
      this.from = Math.min(Math.max(begin, from), end - span);
      this.to = this.from + span;
      this.draw();
    }

    zoom(factor) {
      const record = this.lens.records[this.chosen];
      const middle = record && record[0] >= this.from && record[0] <= this.to ? record[0] : (this.from + this.to) / 2;
      const reach = (this.to - this.from) * factor / 2;
      this.show(middle - reach, middle + reach);
    }

    shift(share) {
      const span = this.to - this.from;
      this.show(this.from + share * span, this.to + share * span);
    }

    draw() {
      this.width = this.holder.clientWidth;
      if (!this.width) return;
      const { lens, width } = this, height = lens.lanes.length * (LANE + TITLE) + FACTS + TITLE + AXIS;
      const svg = make("svg", { class: "line", viewBox: `0 0 ${width} ${height}`, role: "application", tabindex: 0,
        "aria-label": `Time line of ${lens.observer}: left and right step through the records, plus and minus zoom` });
      this.ticks(svg, height);
      const visible = this.visible();
      let top = 0;
      lens.lanes.forEach(([name, counts]) => {
        const here = visible.filter(([record]) => record[1] === name), total = counts.reduce((a, b) => a + b, 0);
        svg.append(make("text", { class: "lane", x: 0, y: top + 15 },
          `${texts[name]}: ${here.length.toLocaleString("en")} marks here, ${total.toLocaleString("en")} records in all`));
        top += TITLE;
        this.bars(svg, counts, top + LANE);
        const middle = top + LANE / 2;
        svg.append(make("path", { class: "tick", d: `M0 ${middle}H${width}` }));
        for (const [record, k] of here) svg.append(this.mark(record, k, middle));
        top += LANE;
      });
      svg.append(make("text", { class: "lane", x: 0, y: top + 15 }, "facts, by the time when they were known"));
      for (const [us, number, emergent] of lens.facts) {
        if (us < this.from || us > this.to) continue;
        const fact = make("path", { class: `mark ${emergent ? "emergent" : "known"}`,
          d: `M${this.x(us).toFixed(1)} ${top + TITLE + FACTS / 2 - 6}l5 6l-5 6l-5-6z` });
        fact.append(make("title", {}, `fact ${number}`));
        fact.addEventListener("click", () => this.open(number));
        fact.dataset.us = us;
        svg.append(fact);
      }
      this.cursor = make("path", { class: "cursor" });
      svg.append(this.cursor);
      this.height = height;
      this.steer(svg);
      const focused = this.svg && document.activeElement === this.svg;
      this.svg = svg;
      this.holder.replaceChildren(svg);
      if (focused) svg.focus({ preventScroll: true });
      this.reach();
      this.list(visible);
    }

    ticks(svg, height) {
      const most = Math.max(2, Math.floor(this.width / 110)), span = this.to - this.from;
      const step = STEPS.find((one) => span / one <= most) || 8.64e10 * Math.ceil(span / most / 8.64e10);
      for (let us = Math.ceil(this.from / step) * step; us <= this.to; us += step) {
        const x = this.x(us), anchor = x < 24 ? "start" : x > this.width - 28 ? "end" : "middle";
        svg.append(make("path", { class: "tick", d: `M${x.toFixed(1)} ${TITLE}V${height - AXIS}` }),
          make("text", { class: "axis", x: x.toFixed(1), y: height - 8, "text-anchor": anchor },
            clock(us)));
      }
    }

    bars(svg, counts, floor) {
      const most = Math.max(...counts), part = (this.lens.end - this.lens.begin) / counts.length;
      let d = "";
      counts.forEach((count, k) => {
        const from = this.lens.begin + k * part, to = from + part;
        if (!count || to < this.from || from > this.to) return;
        const left = Math.max(LARGEST, this.x(from)), right = Math.min(this.width - LARGEST, this.x(to));
        const high = count / most * LANE * 0.9;
        d += `M${left.toFixed(1)} ${floor}v${(-high).toFixed(1)}H${right.toFixed(1)}V${floor}z`;
      });
      if (d) svg.append(make("path", { class: "counts", d }));
    }

    mark(record, k, middle) {
      const wide = half(record[3]), way = record[2] ? 1 : -1, x = this.x(record[0]);
      const path = make("path", { class: `mark ${CLASSES[record[4]]}${k === this.chosen ? " chosen" : ""}`,
        d: `M${(x - wide).toFixed(1)} ${middle + way}h${2 * wide}l${-wide} ${way * 2 * wide}z` });
      path.addEventListener("pointerenter", () => this.say(k));
      path.addEventListener("click", () => this.choose(k));
      path.dataset.record = k;
      path.dataset.us = record[0];
      return path;
    }

    steer(svg) {
      svg.addEventListener("keydown", (event) => {
        const acts = { ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1), "+": () => this.zoom(0.5),
          "-": () => this.zoom(2), Escape: () => this.show(this.lens.begin, this.lens.end) };
        if (acts[event.key]) { event.preventDefault(); acts[event.key](); }
      });
      const at = (event) => {
        const box = svg.getBoundingClientRect();
        const x = (event.clientX - box.left) * this.width / box.width;
        return this.from + (x - LARGEST) / (this.width - 2 * LARGEST) * (this.to - this.from);
      };
      let begun = null;
      svg.addEventListener("pointerdown", (event) => { if (event.pointerType === "mouse") begun = at(event); });
      svg.addEventListener("pointerup", (event) => {
        if (begun === null) return;
        const ended = at(event), from = Math.min(begun, ended), to = Math.max(begun, ended);
        begun = null;
        if ((to - from) / (this.to - this.from) > 0.02) this.show(from, to);
      });
      svg.addEventListener("dblclick", () => this.show(this.lens.begin, this.lens.end));
    }

    // Replay: what has not passed yet is faint, and a line shows how far it is. Marks and facts are those in view.
    play() {
      if (this.now === null || this.now >= this.to || this.now < this.from) this.now = this.from;
      this.playing = true;
      this.player.textContent = "pause";
      this.said.setAttribute("aria-live", "off");
      let before = performance.now();
      const frame = (moment) => {
        if (!this.playing) return;
        this.now += Math.max(0, moment - before) / 1000 / this.pace.value * (this.to - this.from);
        before = moment;
        if (this.now >= this.to) { this.now = this.to; this.pause(); }
        this.reach();
        this.tell();
        if (this.playing) requestAnimationFrame(frame);
      };
      this.reach();
      requestAnimationFrame(frame);
    }

    pause() {
      this.playing = false;
      this.player.textContent = "play";
      this.said.setAttribute("aria-live", "polite");
    }

    reach() {
      const now = this.now, during = now !== null && now < this.to;
      for (const path of this.svg.querySelectorAll("[data-us]")) path.classList.toggle("later", during && path.dataset.us > now);
      this.cursor.setAttribute("d", during && now >= this.from ? `M${this.x(now).toFixed(1)} ${TITLE}V${this.height - AXIS}` : "");
    }

    tell() {
      const { records, facts } = this.lens, passed = this.visible().filter(([record]) => record[0] <= this.now);
      const known = facts.filter(([us]) => us <= this.now).length;
      if (passed.length) this.say(passed[passed.length - 1][1]);
      const so = `Replay at ${seconds(this.now)}: ${passed.length} of ${records.length} marks passed, `
        + `${known} of ${facts.length} facts known. `;
      this.said.prepend(passed.length ? `${so}Last, ` : so);
      if (!passed.length) this.said.replaceChildren(so);
    }

    step(way) {
      const visible = this.visible().map(([, k]) => k);
      if (!visible.length) return;
      const place = visible.indexOf(this.chosen);
      const next = place < 0 ? (way > 0 ? 0 : visible.length - 1) : Math.min(visible.length - 1, Math.max(0, place + way));
      this.choose(visible[next]);
    }

    choose(k) {
      this.chosen = k;
      for (const path of this.svg.querySelectorAll(".chosen")) path.classList.remove("chosen");
      const path = this.svg.querySelector(`[data-record="${k}"]`);
      if (path) path.classList.add("chosen");
      this.say(k);
    }

    say(k) {
      const [us, , answer, bytes, , source, target, carried, opened, facts] = this.lens.records[k];
      this.said.replaceChildren(`${seconds(us)}: ${texts[source]} to ${texts[target]}, ${size(bytes)}, `
        + `${texts[carried]} ${answer ? "answer" : "request"}; ${texts[opened]}`);
      facts.forEach((number, place) => {
        this.said.append(place ? ", " : "; facts ", make("a", { href: `#fact-${number}` }, number));
      });
    }

    open(number) {
      location.hash = `fact-${number}`;
    }

    list(visible) {
      if (!this.body) return;
      this.body.replaceChildren(...visible.slice(0, ROWS).map(([record]) => {
        const [us, , answer, bytes, , source, target, carried, opened, facts] = record, row = make("tr");
        row.append(make("th", { scope: "row" }, seconds(us)));
        for (const text of [texts[source], texts[target], `${texts[carried]}, ${answer ? "answer" : "request"}`,
          size(bytes), texts[opened]]) row.append(make("td", {}, text));
        const last = make("td");
        facts.forEach((number, place) => last.append(place ? ", " : "", make("a", { href: `#fact-${number}` }, number)));
        row.append(last);
        return row;
      }));
      const caption = this.body.parentNode.querySelector("caption");
      caption.textContent = `Records as ${this.lens.observer} saw them, ${seconds(this.from)} to ${seconds(this.to)}: `
        + `${Math.min(ROWS, visible.length)} of ${visible.length} marks in view, of ${this.lens.records.length} marked`;
    }
  }

  const parts = lenses.map((lens, k) => document.getElementById(`lens-${k + 1}`));
  const ready = new Map();
  const enhance = (k) => {
    if (!ready.has(k) && parts[k].open && parts[k].querySelector("figure.eye")) ready.set(k, new Line(parts[k], lenses[k]));
  };
  parts.forEach((part, k) => {
    part.addEventListener("toggle", () => enhance(k));
    enhance(k);
  });

  const choice = document.getElementById("lens-choice");
  const switches = ["all", ...lenses.map((lens) => lens.observer)].map((name, place) => {
    const control = button(name, place ? `Show only ${name}` : "Show all observers");
    control.addEventListener("click", () => look(place - 1));
    return control;
  });
  const look = (k) => {
    parts.forEach((part, other) => {
      part.hidden = k >= 0 && other !== k;
      if (other === k) part.open = true;
    });
    switches.forEach((control, place) => control.setAttribute("aria-pressed", String(place === k + 1)));
    if (k >= 0) enhance(k);
  };
  choice.append("Look through: ", ...switches);
  choice.hidden = false;
  look(-1);

  // A link into a part that is closed or hidden opens it.
  const arrive = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const lens = target.closest(".lens");
    if (lens && lens.hidden) look(parts.indexOf(lens));
    for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", arrive);
  arrive();
  document.documentElement.dataset.ready = "1";
})();
