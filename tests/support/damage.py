"""damage.py: images with one bit of their bundle turned, and what the console has to say."""
import random

from support.guest import Guest, partition

BUNDLE = "e4b0a57b4f3d084a9a5ee1f9ac4b0001"
# abi/bundle.h, in their order; the loaders check the first two.
SECTIONS = ("header", "shim", "front", "rootfs", "manifest")


def sections(image):
    """{name: (offset on the disk, size)} of what the bundle's header says."""
    start = partition(image, BUNDLE)[0]
    with open(image, "rb") as f:
        f.seek(start)
        header = f.read(504)
    found = {"header": (start, len(header))}
    for i, name in enumerate(SECTIONS[1:]):
        row = header[24 + 56 * i:]
        found[name] = (start + int.from_bytes(row[8:16], "little"),
                       int.from_bytes(row[16:24], "little"))
    return found


def said(name):
    """The line that names the damaged section."""
    if name == "header":
        return "elfpack: bundle"
    if name == "shim":
        return "elfpack: section shim is damaged"
    return f"elfpack: {name}: section is damaged"


def places(image, count, seed, firmware):
    """count times (firmware, section, byte on the disk, bit), each firmware and section in turn.
    With PVH the kernel comes from elsewhere: nobody reads the shim section then."""
    choose = random.Random(seed)
    of = sections(image)
    for i in range(count):
        how = firmware[i % len(firmware)]
        names = [name for name in SECTIONS if name != "shim" or how != "pvh"]
        name = names[i // len(firmware) % len(names)]
        offset, size = of[name]
        yield how, name, offset + choose.randrange(size), choose.randrange(8)


def refusal(image, folder, how, name, at, bit, cpus=1):
    """Boots image with that bit turned. Returns the console once it has said what it must."""
    damaged = folder / "damaged.img"
    content = bytearray(image.read_bytes())
    content[at] ^= 1 << bit
    damaged.write_bytes(content)
    with Guest(damaged, folder=folder, firmware=how, cpus=cpus, http=False) as guest:
        guest.wait_console(said(name), 60)
        return guest.console()
