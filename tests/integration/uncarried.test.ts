import { expect, test } from '@jest/globals';
import { uncarriedFiles } from '../../lib/gate/uncarried.ts';
import { notebook } from '../rig/fingerprint.ts';
import { temporaryRepository } from '../rig/repository.ts';

const read = `import pandas as pd
ratings = pd.read_csv("data/ratings.csv")
texts = open('notes/a.txt').read()
inside = open("../shared/b.txt")
pd.DataFrame().to_csv("out.csv")
open("log.txt", "w")
os.chdir("/")
`;

test('files that a notebook reads and nobody carries are named; what it writes, what is carried and what is not there are not', async () => {
  await using repository = await temporaryRepository();
  for (const path of ['data/ratings.csv', 'notes/a.txt', 'out.csv', 'log.txt', 'shared/b.txt'])
    await repository.write(path, '1\n');
  const notebooks = new Map([['work/train.ipynb', notebook([{ prose: '`shared/c.txt`' }, { code: read }])]]);
  const carried = new Set(['work/train.ipynb', 'notes/a.txt']);
  expect(await uncarriedFiles(repository.dir, notebooks, carried)).toEqual(['data/ratings.csv', 'shared/b.txt']);
  const all = new Set([...carried, 'data/ratings.csv', 'shared/b.txt']);
  expect(await uncarriedFiles(repository.dir, notebooks, all)).toEqual([]);
  expect(await uncarriedFiles(undefined, notebooks, carried)).toEqual([]);
});
