// Countinghouse: what a page does beyond plain HTML. Everything works without it.
(function () {
  "use strict";

  // Menus are <details>: a click elsewhere or Escape closes them.
  function closeMenus(except) {
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (menu !== except) menu.open = false;
    });
  }
  document.addEventListener("click", function (event) {
    closeMenus(event.target.closest("details.menu"));
  });
  document.addEventListener("focusin", function (event) {
    var open = document.querySelector("details.menu[open]");
    if (open && !open.contains(event.target)) open.open = false;
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    var open = document.querySelector("details.menu[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  });

  // A notice can be put away.
  document.addEventListener("click", function (event) {
    var close = event.target.closest("[data-close]");
    if (close) close.closest(".toast").remove();
  });

  // After a refusal one lands on the list of what is wrong.
  function focusErrors(root) {
    var list = root.querySelector(".form-errors");
    if (list) list.focus();
  }
  focusErrors(document);
  document.addEventListener("htmx:afterSettle", function (event) {
    focusErrors(event.target);
    dress(event.target);
  });

  // A form marked data-guard asks before its changes are lost; one that came back refused holds unsaved
  // changes from the start.
  var leaving = false;
  function changed(form) {
    if (form.unsaved) return form.unsaved(); // it is kept by itself and knows: see editor.js
    if (form.querySelector(".form-errors") || "unsaved" in form.dataset) return true;
    return Array.prototype.some.call(form.elements, function (field) {
      if (field.type === "hidden" || !field.name) return false;
      if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
      if (field.options) {
        var given = Array.prototype.filter.call(field.options, function (o) { return o.defaultSelected; });
        return given.length === 0 ? field.selectedIndex > 0 : !given[0].selected;
      }
      return "defaultValue" in field && field.value !== field.defaultValue;
    });
  }
  document.addEventListener("submit", function (event) {
    if (!event.defaultPrevented) leaving = true;
  });
  window.addEventListener("pageshow", function () { leaving = false; });
  window.addEventListener("beforeunload", function (event) {
    if (leaving) return;
    if (Array.prototype.some.call(document.querySelectorAll("form[data-guard]"), changed)) event.preventDefault();
  });

  // What the server put into a form meanwhile, such as one more line, is as unsaved as what one typed.
  document.addEventListener("htmx:beforeSwap", function (event) {
    var form = event.target.closest && event.target.closest("form[data-guard]");
    if (form) form.dataset.unsaved = "";
  });

  // Buttons that only a script can serve are hidden until there is one.
  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-print]")) window.print();
    var copy = event.target.closest("[data-copy]");
    if (copy) {
      navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent).then(function () {
        copy.lastChild.textContent = "Copied";
      });
    }
  });

  // A field marked data-slug-of="organization" is filled from that field until one writes into it.
  function slug(words) {
    return words.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/ß/g, "ss").replace(/ł/gi, "l").replace(/ø/gi, "o")
      .toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40).replace(/-+$/, "");
  }
  function followName(field) {
    var name = field.form && field.form.elements[field.dataset.slugOf];
    if (!name || field.value) return;
    var own = false;
    field.addEventListener("input", function () { own = field.value !== ""; });
    name.addEventListener("input", function () { if (!own) field.value = slug(name.value); });
  }

  // A country proposes its currency and time zone, the browser its own zone; what one chose stays.
  function propose(select, value) {
    if (!select || !value || select.dataset.chosen) return;
    var options = Array.prototype.slice.call(select.options);
    if (!options.some(function (option) { return option.value === value; })) return;
    select.value = value;
    // What nobody chose is nothing to lose: see changed.
    options.forEach(function (option) { option.defaultSelected = option.selected; });
  }
  function followCountry(country) {
    var currency = country.form.elements.currency, zone = country.form.elements.time_zone;
    [currency, zone].forEach(function (select) {
      if (!select) return;
      // What a form begins with nobody chose; what it came back with they did.
      if (select.value && country.form.querySelector(".form-errors")) select.dataset.chosen = "yes";
      select.addEventListener("change", function () { select.dataset.chosen = "yes"; });
    });
    propose(zone, Intl.DateTimeFormat().resolvedOptions().timeZone);
    country.addEventListener("change", function () {
      var option = country.options[country.selectedIndex];
      propose(currency, option.dataset.currency);
      // A country of several zones keeps the one that the browser named.
      var at = zone && zone.options[zone.selectedIndex];
      if (!at || at.dataset.country !== option.value) propose(zone, option.dataset.zone);
    });
    if (country.value) country.dispatchEvent(new Event("change"));
  }

  // A form marked data-passkey is filled by a passkey: its challenge is fetched, the browser answers it, and the
  // form carries the answer. It stays hidden where the browser knows no passkeys.
  function usePasskey(form) {
    var said = form.querySelector("[role=status]"), make = form.dataset.passkey === "create";
    said.textContent = "";
    fetch(form.action + "/challenge", { method: "POST" }).then(function (response) {
      if (response.redirected) {
        location.assign(response.url);
        return null;
      }
      if (!response.ok) throw new Error(response.status);
      return response.json();
    }).then(function (challenge) {
      if (!challenge) return null;
      form.elements.ceremony.value = challenge.ceremony;
      return make
        ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(challenge.options) })
        : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(challenge.options) });
    }).then(function (credential) {
      if (!credential) return;
      form.elements.response.value = JSON.stringify(credential.toJSON());
      form.submit();
    }).catch(function () {
      said.textContent = make ? "No passkey was added. Try again." : "No passkey was used. Try again, or go on without one.";
    });
  }
  document.addEventListener("submit", function (event) {
    if (!event.target.matches("[data-passkey]")) return;
    event.preventDefault();
    usePasskey(event.target);
  });

  // The time that support has left runs down; at its end the page is asked for again, and is refused or without the
  // banner. Seconds are counted from the moment that the page came, so that a wrong clock does no harm.
  function countDown(timer) {
    var whole = Number(timer.dataset.left), began = performance.now();
    var bar = timer.closest(".left").querySelector("progress");
    var ticking = setInterval(function () {
      if (!timer.isConnected) { // another banner stands in its place
        clearInterval(ticking);
        return;
      }
      var left = Math.max(0, whole - Math.floor((performance.now() - began) / 1000));
      var hours = Math.floor(left / 3600), minutes = Math.floor(left / 60) % 60, seconds = left % 60;
      var two = function (n) { return n < 10 ? "0" + n : String(n); };
      timer.textContent = (hours ? hours + ":" + two(minutes) : String(minutes)) + ":" + two(seconds);
      if (bar) bar.value = left;
      if (left > 0) return;
      clearInterval(ticking);
      if (!document.querySelector("form[data-guard]")) location.reload();
    }, 1000);
  }

  // A password marked data-checked is held against the rules as one types: the server says which are kept. The
  // sentence below it, which stands there without a script too, gives way to the list.
  function checkAsTyped(field) {
    var hint = document.getElementById(field.id + "-h"), list = document.createElement("ul"), asked = 0, wait = 0;
    if (!hint) return;
    list.className = "rules";
    list.setAttribute("aria-live", "polite");
    function show(rules) {
      list.replaceChildren.apply(list, rules.map(function (rule) {
        var item = document.createElement("li"), state = document.createElement("span");
        item.className = rule.kept ? "kept" : "";
        state.className = "sr";
        state.textContent = rule.kept ? "Kept: " : "Not yet: ";
        item.append(state, rule.say);
        return item;
      }));
      if (!list.parentNode) {
        hint.textContent = "";
        hint.append(list);
      }
    }
    field.addEventListener("input", function () {
      clearTimeout(wait);
      wait = setTimeout(function () {
        var mine = ++asked, body = new URLSearchParams({ password: field.value });
        ["token", "name"].forEach(function (name) {
          var other = field.form.elements[name];
          if (other && other.value) body.set(name, other.value);
        });
        fetch(field.dataset.checked, { method: "POST", body: body }).then(function (response) {
          return response.ok ? response.json() : null;
        }).then(function (rules) {
          if (rules && mine === asked) show(rules);
        }).catch(function () { /* the form itself is checked when it is sent */ });
      }, 250);
    });
  }

  // Where tabs or days are more than fit, the one that is open is in view from the start.
  function showTab(tab) {
    var tabs = tab.closest(".tabs, .chips");
    if (!tabs || tabs.scrollWidth <= tabs.clientWidth) return;
    tabs.scrollLeft += tab.getBoundingClientRect().left - tabs.getBoundingClientRect().left - (tabs.clientWidth - tab.offsetWidth) / 2;
  }

  function dress(root) {
    root.querySelectorAll(":is(.tabs, .chips) [aria-current]").forEach(showTab);
    root.querySelectorAll("input[data-checked]").forEach(checkAsTyped);
    root.querySelectorAll("[data-left]").forEach(countDown);
    if (window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON) {
      root.querySelectorAll("[data-passkey]").forEach(function (form) { form.hidden = false; });
    }
    root.querySelectorAll("[data-print], [data-copy]").forEach(function (button) { button.hidden = false; });
    root.querySelectorAll("[data-slug-of]").forEach(followName);
    root.querySelectorAll("select[data-country]").forEach(followCountry);
  }
  dress(document);
})();
