import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hashMany } from '../../lib/fingerprint/hash-many.ts';
import { hashPool } from '../../lib/fingerprint/hash-pool.ts';

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
const now = () => BigInt(Date.now()) * 1_000_000n;
const later = () => now() + 60_000_000_000n;

describe('files that are read in threads', () => {
  let folder: string;
  const paths: string[] = [];
  const content = (index: number) => (index % 500 === 7 ? 'x'.repeat(3_000_000) : `file ${index}`);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mlops-pool-'));
    for (let index = 0; index < 3000; index += 1) {
      paths.push(join(folder, `${index}`));
      await writeFile(join(folder, `${index}`), content(index));
    }
  });
  afterAll(() => rm(folder, { recursive: true }));
  const all = async (list: readonly string[], signal?: AbortSignal) => {
    const found = new Map();
    for await (const [{ from }, hashed] of hashMany(
      list.map((from) => ({ from, size: 10 })),
      ({ from }) => from,
      later,
      signal,
    )) {
      found.set(from, hashed);
    }
    return found;
  };

  test('are known as they are when they are read one by one', async () => {
    const hashed = await all(paths);
    expect(hashed.size).toBe(3000);
    for (const [index, path] of paths.entries()) {
      expect(hashed.get(path)).toMatchObject({ ok: true, value: { sha256: sha256(content(index)), settled: true } });
    }
    const [one = ''] = paths;
    expect((await all([one])).get(one)).toEqual(hashed.get(one));
  });

  test('and cannot be read are named with the reason, each', async () => {
    await mkdir(join(folder, 'folder'));
    await symlink('nowhere', join(folder, 'link'));
    await symlink('loop', join(folder, 'loop'));
    const odd = {
      folder: 'special-file',
      link: 'changing',
      loop: 'link-loop',
      'no/such': 'changing',
      '5/below': 'unreadable',
    };
    const hashed = await all([...paths, ...Object.keys(odd).map((name) => join(folder, name))]);
    for (const [name, reason] of Object.entries(odd)) {
      expect([name, hashed.get(join(folder, name))]).toMatchObject([name, { ok: false, error: { reason } }]);
    }
    expect([...hashed.values()].filter(({ ok }) => ok)).toHaveLength(3000);
  });

  test('and never stay the same are not believed', async () => {
    const path = join(folder, 'growing');
    await writeFile(path, 'x'.repeat(50_000_000));
    const pool = hashPool(3000, 0, 2);
    if (pool === undefined) throw new Error('no pool');
    const writing = setInterval(() => appendFileSync(path, 'more'), 1);
    expect(await pool.read([path])).toEqual([{ state: 'changing' }]);
    clearInterval(writing);
    await pool.close();
  });

  test('are let go of by the signal', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 20);
    const hashed = await all([...paths, ...paths, ...paths], abort.signal);
    expect([...hashed.values()]).toContainEqual({ ok: false, error: { reason: 'aborted' } });
  });

  test('are read here where threads would cost more than they bring', () => {
    expect(hashPool(1, 10 << 30, 8)).toBeUndefined();
    expect(hashPool(100, 1 << 20, 8)).toBeUndefined();
    expect(hashPool(100_000, 1 << 20, 1)).toBeUndefined();
  });
});
