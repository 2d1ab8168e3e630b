import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import type { Path } from './path.ts';
import type { Diagnostic, SourceRange } from './types.ts';

/** A document with its values, and where each of them is written. */
export interface Source {
  readonly value: unknown;
  readonly problems: readonly Diagnostic[];
  /** Character offset of the first problem that leaves the rest of the document in doubt. */
  readonly brokenAt: number | undefined;
  /** The key's place, or the value's; of the nearest parent where the document has no such thing. */
  range(path: Path, target: 'key' | 'value'): SourceRange;
  /** Only what is really written. */
  exactRange(path: Path): SourceRange | undefined;
  /** A scalar as it was typed: `1.10` stays `1.10`. */
  typed(path: Path): string | undefined;
  offset(path: Path): number;
}

export function readSource(text: string, file: string): Source {
  // A byte order mark would shift every column of the first line.
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  const lines = body.split('\n').map((line) => line.replace(/\r$/, ''));
  const starts = lineStarts(body);
  const place = (start: number, end: number): SourceRange => {
    const line = lineOf(starts, start);
    const shown = lines[line] ?? '';
    const column = Math.min(start - (starts[line] ?? 0), shown.length);
    return {
      file,
      line: line + 1,
      column: column + 1,
      length: Math.max(1, Math.min(end - start, shown.length - column)),
      text: shown,
    };
  };

  const foreign = body.search(/[\ufffd\0]/);
  if (foreign >= 0) {
    const range = place(foreign, foreign + 1);
    return broken({
      severity: 'error',
      reason: 'syntax',
      path: '',
      range,
      message: 'the file is not UTF-8 text',
      hint: 'save it as UTF-8',
    });
  }

  const document = parseDocument(body, { version: '1.2', prettyErrors: false, keepSourceTokens: false });
  const problems = documentProblems(document, body, place);
  const doubtful = document.errors.filter((error) => error.code !== 'DUPLICATE_KEY').map((error) => error.pos[0]);
  let value: unknown = null;
  const undefinedAlias = problems.some((problem) => problem.reason === 'unsupported');
  if (!undefinedAlias) {
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      // The library's guard against a few aliases that expand to gigabytes, or an alias that is in a line that is broken anyway.
      const message = `not valid YAML: ${error instanceof Error ? error.message : String(error)}`;
      if (problems.length === 0)
        problems.push({ severity: 'error', reason: 'syntax', path: '', range: place(0, 1), message });
    }
  }

  const rangeOf = (found: Found | undefined, target: 'key' | 'value'): SourceRange | undefined => {
    const node = target === 'key' ? (found?.key ?? found?.value) : (found?.value ?? found?.key);
    return node?.range ? place(node.range[0], node.range[1]) : undefined;
  };
  const range = (path: Path, target: 'key' | 'value'): SourceRange => {
    const exact = rangeOf(find(document, path), target);
    if (exact !== undefined) return exact;
    return path.length === 0 ? place(0, lines[0]?.length ?? 0) : range(path.slice(0, -1), 'key');
  };
  return {
    value,
    problems,
    brokenAt: doubtful.length === 0 ? undefined : Math.min(...doubtful),
    range,
    exactRange: (path) => rangeOf(find(document, path), 'key'),
    typed: (path) => {
      const found = find(document, path)?.value;
      const node = isAlias(found) ? found.resolve(document) : found;
      return node !== undefined && isScalar(node) ? (node.source ?? undefined) : undefined;
    },
    offset: (path) => find(document, path)?.key?.range?.[0] ?? 0,
  };
}

function broken(problem: Diagnostic): Source {
  return {
    value: null,
    problems: [problem],
    brokenAt: 0,
    range: () => problem.range,
    exactRange: () => undefined,
    typed: () => undefined,
    offset: () => 0,
  };
}

type Place = (start: number, end: number) => SourceRange;

function documentProblems(document: Document.Parsed, body: string, place: Place): Diagnostic[] {
  const problems: Diagnostic[] = [];
  for (const error of independent(document.errors)) problems.push(yamlProblem(error, body, place));
  const reported = new Set(problems.map((problem) => problem.range.line));
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined || !alias.range) return;
      if (reported.has(place(alias.range[0], alias.range[1]).line)) return;
      const shown = body.slice(alias.range[0], alias.range[1]);
      problems.push({
        severity: 'error',
        // Its value is unknown, so nothing else can be said about the document.
        reason: 'unsupported',
        path: '',
        range: place(alias.range[0], alias.range[1]),
        message: `\`${shown}\` is an alias in YAML, and nothing is called that`,
        hint: `a text that begins with * needs quotes: "${shown}"`,
      });
    },
  });
  for (const warning of document.warnings) {
    if (warning.code !== 'TAG_RESOLVE_FAILED') continue;
    // The value behind an unknown tag is lost without a word, so this is no mere warning.
    const [start, end] = warning.pos;
    const shown = body.slice(start, end).trim();
    problems.push({
      severity: 'error',
      reason: 'syntax',
      path: '',
      range: place(start, end),
      message: `\`${shown}\` is a tag in YAML, and an unknown one`,
      hint: `a text that begins with ! needs quotes: "${shown}"`,
    });
  }
  return problems;
}

/** One mistake makes a parser stumble over all that follows: only the first is told, and what it has no part in. */
function independent(errors: readonly YAMLError[]): readonly YAMLError[] {
  const sorted = [...errors].sort((a, b) => a.pos[0] - b.pos[0]);
  const first = sorted.find((error) => error.code !== 'DUPLICATE_KEY');
  return sorted.filter((error) => error === first || error.code === 'DUPLICATE_KEY' || error.code === 'TAB_AS_INDENT');
}

function yamlProblem(error: YAMLError, body: string, place: Place): Diagnostic {
  const [start] = error.pos;
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^(?:"[^"\n]*"|'[^'\n]*'|[^:\s]+)/.exec(body.slice(start))?.[0] ?? '';
    const range = place(start, start + Math.max(1, key.length));
    return { severity: 'error', reason: 'duplicate-key', path: '', range, message: `the key \`${key}\` is here twice` };
  }
  const range = place(start, Math.max(start + 1, error.pos[1]));
  const hint = syntaxHint(error, range);
  if (error.code === 'MULTIPLE_DOCS') {
    const message = 'a config is one document, and here begins another';
    return { severity: 'error', reason: 'syntax', path: '', range, message, hint: 'take the line `---` away' };
  }
  const message = `not valid YAML: ${lowerFirst(error.message.split('\n')[0] ?? error.message)}`;
  return { severity: 'error', reason: 'syntax', path: '', range, message, ...(hint === undefined ? {} : { hint }) };
}

function syntaxHint(error: YAMLError, range: SourceRange): string | undefined {
  if (error.code === 'TAB_AS_INDENT') return 'indent with spaces';
  const before = range.text.slice(0, range.column - 1);
  const after = range.text.slice(range.column - 1);
  if (/[{[,]\s*[^"']*:?\s*[^\s"'{[,][^"'{}]*$/.test(before) && /^[[\]{},"'(]/.test(after) && /[{]/.test(before))
    return "inside { } a text with brackets, quotes or commas needs quotes around it: '…'";
  if (/:\s*["'][^"']*["']$/.test(before.trimEnd()))
    return "a text that begins with a quotation mark ends at the next one; put the whole text into '…'";
  if (/(?:^|[{,\s])\*\s*:/.test(range.text)) return 'a key that begins with * needs quotes: "*"';
  if (/^`|^@|^%/.test(after)) return 'a text that begins with `, @ or % needs quotes';
  return undefined;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

interface Found {
  readonly key?: Node;
  readonly value?: Node;
}

function find(document: Document.Parsed, path: Path): Found | undefined {
  let found: Found = document.contents === null ? {} : { value: document.contents };
  for (const part of path) {
    const node = isAlias(found.value) ? found.value.resolve(document) : found.value;
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(
        (item) => String(isScalar(item.key) ? item.key.value : item.key) === String(part),
      );
      if (pair === undefined) return undefined;
      found = { ...(isNode(pair.key) ? { key: pair.key } : {}), ...(isNode(pair.value) ? { value: pair.value } : {}) };
    } else if (isSeq(node) && typeof part === 'number') {
      const item = node.items[part];
      if (!isNode(item)) return undefined;
      found = { value: item };
    } else return undefined;
  }
  return found;
}

function lineStarts(body: string): readonly number[] {
  const starts = [0];
  for (let at = body.indexOf('\n'); at >= 0; at = body.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lineOf(starts: readonly number[], offset: number): number {
  let line = 0;
  while (line + 1 < starts.length && (starts[line + 1] ?? 0) <= offset) line++;
  return line;
}
