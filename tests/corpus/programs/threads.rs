// Threads, channels, panics that unwind, scoped borrows, child processes, files.
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{mpsc, Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

fn main() {
    let (sender, receiver) = mpsc::channel();
    let threads: Vec<_> = (0..8u64)
        .map(|i| {
            let sender = sender.clone();
            thread::Builder::new()
                .name(format!("worker {i}"))
                .spawn(move || {
                    let mut x = i + 1;
                    for _ in 0..100_000 {
                        x ^= x << 13;
                        x ^= x >> 7;
                        x ^= x << 17;
                    }
                    sender.send((i, x)).unwrap();
                })
                .unwrap()
        })
        .collect();
    drop(sender);
    let results: BTreeMap<u64, u64> = receiver.iter().collect();
    for thread in threads {
        thread.join().unwrap();
    }
    for (i, x) in &results {
        println!("{i} {x:016x}");
    }

    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let other = Arc::clone(&pair);
    let waiter = thread::spawn(move || {
        let mut count = other.0.lock().unwrap();
        while *count < 3 {
            count = other.1.wait_timeout(count, Duration::from_secs(20)).unwrap().0;
        }
        *count
    });
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(1));
        *pair.0.lock().unwrap() += 1;
        pair.1.notify_all();
    }
    println!("waiter saw {}", waiter.join().unwrap());

    std::panic::set_hook(Box::new(|_| {}));
    let panicked = thread::spawn(|| panic!("on purpose")).join();
    println!("panicked {}", panicked.is_err());

    let mut child = Command::new("/bin/busybox")
        .args(["tr", "a-z", "A-Z"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"through a pipe\n").unwrap();
    let output = child.wait_with_output().unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    std::fs::write("rust.txt", "written by rust\n").unwrap();
    std::process::exit(if output.status.success() { 5 } else { 1 });
}
