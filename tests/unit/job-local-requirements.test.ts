import { expect, test } from '@jest/globals';
import { installsFromTree } from '../../lib/job/local-requirements.ts';

test.each([
  '.',
  '..',
  '-e .',
  '--editable=./pkg',
  '.[dev]',
  './pkg',
  'pkg/sub',
  'wheels/a-1-py3-none-any.whl ; python_version > "3.8"',
  'a @ file:///srv/a',
  'a[x] @ ./a',
])('%j is in the repository, so its content counts for the environment', (item) => {
  expect(installsFromTree({ kind: 'venv', requirements: ['numpy', item] })).toBe(true);
  expect(installsFromTree({ kind: 'venv', requirements: [{ requirements: [item] }] })).toBe(true);
  expect(installsFromTree({ kind: 'conda', conda: { dependencies: ['python', { pip: [item] }] } })).toBe(true);
});

test.each([
  'numpy',
  'numpy>=1.20',
  'a[b]==1 ; python_version < "3.9"',
  '-e git+https://example.org/a/b.git#egg=b',
  'b @ https://example.org/b.whl',
  '--index-url https://example.org/simple',
  '--find-links wheels/',
])('%j is not', (item) => {
  expect(installsFromTree({ kind: 'venv', requirements: [item] })).toBe(false);
});

test('conda packages and channels are none, whatever their names', () => {
  expect(
    installsFromTree({
      kind: 'conda',
      conda: { channels: ['file:///srv/c', 'a/b'], dependencies: ['conda-forge::numpy', 'a/b'] },
    }),
  ).toBe(false);
  expect(installsFromTree({ kind: 'packages', packages: ['a/b'], channels: ['./c'] })).toBe(false);
  expect(installsFromTree(null)).toBe(false);
});
