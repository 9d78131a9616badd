"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  root.classList.add("js");

  // Light and dark: as the system has it, unless somebody chose.
  const remember = (value) => { try { localStorage.setItem("theme", value); } catch { /* a file may not */ } };
  const recall = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const useTheme = (value) => {
    if (value === "auto") delete root.dataset.theme; else root.dataset.theme = value;
    for (const radio of all("input[name=theme]")) radio.checked = radio.value === value;
  };
  useTheme(["light", "dark"].includes(recall()) ? recall() : "auto");
  for (const radio of all("input[name=theme]")) {
    radio.addEventListener("change", () => { useTheme(radio.value); remember(radio.value); });
  }

  // Search and filters: an item is shown if it has every word and no filter hides it.
  const items = all("[data-item]").map((node) => ({ node, text: node.textContent.toLowerCase() }));
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const off = new Set(all("input[data-filter]").filter((box) => !box.checked).map((box) => box.dataset.filter));
    let count = 0;
    for (const { node, text } of items) {
      const hidden = off.has(node.dataset.item) || !words.every((word) => text.includes(word));
      node.hidden = hidden;
      if (!hidden) count += 1;
    }
    for (const group of all("[data-group]")) {
      group.hidden = all("[data-item]", group).every((node) => node.hidden);
    }
    for (const part of all("[data-part]")) {
      part.querySelector(".nothing").hidden = all("[data-item]", part).some((node) => !node.hidden);
    }
    shown.textContent = `${count} of ${items.length} shown`;
  };
  search.addEventListener("input", filter);
  for (const box of all("input[data-filter]")) box.addEventListener("change", filter);
  document.getElementById("clear").addEventListener("click", () => {
    search.value = "";
    for (const box of all("input[data-filter]")) box.checked = true;
    filter();
    search.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search.focus(); }
  });

  // Expand and collapse.
  const toggle = document.getElementById("toggle");
  const changes = all("details.change");
  const label = () => { toggle.textContent = changes.every((node) => node.open) ? "Collapse all" : "Expand all"; };
  toggle.addEventListener("click", () => {
    const open = !changes.every((node) => node.open);
    for (const node of changes) node.open = open;
    label();
  });
  for (const node of changes) node.addEventListener("toggle", label);
  addEventListener("beforeprint", () => { for (const node of all("details")) node.open = true; });
  label();
  filter();
})();
