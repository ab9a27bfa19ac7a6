// Solves a task of ALTCHA: finds the number that, after the salt, has the wanted SHA-256. It runs beside the page,
// and hashes by itself: asking the browser for each of many thousand hashes takes longer than making them.
(function () {
  "use strict";

  var K = new Int32Array(64), H = new Int32Array(8);
  (function () { // the constants of FIPS 180-4, section 4.2.2 and 5.3.3: roots of the first primes
    function bits(x) { return ((x - Math.floor(x)) * 4294967296) | 0; }
    for (var n = 2, found = 0; found < 64; n++) {
      var prime = true;
      for (var d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
      if (!prime) continue;
      if (found < 8) H[found] = bits(Math.sqrt(n));
      K[found++] = bits(Math.cbrt(n));
    }
  })();

  var w = new Int32Array(64);
  function block(state, bytes, at) {
    var i, s0, s1, t1, t2;
    for (i = 0; i < 16; i++, at += 4) w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    for (; i < 64; i++) {
      s0 = w[i - 15]; s1 = w[i - 2];
      s0 = ((s0 >>> 7) | (s0 << 25)) ^ ((s0 >>> 18) | (s0 << 14)) ^ (s0 >>> 3);
      s1 = ((s1 >>> 17) | (s1 << 15)) ^ ((s1 >>> 19) | (s1 << 13)) ^ (s1 >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    var a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (i = 0; i < 64; i++) {
      t1 = (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      t2 = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  }

  // matches says whether the hash of what stands in bytes[0..length) is the wanted one.
  var state = new Int32Array(8);
  function matches(bytes, length, blocks, wanted) {
    bytes.fill(0, length);
    bytes[length] = 128;
    var end = blocks * 64, long = length * 8;
    bytes[end - 1] = long; bytes[end - 2] = long >>> 8; bytes[end - 3] = long >>> 16;
    state.set(H);
    for (var at = 0; at < end; at += 64) block(state, bytes, at);
    for (var i = 0; i < 8; i++) if (state[i] !== wanted[i]) return false;
    return true;
  }

  self.onmessage = function (event) {
    var task = event.data, salt = new TextEncoder().encode(task.salt), wanted = new Int32Array(8);
    for (var i = 0; i < 8; i++) wanted[i] = parseInt(task.challenge.slice(i * 8, i * 8 + 8), 16) | 0;
    for (var number = 0; number <= task.maxnumber; number++) {
      var digits = String(number), length = salt.length + digits.length, blocks = Math.ceil((length + 9) / 64);
      var bytes = new Uint8Array(blocks * 64);
      bytes.set(salt);
      for (i = 0; i < digits.length; i++) bytes[salt.length + i] = digits.charCodeAt(i);
      if (matches(bytes, length, blocks, wanted)) {
        self.postMessage(number);
        return;
      }
    }
    self.postMessage(-1);
  };
})();
