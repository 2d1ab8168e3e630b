"""Writes fingerprint-vectors.json beside it: docs/fingerprint.md implemented a second time, independently.

The format is frozen. Run this only to add vectors; a hash that is there must never change.
"""

import hashlib
import json
import pathlib
import re


def canonical(value):
    # Enough for these vectors: no number here prints differently in Python and ECMAScript.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256(value):
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def meaning(notebook):
    cells = notebook.get("cells")
    if cells is None:
        cells = [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
    metadata = notebook.get("metadata", {})
    spec = metadata.get("kernelspec", {})
    language = spec.get("language") if isinstance(spec, dict) else None
    language = language or metadata.get("language_info", {}).get("name")
    language = language or next((c["language"] for c in cells if c.get("language")), None)
    if not language:
        name = spec if isinstance(spec, str) else spec.get("name", "")
        language = "r" if name == "ir" else "julia" if re.match(r"julia(-|$)", name) else "python"
    counted = []
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        tags = cell.get("metadata", {}).get("tags", [])
        if "injected-parameters" in tags:
            continue
        hidden = r"papermill-.*|(hide|remove)[-_](input|output|cell)"
        tags = sorted({tag for tag in tags if not re.fullmatch(hidden, tag)})
        source = cell.get("source", cell.get("input"))
        source = source if isinstance(source, str) else "".join(source)
        source = source.replace("\r\n", "\n")
        if source.strip() or tags:
            counted.append({"source": source.rstrip("\n"), "tags": tags})
    return {"cells": counted, "language": language.strip().lower()}


def listing(files):
    lines = sorted(f"{size} {time} {name}\n".encode() for name, (size, time) in files.items())
    return b"".join(lines)


def chain(inputs):
    prints, previous = [], None
    for step in inputs["steps"]:
        code = {path: file for path, file in inputs["code"].items() if path not in step["without"]}
        link = {
            "format": 1,
            "computation": 1,
            "previous": previous,
            "step": step["definition"],
            "code": code,
        }
        if previous is None:
            link["data"] = {
                name: {"hash": data["hash"], **({"writable": True} if data["writable"] else {})}
                for name, data in inputs["data"].items()
            }
            for key in ("environment", "env", "setup"):
                if key in inputs:
                    link[key] = inputs[key]
        previous = sha256(link)
        prints.append(previous)
    return prints


def code(source, tags=None, **more):
    metadata = {} if tags is None else {"tags": tags}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], **more}


python3 = {"kernelspec": {"name": "python3", "language": "python"}}
notebooks = {
    "two cells and prose": {
        "nbformat": 4,
        "metadata": python3,
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# Title"]},
            code(["k = 5\n", "n = 2"], ["parameters"]),
            code("print(k)\n", execution_count=3),
        ],
    },
    "Windows line ends, blank cells, tags in any order": {
        "nbformat": 4,
        "metadata": {"kernelspec": "python3", "language_info": {"name": "Python"}},
        "cells": [
            code("a = 1\r\nb = 2\r\n"),
            code(" \n"),
            code("", ["keep"]),
            code("c = 3", ["zeta", "alpha", "zeta", "hide-input", "papermill-error-cell-tag"]),
            code("k = 9", ["injected-parameters"]),
            {"cell_type": "raw", "metadata": {}, "source": "raw"},
        ],
    },
    "an R notebook that names its kernel only": {
        "nbformat": 4,
        "metadata": {"kernelspec": {"name": "ir"}},
        "cells": [code("größe <- 1")],
    },
    "nbformat 3": {
        "nbformat": 3,
        "metadata": {"name": ""},
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 1, "source": "Old"},
                    {"cell_type": "code", "language": "python", "input": ["x = 1"], "outputs": []},
                ]
            }
        ],
    },
}
manifests = {
    "two files": {"data/b.csv": hashlib.sha256(b"b").hexdigest(), "data/a.csv": hashlib.sha256(b"a").hexdigest()},
    "odd names": {"data/größe \"1\"\n.csv": hashlib.sha256(b"").hexdigest()},
}
listings = {
    "a folder": {"b.csv": [3, 1700000000], "a b.csv": [10, 1], "deep/er/ü.csv": [0, 1600000000]},
    "a file itself": {".": [5, 1700000001]},
}
notebook_meaning = sha256(meaning(notebooks["two cells and prose"]))
data_hash = sha256({"files": manifests["two files"]})
pipelines = {
    "a notebook alone": {
        "format": 1,
        "code": {"train.ipynb": {"kind": "notebook", "meaning": notebook_meaning}},
        "data": {},
        "environment": {"kind": "none"},
        "env": {},
        "steps": [
            {"definition": {"kind": "notebook", "notebook": "train.ipynb", "parameters": {}}, "without": []},
        ],
    },
    "training and evaluation": {
        "format": 1,
        "code": {
            "train.ipynb": {"kind": "notebook", "meaning": notebook_meaning},
            "evaluate.py": {"kind": "blob", "mode": "100644", "oid": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"},
        },
        "data": {
            "data": {"hash": data_hash, "files": 2, "bytes": 2, "writable": False},
            "scratch": {"hash": data_hash, "files": 2, "bytes": 2, "writable": True},
        },
        "environment": {"kind": "conda", "conda": {"dependencies": ["python=3.11"]}, "modules": ["CUDA/12"]},
        "env": {"OMP_NUM_THREADS": "4"},
        "setup": "ulimit -s unlimited",
        "steps": [
            {
                "definition": {
                    "kind": "notebook",
                    "notebook": "train.ipynb",
                    "parameters": {"k": 7, "lr": 0.1, "deep": {"b": [1, None], "a": True}},
                    "seeds": {"parameter": "seed", "values": [1, 2]},
                    "metrics": {"expressions": {"score": 'df["x"].mean()'}},
                },
                "without": ["evaluate.py"],
            },
            {"definition": {"kind": "run", "run": "python evaluate.py"}, "without": []},
        ],
    },
}

vectors = {
    "notebooks": [
        {"name": name, "text": json.dumps(nb), "meaning": meaning(nb), "hash": sha256(meaning(nb))}
        for name, nb in notebooks.items()
    ],
    "data": [
        {"name": name, "files": files, "hash": sha256({"files": files})} for name, files in manifests.items()
    ],
    "listings": [
        {
            "name": name,
            "files": files,
            "listing": listing(files).decode(),
            "hash": hashlib.sha256(listing(files)).hexdigest(),
        }
        for name, files in listings.items()
    ],
    "pipelines": [{"name": name, "inputs": p, "fingerprints": chain(p)} for name, p in pipelines.items()],
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(vectors, indent=2, ensure_ascii=False) + "\n")
