"""Writes JSON files anew, as Python does it by itself.

    rewrite.py FILE..."""

import json
import sys

for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=2)
