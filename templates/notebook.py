"""Runs one notebook step with papermill:  notebook.py STEP STEPS FOLDER

FOLDER is the attempt's. Reads in/step-K.json and in/step-K.ipynb, writes out/notebooks/ and result/step-K.json, says where
it is in state/now. Exit status: 0 the notebook ran to its end, 1 it did not, 2 that is not the notebook's doing.
Python 3.6 is old enough to be met on a cluster.
"""
import hashlib
import io
import json
import logging
import os
import re
import signal
import sys
import traceback

# The script's own folder must not be where Python looks for modules (there is a package called notebook).
sys.path.pop(0)

SKIP = "skip-execution"
SHELL = re.compile(r"^\s*(?:!|%(?:pip|conda|mamba|uv)\b)", re.M)
SCRAP = re.compile(r"application/scrapbook\.scrap\.\w+\+json$")
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def write(path, text):
    """Complete or not at all."""
    temporary = "%s.%s.tmp" % (path, os.getpid())
    with io.open(temporary, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def tags(cell):
    found = cell.get("metadata", {}).get("tags", [])
    return found if isinstance(found, list) else []


def trimmed(text, limit=8000):
    text = ANSI.sub("", text)
    return text if len(text) <= limit else text[: limit // 4] + "\n ...\n" + text[-(limit * 3 // 4):]


class Words(logging.Handler):
    """What papermill logs are the cells' outputs, between lines of its own."""

    def emit(self, record):
        text = record.getMessage()
        if re.match(r"(Executing|Ending) Cell [0-9]*-|(Input|Output) Notebook:", text):
            return
        data = (text if text.endswith("\n") else text + "\n").encode("utf-8", "backslashreplace")
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


class Ended(Exception):
    """The notebook asked its kernel to end."""


class Watch:
    """What happens, by the numbers of the user's own cells."""

    def __init__(self, now, step, target):
        self.now, self.cells, self.target = now, step["cells"], target
        self.collects = step.get("scraps", False)
        self.nb = None
        self.cell = None
        self.reading = False
        self.error = None
        self.stopped = False
        self.silent = False
        self.started = False
        self.shell = []
        self.scraps = {}

    def number(self, cell):
        return cell.get("metadata", {}).get("mlops", {}).get("cell")

    def is_reading(self, cell):
        return cell.get("metadata", {}).get("mlops", {}).get("sentinel", False)

    def follow(self, manager):
        self.nb = manager.nb
        start, failed = manager.cell_start, manager.cell_exception

        def cell_start(cell, *args, **kwargs):
            self.started = True
            self.nb = manager.nb
            number = self.number(cell)
            if number is not None:
                self.cell = number
                self.now("cell %d of %d" % (number, self.cells))
            elif self.is_reading(cell):
                # No cell of the user's has to do with what happens from now on.
                self.cell, self.reading = None, True
                cell["source"] = cell["source"].replace("@MLOPS_TARGET@", repr(self.target))
            return start(cell, *args, **kwargs)

        def cell_exception(cell, *args, **kwargs):
            self.stopped = True
            self.raised(cell, kwargs.get("exception"), self.output_of(cell))
            return failed(cell, *args, **kwargs)

        manager.cell_start, manager.cell_exception = cell_start, cell_exception

    def raised(self, cell, error, content):
        """The first one counts, also where the cell goes on after it: %run, %%capture and widgets show an exception and swallow it."""
        if self.error is None and "raises-exception" not in tags(cell):
            number = self.number(cell)
            self.error = (self.cell if number is None else number, error, content)

    def listen(self):
        """The kernel's messages, before they become outputs that may be cleared or captured."""
        from papermill.clientwrap import PapermillNotebookClient as Client

        watch, process = self, Client.process_message

        def process_message(client, message, cell, *args, **kwargs):
            kind, content = message.get("msg_type"), message.get("content", {})
            if kind == "error":
                watch.raised(cell, None, content)
            elif kind == "status" and content.get("execution_state") == "idle":
                watch.expect_reply(client)
            elif kind == "display_data" and watch.collects:
                watch.glued(content.get("data", {}))
            return process(client, message, cell, *args, **kwargs)

        Client.process_message = process_message
        return Client

    def glued(self, data):
        """scrapbook's glue() displays what it keeps; the last word on a name counts."""
        for kind, scrap in data.items():
            if SCRAP.match(kind) and isinstance(scrap, dict) and "data" in scrap:
                self.scraps[str(scrap.get("name"))] = scrap["data"]

    def ask_status(self):
        """What a shell line (`!python train.py`) ended with is no exception, and IPython's to know."""
        from jupyter_client.asynchronous import AsyncKernelClient

        execute = AsyncKernelClient.execute

        def asking(client, code, *args, **kwargs):
            if SHELL.search(code):
                kwargs.setdefault("user_expressions", {"status": "_exit_code"})
            return execute(client, code, *args, **kwargs)

        AsyncKernelClient.execute = asking

    def expect_reply(self, client):
        """A kernel that is idle has replied, or never will: a notebook can break it (sys.stdout = None does)."""
        task = getattr(client, "task_poll_for_reply", None)
        if not hasattr(task, "get_loop"):
            # An old nbclient, or Python 3.6: the time limit ends it.
            return

        def give_up():
            if not task.done():
                self.silent = True
                # For nbclient that is a dead kernel.
                task.cancel()

        task.get_loop().call_later(60, give_up)

    def executed(self, cell, execute_reply, **_):
        """`exit` ends the kernel a moment later, in the midst of whatever cell comes next."""
        content = execute_reply.get("content", {})
        status = content.get("user_expressions", {}).get("status", {}).get("data", {}).get("text/plain", "0")
        if re.match(r"-?[0-9]+$", status) and int(status) != 0:
            self.shell.append([self.number(cell), int(status)])
        payloads = content.get("payload") or []
        if any(payload.get("source") == "ask_exit" for payload in payloads):
            self.stopped = True
            self.raised(cell, None, {"ename": "SystemExit", "evalue": "exit", "traceback": ["exit, called by the notebook"]})
            raise Ended()

    def output_of(self, cell):
        for output in cell.get("outputs", []):
            if output.get("output_type") == "error":
                return output
        return {}


def run(step, folder, now, target):
    from papermill.engines import NBClientEngine, papermill_engines
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook
    from traitlets.config import Config

    watch = Watch(now, step, target)
    client = watch.listen()

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
            watch.follow(nb_man)
            # A cold file system is slow to start a kernel, a busy node slow to hand over the last output.
            kwargs["iopub_timeout"] = 60
            if step["language"] == "python" and encrypts():
                kwargs["config"] = Config({"KernelManager": {"transport_encryption": "auto"}})
            if hasattr(client, "on_cell_executed"):
                kwargs["on_cell_executed"] = watch.executed
                if step["language"] == "python":
                    watch.ask_status()
            return NBClientEngine.execute_managed_notebook(nb_man, kernel_name, **kwargs)

    papermill_engines.register("mlops", Engine)
    log = logging.getLogger("papermill")
    log.handlers, log.propagate = [Words()], False
    log.setLevel(logging.INFO)

    def plain(path):
        # papermill takes braces in its paths for parameters
        return path.replace("{", "{{").replace("}", "}}")

    output = os.path.join(folder, "out", "notebooks", ".step.ipynb")
    final = os.path.join(folder, "out", "notebooks", *step["output"].split("/"))
    os.makedirs(os.path.dirname(final), exist_ok=True)
    trouble = None
    try:
        execute_notebook(
            plain(os.path.join(folder, "in", "step-%s.ipynb" % step["index"])),
            plain(output),
            parameters=with_floats(step["parameters"], step.get("floats", [])),
            engine_name="mlops",
            kernel_name=step["kernel"],
            language=step["language"],
            progress_bar=False,
            log_output=True,
            start_timeout=300,
            autosave_cell_every=30,
        )
    except (Ended, PapermillExecutionError):
        # The latter is raised for cells too that are tagged raises-exception; which one counts is known better here.
        pass
    except Exception as error:  # noqa: BLE001
        trouble = error
        traceback.print_exc()
    result = judge(watch, trouble, step, target)
    if os.path.exists(output):
        tidy(output, final, step["output"], result["outcome"] == "completed")
    return result


def with_floats(parameters, places):
    """JSON as it is written by JavaScript has no 1.0: where the config has one is said beside it."""
    for *way, last in places:
        where = parameters
        for part in way:
            where = where[part]
        where[last] = float(where[last])
    return parameters


def elsewhere(step, name, message):
    """Jupyter starts a notebook in its own folder, this starts it at the top: where a file or a module is that it misses."""
    home = os.path.dirname(step["output"])
    file = re.search(r"\[Errno 2\][^'\"]*(['\"])(.+?)\1", message)
    module = re.match(r"No module named '([\w.]+)'", message)
    if not home or "cwd" in step or name not in ("FileNotFoundError", "ModuleNotFoundError") or not (file or module):
        return ""
    if file:
        wanted = [file.group(2)]
    else:
        path = module.group(1).replace(".", "/")
        wanted = [path + ".py", path]
    for one in wanted:
        place = os.path.normpath(os.path.join(home, one))
        if not os.path.isabs(one) and not place.startswith("..") and os.path.exists(place):
            return (
                "\nThere is %s: here a notebook starts in the repository's top folder, in Jupyter in its own. In .mlops/config.yaml,"
                "\nbelow the notebook, `cwd: %s` starts it there." % (place, home)
            )
    return ""


def judge(watch, trouble, step, target):
    cells = watch.nb.cells if watch.nb is not None else []
    code = [c for c in cells if c.get("cell_type") == "code" and c["source"].strip() and watch.number(c) is not None]
    due = [c for c in code if SKIP not in tags(c)]
    result = dict(
        target["run"],
        version=1,
        cells=step["cells"],
        codeCells=len(code),
        executed=sum(1 for c in due if c.get("execution_count") is not None),
        skipped=[watch.number(c) for c in code if SKIP in tags(c)],
        notRun=[watch.number(c) for c in due if c.get("execution_count") is None],
        raisedAllowed=[watch.number(c) for c in due if "raises-exception" in tags(c) and watch.output_of(c)],
        shellFailed=watch.shell,
        sentinel=step["sentinel"],
        # Text: a NaN in it must not make the whole of it unreadable.
        scraps=json.dumps(watch.scraps)[:1000000],
    )
    # An exception that was shown and swallowed does not explain a kernel that died later.
    if watch.error is not None and (watch.stopped or trouble is None):
        number, error, output = watch.error
        value = output.get("evalue")
        if value is None:
            value = getattr(error, "evalue", None) or str(error)
        # A kernel may have no name for it: bash's says what a command ended with, and nothing more.
        nameless = "error" if error is None else type(error).__name__
        name = output.get("ename") or getattr(error, "ename", None) or nameless
        lines = output.get("traceback") or [getattr(error, "traceback", None) or value]
        if number is None and watch.reading:
            result["outcome"] = "metrics-unreadable"
        else:
            result["outcome"] = "ended-early" if name == "SystemExit" and watch.stopped else "raised"
        hint = elsewhere(step, name, value)
        result["exception"], result["message"] = name, trimmed(value, 2000) + hint
        result["traceback"] = trimmed("\n".join(lines)) + hint
        if number is not None:
            result["cell"] = number
        sys.stdout.buffer.write((result["traceback"] + "\n").encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
        return result
    if trouble is not None:
        name = type(trouble).__name__
        result["exception"], result["message"] = name, trimmed(str(trouble), 2000)
        result["traceback"] = trimmed("".join(traceback.format_exception(type(trouble), trouble, trouble.__traceback__)))
        if name == "DeadKernelError" and watch.started:
            result["outcome"] = "kernel-died"
            if watch.silent:
                result["message"] = "it is idle and did not answer for 60 s"
        elif not watch.started:
            result["outcome"] = "no-kernel"
        else:
            result["outcome"] = "broken"
        if watch.cell is not None:
            result["cell"] = watch.cell
        return result
    result["outcome"] = "completed"
    result["outputs"] = [[index + 1, text_hash(outputs)] for index, outputs in enumerate(map(shown, code)) if outputs]
    if result["notRun"]:
        result["outcome"] = "cells-not-run"
    elif step["sentinel"]:
        try:
            with io.open(target["path"], encoding="utf-8") as file:
                written = json.load(file)
            if written.get("nonce") != target["run"]["nonce"]:
                result["outcome"], result["message"] = "metrics-unreadable", "what is there is of another run"
        except (OSError, ValueError) as error:
            result["outcome"], result["message"] = "metrics-unreadable", str(error)
    return result


def shown(cell):
    """Outputs that are results: what goes to stderr changes with every version of every package."""
    return [
        output
        for output in cell.get("outputs", [])
        if (output.get("name") == "stdout" if output.get("output_type") == "stream" else output.get("output_type") != "error")
    ]


def text_hash(outputs):
    """As lib/job/saved-outputs.ts has it of the committed notebook."""
    texts = [o.get("text", "") if o.get("output_type") == "stream" else o.get("data", {}).get("text/plain", "") for o in outputs]
    text = "".join(t if isinstance(t, str) else "".join(t) for t in texts)
    text = re.sub("0x[0-9a-f]+", "0x", text).strip(" \n")
    if not text or len(text) > 1000000:
        return ""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def tidy(output, final, name, passed):
    """The executed notebook is the user's: without our last cell and marks, nor papermill's for an exception that was allowed."""
    with io.open(output, encoding="utf-8") as file:
        notebook = json.load(file)
    cells = []
    for cell in notebook["cells"]:
        own = cell.get("metadata", {}).pop("mlops", {})
        if own.get("sentinel") or (passed and "papermill-error-cell-tag" in tags(cell)):
            continue
        cells.append(cell)
    notebook["cells"] = cells
    notebook["metadata"].get("papermill", {}).update(input_path=name, output_path=name)
    write(final, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    os.remove(output)


def encrypts():
    """ipykernel 7 warns in every log that others on the node might listen, unless it is given a key: then nobody can."""
    import zmq
    from ipykernel.kernelapp import IPKernelApp
    from jupyter_client.manager import KernelManager

    return zmq.has("curve") and all(
        name in kind.class_trait_names()
        for kind, name in ((KernelManager, "transport_encryption"), (IPKernelApp, "curve_secretkey"))
    )


def kernelspec(folder):
    """The interpreter that runs this is the notebook's, whatever kernels the user's home has."""
    place = os.path.join(os.environ["JUPYTER_PATH"].split(os.pathsep)[0], "kernels", "python3")
    os.makedirs(place, exist_ok=True)
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3",
        "language": "python",
        "metadata": {"supported_encryption": "curve"},
    }
    write(os.path.join(place, "kernel.json"), json.dumps(spec))


def main():
    index, steps, folder = sys.argv[1:4]
    folder = os.path.abspath(folder)
    with io.open(os.path.join(folder, "in", "step-%s.json" % index), encoding="utf-8") as file:
        step = json.load(file)
    step["index"] = index
    metrics = os.path.join(folder, "result", "metrics-step-%s.json" % index)
    if os.path.exists(metrics):
        os.remove(metrics)
    names = {"run": os.environ.get("MLOPS_RUN", ""), "attempt": os.environ.get("MLOPS_ATTEMPT", "")}
    # Not the notebook's to know: what is written under this name is of the last cell.
    names["nonce"] = os.environ.pop("MLOPS_NONCE", "")
    target = {"path": metrics, "run": names}

    def now(what):
        write(os.path.join(folder, "state", "now"), "step %s of %s %s\n" % (index, steps, what))

    # A shell that waits for us in the background has switched Ctrl-C off, and kernels are interrupted by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    kernelspec(folder)
    os.chdir(os.path.join(folder, "tree", step.get("cwd", ".")))
    now("starting the kernel")
    try:
        result = run(step, folder, now, target)
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        result = dict(
            names,
            version=1,
            outcome="broken",
            cells=step["cells"],
            exception=type(error).__name__,
            message=trimmed(str(error), 2000),
            traceback=trimmed(traceback.format_exc()),
        )
    write(os.path.join(folder, "result", "step-%s.json" % index), json.dumps(result))
    outcome = result["outcome"]
    return 0 if outcome == "completed" else 1 if outcome in ("raised", "ended-early", "cells-not-run", "metrics-unreadable") else 2


if __name__ == "__main__":
    sys.exit(main())
