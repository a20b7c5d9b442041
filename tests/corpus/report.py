"""report.py: the results of the foreign suites as a page."""
import fnmatch

from causes import CAUSES

HEAD = """# The test suites of others, in an image

Made by `tests/corpus/suites`: CPython's, Go's, busybox's and bash's own tests and stress-ng's
stressors, from Debian 12's packages. Each part is run natively (as user 0 without capabilities,
as a job is) and as a job of an image under emulation. Counted are the tests that pass natively;
a suite that is not in the table was not run yet.

| suite | pass natively | pass in the image | |
|---|---|---|---|
"""


def cause_of(suite, test):
    return next((cause for of, pattern, cause in CAUSES
                 if of == suite and fnmatch.fnmatchcase(test, pattern)), "not looked into yet")


def differing(parts):
    """Tests that pass natively and not in the image, with how they ended there."""
    return [(test, there.get(test, "no result")) for _, (here, there) in sorted(parts.items())
            for test, result in here.items() if result == "pass" and there.get(test) != "pass"]


def write_report(path, results):
    """Writes the page; 0 when at least 95 % of each suite pass."""
    lines, below = [HEAD], False
    for suite, parts in results.items():
        passed = sum(result == "pass" for here, _ in parts.values() for result in here.values())
        same = passed - len(differing(parts))
        below = below or same < 0.95 * passed
        lines.append(f"| {suite} | {passed} | {same} | {100 * same / max(passed, 1):.1f} % |\n")
    for suite, parts in results.items():
        causes = {}
        for test, how in differing(parts):
            causes.setdefault(cause_of(suite, test), []).append((test, how))
        lines.append(f"\n## {suite}: what differs\n\n")
        for cause, tests in sorted(causes.items()):
            lines.append(f"- **{cause}**: " + ", ".join(
                test if how == "fail" else f"{test} ({how})" for test, how in tests) + "\n")
        if not causes:
            lines.append("Nothing.\n")
        lines.append(f"\nParts that were run: {', '.join(sorted(parts))}.\n")
    path.write_text("".join(lines))
    return 1 if below else 0
