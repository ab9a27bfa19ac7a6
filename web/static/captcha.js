// Solves the task of a form marked data-captcha while it is being filled in, and holds the form back until it is done.
(function () {
  "use strict";

  var place = document.querySelector("[data-captcha]");
  if (!place) return;
  var form = place.closest("form"), field = form.elements.captcha, said = place.querySelector("[role=status]"), waiting = null;
  place.hidden = false;

  function tell(words) { said.textContent = words; }

  function done(task, number, began) {
    field.value = btoa(JSON.stringify({ algorithm: task.algorithm, challenge: task.challenge, number: number,
      salt: task.salt, signature: task.signature, took: Date.now() - began }));
    tell("Checked: you are no program.");
    if (waiting) form.requestSubmit(waiting === true ? undefined : waiting);
  }

  function failed() {
    waiting = null;
    tell("The check could not be made. Load this page again.");
  }

  function solve(task) {
    var worker = new Worker(place.dataset.worker), began = Date.now();
    worker.onmessage = function (event) {
      worker.terminate();
      if (event.data < 0) failed();
      else done(task, event.data, began);
    };
    worker.onerror = failed;
    worker.postMessage(task);
  }

  tell("Checking that you are no program…");
  fetch(place.dataset.captcha).then(function (response) {
    if (!response.ok) throw new Error(response.status);
    return response.json();
  }).then(solve).catch(failed);

  form.addEventListener("submit", function (event) {
    if (field.value) return;
    event.preventDefault();
    waiting = event.submitter || true;
    tell("A moment: checking that you are no program…");
  });

  // Back on a page that was sent already: the task is spent.
  window.addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });
})();
