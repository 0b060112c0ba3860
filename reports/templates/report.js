"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const one = (id) => document.getElementById(id);
  const root = document.documentElement;
  const search = one("text");
  const radios = all("input[name=profile]");
  const boxes = (name) => all(`input[name=${name}]`);
  const standard = radios.findIndex((radio) => radio.defaultChecked);

  const entry = (element) => ({
    element,
    category: element.dataset.category,
    verdicts: element.dataset.verdicts.split(" "),
    words: null,
  });
  const findings = all(".finding").map(entry);
  const rows = all("#reqs > tbody > tr").map(entry);
  const words = (item) => (item.words ??= item.element.textContent.toLowerCase());

  // What is broken is a finding of a profile that demands or recommends otherwise.
  const weighs = (verdict) => ["FAIL", "WARNING", "KNOWN_FAILURE"].includes(verdict);
  const profile = () => Math.max(0, radios.findIndex((radio) => radio.checked));
  const ticked = (name) => new Set(boxes(name).filter((box) => box.checked).map((box) => box.value));

  // What passed or is not offered is most of a catalogue: it stays folded until somebody asks for something.
  const quiet = (verdict) => ["PASS", "UNSUPPORTED"].includes(verdict);
  let unfolded = false;

  const matcher = () => {
    const at = profile();
    const verdicts = ticked("verdict");
    const categories = ticked("category");
    const terms = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    return {
      inProfile: (item) => item.verdicts[at] !== "-",
      folded: unfolded || verdicts.size || categories.size || terms.length ? () => false : (item) => quiet(item.verdicts[at]),
      weighed: (item) => weighs(item.verdicts[at]),
      verdict: (item) => !verdicts.size || verdicts.has(item.verdicts[at]),
      category: (item) => !categories.size || categories.has(item.category),
      text: (item) => terms.every((term) => words(item).includes(term)),
    };
  };

  const show = (items, match, counts) => {
    let shown = 0;
    let total = 0;
    for (const item of items) {
      const here = counts(item);
      const visible = here && match.verdict(item) && match.category(item) && match.text(item);
      item.element.hidden = !visible;
      total += here;
      shown += visible;
    }
    return { shown, total };
  };

  // The number beside a choice is what ticking it would show, the other filters standing.
  const countChoices = (match) => {
    const at = profile();
    const counts = new Map();
    const add = (key) => counts.set(key, (counts.get(key) ?? 0) + 1);
    for (const item of rows) {
      if (!match.inProfile(item) || !match.text(item)) continue;
      if (match.category(item)) add(`verdict:${item.verdicts[at]}`);
      if (match.verdict(item)) add(`category:${item.category}`);
    }
    for (const output of all("[data-count]")) {
      const n = counts.get(output.dataset.count) ?? 0;
      output.textContent = String(n);
      output.closest("label").classList.toggle("none", n === 0);
    }
  };

  const phrase = ({ shown, total }) => (shown === total ? `${total}` : `${shown} of ${total}`);

  const apply = () => {
    const at = profile();
    const match = matcher();
    const f = show(findings, match, match.weighed);
    const r = show(rows, match, match.inProfile);
    const folded = rows.filter((item) => match.inProfile(item) && match.folded(item));
    for (const item of folded) item.element.hidden = true;
    r.shown -= folded.length;
    one("unfold").hidden = !folded.length;
    one("unfold").textContent = `Show ${folded.length} that are PASS or UNSUPPORTED`;
    for (const item of findings) item.element.dataset.tone = item.verdicts[at];
    for (const element of all("[data-for]")) element.hidden = Number(element.dataset.for) !== at;
    one("reqs").dataset.profile = String(at);
    countChoices(match);
    one("findings-count").textContent = phrase(f);
    one("requirements-count").textContent = phrase(r);
    one("no-findings").hidden = f.shown > 0;
    one("no-requirements").hidden = r.shown > 0 || folded.length > 0;
    one("reqs").hidden = r.shown === 0;
    one("status").textContent = `Showing ${phrase(r)} requirements and ${phrase(f)} findings of ` +
      `${radios[at].nextElementSibling.textContent}.`;
  };

  const clear = () => {
    search.value = "";
    for (const box of [...boxes("verdict"), ...boxes("category")]) box.checked = false;
  };

  const goTo = (element) => {
    element.scrollIntoView({ block: "start" });
    element.focus({ preventScroll: true });
  };

  // A link may lead to what the filters hide.
  const follow = () => {
    const element = location.hash.length > 1 && one(decodeURIComponent(location.hash.slice(1)));
    if (!element) return;
    if (element.hidden) {
      clear();
      unfolded = element.matches("tr");
      apply();
      if (element.hidden) {
        const verdicts = element.dataset.verdicts.split(" ");
        const told = element.matches(".finding") ? weighs : (verdict) => verdict !== "-";
        const place = verdicts.findIndex(told);
        if (place >= 0) radios[place].checked = true;
        apply();
        // No profile weighs it.
        element.hidden = false;
      }
    }
    goTo(element);
  };

  const copy = async (button) => {
    const source = one(button.dataset.copy);
    let done = false;
    try {
      await navigator.clipboard.writeText(source.textContent);
      done = true;
    } catch {
      getSelection().selectAllChildren(source);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Selected: press Ctrl+C";
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  };

  const theme = one("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const paintTheme = () => theme.setAttribute("aria-pressed", String(isDark()));
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    paintTheme();
  });
  dark.addEventListener("change", paintTheme);
  theme.hidden = false;
  paintTheme();

  for (const input of [...radios, ...boxes("verdict"), ...boxes("category")]) input.addEventListener("change", apply);
  search.addEventListener("input", apply);
  one("reset").addEventListener("click", () => {
    clear();
    unfolded = false;
    radios[Math.max(0, standard)].checked = true;
    apply();
  });
  one("unfold").addEventListener("click", () => {
    unfolded = true;
    apply();
    goTo(one("requirements"));
  });
  for (const cell of all("button.cell")) {
    cell.addEventListener("click", () => {
      clear();
      radios[Number(cell.dataset.profile)].checked = true;
      for (const box of boxes("category")) box.checked = box.value === cell.dataset.category;
      apply();
      goTo(one(findings.some((item) => !item.element.hidden) ? "findings" : "requirements"));
    });
  }
  for (const button of all("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => all("details.exchange").forEach((details) => { details.open = true; }));
  if (matchMedia("(max-width: 1000px)").matches) one("filters").open = false;
  apply();
  follow();
})();
