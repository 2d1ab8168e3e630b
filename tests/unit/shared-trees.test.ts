import { expect, test } from '@jest/globals';
import { shareFolders } from '../../lib/cluster/shared-trees.ts';
import type { TreeEntry } from '../../lib/cluster/store-types.ts';
import { file, sha256 } from '../rig/store.ts';

const linked = (path: string, content = path): TreeEntry => ({
  kind: 'file',
  path,
  sha256: sha256(content),
  executable: false,
  as: 'link',
});
const many = (folder: string, count = 5000) =>
  Array.from({ length: count }, (_, index) => linked(`${folder}/${index % 10}/${index}.png`, String(index)));

test('a folder of many data files is shared, its topmost one, with all that is in it', () => {
  const { own, shared } = shareFolders([file('train.py', ''), ...many('data/img')]);
  expect(own.map(({ path }) => path)).toEqual(['train.py']);
  expect(shared.map(({ path, files }) => [path, files.length])).toEqual([['data', 5000]]);
  expect(String(shared[0]?.files[11]?.path)).toBe('img/1/11.png');
});

test('what is beside something else is not, nor the folder below it: whoever walks through data would miss it', () => {
  const beside: readonly TreeEntry[] = [
    file('data/.gitignore', '*'),
    { kind: 'file', path: 'data/scratch/a', sha256: sha256('a'), executable: false, as: 'copy' },
    { kind: 'symlink', path: 'data/link', target: 'img' },
  ];
  for (const one of beside) {
    const { own, shared } = shareFolders([one, ...many('data/img')]);
    expect(shared).toEqual([]);
    expect(own).toHaveLength(5001);
  }
});

test('a small one is not, and the top itself never', () => {
  expect(shareFolders(many('data', 4999)).shared).toEqual([]);
  const top = Array.from({ length: 6000 }, (_, index) => linked(`${index}`));
  expect(shareFolders(top)).toEqual({ own: top, shared: [] });
});

test('the same names and contents have one key, wherever they are; others another', () => {
  const keyOf = (tree: readonly TreeEntry[]) => shareFolders(tree).shared[0]?.key;
  const key = keyOf(many('data'));
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(keyOf([...many('elsewhere')].reverse())).toBe(key);
  expect(keyOf([...many('data'), linked('data/one-more')])).not.toBe(key);
  expect(
    keyOf(many('data').map((entry, index) => (index === 0 ? { ...entry, sha256: sha256('x') } : entry) as TreeEntry)),
  ).not.toBe(key);
});
