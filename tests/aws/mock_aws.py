#!/usr/bin/python3
"""mock_aws.py [--seed N] [--certificate FILE KEY]: the stand-in for AWS as a program. Prints its
URL and the variables of the environment that clients need, then serves until its input ends."""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from mock import MockAws  # noqa: E402

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--certificate", nargs=2, metavar=("FILE", "KEY"))
    options = parser.parse_args()
    with MockAws(options.seed, options.certificate) as aws:
        print(aws.url)
        for name, value in aws.environment().items():
            print(f"{name}={value}", flush=True)
        sys.stdin.read()
