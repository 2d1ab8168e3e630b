import { describe, expect, test } from '@jest/globals';
import { diffCells } from '../../lib/fingerprint/diff-cells.ts';
import { meaningHash } from '../../lib/fingerprint/meaning.ts';
import { type Notebook, parseNotebook } from '../../lib/fingerprint/notebook.ts';

function parsed(text: string): Notebook {
  const notebook = parseNotebook(text);
  if (!notebook.ok) throw new Error(JSON.stringify(notebook.error));
  return notebook.value;
}
const file = (cells: readonly object[], metadata: object = {}) => JSON.stringify({ cells, metadata, nbformat: 4 });
const code = (source: string | readonly string[], more: object = {}) => ({
  cell_type: 'code',
  metadata: {},
  source,
  ...more,
});
const prose = (source: string) => ({ cell_type: 'markdown', metadata: {}, source });
const tagged = (source: string, ...tags: unknown[]) => code(source, { metadata: { tags } });

describe('two notebooks that mean the same', () => {
  const base = file([prose('# A'), tagged('k = 1', 'parameters'), code('print(k)\nprint(2)')]);
  test.each([
    ['with lines as a list', file([tagged('k = 1', 'parameters'), code(['print(k)\n', 'print(2)'])])],
    ['with a line feed at the end', file([tagged('k = 1', 'parameters'), code('print(k)\nprint(2)\n')])],
    ['with Windows line ends', file([tagged('k = 1', 'parameters'), code('print(k)\r\nprint(2)')])],
    ['with a byte order mark', `\ufeff${base}`],
    ['with a blank cell', file([tagged('k = 1', 'parameters'), code('\n '), code('print(k)\nprint(2)')])],
    [
      'with tags that only hide a cell',
      file([tagged('k = 1', 'hide-input', 'parameters'), tagged('print(k)\nprint(2)', 'remove_cell')]),
    ],
    [
      'with a tag twice, and one that is no text',
      file([tagged('k = 1', 'parameters', 'parameters', 7), code('print(k)\nprint(2)')]),
    ],
    [
      'with papermill’s injected cell',
      file([tagged('k = 1', 'parameters'), tagged('k = 2', 'injected-parameters'), code('print(k)\nprint(2)')]),
    ],
    [
      'with outputs that hold NaN, as Python writes it',
      base.replace('"source":"print', '"outputs":[NaN,-Infinity,"NaN \\" Infinity"],"source":"print'),
    ],
    [
      'with a kernelspec that is a bare string',
      file([tagged('k = 1', 'parameters'), code('print(k)\nprint(2)')], { kernelspec: 'python3' }),
    ],
    ['without any metadata', JSON.stringify({ cells: [tagged('k = 1', 'parameters'), code('print(k)\nprint(2)')] })],
    [
      'with Python written large',
      file([tagged('k = 1', 'parameters'), code('print(k)\nprint(2)')], { language_info: { name: 'Python' } }),
    ],
  ])('%s', (_, text) => {
    expect(meaningHash(parsed(text))).toBe(meaningHash(parsed(base)));
  });
});

describe('two notebooks that do not mean the same', () => {
  const base = file([code('a = 1'), code('b = 2')]);
  test.each([
    ['another source', file([code('a = 1'), code('b = 3')])],
    ['another order', file([code('b = 2'), code('a = 1')])],
    ['one cell instead of two', file([code('a = 1\nb = 2')])],
    ['another tag', file([code('a = 1'), tagged('b = 2', 'raises-exception')])],
    ['indentation', file([code('a = 1'), code(' b = 2')])],
    ['an empty cell with a tag, where parameters go', file([tagged('', 'parameters'), code('a = 1'), code('b = 2')])],
    ['another language', file([code('a = 1'), code('b = 2')], { kernelspec: { name: 'julia-1.10' } })],
    ['code that became prose', file([code('a = 1'), prose('b = 2')])],
  ])('%s', (_, text) => {
    expect(meaningHash(parsed(text))).not.toBe(meaningHash(parsed(base)));
  });
});

describe('what is no notebook', () => {
  test.each([
    ['an empty file', '', { reason: 'not-json' }],
    ['a merge conflict', '<<<<<<< HEAD\n{}', { reason: 'not-json' }],
    ['a list', '[]', { reason: 'not-a-notebook', detail: 'not-an-object' }],
    ['other JSON', '{"a": 1}', { reason: 'not-a-notebook', detail: 'no-cells' }],
    [
      'a code cell without a source',
      file([{ cell_type: 'code' }]),
      { reason: 'not-a-notebook', detail: 'cell-without-source' },
    ],
    ['a cell that is a text', file(['x' as never]), { reason: 'not-a-notebook', detail: 'cell-without-source' }],
  ])('%s', (_, text, error) => {
    expect(parseNotebook(text)).toMatchObject({ ok: false, error });
  });

  test('the original is kept for rewriting, with null where JSON has no word', () => {
    expect(parsed('{"cells":[],"x":NaN,"nbformat":4}').original).toEqual({ cells: [], x: null, nbformat: 4 });
  });
});

describe('which cells changed', () => {
  const of = (...cells: readonly object[]) => parsed(file(cells));
  const base = of(prose('# T'), code('a = 1'), code('x = 1\nsim = old\ny'), code('c = 3'));
  test.each([
    [
      'one cell, with the first line that differs',
      of(prose('# T'), code('a = 1'), code('x = 1\nsim = new\ny'), code('c = 3')),
      [{ kind: 'changed', before: 3, after: 3, line: 'sim = new' }],
    ],
    [
      'one cell further down, for a cell was added above',
      of(prose('# T'), code('a = 1'), code('new'), code('x = 1\nsim = old\ny'), code('c = 4')),
      [
        { kind: 'added', after: 3, line: 'new' },
        { kind: 'changed', before: 4, after: 5, line: 'c = 4' },
      ],
    ],
    [
      'a cell that is gone',
      of(prose('# T'), code('a = 1'), code('c = 3')),
      [{ kind: 'removed', before: 3, line: 'x = 1' }],
    ],
    [
      'lines that were taken away',
      of(prose('# T'), code('a = 1'), code('x = 1'), code('c = 3')),
      [{ kind: 'changed', before: 3, after: 3, line: 'sim = old' }],
    ],
    [
      'the line that is new, not the ones that a blank line above it moved',
      of(prose('# T'), code('a = 1'), code('\nx = 1\nsim = old\n\nz\ny'), code('c = 3')),
      [{ kind: 'changed', before: 3, after: 3, line: 'z' }],
    ],
    [
      'lines in another order',
      of(prose('# T'), code('a = 1'), code('sim = old\nx = 1\ny'), code('c = 3')),
      [{ kind: 'changed', before: 3, after: 3, line: 'sim = old' }],
    ],
    ['prose', of(prose('# Other'), code('a = 1'), prose('more'), code('x = 1\nsim = old\ny'), code('c = 3')), []],
    [
      'a tag',
      of(prose('# T'), tagged('a = 1', 'parameters'), code('x = 1\nsim = old\ny'), code('c = 3')),
      [{ kind: 'changed', before: 2, after: 2, line: 'a = 1' }],
    ],
  ])('%s', (_, after, changes) => {
    expect(diffCells(base, after)).toEqual(changes);
  });

  test('the language', () => {
    const r = parsed(file([code('a')], { kernelspec: { name: 'ir' } }));
    expect(diffCells(of(code('a')), r)).toEqual([{ kind: 'language', before: 'python', after: 'r' }]);
  });
});
