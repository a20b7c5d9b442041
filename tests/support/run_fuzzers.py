"""run_fuzzers.py [--seconds N] [--jobs N] [--junit FILE] FOLDER

Runs every fuzz_* program of a folder for a while, from the seeds in tests/fuzz/corpus/NAME:
those that a stranger reaches first for N seconds, the others for a third of it.
A crash, a leak, a hang or a run without a single execution is a failure; the input that did
it is left in build/test/fuzz/.
"""
import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

# What the network and the packed program hand in before anything else has looked at it.
FIRST_REACHED = {"elf", "http", "query", "tcp"}
ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(program, seconds):
    """Runs one fuzzer; returns (name, executions, error text or None)."""
    name = program.name.removeprefix("fuzz_")
    if name not in FIRST_REACHED:
        seconds = max(1, seconds // 3)
    work = ROOT / "build/test/fuzz" / name
    (work / "corpus").mkdir(parents=True, exist_ok=True)
    seeds = ROOT / "tests/fuzz/corpus" / name
    command = [program, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048",
               "-print_final_stats=1", f"-artifact_prefix={work}/", work / "corpus"]
    if seeds.is_dir():
        command.append(seeds)
    done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                          timeout=seconds + 120)
    (work / "log").write_text(done.stderr)
    found = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
    executions = int(found.group(1)) if found else 0
    if done.returncode != 0:
        return name, executions, done.stderr[-3000:]
    return name, executions, None if executions else "nothing was executed"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--seconds", type=int, default=60)
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--junit", type=pathlib.Path)
    options = arguments.parse_args()

    programs = sorted(p for p in options.folder.glob("fuzz_*") if p.is_file())
    suite = ET.Element("testsuite", name="fuzz")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, executions, error in pool.map(lambda p: run(p, options.seconds), programs):
            print(f"  {name}: {executions} executions" + (", FAILED" if error else ""))
            case = ET.SubElement(suite, "testcase", classname="fuzz", name=name)
            if error:
                ET.SubElement(case, "failure").text = error
    if options.junit:
        ET.ElementTree(suite).write(options.junit)
    failed = suite.findall(".//failure")
    return 1 if failed or not programs else 0


if __name__ == "__main__":
    sys.exit(main())
