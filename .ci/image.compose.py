"""Reads a compose file, checks that what it names is there, and prints the
services of the image weatheractors: name, user, and the words of the command.
"""

import re
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    compose = yaml.safe_load(file)
services = compose["services"]


def check(name, what, found):
    if not found:
        sys.exit(f"{sys.argv[1]}: service {name}: {what}")


def default(text):
    """What ${NAME:-text} stands for where NAME is not set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


for name, service in services.items():
    check(name, "no restart policy", service.get("restart"))
    for other, how in service.get("depends_on", {}).items():
        check(name, f"depends on {other}, which does not exist", other in services)
        check(name, f"waits for the health of {other}, which has no check",
              how["condition"] != "service_healthy" or "healthcheck" in services[other])
    for volume in service["volumes"]:
        volume = default(volume).split(":")[0]
        check(name, f"volume {volume} is not declared", volume in compose["volumes"])
    if service["image"] == "weatheractors":
        check(name, "knows no broker", service["environment"]["WEATHERACTORS_BROKERS"] == "broker:9092")
        print(name, default(service["user"]), *service["command"])
