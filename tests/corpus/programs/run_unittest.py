"""run_unittest.py MODULE: runs a module of CPython's test suite; a line a test: @@ RESULT NAME."""
import sys
import traceback
import unittest

from test import support


class Lines(unittest.TestResult):
    """A test's result is said once, when it ends: the worst of what its parts said."""

    def startTest(self, test):
        super().startTest(test)
        self.result = "pass"

    def addSkip(self, test, reason):
        self.result = "skip"

    def addFailure(self, test, error):
        self.blame(error)

    def addError(self, test, error):
        self.blame(error)
        if not hasattr(test, "_testMethodName"):  # a class or a module that could not be set up
            self.stopTest(test)

    def addSubTest(self, test, subtest, error):
        if error:
            self.blame(error)

    def addExpectedFailure(self, test, error):
        self.result = "skip"

    def blame(self, error):
        self.result = "fail"
        print("".join(traceback.format_exception(*error)))

    def stopTest(self, test):
        print(f"\n@@ {self.result} {test.id()}", flush=True)


def main():
    support.verbose = 0
    support.use_resources = []
    tests = unittest.defaultTestLoader.loadTestsFromName(f"test.{sys.argv[1]}")
    tests.run(Lines())


if __name__ == "__main__":
    main()
