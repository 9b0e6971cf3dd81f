// A run while it runs: places blocks of HTML that Python rendered (and escaped), counts the seconds, offers to pause and to stop.

const TICK = 200; // ms
const LOST = "The kernel that ran this is gone. %agent says how to go on.";

function put(block, nodes, root) {
  let node = nodes.get(block.id);
  if (!node) {
    node = document.createElement("div");
    node.className = "assent-block";
    nodes.set(block.id, node);
    root.append(node);
  }
  if (block.append) {
    (node.querySelector(".assent-body") ?? node).insertAdjacentHTML("beforeend", block.html);
    return;
  }
  const open = [...node.querySelectorAll("details")].map((details) => details.open);
  const folded = node.dataset.folded === "true";
  node.innerHTML = block.html;
  node.querySelectorAll("details").forEach((details, i) => {
    // What a person opened stays open; what was open only because it was being written closes.
    if (folded && i < open.length) details.open = open[i];
    details.querySelector("summary")?.addEventListener("click", () => (node.dataset.folded = "true"));
  });
}

// Blocks as one view needs them, kept beside the model so that a view that is opened later starts complete.
function merge(blocks, block) {
  const old = blocks.get(block.id);
  if (block.append && old) old.push(block);
  else blocks.set(block.id, [block]);
}

export default () => {
  const blocks = new Map();
  const views = new Set();
  let number = 0;
  let seconds = 0;
  let since = performance.now();

  const clock = (packet) => ([seconds, since] = [packet.seconds, performance.now()]);
  const replace = (packet) => {
    blocks.clear();
    for (const block of packet.blocks ?? []) merge(blocks, block);
    number = packet.number ?? 0;
    clock(packet);
    for (const view of views) view.reset();
  };
  const receive = (model, content) => {
    if (content.type === "whole") return replace(content);
    if (content.type !== "blocks" || content.number <= number) return;
    if (content.number !== number + 1) return model.send({ type: "refresh" });
    number = content.number;
    clock(content);
    for (const block of content.blocks) {
      merge(blocks, block);
      for (const view of views) view.put(block);
    }
  };

  function button(model, type, words, label, after) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `assent-${type}`;
    button.textContent = words;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", (event) => {
      if (!event.isTrusted) return;
      model.send({ type, run: model.get("run") });
      button.disabled = true;
      button.textContent = after;
    });
    return button;
  }

  return {
    initialize({ model }) {
      replace(model.get("whole"));
      model.on("msg:custom", (content) => receive(model, content));
    },
    render({ model, el }) {
      const box = document.createElement("div");
      box.className = "assent-live";
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", "Agent run");
      box.dataset.lmSuppressShortcuts = "true";
      const root = document.createElement("div");
      root.className = "assent-blocks jp-RenderedHTMLCommon"; // where there is one, looks as the static form will
      const buttons = document.createElement("div");
      buttons.className = "assent-buttons";
      buttons.append(
        button(model, "pause", "❚❚ Pause", "Pause this run", "Pausing …"),
        button(model, "stop", "■ Stop", "Stop this run", "Stopping …"),
      );
      const lost = document.createElement("div");
      lost.className = "assent-lost";
      lost.setAttribute("role", "status");
      let nodes = new Map();
      const view = {
        put: (block) => put(block, nodes, root),
        reset: () => {
          root.replaceChildren();
          nodes = new Map();
          for (const pieces of blocks.values()) pieces.forEach(view.put);
        },
      };
      const tick = () => {
        const node = root.querySelector(".assent-seconds");
        if (!node || model.get("status") !== "running") return;
        node.textContent = `${(seconds + (performance.now() - since) / 1000).toFixed(1)} s`;
      };
      const show = () => {
        const status = model.get("status");
        box.dataset.status = status;
        buttons.hidden = status !== "running";
        lost.textContent = status === "lost" ? LOST : "";
        const word = root.querySelector(".assent-state");
        if (status === "lost" && word) word.textContent = "cut off";
      };
      model.on("change:status", show);
      model.on("comm_live_update", () => model.get("status") === "running" && model.set("status", "lost")); // not saved
      views.add(view);
      view.reset();
      show();
      box.append(buttons, root, lost);
      el.append(box);
      const timer = setInterval(tick, TICK);
      return () => {
        clearInterval(timer);
        views.delete(view);
      };
    },
  };
};
