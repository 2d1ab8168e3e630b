/**
 * The last cell of the copy that is run. It evaluates the metrics' expressions in the notebook's own namespace and writes what
 * they are, with the run's name, so that it also proves that the notebook came to its end. It defines nothing there and relies
 * on no name that a notebook may have taken (`open`, `list`, `json`, `float` … are favourites).
 */
export function metricsCell(expressions: Readonly<Record<string, string>>): string {
  // JSON strings are Python strings as JavaScript writes them: only quotes, backslashes, control characters and lone surrogates are escaped.
  const program = `EXPRESSIONS = {${Object.entries(expressions)
    .map(([name, expression]) => `${JSON.stringify(name)}: ${JSON.stringify(expression)}`)
    .join(', ')}}\n${READER}`;
  return `__import__("builtins").exec(${JSON.stringify(program)}, {"__name__": "mlops_metrics", "user": __import__("builtins").globals()})`;
}

const READER = `import json, math, numbers, os

def short(value):
    try:
        text = repr(value)
    except BaseException as error:
        text = "<%s, whose repr raised %s>" % (type(value).__name__, type(error).__name__)
    return text if len(text) <= 200 else text[:200] + "..."

def words(error):
    try:
        return str(error)
    except BaseException as second:
        return "<its words raised %s>" % type(second).__name__

def reading(value):
    shape = getattr(value, "shape", None)
    # The item() of numpy's times is an integer, nanoseconds mostly.
    if shape == () and str(getattr(value, "dtype", "")).startswith(("datetime64", "timedelta64")):
        return {"kind": "object", "shown": short(value)}
    if shape is not None and not isinstance(value, numbers.Number):
        if tuple(shape) != ():
            return {"kind": "list", "shown": short(value)}
        if hasattr(value, "item"):
            value = value.item()
        elif hasattr(value, "numpy"):
            value = value.numpy().item()
    elif type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return {"kind": "null", "shown": short(value)}
    if isinstance(value, bool):
        return {"kind": "boolean", "shown": short(value)}
    if isinstance(value, numbers.Real) or type(value).__name__ == "Decimal":
        try:
            number = float(value)
        except OverflowError:
            number = math.inf if value > 0 else -math.inf
        if math.isnan(number):
            return {"kind": "nan"}
        if math.isinf(number):
            return {"kind": "infinity" if number > 0 else "minus-infinity"}
        return {"kind": "number", "value": number}
    if isinstance(value, (str, bytes)):
        return {"kind": "text", "shown": short(value)}
    if isinstance(value, (list, tuple, set, frozenset)):
        return {"kind": "list", "shown": short(value)}
    return {"kind": "object", "shown": short(value)}

readings = {}
for name, expression in EXPRESSIONS.items():
    try:
        found = reading(eval(compile(expression.strip(), "<metric " + name + ">", "eval"), user))
    except BaseException as error:
        message = words(error)
        found = {"kind": "raised", "exception": type(error).__name__, "shown": (type(error).__name__ + ": " + message if message else type(error).__name__)[:500]}
    found["source"] = expression
    readings[name] = found
environment = os.environ
path = environment["MLOPS_METRICS_FILE"]
with open(path + ".tmp", "w", encoding="utf-8") as file:
    json.dump({"version": 1, "run": environment["MLOPS_RUN"], "attempt": environment["MLOPS_ATTEMPT"], "nonce": environment["MLOPS_NONCE"], "metrics": readings}, file, allow_nan=False)
    file.flush()
    os.fsync(file.fileno())
os.replace(path + ".tmp", path)
`;
