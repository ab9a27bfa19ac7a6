// The keys, and the search in the head of every page. body[data-keys] says that the keys are on; everything that they
// reach can be reached without them.
(function () {
  "use strict";

  var on = document.body.hasAttribute("data-keys"), field = document.getElementById("search"), quick = document.getElementById("quick");
  var going = 0; // until when the letter after g counts

  function writing(target) {
    return target.closest("input, select, textarea, [contenteditable], dialog[open]");
  }
  function show(selector) {
    var link = document.querySelector(selector);
    if (link) link.click();
    return Boolean(link);
  }
  function press(event) {
    var key = event.key;
    if (going > Date.now()) {
      going = 0;
      return /^[a-z]$/.test(key) && show(".side a[data-go='" + key + "']");
    }
    switch (key) {
    case "/":
      if (!field) return false;
      field.focus();
      field.select();
      return true;
    case "?":
      var keys = document.getElementById("keys");
      if (!keys || !keys.showModal) return false;
      keys.showModal();
      return true;
    case "n":
      return show(".page-head a.btn-primary[href*='/new']");
    case "g":
      going = Date.now() + 1500;
      return true;
    }
    return false;
  }
  document.addEventListener("keydown", function (event) {
    if (!on || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || writing(event.target)) return;
    if (press(event)) event.preventDefault();
  });

  // Whoever opens the keys from the menu is shown them here instead of on their page.
  document.addEventListener("click", function (event) {
    var way = event.target.closest("[data-keys-way]"), keys = document.getElementById("keys");
    if (!way || !keys || !keys.showModal) return;
    event.preventDefault();
    keys.showModal();
  });
  document.addEventListener("click", function (event) {
    var close = event.target.closest("[data-close-dialog]");
    if (close) close.closest("dialog").close();
  });

  if (!field || !quick) return;
  function clear() { quick.replaceChildren(); }
  function links() { return Array.prototype.slice.call(quick.querySelectorAll("a")); }
  field.addEventListener("input", function () { if (field.value.trim() === "") clear(); });
  document.addEventListener("click", function (event) {
    if (!event.target.closest(".search")) clear();
  });
  field.form.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      clear();
      field.focus();
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    var all = links(), at = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    if (all.length === 0) return;
    event.preventDefault();
    if (at < 0) field.focus();
    else all[Math.min(at, all.length - 1)].focus();
  });
})();
