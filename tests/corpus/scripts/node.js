// JIT, worker threads, child processes, timers, streams, files, zlib, crypto.
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const cp = require('child_process'), fs = require('fs'), zlib = require('zlib'), crypto = require('crypto');
if (!isMainThread) {
  let x = workerData;
  for (let i = 0; i < 1e6; i++) x = (x * 1103515245 + 12345) % 2147483648;
  parentPort.postMessage(x);
} else {
  const worker = (n) => new Promise((ok, no) => {
    const w = new Worker(__filename, { workerData: n });
    w.on('message', ok); w.on('error', no);
  });
  (async () => {
    console.log(await Promise.all([1, 2, 3].map(worker)));
    console.log(cp.execFileSync('/bin/busybox', ['tr', 'a-z', 'A-Z'], { input: 'pipe' }).toString());
    console.log(cp.spawnSync('/bin/sh', ['-c', 'exit 7']).status);
    fs.writeFileSync('n.txt', 'x'.repeat(100000));
    console.log(zlib.gunzipSync(zlib.gzipSync(fs.readFileSync('n.txt'))).length);
    console.log(crypto.createHash('sha256').update('abc').digest('hex'));
    console.log((await fs.promises.readdir('.')).includes('n.txt'));
    let f = (n) => (n < 2 ? n : f(n - 1) + f(n - 2)); console.log(f(25));
    console.log(await WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])));
    await new Promise((ok) => setTimeout(ok, 5));
    process.exitCode = 3;
  })();
}
