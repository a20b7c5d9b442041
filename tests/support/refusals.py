"""refusals.py: what front's sources refuse requests with: pairs of a status and its sentence."""
import pathlib
import re

FRONT = pathlib.Path(__file__).resolve().parents[2] / "front"
STRING = r'"((?:[^"\\]|\\.)+)"'
# Functions whose sentences are all of one status.
BAD_REQUEST = {
    "names.c": r"(?:return|why =) " + STRING,
    "archive_unpack.c": r"return " + STRING,
    "http_chunk.c": r"bad\(decoder, " + STRING,
    "envelope.c": r"refuse\(reader, " + STRING + "|refuse\\(&reader, " + STRING,
    "form.c": r"refuse\(reader, " + STRING + "|refuse\\(&reader, " + STRING,
}


def refusals():
    found = set()
    for path in FRONT.glob("*.c"):
        text = re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.DOTALL)
        text = re.sub(r'"\s*\n\s*"', "", text)  # one string on two lines
        text = re.sub(r"\s+", " ", text)
        for status, first, second in re.findall(
                r"\b([45]\d\d),(?: true,| false,)? (?:[^;\"()]+\? )?" + STRING +
                "(?: : " + STRING + ")?", text):
            found |= {(int(status), sentence) for sentence in (first, second)
                      if sentence and "/" not in sentence.split(";")[0].split(" ")[0]}
        if path.name in BAD_REQUEST:
            for sentences in re.findall(BAD_REQUEST[path.name], text):
                sentences = (sentences,) if isinstance(sentences, str) else sentences
                found |= {(400, sentence) for sentence in sentences if sentence}
    return found


def statuses():
    """The rows of http_status.def."""
    return {int(code) for code in re.findall(r"^STATUS\((\d+),", (FRONT / "http_status.def")
                                             .read_text(), re.MULTILINE)}
