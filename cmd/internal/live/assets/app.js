// Shows what the server tells, as it tells it. Nothing is kept here but what was
// chosen, and that is in the page's address.

const monthNames = ["January", "February", "March", "April", "May", "June", "July",
  "August", "September", "October", "November", "December"];
const byId = (id) => document.getElementById(id);

// ------------------------------------------------------------------ in general

const wholeNumber = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const number = (n) => wholeNumber.format(n);

// set writes only what differs: what is selected stays so, and nothing flickers.
function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function field(parent, name, text) {
  set(parent.querySelector(`[data-field="${name}"]`), text);
}

function copy(template) {
  return byId(template).content.firstElementChild.cloneNode(true);
}

// rate rounds to what a number that wobbles is worth: two digits.
function rate(perSecond) {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, perSecond))) - 1);
  return number(Math.round(perSecond / step) * step);
}

// ago says how old something is in steps that grow with it, so that it does not
// change with every look.
function ago(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds / 5) * 5} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}

// ------------------------------------------------------------------ what is chosen

const address = new URLSearchParams(location.search);
const isMonth = (name) => monthNames.includes(name);
const choice = {
  months: address.getAll("month").filter(isMonth),
  year: /^[1-9][0-9]{0,3}$/.test(address.get("year") ?? "") ? address.get("year") : "",
  trend: isMonth(address.get("trend")) ? address.get("trend") : "January",
};
if (choice.months.length === 0) choice.months = monthNames.slice(0, 3);

function chosen() {
  const query = new URLSearchParams(choice.months.map((name) => ["month", name]));
  if (choice.year) query.set("year", choice.year);
  query.set("trend", choice.trend);
  history.replaceState(null, "", `?${query}`);
  drawAll();
}

// chips makes a native box or button for each month.
function chips(form, type, isChosen) {
  for (const name of monthNames) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    const text = document.createElement("span");
    Object.assign(input, { type, name: `${form}-month`, value: name, checked: isChosen(name) });
    input.setAttribute("aria-label", name);
    text.textContent = name.slice(0, 3);
    label.append(input, text);
    byId(form).querySelector("fieldset").append(label);
  }
}

chips("months-choice", "checkbox", (name) => choice.months.includes(name));
chips("trend-choice", "radio", (name) => choice.trend === name);

byId("months-choice").addEventListener("change", (event) => {
  if (event.target.type !== "checkbox") return;
  const boxes = [...event.currentTarget.querySelectorAll("input:checked")];
  if (boxes.length === 0) event.target.checked = true; // a picture has at least one
  else choice.months = boxes.map((box) => box.value);
  chosen();
});

byId("trend-choice").addEventListener("change", (event) => {
  choice.trend = event.target.value;
  chosen();
});

const yearInput = byId("year");
let latestYear = 0; // that was counted

function chooseYear(text) {
  const year = Number(text);
  choice.year = Number.isInteger(year) && year >= 1 && year <= 9999 ? String(year) : "";
  yearInput.value = choice.year;
  byId("latest").hidden = choice.year === "";
  chosen();
}

const step = (by) => chooseYear(Math.max(1, (Number(choice.year) || latestYear || 2000) + by));

yearInput.value = choice.year;
byId("latest").hidden = choice.year === "";
byId("earlier").addEventListener("click", () => step(-1));
byId("later").addEventListener("click", () => step(1));
byId("latest").addEventListener("click", () => { yearInput.focus(); chooseYear(""); });
yearInput.addEventListener("change", () => chooseYear(yearInput.value.trim()));
yearInput.addEventListener("keydown", (event) => {
  const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (by) { event.preventDefault(); step(by); }
});
byId("months-choice").addEventListener("submit", (event) => event.preventDefault());

// ------------------------------------------------------------------ the pictures

let revision = "";

// picture keeps an image up to date: one request at a time, two a second at most.
function picture(name, target) {
  const image = byId(`${name}-picture`);
  const problem = byId(`${name}-problem`);
  let shown = "", busy = false;

  async function draw() {
    const url = target();
    if (busy || url === shown) return;
    busy = true;
    try {
      const answer = await fetch(url);
      const text = await answer.text();
      if (!answer.ok) throw new Error(JSON.parse(text).detail);
      const next = new Image();
      next.src = url;
      await next.decode(); // the old one stays until then
      image.src = url;
      image.alt = /<desc[^>]*>([^<]*)/.exec(text)[1];
      shown = url;
      problem.hidden = true;
    } catch (error) {
      if (connected) {
        set(problem, error.message);
        problem.hidden = false;
      }
      shown = "";
    }
    setTimeout(() => { busy = false; if (shown || connected) draw(); }, shown ? 500 : 2000);
  }
  return draw;
}

const drawMonths = picture("months", () => {
  const query = new URLSearchParams(choice.months.map((name) => ["month", name]));
  if (choice.year) query.set("year", choice.year);
  query.set("revision", revision);
  return `/month.svg?${query}`;
});
const drawTrend = picture("trend", () => `/trend.svg?${new URLSearchParams({ month: choice.trend, revision })}`);

function drawAll() {
  drawMonths();
  drawTrend();
}

// ------------------------------------------------------------------ the numbers

const words = {
  opening: "opening", catching_up: "catching up", live: "live", drained: "done",
  failed: "failed", respawning: "restarting", file: "file",
};

let clock = 0; // the server's time less ours, in milliseconds
let latest = null;
const now = () => Date.now() + clock;

const sum = (rows, name) => rows.reduce((total, row) => total + row[name], 0);
const lastDate = (rows) => rows.map((row) => row.last_date ?? "").sort().at(-1) || "–";

function hear(told) {
  if (latest && latest.version !== told.version) location.reload(); // it may have another page
  latest = told;
  clock = Date.parse(told.time) - Date.now();
  show();
}

function show() {
  const told = latest;
  const rows = told.partitions;
  const filesOnly = rows.length > 0 && rows.every((row) => row.state === "file");
  document.body.classList.toggle("files-only", filesOnly);
  set(byId("version"), `weatheractors ${told.version}`);
  latestYear = Number(lastDate(rows).slice(0, 4)) || 0;

  const counted = byId("counted");
  field(counted, "date", lastDate(rows));
  for (const name of ["counted", "duplicates", "rejects", "lag"]) field(counted, name, number(sum(rows, name)));
  field(counted, "records_per_second", rate(sum(rows, "records_per_second")));
  showProducer(told.producer);

  byId("nothing").hidden = rows.length > 0;
  byId("partitions").hidden = rows.length === 0;
  children(byId("partitions").tBodies[0], rows, "partition-row", showRow);
  const groups = rows.filter((row) => row.actors.length > 0);
  byId("actors").hidden = groups.length === 0;
  children(byId("groups"), groups, "actor-group", showGroup);
  showTroubles(rows, told.producer);
  showTime();
}

function showProducer(producer) {
  const card = byId("producer");
  card.hidden = !producer;
  if (!producer) return;
  field(card, "date", producer.date ?? "–");
  for (const name of ["acknowledged", "repeats", "in_flight", "retries"]) field(card, name, number(producer[name]));
  field(card, "reports_per_second", rate(producer.reports_per_second));
}

// children gives parent a child for each partition, in order, and keeps those
// that it has.
function children(parent, rows, template, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.partition, child]));
  rows.forEach((row, i) => {
    const key = String(row.partition);
    const child = known.get(key) ?? copy(template);
    known.delete(key);
    child.dataset.partition = key;
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
    update(child, row);
  });
  for (const gone of known.values()) gone.remove();
}

function showRow(node, row) {
  field(node, "partition", String(row.partition));
  field(node, "state", words[row.state] ?? row.state);
  node.querySelector(".pill").dataset.state = row.state;
  field(node, "last_date", row.last_date ?? "–");
  for (const name of ["offset", "lag", "duplicates", "rejects"]) field(node, name, number(row[name]));
  field(node, "records_per_second", rate(row.records_per_second));
}

// ------------------------------------------------------------------ the actors

// Milliseconds that one sees at least that an actor has failed, and then that it
// works again.
const failedFor = 1200, recoveredFor = 3000;

function showGroup(node, row) {
  field(node, "name", `partition-${row.partition}`);
  field(node, "incarnation", row.incarnation > 0 ? `life ${row.incarnation}` : "");
  const list = node.querySelector("ul");
  for (const actor of row.actors) {
    let item = list.querySelector(`[data-actor="${actor.name}"]`);
    if (!item) {
      item = copy("actor-node");
      item.dataset.actor = actor.name;
      item.dataset.restarts = actor.restarts; // what happened before we looked is no news
      field(item, "name", actor.name.replace("-", " "));
      list.append(item);
    }
    showActor(node, item, row, actor);
  }
}

// showActor lets nobody miss a failure that was mended before the next look: it
// stays for a while, as does that it was.
function showActor(group, item, row, actor) {
  if (actor.restarts > Number(item.dataset.restarts)) {
    item.dataset.restarts = actor.restarts;
    item.dataset.failedAt = now();
    const last = group.querySelector('[data-field="last"]');
    set(last, `${actor.name.replace("-", " ")}: ${actor.last_error}`);
    last.title = actor.last_error;
    tell(`partition ${row.partition}: the ${actor.name.replace("-", " ")} failed`);
  }
  const since = now() - Number(item.dataset.failedAt ?? -Infinity);
  let state = actor.state;
  if (since < failedFor) state = "failed";
  else if (since < failedFor + recoveredFor && state === "running") state = "recovered";
  item.dataset.state = state;
  field(item, "state", state);
  field(item, "restarts", ["", ", 1 restart"][actor.restarts] ?? `, ${number(actor.restarts)} restarts`);
}

// tell says it to those who hear the page, every ten seconds at most.
let toldAt = 0;
function tell(text) {
  if (Date.now() - toldAt < 10000) return;
  toldAt = Date.now();
  set(byId("news"), text);
}

// showTroubles lists what has been wrong for a while: what is mended at once
// would only make the page jump.
const since = new Map();
function showTroubles(rows, producer) {
  const troubles = new Map(rows.filter((row) => row.trouble).map((row) => [`Partition ${row.partition}`, row.trouble]));
  if (producer?.trouble) troubles.set("Producer", producer.trouble);
  for (const name of since.keys()) if (!troubles.has(name)) since.delete(name);
  for (const name of troubles.keys()) if (!since.has(name)) since.set(name, Date.now());
  const lasting = [...troubles].filter(([name]) => Date.now() - since.get(name) > 1500);
  const list = byId("troubles");
  list.hidden = lasting.length === 0;
  while (list.children.length > lasting.length) list.lastChild.remove();
  lasting.forEach(([name, cause], i) => set(list.children[i] ?? list.appendChild(document.createElement("li")), `${name}: ${cause}`));
}

// ------------------------------------------------------------------ the connection

let source = null, connected = false, heard = 0;
const silence = 25000; // the server says something every 10 seconds

function connection(state, text) {
  connected = state === "live";
  byId("connection").dataset.state = state;
  set(byId("connection"), text);
}

function connect() {
  source?.close();
  heard = Date.now();
  source = new EventSource("/api/events");
  source.onopen = () => { heard = Date.now(); connection("live", "live"); };
  source.onerror = () => connection("reconnecting", "reconnecting");
  source.addEventListener("partitions", (event) => { heard = Date.now(); hear(JSON.parse(event.data)); });
  source.addEventListener("files", (event) => {
    heard = Date.now();
    revision = JSON.parse(event.data).revision;
    drawAll();
  });
}

// showTime ages what was told.
function showTime() {
  for (const row of latest.partitions) {
    const node = document.querySelector(`#partitions tr[data-partition="${row.partition}"]`);
    const age = row.last_checkpoint ? ago(now() - Date.parse(row.last_checkpoint)) : "–";
    field(node, "age", age);
  }
  set(byId("updated"), "updated " + new Date(Date.parse(latest.time)).toLocaleTimeString("en-GB"));
}

setInterval(() => {
  if (latest) show(); // it ages
  // A server that refuses ends the stream for good, and one that vanished is silent.
  if (source.readyState === EventSource.CLOSED || Date.now() - heard > silence) {
    connection("reconnecting", "reconnecting");
    if (Date.now() - heard > 5000) connect();
  }
}, 1000);

connect();
