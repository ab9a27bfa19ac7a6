// Warns a minute before one is signed out, in every open tab of an organization, and goes to the sign-in page when it
// has happened: what stands on the screen is nobody's business then. Asking how long is left does not count as use.
(function () {
  "use strict";

  var dialog = document.getElementById("idle");
  if (!dialog || !dialog.showModal) return;
  var words = dialog.querySelector("[data-idle-left]"), stay = dialog.querySelector("[data-stay]");
  var where = "?organization=" + encodeURIComponent(dialog.dataset.organization);
  var timer = 0, ends = 0, asking = false;

  function ask(method, path) {
    if (asking) return;
    asking = true;
    fetch(path + where, { method: method, cache: "no-store" }).then(function (response) {
      if (!response.ok) throw new Error(response.status);
      return response.json();
    }).then(function (left) {
      asking = false;
      plan(left);
    }).catch(function () { // the network is away: ask again later
      asking = false;
      again(30);
    });
  }

  function again(seconds) {
    clearTimeout(timer);
    timer = setTimeout(function () { ask("GET", "/session/left"); }, Math.max(1, seconds) * 1000);
  }

  function plan(left) {
    var seconds = Math.min(left.idle, left.end);
    if (seconds <= 0) {
      location.assign(location.href);
      return;
    }
    ends = Date.now() + seconds * 1000;
    if (seconds > 60) {
      if (dialog.open) dialog.close();
      again(Math.min(seconds - 60, 3600));
      return;
    }
    stay.hidden = left.end <= left.idle; // nothing that one does makes it longer
    if (!dialog.open) dialog.showModal();
    tick();
    again(Math.min(seconds, 5)); // another tab may have stayed
  }

  function tick() {
    if (!dialog.open) return;
    var seconds = Math.max(0, Math.round((ends - Date.now()) / 1000));
    words.textContent = seconds === 1 ? "1 second" : seconds + " seconds";
    setTimeout(tick, 500);
  }

  stay.addEventListener("click", function () { ask("POST", "/session/stay"); });
  dialog.addEventListener("cancel", function (event) { event.preventDefault(); });
  // A machine that slept, a tab that comes to the front: timers stood still.
  document.addEventListener("visibilitychange", function () { if (!document.hidden) again(1); });
  again(1);
})();
