/**
 * The last cell of the copy that is run. It evaluates the metrics' expressions in the notebook's own namespace and writes what
 * they are, with the run's name, so that it also proves that the notebook came to its end. It defines nothing there and relies
 * on no name that a notebook may have taken (`open`, `list`, `json`, `float` … are favourites), on no variable of the
 * environment and, as far as it can, on no function of a module that a notebook may have replaced. Of the metrics among `curves` all values are
 * written, where they are numbers.
 */
export function metricsCell(expressions: Readonly<Record<string, string>>, curves: readonly string[] = []): string {
  // JSON strings are Python strings as JavaScript writes them: only quotes, backslashes, control characters and lone surrogates are escaped.
  const program = `EXPRESSIONS = {${Object.entries(expressions)
    .map(([name, expression]) => `${JSON.stringify(name)}: ${JSON.stringify(expression)}`)
    .join(', ')}}\nCURVES = ${JSON.stringify(curves)}\n${READER}`;
  return `__import__("builtins").exec(${JSON.stringify(program)}, {"__name__": "mlops_metrics", "user": __import__("builtins").globals(), "TARGET": ${metricsTarget}})`;
}

/** Where templates/notebook.py puts a dict of the file to write and of the run, when the cell's turn comes: until then no one can know them. */
export const metricsTarget = '@MLOPS_TARGET@';

const READER = String.raw`import _io, numbers, posix

kind_of = "".__class__.__class__
INFINITY = 1e999

def short(value):
    try:
        text = "%r" % (value,)
    except BaseException as error:
        text = "<%s, whose repr raised %s>" % (kind_of(value).__name__, kind_of(error).__name__)
    return text if len(text) <= 200 else text[:200] + "..."

def typed(value):
    text, name = short(value), kind_of(value).__name__
    return {"kind": "object", "shown": text if name in text else text + ", of type " + name}

def words(error):
    try:
        return "%s" % (error,)
    except BaseException as second:
        return "<its words raised %s>" % kind_of(second).__name__

def attribute(value, name):
    try:
        return getattr(value, name, None)
    except Exception:
        return None

def reading(value):
    shape = attribute(value, "shape")
    # The number behind a mask is none.
    if "MaskedArray" in [base.__name__ for base in kind_of(value).__mro__] and shape == () and value.mask:
        return {"kind": "null", "shown": short(value)}
    # The item() of numpy's times is an integer, nanoseconds mostly.
    if isinstance(shape, tuple) and ("%s" % (attribute(value, "dtype"),)).startswith(("datetime64", "timedelta64")):
        return typed(value)
    # numpy's, torch's (a kind of tuple), tensorflow's (a list with as_list). Any other shape is just an attribute of that name.
    if attribute(shape, "as_list") is not None:
        shape = tuple(shape)
    if isinstance(shape, tuple) and not isinstance(value, numbers.Number):
        if shape != ():
            return {"kind": "list", "shown": short(value)}
        if attribute(value, "item") is not None:
            value = value.item()
        elif attribute(value, "numpy") is not None:
            value = value.numpy().item()
    elif kind_of(value).__module__ == "numpy" and attribute(value, "item") is not None:
        value = value.item()
    if value is None or kind_of(value).__name__ in ("NAType", "NaTType"):
        return {"kind": "null", "shown": short(value)}
    if isinstance(value, bool):
        return {"kind": "boolean", "shown": short(value)}
    decimal = kind_of(value).__name__ == "Decimal"
    if decimal and value.is_nan():
        # float() refuses one that signals.
        return {"kind": "nan"}
    if decimal or isinstance(value, numbers.Real):
        try:
            number = float(value)
        except OverflowError:
            number = INFINITY if value > 0 else -INFINITY
        if number != number:
            return {"kind": "nan"}
        if number in (INFINITY, -INFINITY):
            return {"kind": "infinity" if number > 0 else "minus-infinity"}
        return {"kind": "number", "value": number}
    if isinstance(value, (str, bytes)):
        return {"kind": "text", "shown": short(value)}
    if isinstance(value, (list, tuple, set, frozenset)):
        return {"kind": "list", "shown": short(value)}
    return typed(value)

def values_of(value):
    if isinstance(value, (set, frozenset)):
        return None
    values = []
    for item in value:
        if len(values) == 100000:
            raise ValueError("a curve of more than 100000 values")
        found = reading(item)
        if found["kind"] not in ("number", "nan", "infinity", "minus-infinity"):
            return None
        values.append(found.get("value", found["kind"]))
    return values

def quoted(text):
    return '"' + "".join(c if " " <= c <= "~" and c not in '"\\' else "".join("\\u%04x" % u for u in units(ord(c))) for c in text) + '"'

def units(code):
    return [code] if code < 0x10000 else [0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff)]

def encoded(value):
    if isinstance(value, dict):
        return "{" + ", ".join(quoted(key) + ": " + encoded(member) for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(encoded(member) for member in value) + "]"
    return quoted(value) if isinstance(value, str) else "%r" % (value,)

readings = {}
for name, expression in EXPRESSIONS.items():
    value = None
    try:
        value = eval(compile(expression.strip(), "<metric " + name + ">", "eval"), user)
        found = reading(value)
        if name in CURVES and found["kind"] == "list":
            values = values_of(value)
            if values:
                found["values"] = values
    except BaseException as error:
        message, exception = words(error), kind_of(error).__name__
        found = {"kind": "raised", "exception": exception, "message": message[:4000]}
        found["shown"] = (exception + ": " + message if message else exception)[:500] + ("" if value is None else ", reading " + typed(value)["shown"])
    found["source"] = expression
    readings[name] = found
written = encoded(dict(TARGET["run"], version=1, metrics=readings))
with _io.open(TARGET["path"] + ".tmp", "wb") as file:
    file.write(written.encode("ascii"))
    file.flush()
    posix.fsync(file.fileno())
posix.replace(TARGET["path"] + ".tmp", TARGET["path"])
`;
