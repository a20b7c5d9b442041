"""model.py: guests whose one network device is the ENA of device/, and its faults."""
import importlib.machinery
import importlib.util
import json
import pathlib
import socket

from support.guest import BUILD, Guest

HERE = pathlib.Path(__file__).resolve().parent


def model():
    """The model as a shared object, built when it is not."""
    loader = importlib.machinery.SourceFileLoader("build_model", str(HERE / "build_model"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("build_model", loader))
    loader.exec_module(module)
    return module.build(BUILD / "ena")


class EnaGuest(Guest):
    """properties: the model's, "depth=16,shuffled=on". It fails on the way out when the model
    has seen the driver do what an ENA does not take."""

    def __init__(self, image, *, folder, properties="", nic="ena", extra=(), **options):
        self.control = pathlib.Path(folder) / "qmp"
        super().__init__(image, folder=folder,
                         nic=",".join(filter(None, (nic, "id=ena0", properties))),
                         extra=("-qmp", f"unix:{self.control},server=on,wait=off", *extra),
                         environment={"LD_PRELOAD": str(model())}, **options)

    def ask_model(self, command, requests):
        """Has QEMU do one command for each request, arguments for the model; returns the last
        answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.control))
            stream = s.makefile("rw")
            stream.readline()
            for line in [{"execute": "qmp_capabilities"}] + [
                    {"execute": command, "arguments": {"path": "/machine/peripheral/ena0", **request}}
                    for request in requests]:
                stream.write(json.dumps(line))
                stream.flush()
                while "return" not in (answer := json.loads(stream.readline())):
                    assert "error" not in answer, answer
        return answer["return"]

    def set(self, **properties):
        """Changes the model's properties while it runs."""
        self.ask_model("qom-set", [{"property": name.replace("_", "-"), "value": value}
                                   for name, value in properties.items()])

    def get(self, name):
        return self.ask_model("qom-get", [{"property": name}])

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        _, said = self.process.communicate(timeout=10)
        assert b"violation" not in said, said.decode()
