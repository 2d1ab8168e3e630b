import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../lib/base/canonical-json.ts';
import { asOid, asSha256 } from '../../lib/base/ids.ts';
import { environmentChanges } from '../../lib/fingerprint/environment-changes.ts';
import type { Explained } from '../../lib/fingerprint/explain.ts';
import { lockedPackages } from '../../lib/fingerprint/locked-packages.ts';
import { changesText } from '../../lib/report/changes.ts';
import { hostile } from '../rig/sample-report.ts';

const conda = (...dependencies: Json[]): Json => ({ kind: 'conda', conda: { channels: ['a', 'b'], dependencies } });
const venv = (...requirements: Json[]): Json => ({ kind: 'venv', requirements });

describe('what makes two environments differ', () => {
  test.each<[string, Json, Json, object[]]>([
    ['nothing', conda('numpy=1'), conda('numpy=1'), []],
    [
      'a version, whatever way it is written',
      conda('conda-forge::NumPy=1.26', 'pip'),
      conda('pip', 'numpy>=2'),
      [{ kind: 'changed', where: 'conda.dependencies', before: 'conda-forge::NumPy=1.26', after: 'numpy>=2' }],
    ],
    [
      'a package more, a package less',
      venv('numpy==1', 'pandas==2'),
      venv('numpy==1', 'polars==1'),
      [
        { kind: 'removed', where: 'requirements', before: 'pandas==2' },
        { kind: 'added', where: 'requirements', after: 'polars==1' },
      ],
    ],
    [
      'a package of pip within conda, and one of an included file',
      conda('python', { pip: ['torch==2.3', { requirements: ['rich==13'] }] }),
      conda('python', { pip: ['torch==2.4', { requirements: ['rich==14'] }] }),
      [
        { kind: 'changed', where: 'conda.dependencies.pip', before: 'torch==2.3', after: 'torch==2.4' },
        { kind: 'changed', where: 'conda.dependencies.pip.requirements', before: 'rich==13', after: 'rich==14' },
      ],
    ],
    [
      'an option, which is no package',
      venv('--index-url https://a', 'numpy'),
      venv('--index-url https://b', 'numpy'),
      [
        {
          kind: 'changed',
          where: 'requirements',
          before: '--index-url https://a',
          after: '--index-url https://b',
        },
      ],
    ],
    [
      'the order of channels',
      { kind: 'packages', packages: ['numpy'], channels: ['a', 'b'] },
      { kind: 'packages', packages: ['numpy'], channels: ['b', 'a'] },
      [{ kind: 'order', where: 'channels' }],
    ],
    [
      'the same item once less',
      venv('numpy', 'numpy'),
      venv('numpy'),
      [{ kind: 'removed', where: 'requirements', before: 'numpy' }],
    ],
    [
      'another kind: then nothing else compares',
      venv('numpy', 'pandas'),
      conda('numpy'),
      [{ kind: 'changed', where: 'kind', before: 'venv', after: 'conda' }],
    ],
    [
      'one image in the place of another',
      { kind: 'container', image: 'a.sif' },
      { kind: 'container', image: 'b.sif', modules: ['cuda/12'] },
      [
        { kind: 'changed', where: 'image', before: 'a.sif', after: 'b.sif' },
        { kind: 'added', where: 'modules', after: 'cuda/12' },
      ],
    ],
  ])('%s', (_, before, after, changes) => {
    expect(environmentChanges(before, after)).toEqual(changes);
  });
});

test('the packages of a uv.lock, without what else is in it', () => {
  const lock = `version = 1
requires-python = ">=3.11"

[[package]]
name = "torch"
version = "2.3.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [
    { name = "numpy" },
]

[package.metadata]
name = "not this"

[[package]]
name = "numpy"
version = "1.26.4"
wheels = [{ url = "https://example.org/a.whl", hash = "sha256:0" }]

[[package]]
name = "the-project-itself"
source = { virtual = "." }
`;
  expect(lockedPackages(lock)).toEqual(['numpy==1.26.4', 'torch==2.3.0']);
  expect(lockedPackages('')).toEqual([]);
});

describe('what changed, in words', () => {
  const meaning = (digit: string) => ({ kind: 'notebook' as const, meaning: asSha256(digit.repeat(64)) });
  const blob = (digit: string) => ({ kind: 'blob' as const, oid: asOid(digit.repeat(40)), mode: '100644' as const });
  const set = (digit: string, files: number) => ({
    hash: asSha256(digit.repeat(64)),
    files,
    bytes: 1,
    writable: false,
  });
  const file = (path: string) => ({ path, recorded: asSha256('1'.repeat(64)), current: asSha256('2'.repeat(64)) });
  const notebook = { kind: 'notebook', path: 'a.ipynb', before: meaning('1'), after: meaning('2') } as const;
  const said = (...changes: Explained[]) =>
    changesText(changes).changed.map(({ what, code }) => (code === undefined ? what : `${what} (${code})`));

  test('nothing: all of it is the same', () => {
    expect(changesText([])).toEqual({ changed: [], same: ['code', 'data', 'parameters', 'environment'] });
  });
  test('a notebook by its cells, with the line that changed', () => {
    const cells = [
      { kind: 'changed', before: 41, after: 42, line: 'sim.columns = x' },
      { kind: 'added', after: 43, line: 'y = 1' },
      { kind: 'removed', before: 50, line: 'z = 1' },
      { kind: 'language', before: 'python', after: 'r' },
    ] as const;
    expect(said({ ...notebook, cells })).toEqual([
      'a.ipynb cell 42 (sim.columns = x)',
      'a.ipynb cell 43 (new) (y = 1)',
      'a.ipynb cell 50 (gone) (z = 1)',
      'a.ipynb language: python → r',
    ]);
    expect(said(notebook)).toEqual(['a.ipynb']);
  });
  test('a line of code without its indentation and its control characters; a blank one not at all', () => {
    const cell = { kind: 'changed', before: 1, after: 1 } as const;
    expect(said({ ...notebook, cells: [{ ...cell, line: '    y = "\u001b[31m"\t' }] })).toEqual([
      'a.ipynb cell 1 (y = "")',
    ]);
    expect(said({ ...notebook, cells: [{ ...cell, line: '  ' }] })).toEqual(['a.ipynb cell 1']);
  });
  test('files of code, new, gone and counting elsewhere', () => {
    expect(
      said(
        { kind: 'code', path: 'a.py', before: blob('1'), after: blob('2') },
        { kind: 'code', path: 'b.py', after: blob('2') },
        { kind: 'notebook', path: 'c.ipynb', before: meaning('1') },
        { kind: 'scope', step: 0, path: 'evaluate.py', counts: true },
      ),
    ).toEqual(['a.py', 'b.py (new)', 'c.ipynb (gone)', 'evaluate.py counts now for step 1']);
  });
  test('data by how many files, where that is known', () => {
    const files = { changed: [file('d/1'), file('d/2')], added: [file('d/3')], missing: [] };
    const none = { changed: [], added: [], missing: [] };
    const data = { kind: 'data', entry: 'd' } as const;
    expect(
      said(
        { ...data, before: set('1', 2), after: set('2', 3), files },
        { ...data, before: set('1', 2), after: set('2', 3) },
        { ...data, before: set('1', 2), after: set('2', 2) },
        { ...data, before: set('1', 1), after: set('2', 1), files: { ...none, changed: [file('d')] } },
        { ...data, before: set('1', 1), after: { ...set('1', 1), writable: true }, files: none },
        { ...data, after: set('1', 1) },
      ),
    ).toEqual(['d: 2 files changed, 1 new', 'd: 2 files → 3', 'd', 'd', 'd: writable now', 'd (new)']);
  });
  test('the environment by its packages', () => {
    const [before, after] = [venv('numpy==1', 'a'), venv('numpy==2', 'b')];
    const environment = { kind: 'environment', before, after } as const;
    expect(said({ ...environment, items: environmentChanges(before, after) })).toEqual([
      'environment: numpy==1 → numpy==2',
      'environment: a (gone)',
      'environment: b (new)',
    ]);
    expect(said(environment)).toEqual(['environment']);
    const lock = { kind: 'changed', where: 'lock', before: '1'.repeat(64), after: '2'.repeat(64) } as const;
    expect(said({ ...environment, items: [lock, { kind: 'order', where: 'channels' }] })).toEqual([
      'environment: uv.lock',
      'environment: order of channels',
    ]);
  });
  test('what is touched is not called the same', () => {
    const same = (change: Explained) => changesText([change]).same;
    expect(same(notebook)).toEqual(['data', 'parameters', 'environment']);
    expect(same({ kind: 'env', name: 'SEED', before: '1', after: '2' })).toEqual(['code', 'data', 'parameters']);
    expect(same({ kind: 'parameter', step: 0, name: 'lr', before: 1, after: 2 })).toEqual([
      'code',
      'data',
      'environment',
    ]);
    expect(same({ kind: 'step', step: 1, name: '', after: {} })).toEqual(['data', 'environment']);
  });
  test('the hardware, where both runs told it', () => {
    const place = (cpu?: string) => ({ cluster: 'c', gpus: 0, ...(cpu === undefined ? {} : { cpu }) });
    expect(changesText([notebook], { before: place('A'), after: place('A') }).same).toContain('CPU type');
    expect(changesText([notebook], { before: place('A'), after: place('B') }).changed).toContainEqual({
      what: 'CPU type: A → B',
    });
    const unknown = changesText([notebook], { before: place(), after: place('B') });
    expect(JSON.stringify(unknown)).not.toContain('CPU');
  });
  test('names are data: no control characters, no page of text', () => {
    const [what = ''] = said({ kind: 'code', path: hostile.repeat(20), after: blob('1') });
    expect(what).not.toMatch(/[\u001b\n\u202e]/);
    expect(what.length).toBeLessThan(80);
  });
});
