// The operator page: it shows what the server sends, and sends what the person does.

import { drawChart } from "./chart.js";
import { Pad, keyName } from "./pad.js";

const RETRY_MS = 1000;
const OLD_S = 1.0; // a picture older than this is dimmed
const REFUSED = 1008;
const find = (id) => document.getElementById(id);
const requests = [...document.querySelectorAll("[data-request]")];
const pad = new Pad(beat);
const views = new Map(); // figure, image and age by name
const shown = {}; // for the age of a picture: when it arrived, and how old it was
let socket = null;
let about = { keys: {}, controls: false, jogs: false, beat_s: 1 };
let state = null;
let wants = false; // the person has asked for control
let beating = 0;

// The token is after the #, which a browser sends to no server. It leaves the address bar, and survives a reload.
if (location.hash.length > 1) {
  sessionStorage.setItem("token", location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}

function connect() {
  socket = new WebSocket(`ws://${location.host}/socket`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => socket.send(JSON.stringify({ type: "hello", token: sessionStorage.getItem("token") ?? "" }));
  socket.onmessage = ({ data }) => (typeof data === "string" ? hear(JSON.parse(data)) : showPicture(data));
  socket.onclose = ({ code, reason }) => {
    state = null;
    want(false);
    const refused = code === REFUSED;
    banner("bad", refused ? `refused: ${reason}; open the address that the command has printed` : "no connection to the robot's program");
    enableButtons();
    if (!refused) setTimeout(connect, RETRY_MS);
  };
}

function say(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function hear(message) {
  if (message.type === "welcome") {
    about = message;
    find("title").textContent = about.title;
    find("jog").hidden = !about.jogs;
    pad.build(about.jog_keys, about.keys);
    requests.forEach(nameButton);
    clearInterval(beating);
    beating = setInterval(beat, 1000 * about.beat_s);
  } else if (message.type === "state") {
    state = message;
    if (state.role === "watcher") want(false);
    show();
  } else if (message.type === "notice") {
    find("notice").textContent = message.text;
  }
}

function nameButton(button) {
  button.querySelector("kbd")?.remove();
  const key = about.keys[button.dataset.request];
  if (key) button.append(" ", Object.assign(document.createElement("kbd"), { textContent: key }));
}

// Control.

function beat() {
  if (wants && !document.hidden) say({ type: "beat", ...pad.state() });
}

function want(wanted) {
  if (wants === wanted) return;
  wants = wanted;
  pad.release();
}

function press(name) {
  find("notice").textContent = "";
  say({ type: "press", name });
}

find("take").addEventListener("click", () => {
  const operates = state?.role === "operator";
  want(!operates);
  say({ type: operates ? "give_up" : "take" });
});
requests.forEach((button) => button.addEventListener("click", () => press(button.dataset.request)));

addEventListener("keydown", (event) => {
  if (!wants || event.ctrlKey || event.altKey || event.metaKey) return;
  const name = keyName(event);
  const request = requests.map((button) => button.dataset.request).find((one) => about.keys[one] === name);
  const jogs = about.jogs && pad.key(name, true);
  if (request && !event.repeat) press(request);
  if (request || jogs) event.preventDefault();
});
addEventListener("keyup", (event) => {
  const name = keyName(event);
  const jogs = pad.key(name, false);
  if (wants && (jogs || Object.values(about.keys).includes(name))) event.preventDefault();
});
addEventListener("blur", () => pad.release());
document.addEventListener("visibilitychange", () => pad.release());

// What is shown.

function show() {
  const [level, text] = situation();
  banner(level, text);
  const role = { operator: "you operate", watcher: "another page operates; this one watches", free: "no page operates" };
  find("role").textContent = about.controls ? role[state.role] : "this page watches: no person's device is configured";
  find("take").textContent = state.role === "operator" ? "Give up control" : "Take control";
  enableButtons();
  const learner = state.learner;
  const facts = {
    "in control": state.holder,
    episode: `${state.episode + 1}, step ${state.steps}; ${state.finished} finished`,
    recorded: state.demos && `${state.demos.successes} of ${state.demos.wanted} demonstrations`,
    "newest attempt": state.demos?.quality,
    learner: learner && `${learner.connected ? learner.phase : "not connected"}${learner.stalled ? ", stalled" : ""}`,
    policy: state.policy && `version ${state.policy.version}, ${state.policy.age_s.toFixed(0)} s old`,
    "disk left": state.disk_free_gb && `${state.disk_free_gb.toFixed(1)} GB`,
  };
  const rows = Object.entries(facts).filter(([, value]) => value);
  find("list").replaceChildren(...rows.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  const rates = drawChart(find("chart"), state.episodes);
  find("chart-text").replaceChildren(...(rates ? [
    element("span", `success unassisted ${percent(rates.alone)}`, "key-alone"), ", ",
    element("span", `with an intervention ${percent(rates.helped)}`, "key-helped"), " of the newest 20 episodes",
  ] : ["no finished episode yet"]));
  find("lines").replaceChildren(...state.lines.reverse().map(([age, text]) => element("li", `${age.toFixed(0)} s ago: ${text}`)));
}

function situation() {
  const { motion } = state;
  const key = about.keys.resume ? ` (${about.keys.resume})` : "";
  if (motion?.needs_recover) return ["bad", "the robot had a fault: make it safe, and recover it first"];
  if (state.fault) return ["bad", `fault: ${state.fault}`];
  if (state.stop) return ["bad", `stopped: ${state.stop}. Make it safe, then press Enable${key}`];
  if (motion && !motion.enabled) return ["warn", `motion disabled: ${motion.reason}. Press Enable${key} to go on`];
  if (motion?.person_left) return ["bad", "the robot holds: the operator's page was lost. Take control, or press Enable"];
  if (state.countdown_s) return ["warn", `the robot moves in ${state.countdown_s}`];
  if (state.waiting) return ["warn", `waiting for ${state.waiting}`];
  return { person: ["warn", "person in control"], policy: ["good", "policy in control"] }[state.holder] ?? ["soft", "the robot stands still"];
}

function enableButtons() {
  const operates = state?.role === "operator";
  requests.forEach((button) => { button.disabled = !operates; });
  find("recover").hidden = !(about.recovers && state?.motion?.needs_recover);
  find("jog").disabled = !operates;
  find("take").disabled = !state || !about.controls || state.role === "watcher";
}

function banner(level, text) {
  const line = find("banner");
  line.dataset.level = level;
  if (line.textContent !== text) line.textContent = text;
}

function showPicture(data) {
  const head = new DataView(data);
  const name = state?.views[head.getUint8(0)];
  if (name === undefined) return;
  if (!views.has(name)) views.set(name, addView(name));
  const { image } = views.get(name);
  const address = URL.createObjectURL(new Blob([data.slice(13)], { type: "image/jpeg" }));
  image.onload = () => URL.revokeObjectURL(address);
  image.src = address;
  shown[name] = { arrived: performance.now(), age_s: head.getFloat64(1, true), number: head.getUint32(9, true) };
}

function addView(name) {
  const figure = document.createElement("figure");
  const image = Object.assign(document.createElement("img"), { alt: `camera ${name}` });
  const caption = document.createElement("figcaption");
  figure.append(image, caption);
  find("views").append(figure);
  return { figure, image, caption };
}

setInterval(() => {
  for (const [name, { figure, caption }] of views) {
    const age = shown[name].age_s + (performance.now() - shown[name].arrived) / 1000;
    caption.textContent = age < OLD_S ? name : `${name}, ${age.toFixed(0)} s old`;
    figure.classList.toggle("old", age >= OLD_S);
  }
}, 250);

function element(tag, text, name = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className: name });
}

function percent(share) {
  return `${(100 * share).toFixed(0)} %`;
}

connect();
