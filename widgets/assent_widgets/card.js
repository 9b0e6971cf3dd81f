// The approval card. Words of the agent go in by textContent only; decisions leave by model.send, on trusted events only.

const STATES = {
  pending: "Waiting for you",
  sent: "Sent to the kernel …",
  approved: "Approved",
  happened: "Recorded: it did happen",
  rejected: "Rejected",
  expired: "No longer waiting",
  lost: "The kernel that asked is gone. Run %agent pending to be asked again.",
};
const NUMBER = /^-?\d[\d,]*(\.\d+)?(e[-+]?\d+)?$/;
const PATIENCE = 10_000; // ms until a decision without an answer may be sent again

function element(tag, className, text = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

function button(label, className, act) {
  const node = element("button", `assent-button ${className}`, label);
  node.type = "button";
  node.addEventListener("click", (event) => event.isTrusted && act());
  return node;
}

function facts(view) {
  const rows = [["Why", view.why], ["Asked because", view.asks], ...view.notes, ["Approvals", view.approvals], ["Expires", view.expires]].filter((row) => row[1]);
  const list = element("dl", "assent-facts");
  for (const row of rows) {
    const weight = view.loud.includes(row[0]) ? "assent-loud" : "";
    list.append(element("dt", weight, row[0]), element("dd", weight, row[1]));
  }
  return list;
}

// What a call would do: the sentences open, the tables one click away.
function foreseen(preview) {
  const box = element("section", "assent-preview");
  box.setAttribute("aria-label", "What it would do");
  const list = element("ul", "assent-effects");
  for (const line of preview.effects) list.append(effect(line));
  for (const line of preview.gaps) list.append(element("li", "assent-gap", line));
  box.append(element("div", "assent-preview-head", preview.head), list);
  if (preview.tables.length || preview.text) {
    const more = element("details", "assent-more");
    more.append(element("summary", "", preview.summary));
    for (const item of preview.tables) more.append(element("div", "assent-table-title", item.title), table(item));
    if (preview.text) more.append(element("div", "assent-table-title", preview.label), element("pre", "assent-printed", preview.text));
    box.append(more);
  }
  if (preview.way) box.append(element("div", "assent-hint", preview.way));
  return box;
}

function effect(line) {
  const item = element("li", "");
  const at = line.indexOf(": ");
  if (at > 0) item.append(element("strong", "", line.slice(0, at)), line.slice(at));
  else item.textContent = line;
  return item;
}

// Rows in pairs, before and after: what differs is marked.
function table({ columns, rows }) {
  const frame = element("div", "assent-table");
  const grid = element("table", "");
  const line = (cells, tag, other) => {
    const row = element("tr", "");
    cells.forEach((cell, i) => {
      const differs = other && i > 0 && cell !== other[i];
      const kinds = { "assent-null": cell === null, "assent-differs": differs, "assent-number": NUMBER.test(cell) };
      const node = element(tag, Object.keys(kinds).filter((kind) => kinds[kind]).join(" "), cell ?? "NULL");
      row.append(node);
    });
    return row;
  };
  grid.append(line(columns, "th"));
  rows.forEach((cells, i) => {
    const paired = cells[0] === "after" && rows[i - 1]?.[0] === "before";
    grid.append(line(cells, "td", paired ? rows[i - 1] : null));
  });
  frame.append(grid);
  return frame;
}

function source(view) {
  const figure = element("figure", "assent-source");
  const caption = element("figcaption", "", `${view.language} · ${view.size}`);
  if (view.hides) caption.append(element("strong", "assent-warning", " · holds invisible signs, written as ⟨U+…⟩"));
  const code = element("pre", "assent-code", view.shown);
  code.tabIndex = 0; // a long one scrolls, by keyboard too
  code.setAttribute("role", "region");
  code.setAttribute("aria-label", `${view.language} that would run`);
  figure.append(caption, code);
  return figure;
}

// JavaScript's numbers hold integers up to 2^53 only: a larger one would arrive changed.
function parseArguments(text) {
  const value = JSON.parse(text, (_, item) => {
    if (Number.isInteger(item) && !Number.isSafeInteger(item)) throw new Error(`${item} is too large to send exactly`);
    return item;
  });
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error("an object {…} is needed");
  return value;
}

// A field that opens below the buttons, with a button of its own. `send(text)` returns what is wrong with it, or nothing.
// With `secret`, the label of a second field whose signs are not shown, it is `send(text, secret)`.
function form({ label, value = "", multiline, hint, action, className, send, secret }) {
  const node = element("div", "assent-form");
  node.hidden = true;
  const field = element(multiline ? "textarea" : "input", "assent-field");
  const name = element("label", "", label);
  field.id = `assent-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
  name.htmlFor = field.id;
  field.value = value;
  field.spellcheck = !multiline;
  if (multiline) field.rows = Math.min(16, Math.max(3, value.split("\n").length));
  const problem = element("div", "assent-problem");
  problem.setAttribute("role", "alert");
  field.addEventListener("input", () => (problem.textContent = ""));
  const hidden = element("input", "assent-field");
  hidden.type = "password";
  hidden.autocomplete = "off";
  hidden.placeholder = secret ?? "";
  hidden.setAttribute("aria-label", secret ?? "");
  const submit = () => {
    problem.textContent = send(field.value, hidden.value) ?? "";
    hidden.value = "";
    if (problem.textContent) field.focus();
  };
  const close = () => {
    node.hidden = true;
    node.opener?.setAttribute("aria-expanded", "false");
    node.opener?.focus();
  };
  const row = element("div", "assent-row");
  row.append(button(action, className, submit), button("Cancel", "assent-quiet", close), element("span", "assent-hint", hint));
  node.append(name, field, ...(secret ? [hidden] : []), problem, row);
  node.clear = () => {
    node.hidden = true;
    field.value = value;
    hidden.value = "";
  };
  node.open = (opener) => {
    node.opener = opener;
    node.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    problem.textContent = "";
    field.focus();
  };
  node.addEventListener("keydown", (event) => {
    if (!event.isTrusted || event.isComposing) return;
    const sends = event.key === "Enter" && (multiline ? event.ctrlKey || event.metaKey : event.target === field || event.target === hidden);
    if (event.key !== "Escape" && !sends) return;
    event.preventDefault();
    event.stopPropagation();
    sends ? submit() : close();
  });
  return node;
}

function forms(view, decide) {
  const reject = form({
    label: view.unknown ? "What is to be done instead? The agent reads this. (optional)" : "Why not? The agent reads this. (optional)",
    hint: "Enter sends, Escape closes", action: "Reject", className: "assent-danger",
    send: (reason) => decide({ verdict: "reject", reason }),
  });
  const edit = form({
    label: view.field ? `Edit the ${view.language}` : "Edit the arguments (JSON)", value: view.source, multiline: true,
    hint: "Ctrl+Enter sends, Escape closes", action: "Approve edited", className: "assent-primary",
    send: (text) => {
      try {
        decide({ verdict: "approve", arguments: view.field ? { [view.field]: text } : parseArguments(text) });
      } catch (error) {
        return `Nothing was sent. These are no arguments: ${error.message}.`;
      }
    },
  });
  const happened = form({
    label: "What was its result? The agent reads this.", multiline: true,
    hint: "Ctrl+Enter sends, Escape closes", action: "Record", className: "assent-primary",
    send: (outcome) => {
      if (!outcome.trim()) return "Nothing was sent. Say in a few words what happened.";
      decide({ verdict: "approve", outcome });
    },
  });
  const name = form({
    label: "Your name", secret: "Your passphrase", hint: "Enter sends, Escape closes", action: "Approve",
    className: "assent-primary",
    send: (by, passphrase) => {
      if (!by.trim() || !passphrase) return "Nothing was sent. Give your name and your passphrase.";
      decide({ verdict: "approve", by: by.trim(), passphrase });
    },
  });
  return { reject, edit, happened, name };
}

function opens(label, className, which, all) {
  const node = button(label, className, () => {
    for (const other of all) other.hidden = other.hidden || other !== which;
    for (const peer of node.parentElement.querySelectorAll("[aria-expanded]")) peer.setAttribute("aria-expanded", "false");
    which.open(node);
  });
  node.setAttribute("aria-expanded", "false");
  return node;
}

function buttons(view, fields, decide) {
  const { reject, edit, happened, name } = fields;
  const all = [reject, edit, happened, name];
  const proved = (label, className) => opens(label, className, name, all);
  if (view.unknown) {
    return [
      view.personal ? proved("Run it again …", "") : button("Run it again", "", () => decide({ verdict: "approve" })),
      opens("It did happen …", "", happened, all),
      opens("It did not and must not …", "assent-danger", reject, all),
    ];
  }
  const grant = (scope) =>
    button(`Allow ${view.tool} for this ${scope}`, "assent-quiet", () => decide({ verdict: "approve", scope }));
  if (view.personal) return [proved("Approve as …", "assent-primary"), opens("Reject …", "assent-danger", reject, all)];
  return [
    button("Approve", "assent-primary", () => decide({ verdict: "approve" })),
    opens("Edit …", "", edit, all),
    opens("Reject …", "assent-danger", reject, all),
    ...(view.grantable ? [grant("run"), grant("session")] : []),
  ];
}

function render({ model, el, signal }) {
  const view = model.get("view");
  const card = element("div", "assent-card");
  card.setAttribute("role", "group");
  card.setAttribute("aria-label", `Approval for ${view.tool}: ${view.title}`);
  card.dataset.lmSuppressShortcuts = "true"; // JupyterLab's one-letter commands must not act on what is typed here
  const status = element("div", "assent-status");
  status.setAttribute("role", "status");
  status.tabIndex = -1;
  const message = element("div", "assent-problem");
  message.setAttribute("role", "alert");
  let timer;
  const decide = (answer) => {
    if (model.get("status") !== "pending") return;
    const blank = { reason: "", arguments: null, scope: "once", outcome: null, by: "", passphrase: "" };
    model.send({ type: "decision", call: view.call, ...blank, ...answer });
    model.set("status", "sent"); // not saved: only the kernel says what became of it
    status.focus();
    timer = setTimeout(() => model.get("status") === "sent" && revive("The kernel has not answered yet."), PATIENCE);
  };
  const fields = forms(view, decide);
  const row = element("div", "assent-row");
  row.append(...buttons(view, fields, decide));
  const head = element("div", "assent-head");
  head.append(element("strong", "assent-title", view.title), element("span", "assent-chip", view.privilege));
  const controls = element("div", "assent-controls");
  controls.append(row, fields.edit, fields.happened, fields.reject, fields.name);
  const preview = view.preview ? [foreseen(view.preview)] : [];
  let told = facts(view);
  card.append(head, ...preview, told, source(view), controls, message, status, element("div", "assent-where", view.where));

  const show = () => {
    const state = model.get("status");
    card.dataset.status = state;
    status.textContent = STATES[state] ?? state;
    message.textContent = model.get("message");
    controls.hidden = state !== "pending" && state !== "sent";
    for (const node of controls.querySelectorAll("button, input, textarea")) node.disabled = state !== "pending";
  };
  const revive = (words) => {
    message.className = "assent-problem";
    const focused = card.contains(document.activeElement);
    model.set("status", "pending");
    show();
    if (words) message.textContent = words;
    if (focused) row.querySelector("button").focus();
  };
  // What people have said meanwhile; what would run is this card's for good.
  const retell = () => {
    const now = facts(model.get("view"));
    told.replaceWith(now);
    told = now;
  };
  model.on("change:view", retell);
  model.on("change:status", show);
  model.on("change:message", show);
  const heard = () => {
    for (const field of Object.values(fields)) field.clear();
    for (const opener of row.querySelectorAll("[aria-expanded]")) opener.setAttribute("aria-expanded", "false");
    revive();
    message.className = "assent-heard";
  };
  model.on("msg:custom", (content) => {
    if (content.type === "refused") revive();
    if (content.type === "heard") heard();
  });
  model.on("comm_live_update", () => model.get("status") === "pending" && model.set("status", "lost"));
  signal?.addEventListener("abort", () => clearTimeout(timer));
  show();
  el.append(card);
}

export default { render };
