// Keeps a draft while it is written, a few seconds after the last change, and shows beside it how it stands on paper.
// What is sent is what the button "Save draft" sends, on the version that this page knows: where someone else was
// faster nothing is written over, the page says so, and what one typed stays in its fields for the button.
(function () {
  "use strict";

  var form = document.getElementById("invoice-form");
  if (!form) return;
  var told = document.getElementById("kept"), aside = document.getElementById("paper");
  var passing = ["idempotency_key", "version", "find_customer", "find_product", "choose_product"]; // not the draft's
  var pause = 3000, again = 10000; // milliseconds

  function fields() {
    var all = new URLSearchParams();
    new FormData(form).forEach(function (value, name) {
      if (passing.indexOf(name) < 0) all.append(name, value);
    });
    return all;
  }

  // A form that came back refused is for its writer to put right, and by the button: its version may be newer than
  // what stands in it.
  var refused = form.querySelector(".form-errors") !== null;
  var saved = refused || "unsaved" in form.dataset ? null : fields().toString();
  var sending = false, stopped = refused || !("keeps" in form.dataset), timer = 0;
  var waiting = null, unanswered = null; // the button that was pressed meanwhile; what had no answer
  form.unsaved = function () { return fields().toString() !== saved; };

  function tell(words) {
    if (told && told.textContent !== words) told.textContent = words;
  }
  function words(name) { return form.querySelector("[data-say-" + name + "]").textContent; }

  function hidden(name) {
    var field = form.querySelector('input[type="hidden"][name="' + name + '"]');
    if (!field) {
      field = document.createElement("input");
      field.type = "hidden";
      field.name = name;
      form.prepend(field);
    }
    return field;
  }

  function stop(say) {
    stopped = true;
    clearTimeout(timer);
    if (say) tell(say);
  }

  // What was pressed while a draft was on its way goes after it, on the version that it has then.
  function release() {
    var pressed = waiting;
    waiting = null;
    if (pressed) form.requestSubmit(pressed);
  }

  function kept(answer, taken) {
    saved = taken;
    document.querySelectorAll('input[name="version"]').forEach(function (field) { field.value = answer.version; });
    hidden("version").value = answer.version;
    hidden("idempotency_key").value = answer.key;
    if (form.getAttribute("action") !== answer.action) {
      form.setAttribute("action", answer.action);
      history.replaceState(history.state, "", answer.action + "/edit");
    }
    var cancel = form.querySelector("[data-cancel]"), close = form.querySelector("[data-kept-way]");
    if (cancel && close) {
      cancel.hidden = true;
      close.hidden = false;
      close.href = answer.action;
    }
    if (aside && answer.paper) aside.dataset.paper = answer.paper;
    show();
  }

  function send(body, taken) {
    sending = true;
    unanswered = null;
    fetch(form.getAttribute("action"), { method: "POST", body: body, redirect: "manual", keepalive: body.toString().length < 60000 }).then(function (response) {
      if (response.status >= 500 || response.status === 429) throw new Error(response.status);
      var json = (response.headers.get("Content-Type") || "").indexOf("application/json") === 0;
      return response.ok && json ? response.json() : null;
    }).then(function (answer) {
      sending = false;
      if (!answer) {
        stop(words("lost"));
      } else {
        if (answer.version) kept(answer, taken);
        tell(answer.say);
        if (answer.stop) {
          stop();
          var other = form.querySelector("[data-other]");
          other.href = form.getAttribute("action");
          other.hidden = false;
        }
      }
      if (waiting) release();
      else if (!stopped && answer.version && form.unsaved()) plan();
    }).catch(function () {
      tell(words("away"));
      if (waiting) {
        sending = false;
        release();
        return;
      }
      // The very same once more: had it been kept and only its answer lost, nothing is kept twice.
      unanswered = function () { send(body, taken); };
      timer = setTimeout(unanswered, again);
    });
  }

  function keep() {
    clearTimeout(timer);
    if (stopped || sending || !form.unsaved()) return;
    var body = fields(), taken = body.toString();
    body.append("action", "keep");
    ["idempotency_key", "version"].forEach(function (name) {
      var field = form.querySelector('input[type="hidden"][name="' + name + '"]');
      if (field) body.append(name, field.value);
    });
    send(body, taken);
  }

  function plan() {
    if (stopped || sending) return; // what is typed meanwhile goes after what is on its way
    clearTimeout(timer);
    timer = setTimeout(keep, pause);
  }
  form.addEventListener("input", plan);
  form.addEventListener("change", plan);
  document.addEventListener("htmx:afterSettle", function (event) {
    if (event.target.closest && event.target.closest("#lines")) plan();
  });
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "hidden") keep();
  });
  form.addEventListener("submit", function (event) {
    clearTimeout(timer);
    if (!sending) return;
    event.preventDefault();
    waiting = event.submitter;
    if (unanswered) unanswered();
  });

  // The paper, only where there is room for it: elsewhere it would be fetched for nothing.
  var wide = window.matchMedia("(min-width: 100rem)");
  var shown = "";
  function show() {
    if (!aside || !wide.matches) return;
    aside.hidden = false;
    var version = form.querySelector('input[type="hidden"][name="version"]');
    var url = aside.dataset.paper && version ? aside.dataset.paper + "?version=" + version.value : "";
    if (!url || url === shown) return;
    shown = url;
    var frame = document.createElement("iframe"), place = aside.querySelector(".paper-frame");
    frame.className = "coming";
    frame.title = document.getElementById("paper-h").textContent;
    frame.addEventListener("load", function () {
      place.querySelectorAll("iframe, [data-no-paper]").forEach(function (old) { if (old !== frame) old.remove(); });
      frame.className = "";
    });
    frame.src = url + "#toolbar=0&navpanes=0&view=FitH";
    place.append(frame);
  }
  wide.addEventListener("change", show);
  show();
})();
