"""A stand-in for the parts of AWS that make AMIs, on loopback: EBS direct, EC2, STS and the places
where programs find credentials. server.py is the way in (MockAws); what each file does:

    wire.py         HTTP/1.1 on threads
    sigv4.py        recomputes each request's signature from its bytes
    protocol.py     requests and replies by botocore's service models
    cloud.py        regions, identifiers, limits and what is eventually consistent
    ebs.py ec2.py   the services; ec2_images.py: AMIs, ec2_instances.py: instances, filters.py:
                    describe calls, sharing.py: who else may use a thing
    credentials.py  access keys; STS, container, instance and SSO endpoints
    faults.py       what goes wrong, by a seeded schedule
    control.py      /_mock/: the same for programs in other processes
    certificate.py  for TLS

The rules are AWS's documentation's; where it is silent, the harsher reading is taken."""
from .certificate import make_certificate
from .cloud import Settings
from .credentials import AccessKey
from .faults import Fault, RandomFaults
from .server import MockAws

__all__ = ["AccessKey", "Fault", "MockAws", "RandomFaults", "Settings", "make_certificate"]
