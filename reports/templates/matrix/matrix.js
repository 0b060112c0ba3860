"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const one = (id) => document.getElementById(id);
  const root = document.documentElement;

  const button = one("theme");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const shade = () => button.setAttribute("aria-pressed", String(dark()));
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    shade();
  });
  shade();

  const form = one("filters");
  if (!form) return;
  const profiles = form.dataset.profiles.split(" ");
  const words = new Map(all(".key-of-cells .sample").map((sample) => [sample.className.match(/c-(\S)/)[1], sample.parentElement.textContent]));
  const rows = all("#grid > tbody > tr").map((element) => ({
    element,
    cells: all("td.c", element),
    level: element.querySelector("td.lv"),
    text: element.querySelector("th").textContent.toLowerCase(),
  }));
  const named = { M: "MUST", S: "SHOULD", A: "MAY", "-": "" };
  const fields = ["profile", "category", "level", "show", "q"];
  const standard = profiles[Number(form.dataset.chosen)];
  const broken = (v) => v === "F" || v === "W" || v === "K";
  const shows = {
    "": () => true,
    differ: (found) => new Set(found.filter((v) => "PFWK".includes(v))).size > 1,
    broken: (found) => found.some(broken),
    held: (found) => found.includes("P") && found.every((v) => v === "P" || v === "U" || v === "O" || v === "A"),
    none: (found) => found.some(broken) && !found.includes("P"),
  };
  const value = (name) => form.elements[name].value;

  const apply = () => {
    const at = Math.max(0, profiles.indexOf(value("profile")));
    const terms = value("q").toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const level = named[row.element.dataset.levels[at]];
      const found = row.cells.map((cell) => cell.dataset.v[at]);
      const fits =
        level &&
        (!value("category") || row.element.dataset.category === value("category")) &&
        (!value("level") || level === value("level")) &&
        shows[value("show")](found) &&
        terms.every((term) => row.text.includes(term));
      row.element.hidden = !fits;
      if (!fits) continue;
      shown += 1;
      row.level.textContent = level;
      row.cells.forEach((cell, place) => {
        cell.className = `c c-${found[place]}`;
        cell.firstElementChild.textContent = words.get(found[place]) || "not in the profile";
      });
    }
    one("empty").hidden = shown > 0;
    one("status").textContent = `${shown} of ${rows.length}`;
    for (const part of all(".per-profile")) part.hidden = part.dataset.profile !== profiles[at];
  };

  const write = () => {
    const said = new URLSearchParams();
    for (const name of fields) if (value(name) && !(name === "profile" && value(name) === standard)) said.set(name, value(name));
    const text = said.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname.split("/").pop() || "#");
  };
  const read = () => {
    if (!location.hash.includes("=")) return;
    const said = new URLSearchParams(location.hash.slice(1));
    for (const name of fields) {
      const field = form.elements[name];
      const given = said.get(name) ?? (name === "profile" ? standard : "");
      if (field.tagName !== "SELECT" || Array.from(field.options).some((option) => option.value === given)) field.value = given;
    }
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { apply(); write(); });
  form.addEventListener("reset", () => setTimeout(() => { apply(); write(); }));
  addEventListener("hashchange", () => { read(); apply(); });
  read();
  apply();
})();
