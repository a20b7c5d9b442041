"""dlopen, many small files, subprocesses, threads, pools, memory maps, selectors, signals."""
import asyncio, concurrent.futures, ctypes, hashlib, json, mmap, multiprocessing, os, queue, re
import selectors, shutil, signal, socket, sqlite3, subprocess, sys, tempfile, threading, time, zlib
print(sys.version_info[:2], hashlib.sha256(b"abc").hexdigest()[:16], zlib.crc32(b"abc"))
print(subprocess.run(["/bin/busybox", "tr", "a-z", "A-Z"], input=b"pipe", capture_output=True))
print(subprocess.run("exit 9", shell=True).returncode, subprocess.run("kill -9 $$", shell=True).returncode)
try:
    subprocess.run(["/bin/busybox", "sleep", "9"], timeout=0.2)
except subprocess.TimeoutExpired as error:
    print(type(error).__name__)
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(lambda n: len(hashlib.sha512(bytes(n)).digest()), range(200))))
def square(n):
    return n * n
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(pool.map(square, range(10)))
m = mmap.mmap(-1, 1 << 20)
if os.fork() == 0:
    m[5:10] = b"child"; os._exit(3)
print(os.waitstatus_to_exitcode(os.wait()[1]), bytes(m[5:10]))
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "f")
    with open(path, "w+b") as f:
        f.write(bytes(10000)); f.flush()
        shared = mmap.mmap(f.fileno(), 0); shared[9999:] = b"!"; shared.flush()
        f.seek(9999); print(f.read())
    shutil.copy(path, path + "2"); os.link(path, path + "3"); print(sorted(os.listdir(folder)), os.stat(path).st_nlink)
a, b = socket.socketpair(); s = selectors.DefaultSelector(); s.register(b, selectors.EVENT_READ)
print(s.select(0)); a.send(b"x"); print(len(s.select(1)), b.recv(3))
got = []
signal.signal(signal.SIGALRM, lambda *_: got.append("alarm")); signal.setitimer(signal.ITIMER_REAL, 0.05)
time.sleep(0.3); print(got)
q = queue.Queue(); t = [threading.Thread(target=lambda i=i: q.put(i)) for i in range(20)]
[x.start() for x in t]; [x.join() for x in t]; print(sorted(q.queue))
async def main():
    async def one(n):
        await asyncio.sleep(0.001 * (3 - n)); return n
    process = await asyncio.create_subprocess_exec("/bin/busybox", "echo", "async", stdout=subprocess.PIPE)
    return await asyncio.gather(*[one(n) for n in range(3)]), await process.communicate()
print(asyncio.run(main()))
db = sqlite3.connect("t.db"); db.execute("create table t(x)"); db.executemany("insert into t values(?)", [(i,) for i in range(1000)]); db.commit()
print(db.execute("select sum(x), count(*) from t").fetchone())
libc = ctypes.CDLL(None, use_errno=True); print(libc.abs(-4), libc.open(b"/nonexistent", 0), ctypes.get_errno())
try:
    os.open("/nonexistent", os.O_RDONLY)
except OSError as error:
    print(error)
try:
    bytearray(1 << 50)
except MemoryError:
    print("memory error")
print(json.loads(json.dumps({"a": [1, 2.5, None]})), re.sub(r"(\w+) (\w+)", r"\2 \1", "hello world"))
print(signal.sigtimedwait([signal.SIGUSR1], 0.01), os.get_terminal_size.__name__, os.isatty(0))
r, w = os.pipe(); os.set_blocking(r, False)
try:
    os.read(r, 1)
except BlockingIOError as error:
    print(error.errno)
os.kill(os.getpid(), signal.SIGTERM)
