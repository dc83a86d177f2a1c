// Bancale's only script. Every page works without it; it labels the cells of phone cards, turns the action
// list into buttons, closes open menus, takes dropped files, and refuses a second press of a form on its way.
"use strict";
{
  const each = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act);

  function labelCells(table) {
    const headers = [...table.querySelectorAll("thead tr:last-child > th")];
    const texts = headers.map((header) => (header.querySelector(".text") || header).textContent.trim());
    each("tbody > tr", (row) => {
      [...row.children].forEach((cell, place) => {
        if (cell.colSpan > 1 || cell.classList.contains("action-checkbox")) { return; }
        if (texts[place] && (cell.tagName === "TD" || cell.classList.contains("num")) && !cell.dataset.label && !(cell.classList.contains("delete") && !cell.querySelector("input[type=checkbox]"))) { cell.dataset.label = texts[place]; }
        if (["", "-", "–"].includes(cell.textContent.trim()) && !cell.querySelector("img, input, select, svg")) { cell.classList.add("unknown"); }
        if (headers[place] && cell.querySelector(":scope > .num, :scope > p > .num, :scope > a > .num")) { headers[place].classList.add("num"); }
      });
    }, table);
    headers.forEach((header, place) => {
      if (header.classList.contains("num")) { each(`tbody > tr > .unknown:nth-child(${place + 1})`, (cell) => cell.classList.add("num"), table); }
    });
  }

  // Django gives no name to the fields of a table row, to the two halves of a date and time, to select2's box.
  function nameFields(root) {
    each(".tabular td[class*=field-], .tabular td.delete, #result_list td[class*=field-]", (cell) => {
      const header = cell.closest("table").querySelector(`thead tr:last-child > th:nth-child(${cell.cellIndex + 1})`);
      each("input:not([type=hidden]), select, textarea", (field) => field.setAttribute("aria-label", header.textContent.trim()), cell);
    }, root);
    each("p.datetime input", (input) => {
      const row = input.closest(".form-row");
      const label = row ? row.querySelector("label, legend") : null;
      const half = input.previousSibling ? input.previousSibling.textContent.trim() : "";
      input.setAttribute("aria-label", `${label ? label.textContent.trim() : ""} ${half}`.trim());
    }, root);
    each(".select2-selection", (box) => {
      const select = box.closest(".select2").previousElementSibling;
      const name = select.getAttribute("aria-label") || (select.labels && select.labels[0] ? select.labels[0].textContent.trim() : "");
      [box, box.querySelector(".select2-selection__rendered")].forEach((part) => part && part.setAttribute("aria-label", name));
    }, root);
    each(".search-label-icon[aria-label]", (icon) => icon.setAttribute("role", "img"), root);
  }

  function labelSelectAll() {
    const box = document.getElementById("action-toggle");
    const all = document.querySelector(".actions .action-all");
    if (box && all) { box.closest("th").dataset.label = all.textContent; }
  }

  // What is used least stands behind one more press.
  function foldRest(row, word) {
    const rest = [...row.children].slice(5);
    if (rest.length < 2) { return; }
    const menu = document.createElement("details");
    menu.className = "menu more-actions";
    const summary = document.createElement("summary");
    summary.className = "btn";
    summary.textContent = word;
    const list = document.createElement("div");
    list.className = "sheet";
    list.append(...rest);
    menu.append(summary, list);
    row.append(menu);
  }

  // A button an action: pressing it selects the action and presses Django's own "Go".
  function actionButtons(bar) {
    const choose = bar.querySelector(".action-choose");
    const select = bar.querySelector("select[name=action]");
    const go = bar.querySelector("button[name=index]");
    const form = bar.closest("form");
    if (!choose || !select || !go) { return; }
    const row = document.createElement("div");
    row.className = "action-buttons";
    const options = [...select.options].filter((option) => option.value);
    const risky = (option) => option.value === "delete_selected";
    options.sort((one, other) => risky(one) - risky(other)).forEach((option) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = risky(option) ? "btn risk" : "btn";
      button.textContent = option.text;
      button.addEventListener("click", () => { select.value = option.value; go.click(); });
      row.append(button);
    });
    if (!row.children.length) { return; }
    foldRest(row, choose.dataset.more);
    bar.append(row);
    bar.classList.add("buttons-only");
    const refresh = () => {
      const none = !form.querySelector(".action-select:checked");
      each("button", (button) => { button.disabled = none; }, row);
      each(".more-actions", (menu) => { menu.hidden = none; }, row);
    };
    form.addEventListener("change", refresh);
    form.addEventListener("click", () => setTimeout(refresh));
    window.addEventListener("pageshow", refresh);
    refresh();
  }

  function closeMenus(except) {
    each("details.menu[open], details.filter[open]", (menu) => {
      if (!except || !menu.contains(except)) { menu.open = false; }
    });
  }

  function once(form) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "1";
      each("button[type=submit]", (button) => button.setAttribute("aria-disabled", "true"), form);
    });
    window.addEventListener("pageshow", () => {
      delete form.dataset.sent;
      each("button[type=submit]", (button) => button.removeAttribute("aria-disabled"), form);
    });
  }

  // A box whose server-drawn content is asked for again until there is no more to come.
  function refresh(box) {
    const ask = async () => {
      if (document.hidden) { return; }
      try {
        const answer = await fetch(box.dataset.refreshUrl, { headers: { Accept: "application/json" }, redirect: "error" });
        if (!answer.ok) { return; }
        const fresh = await answer.json();
        if (fresh.reload) { clearInterval(timer); location.reload(); return; }
        if (box.innerHTML !== fresh.html) {
          const held = box.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
          box.innerHTML = fresh.html;
          each("table.stack", labelCells, box);
          each("[data-read-at]", countAge, box);
          if (held) { const again = box.querySelector(`a[href="${CSS.escape(held)}"]`); if (again) { again.focus(); } }
        }
      } catch { /* Offline: the next round asks again. */ }
    };
    const timer = setInterval(ask, 1000 * (box.dataset.refreshEvery || 2));
  }

  // How old the figures of the first page are, counted by the browser from when they came.
  function countAge(line) {
    const came = Date.now();
    const said = line.dataset.said;
    line.title = line.textContent;
    const tell = () => { line.textContent = said.replace("{n}", Math.round((Date.now() - came) / 1000)); };
    tell();
    const timer = setInterval(() => { if (line.isConnected) { tell(); } else { clearInterval(timer); } }, 1000);
  }

  const TYPED = "input:not([type=checkbox]):not([type=radio]):not([type=submit]), textarea, select";
  const typing = (target) => target.isContentEditable || target.matches(TYPED);

  // The box of the frame: options while typing, the arrows choose, Enter opens; without an option it searches.
  function palette(form) {
    const box = form.querySelector("input");
    const list = form.querySelector("[role=listbox]");
    let timer = 0;
    let asked = 0;
    const options = () => [...list.querySelectorAll("[role=option]")];
    const close = () => { list.hidden = true; box.setAttribute("aria-expanded", "false"); box.removeAttribute("aria-activedescendant"); };
    const choose = (option) => {
      options().forEach((one) => one.setAttribute("aria-selected", String(one === option)));
      if (option) { box.setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); } else { box.removeAttribute("aria-activedescendant"); }
    };
    const chosen = () => list.querySelector("[aria-selected=true]");
    const part = (name, text, className) => { const made = document.createElement(name); made.textContent = text; made.className = className || ""; return made; };
    const draw = (groups) => {
      let number = 0;
      list.replaceChildren(...groups.map((group) => {
        const shown = part("div", "");
        shown.setAttribute("role", "group");
        shown.setAttribute("aria-label", group.label);
        const title = part("span", group.label, "title");
        title.setAttribute("aria-hidden", "true");
        shown.append(title, ...group.rows.map((row) => {
          const option = part("a", "");
          option.id = `find-option-${number += 1}`;
          option.href = row.url;
          option.tabIndex = -1;
          option.setAttribute("role", "option");
          option.setAttribute("aria-selected", "false");
          option.append(part("b", row.label), part("span", row.detail));
          if (row.exact) { option.dataset.exact = "1"; }
          return option;
        }));
        return shown;
      }));
      if (!groups.length) { list.append(part("p", list.dataset.none)); }
      list.hidden = false;
      box.setAttribute("aria-expanded", "true");
      const exact = list.querySelectorAll("[data-exact]");
      choose(exact.length === 1 ? exact[0] : null);
    };
    const ask = async () => {
      const turn = asked += 1;
      try {
        const answer = await fetch(`${form.dataset.palette}?q=${encodeURIComponent(box.value.trim())}`, { headers: { Accept: "application/json" }, redirect: "error" });
        if (answer.ok && turn === asked && document.activeElement === box) { draw((await answer.json()).groups); }
      } catch { /* Offline: Enter still asks the server. */ }
    };
    box.addEventListener("input", () => { choose(null); clearTimeout(timer); timer = setTimeout(ask, 120); });
    box.addEventListener("focus", ask);
    form.addEventListener("submit", () => { asked += 1; clearTimeout(timer); });
    form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) { asked += 1; close(); } });
    box.addEventListener("keydown", (event) => {
      const rows = options();
      if (event.key === "Escape" && !list.hidden) { event.preventDefault(); event.stopPropagation(); close(); return; }
      if (event.key === "Enter" && chosen() && !list.hidden) { event.preventDefault(); location.href = chosen().href; return; }
      if (!["ArrowDown", "ArrowUp"].includes(event.key) || !rows.length) { return; }
      event.preventDefault();
      const at = rows.indexOf(chosen());
      choose(rows[event.key === "ArrowDown" ? (at + 1) % rows.length : (at <= 0 ? rows.length : at) - 1]);
    });
  }

  // Keys that move: rows of the list by their links, so that the browser's own focus is the mark.
  function step(ahead) {
    const rows = [...document.querySelectorAll("#result_list tbody tr")];
    if (!rows.length) {
      const link = document.querySelector(`a[data-step=${ahead ? "next" : "previous"}]`);
      if (link) { link.click(); }
      return;
    }
    const at = rows.indexOf(document.activeElement.closest("#result_list tbody tr"));
    const row = rows[ahead ? Math.min(at + 1, rows.length - 1) : Math.max(at - 1, 0)];
    const link = row.querySelector("th a, td a");
    if (link) { link.focus(); row.scrollIntoView({ block: "nearest" }); }
  }

  function tick() {
    const row = document.activeElement.closest("#result_list tbody tr");
    const box = row ? row.querySelector(".action-select") : null;
    if (box) { box.click(); }
  }

  const actions = {
    "/": () => { const box = document.getElementById("searchbar") || document.getElementById("find"); if (box) { box.focus(); box.select(); } },
    "?": () => { const help = document.getElementById("shortcuts"); if (help && !help.open) { help.showModal(); } },
    j: () => step(true),
    k: () => step(false),
    x: tick,
  };

  // A scanner types faster than people and ends with Enter: such a burst is a code, and no shortcut.
  const BURST = 60;
  const SHORTEST_CODE = 4;
  const scan = { text: "", at: 0, timer: 0 };

  function burst(event) {
    const form = document.querySelector("form.find");
    if (event.key === "Enter" && scan.text.length >= SHORTEST_CODE && form && event.timeStamp - scan.at < BURST) {
      event.preventDefault();
      location.href = `${form.action}?q=${encodeURIComponent(scan.text)}`;
    }
    if (event.key.length !== 1) { if (event.key !== "Shift") { scan.text = ""; } return; }
    clearTimeout(scan.timer);
    scan.text = event.timeStamp - scan.at < BURST ? scan.text + event.key : event.key;
    scan.at = event.timeStamp;
    const act = actions[event.key];
    if (act && scan.text.length === 1) {
      if (event.key === "/") { event.preventDefault(); }
      scan.timer = setTimeout(act, BURST);
    }
  }

  function keys(event) {
    const find = document.getElementById("find") || document.getElementById("searchbar");
    if (event.key === "Escape") {
      const open = document.querySelector("details.menu[open], details.filter[open]");
      if (open) { open.open = false; open.querySelector("summary").focus(); }
    } else if (find && event.key === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      find.focus();
      find.select();
    } else if (!typing(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey && !document.querySelector("dialog[open]")) {
      burst(event);
    }
  }

  // A count as it is read; where counting ended, a plus says that there are more.
  function sayer(lang, most) {
    const number = new Intl.NumberFormat(lang);
    return (total) => number.format(total) + (most && total >= most ? "+" : "");
  }

  // Figures that other people's work changes: shown from the last answer at once, then asked for again.
  function showQueues(queues, lang) {
    const said = sayer(lang, queues.most);
    each("[data-section]", (count) => {
      const [total, tone, url, label] = queues.sections[count.dataset.section] || [0, "", "", ""];
      count.textContent = said(total);
      count.hidden = !total;
      count.href = url;
      count.title = label;
      count.setAttribute("aria-label", `${label}: ${said(total)}`);
      count.classList.toggle("hot", tone === "stop");
    });
    each("[data-worker]", (foot) => {
      [foot.textContent, foot.className] = [queues.worker[0], `foot ${queues.worker[1]}`];
      foot.hidden = false;
    });
    showTiles(queues.tiles, said, ".tabs:not([data-views]) a");
  }

  function showTiles(tiles, said, tabs) {
    tiles.forEach(([url, total, tone, detail]) => {
      each(tabs, (tab) => {
        if (tab.pathname + tab.search !== url) { return; }
        const count = tab.querySelector(".count");
        count.textContent = said(total);
        count.className = `count ${tone}`;
        count.hidden = false;
      });
      each(`a.tile[href="${CSS.escape(url)}"]`, (tile) => {
        tile.className = `${tile.classList.contains("card") ? "card " : ""}tile ${tone}`;
        tile.querySelector("b").textContent = said(total);
        const small = tile.querySelector("small");
        if (small) { small.textContent = detail; }
      });
    });
  }

  // Saved views are counted once the list stands there.
  async function countViews(tabs) {
    try {
      const answer = await fetch(tabs.dataset.views, { headers: { Accept: "application/json" }, redirect: "error" });
      if (answer.ok) { showTiles((await answer.json()).tiles, sayer(document.documentElement.lang), "[data-views] a"); }
    } catch { /* Offline: tabs without counts are tabs. */ }
  }

  // The queues inside a filter or a search, and where an object stands in its list: counted once the page stands there.
  async function countTabs(tabs) {
    try {
      const answer = await fetch(tabs.dataset.tabs, { headers: { Accept: "application/json" }, redirect: "error" });
      if (!answer.ok) { return; }
      const { counts, most } = await answer.json();
      const said = sayer(document.documentElement.lang, most);
      each("[data-queue]", (tab) => {
        if (!(tab.dataset.queue in counts)) { return; }
        const count = tab.querySelector(".count");
        count.textContent = said(counts[tab.dataset.queue]);
        count.hidden = false;
      }, tabs);
    } catch { /* Offline: tabs without counts are tabs. */ }
  }

  async function sayPlace(place) {
    try {
      const answer = await fetch(place.dataset.place, { headers: { Accept: "application/json" }, redirect: "error" });
      if (!answer.ok) { return; }
      place.textContent = (await answer.json()).said;
      place.hidden = !place.textContent;
    } catch { /* Offline: one walks without a number. */ }
  }

  function watchQueues(nav) {
    const lang = document.documentElement.lang;
    const key = `bancale.queues.${lang}`;
    const ask = async () => {
      if (document.hidden) { return; }
      try {
        const answer = await fetch(nav.dataset.queues, { headers: { Accept: "application/json" }, redirect: "error" });
        if (!answer.ok) { return; }
        const queues = await answer.json();
        sessionStorage.setItem(key, JSON.stringify(queues));
        showQueues(queues, lang);
      } catch { /* Offline or logged out: the figures shown stay, the next page says what is wrong. */ }
    };
    const last = sessionStorage.getItem(key);
    if (last && !document.querySelector("a.tile")) { showQueues(JSON.parse(last), lang); }
    ask();
    setInterval(ask, 30000);
    document.addEventListener("visibilitychange", ask);
  }

  // Lines of a list go to the clipboard; where the browser keeps that from the page, they are selected to be copied.
  function copyAll(button) {
    const list = document.getElementById(button.dataset.copies);
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText([...list.children].map((line) => line.textContent.trim()).join("\n"));
        button.textContent = button.dataset.said;
      } catch { getSelection().selectAllChildren(list); }
    });
  }

  function printPage(button) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  // What a button offers is typed into the fields that it names by their ids; the first has the focus then.
  function fillIn(button) {
    const named = Object.entries(button ? JSON.parse(button.dataset.fills) : {});
    named.forEach(([id, value]) => { document.getElementById(id).value = value; });
    if (named.length) { document.getElementById(named[0][0]).focus(); }
  }

  // An order that is being typed: SKUs are offered by their first letters, and the server
  // works out what it comes to.
  function newOrder(form) {
    const offered = document.getElementById("skus");
    let [timer, asked, worked] = [0, 0, 0];
    const offer = async (box) => {
      const turn = asked += 1;
      try {
        const answer = await fetch(`${form.dataset.skus}?q=${encodeURIComponent(box.value.trim())}`, { headers: { Accept: "application/json" }, redirect: "error" });
        if (!answer.ok || turn !== asked) { return; }
        offered.replaceChildren(...(await answer.json()).skus.map((sku) => {
          const option = document.createElement("option");
          [option.value, option.label] = [sku.code, sku.said];
          return option;
        }));
      } catch { /* Offline: a code is a code without being offered. */ }
    };
    const workOut = async () => {
      const turn = worked += 1;
      const typed = new FormData(form);
      typed.set("fragment", "1");
      try {
        const answer = await fetch(location.href, { method: "POST", body: typed, redirect: "error" });
        if (answer.ok && turn === worked) { form.querySelector("[data-sums-here]").innerHTML = await answer.text(); }
      } catch { /* Offline: the button asks for it. */ }
    };
    form.addEventListener("input", (event) => {
      clearTimeout(timer);
      const box = event.target;
      timer = setTimeout(() => { if (box.matches("input[list=skus]") && box.value.trim()) { offer(box); } workOut(); }, 200);
    });
  }

  // A file may be dropped anywhere on the page; its field stays as it is, for the keyboard and without this script.
  function dropZone(input) {
    const place = document.createElement("div");
    place.className = "drop";
    const said = document.createElement("span");
    said.className = "drop-said";
    said.setAttribute("aria-live", "polite");
    input.replaceWith(place);
    place.append(said, input);
    const tell = () => {
      said.textContent = input.files.length ? input.files[0].name : input.dataset.drop;
      place.classList.toggle("full", input.files.length > 0);
    };
    const over = (is) => (event) => {
      if (!event.dataTransfer || ![...event.dataTransfer.types].includes("Files")) { return; }
      event.preventDefault();
      place.classList.toggle("over", is);
    };
    ["dragenter", "dragover"].forEach((kind) => document.addEventListener(kind, over(true)));
    document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) { over(false)(event); } });
    document.addEventListener("drop", (event) => {
      over(false)(event);
      if (!event.dataTransfer || !event.dataTransfer.files.length) { return; }
      const one = new DataTransfer();
      one.items.add(event.dataTransfer.files[0]);
      input.files = one.files;
      tell();
      input.focus();
    });
    place.addEventListener("click", (event) => { if (event.target !== input) { input.click(); } });
    input.addEventListener("change", tell);
    tell();
  }

  // The server shows times in the zone that the browser states here.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) { document.cookie = `bancale_tz=${zone}; path=/; max-age=31536000; samesite=lax`; }

  each("#result_list, table.stack, .tabular table", labelCells);
  labelSelectAll();
  each(".actions", actionButtons);
  each("#nav-sidebar[data-queues]", watchQueues);
  each("form[data-palette]", palette);
  each("form[data-sums]", newOrder);
  each("[data-views]", countViews);
  each("[data-tabs]", countTabs);
  each("[data-place]", sayPlace);
  each("[data-read-at]", countAge);
  each("[data-refresh-url]", refresh);
  each("input[type=file][data-drop]", dropZone);
  each("[data-copies]", copyAll);
  each("[data-prints]", printPage);
  each("form.confirm, .bulk-results form", once);
  each("#nav-sidebar .here, #nav-sidebar > .pages li:has([aria-current]), .tabs [aria-current]", (place) => {
    const strip = place.parentElement;
    if (strip.scrollWidth > strip.clientWidth) { strip.scrollLeft = place.offsetLeft - strip.clientWidth / 3; }
  });
  // select2 draws its boxes when jQuery finds the time, before or after this event.
  window.addEventListener("load", () => { nameFields(document); setTimeout(() => nameFields(document), 300); });
  document.addEventListener("formset:added", (event) => setTimeout(() => nameFields(event.target)));
  document.addEventListener("click", (event) => { closeMenus(event.target); fillIn(event.target.closest("button[data-fills]")); });
  document.addEventListener("keydown", keys);
}
