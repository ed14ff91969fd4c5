"use strict";
// What the pages do beyond what they are without a script: moments in the reader's zone, live numbers, parts that are
// fetched, a chart. Everything is made on the server and escaped there; nothing here writes HTML of its own.
(() => {
  const each = (root, selector, act) => root.querySelectorAll(selector).forEach(act);

  // The year of a moment of this year goes without saying; the title has all of it.
  const parts = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" };
  const short = new Intl.DateTimeFormat(undefined, parts);
  const long = new Intl.DateTimeFormat(undefined, { year: "numeric", ...parts });
  const written = (moment) => (moment.getFullYear() === new Date().getFullYear() ? short : long).format(moment);
  const localize = (root) => each(root, "time[datetime]", (time) => {
    const moment = new Date(time.getAttribute("datetime"));
    if (Number.isNaN(moment.getTime()) || time.title) return;
    time.title = time.textContent;
    time.textContent = written(moment);
  });

  const parsed = (html) => {
    const box = document.createElement("template");
    box.innerHTML = html;
    localize(box.content);
    return box.content;
  };

  // Makes `here` like `there`, and leaves alone whatever is so already: focus and selection stay.
  const patch = (here, there) => {
    if (here.nodeType === Node.TEXT_NODE) {
      if (here.data !== there.data) here.data = there.data;
      return;
    }
    if (here.nodeType !== Node.ELEMENT_NODE) return;
    for (const { name } of [...here.attributes]) if (!there.hasAttribute(name)) here.removeAttribute(name);
    for (const { name, value } of there.attributes) if (here.getAttribute(name) !== value) here.setAttribute(name, value);
    patchChildren(here, there);
  };
  const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset.key : undefined);
  const patchChildren = (here, there) => {
    const known = new Map();
    for (const child of here.children) if (keyOf(child)) known.set(keyOf(child), child);
    let at = here.firstChild;
    for (const wanted of [...there.childNodes]) {
      const key = keyOf(wanted);
      const fits = at && at.nodeName === wanted.nodeName && !keyOf(at);
      const match = key ? known.get(key) : fits ? at : undefined;
      if (!match) {
        here.insertBefore(wanted, at);
        continue;
      }
      if (match === at) at = at.nextSibling;
      else here.insertBefore(match, at);
      patch(match, wanted);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  };

  const rates = [];
  const draw = (part) => {
    const chart = document.querySelector("[data-chart]");
    const pace = part.querySelector("[data-rate]");
    const rate = pace ? Number(pace.dataset.rate) : NaN;
    if (!chart || !pace || pace.dataset.rate === "" || Number.isNaN(rate)) return;
    rates.push(rate);
    if (rates.length > 150) rates.shift();
    if (rates.length < 2) return;
    const top = Math.max(...rates, 1);
    const points = rates.map((value, i) => `${(600 * i) / (rates.length - 1)},${86 - (82 * value) / top}`);
    chart.hidden = false;
    chart.querySelector("polyline").setAttribute("points", points.join(" "));
    chart.querySelector("[data-chart-top]").textContent = `top ${Math.round(top).toLocaleString()}/s`;
  };

  // One stream a page, and none while nobody looks: a browser has few connections to a server.
  const watch = (bar) => {
    const into = document.getElementById(bar.dataset.into);
    const word = bar.querySelector("[data-live-word]");
    const toggle = bar.querySelector("[data-live-toggle]");
    let stream = null;
    let again = 0;
    let stopped = false;
    const tell = (text, on) => {
      bar.hidden = false;
      bar.classList.toggle("on", on);
      if (word.textContent !== text) word.textContent = text;
    };
    const close = () => {
      clearTimeout(again);
      if (stream) stream.close();
      stream = null;
    };
    const open = () => {
      close();
      if (stopped || document.hidden) return;
      stream = new EventSource(bar.dataset.live);
      stream.onmessage = (event) => {
        tell("Live", true);
        const fresh = parsed(event.data);
        draw(fresh);
        patchChildren(into, fresh);
      };
      stream.onerror = () => {
        if (stream && stream.readyState === EventSource.CLOSED) {
          tell("Not live right now", false);
          again = setTimeout(open, 15000);
        }
      };
    };
    toggle.addEventListener("click", () => {
      stopped = !stopped;
      toggle.textContent = stopped ? "Go on" : "Pause updates";
      if (stopped) {
        close();
        tell("Paused", false);
      } else {
        open();
      }
    });
    document.addEventListener("visibilitychange", open);
    open();
  };

  const load = async (place) => {
    try {
      const answer = await fetch(place.dataset.load, { credentials: "same-origin" });
      if (answer.ok) place.replaceChildren(parsed(await answer.text()));
    } catch {
      // The link in its place stays.
    }
  };

  document.addEventListener("submit", (event) => {
    setTimeout(() => each(event.target, "button", (button) => { button.disabled = true; }), 0);
  });
  window.addEventListener("pageshow", () => each(document, "button[disabled]", (button) => { button.disabled = false; }));
  document.addEventListener("toggle", (event) => {
    const act = event.target;
    if (!act.matches || !act.matches("details.act") || !act.open) return;
    each(document, "details.act[open]", (other) => { if (other !== act) other.open = false; });
    const first = act.querySelector("input:not([type=hidden]), button");
    if (first) first.focus();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    each(document, "details.act[open]", (act) => {
      act.open = false;
      act.querySelector("summary").focus();
    });
  });

  // On a phone the entries are wider than the screen, and it may be turned.
  const here = document.querySelector("nav [aria-current]");
  const show = () => { if (here) here.scrollIntoView({ block: "nearest", inline: "center" }); };
  window.addEventListener("resize", show);
  show();
  localize(document);
  each(document, "[data-live]", watch);
  each(document, "[data-load]", load);
})();
