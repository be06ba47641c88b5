"""The script of the page of a running orchestra."""

from __future__ import annotations

SCRIPT = """
"use strict";
const SIGNS = {open: "✔", ready: "✔", waiting: "·", connecting: "◌", starting: "◌", retrying: "↻", degraded: "▲",
  failed: "✘", closed: "○"};
const LOOKS = {open: "good", ready: "good", retrying: "bad", degraded: "bad", failed: "bad"};
const POLL = 2000, RETRY = 1000, LATELY = 50;
const $ = id => document.getElementById(id);
let key = sessionStorage.getItem("orchestra-key"), drawn = null, before = null, asking = null;

class Refused extends Error {}

async function ask(path, options = {}) {
  const answer = await fetch(path, {...options, cache: "no-store", headers: {Authorization: `Bearer ${key}`}});
  if (answer.status === 401 || answer.status === 403) throw new Refused(await answer.text());
  return answer;
}

function element(tag, text, look) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (look) made.className = look;
  return made;
}

const signed = state => `${SIGNS[state] || "?"} ${state}`;
const size = bytes => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1000 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${unit ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
};

function reason(error) {
  if (!error) return "";
  const again = error.next_retry ? `, again in ${Math.max(1, Math.round(error.next_retry - Date.now() / 1000))} s` : "";
  const help = error.suggestion ? ` (${error.suggestion})` : "";
  return `${error.code} ${error.message}${help}${again}`;
}

function row(name, state, cells) {
  const made = document.createElement("tr"), head = element("th", name);
  head.scope = "row";
  made.dataset.name = name;
  made.dataset.state = state;
  made.append(head, element("td", signed(state), `state ${LOOKS[state] || "quiet"}`), ...cells);
  return made;
}

const remarks = tunnel =>
  [...tunnel.notes, ...tunnel.failed_over ? [`over ${tunnel.path.join(" → ")}`] : []].join("; ");

function traffic(tunnel, direction, seconds) {
  const earlier = before && before.tunnels.get(tunnel.name), now = tunnel[`bytes_${direction}`];
  const rate = earlier && seconds > 0 ? (now - earlier[`bytes_${direction}`]) / seconds : 0;
  return element("td", size(now) + (rate >= 1 ? `, ${size(rate)}/s` : ""), "number");
}

function show(status) {
  const now = performance.now(), seconds = before ? (now - before.at) / 1000 : 0;
  document.title = `${SIGNS[status.state]} ${status.name} · orchestra`;
  $("name").textContent = status.name;
  $("about").textContent = `${status.file} · pid ${status.pid} · version ${status.version}`;
  whole(status.state);
  $("sessions").replaceChildren(...status.sessions.map(each => row(each.id, each.state, [
    element("td", String(Math.max(0, each.handshakes.counts.reduce((sum, one) => sum + one, 0) - 1)), "number"),
    element("td", each.state === "open" ? "" : reason(each.error), "bad")])));
  $("tunnels").replaceChildren(...status.tunnels.map(each => row(each.name, each.state, [
    element("td", (each.at ? `${each.at} ` : "") + each.listen.join(", ")),
    element("td", String(each.connections), "number"), traffic(each, "in", seconds), traffic(each, "out", seconds),
    element("td", each.state === "ready" ? remarks(each) : reason(each.error),
      each.state === "ready" ? "quiet" : "bad")])));
  before = {at: now, tunnels: new Map(status.tunnels.map(each => [each.name, each]))};
  mark(status);
}

function whole(state) {
  const text = signed(state);
  if ($("state").textContent !== text) $("state").textContent = text;
  $("state").className = `state ${LOOKS[state] || "quiet"}`;
}

const NS = "http://www.w3.org/2000/svg";
const named = part => (part.getAttribute("data-tunnels") || "").split(" ");

function badge(part, state, error, more = "") {
  part.dataset.state = state;
  let title = part.querySelector(":scope > title");
  if (!title) part.prepend(title = document.createElementNS(NS, "title"));
  title.textContent = `${part.dataset.session || part.id.replace(/^[a-z]+-/, "")}: ${state}`
    + (error && LOOKS[state] === "bad" ? `: ${error.code} ${error.message}` : "") + more;
  let sign = part.querySelector(":scope > .sign");
  const box = part.querySelector(":scope > .label") || part.querySelector(":scope > .box");
  if (!box) return;
  if (!sign) {
    sign = document.createElementNS(NS, "g");
    const x = box.x.baseVal.value + box.width.baseVal.value, y = box.y.baseVal.value;
    const circle = document.createElementNS(NS, "circle"), text = document.createElementNS(NS, "text");
    for (const [name, value] of [["cx", x], ["cy", y], ["r", 8]]) circle.setAttribute(name, value);
    for (const [name, value] of [["x", x], ["y", y + 4]]) text.setAttribute(name, value);
    sign.append(circle, text);
    part.append(sign);
  }
  sign.setAttribute("class", `sign ${LOOKS[state] || "quiet"}`);
  sign.lastChild.textContent = SIGNS[state] || "?";
}

function mark(status) {
  const picture = $("picture").querySelector("svg");
  if (!picture) return;
  const sessions = new Map(status.sessions.map(each => [each.id, each]));
  const tunnels = new Map(status.tunnels.map(each => [each.name, each]));
  const worst = new Map();
  for (const each of status.sessions)
    if (!worst.has(each.server) || each.state === "open") worst.set(each.server, each);
  for (const part of picture.querySelectorAll(".arrow[id]")) {
    const session = sessions.get(part.dataset.session);
    if (session) badge(part, session.state, session.error);
    if (part.dataset.session || part.classList.contains("spare")) continue;
    const using = named(part).map(name => tunnels.get(name)).filter(Boolean);
    const found = using.find(each => each.state !== "ready") || using[0];
    const carried = using.map(each => `\n${each.name}: ${size(each.bytes_in)} in, ${size(each.bytes_out)} out`);
    if (found) badge(part, found.state, found.error, carried.join(""));
  }
  for (const [server, session] of worst) {
    const node = document.getElementById(`node-${server}`);
    if (node) badge(node, session.state, session.error);
  }
}

async function draw(status) {
  const wanted = JSON.stringify([status.sessions.map(each => each.id), status.tunnels.map(each => each.name)]);
  if (wanted === drawn) return;
  const answer = await ask("/v1/picture");
  if (answer.ok) {
    const read = new DOMParser().parseFromString(await answer.text(), "image/svg+xml");
    $("picture").replaceChildren(document.importNode(read.documentElement, true));
  } else $("picture").replaceChildren(element("p", await answer.text(), "quiet"));
  drawn = wanted;
}

function refresh() {
  asking ||= (async () => {
    try {
      const status = await (await ask("/v1/status")).json();
      await draw(status);
      show(status);
    } finally {
      asking = null;
    }
  })();
  return asking;
}

function tell(told) {
  const why = LOOKS[told.state] === "bad" ? reason(told.error) : "";
  const changed = name => told.snapshot ? "" : `${told.type} ${name}: ${told.state} ${why}`;
  const texts = {session: () => changed(told.id), tunnel: () => changed(told.name),
    connection_failed: () => `${told.tunnel}: connection of ${told.peer} failed: ${told.code} ${told.message}`,
    reloaded: () => { drawn = null; return `another plan: ${told.lines.join("; ") || "nothing changed"}`; },
    path: () => `tunnel ${told.name}: over ${told.path.join(" → ")}: ${told.reason}`,
    notice: () => `${told.host ? `${told.host}: ` : ""}${told.message}`};
  const text = texts[told.type] && texts[told.type]();
  if (!text) return;
  const line = element("li", `${new Date(told.time * 1000).toLocaleTimeString()} ${text}`);
  $("lately").prepend(line);
  while ($("lately").childElementCount > LATELY) $("lately").lastChild.remove();
}

async function follow() {
  const answer = await ask("/v1/events"), reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (pending + part.value).split("\\n");
    pending = lines.pop();
    let closed = false;
    for (const told of lines.map(line => JSON.parse(line))) {
      tell(told);
      closed ||= told.type === "closed";
    }
    if (closed) throw new Error("closed");
    await refresh();
  }
}

async function watch() {
  for (;;) {
    try {
      await refresh();
      $("login").hidden = true;
      $("main").hidden = false;
      await follow();
    } catch (error) {
      if (error instanceof Refused) return login(error.message);
      $("state").textContent = "✘ gone: nothing answers any more";
      $("state").className = "state bad";
    }
    await new Promise(done => setTimeout(done, RETRY));
  }
}

function login(why) {
  sessionStorage.removeItem("orchestra-key");
  $("state").textContent = "locked";
  $("main").hidden = true;
  $("login").hidden = false;
  $("refused").textContent = why || "";
  $("token").focus();
}

function enter(given) {
  key = given;
  sessionStorage.setItem("orchestra-key", key);
  watch();
}

async function start() {
  const ticket = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  $("login").addEventListener("submit", event => {
    event.preventDefault();
    const given = $("token").value;
    $("token").value = "";
    enter(given);
  });
  setInterval(() => { if (key && !document.hidden && !$("main").hidden) refresh().catch(() => {}); }, POLL);
  if (ticket) {
    const answer = await fetch("/v1/login", {method: "POST", body: JSON.stringify({ticket})});
    if (answer.ok) return enter((await answer.json()).key);
    if (!key) return login(await answer.text());
  }
  if (key) watch(); else login("");
}

start();
"""
