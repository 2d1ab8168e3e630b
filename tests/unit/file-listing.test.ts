import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { shellQuote } from '../../lib/base/shell-quote.ts';
import { checkPinsScript, listingFunctions } from '../../lib/cluster/file-listing.ts';
import { parseContent, parsePin, pinScript } from '../../lib/cluster/pin-script.ts';
import { findProgram } from '../rig/requirements.ts';

interface Vector {
  readonly name: string;
  readonly files: Readonly<Record<string, readonly [size: number, time: number]>>;
  readonly listing: string;
  readonly hash: string;
}
const vectors = JSON.parse(readFileSync(join(import.meta.dirname, 'fingerprint-vectors.json'), 'utf8')) as {
  readonly listings: readonly Vector[];
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'listing-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const make = (path: string, size: number, time: number): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'x'.repeat(size));
  utimesSync(path, time, time);
};
const list = (path: string, shell: readonly string[] = ['sh']) => {
  const [file = 'sh', ...args] = shell;
  const script = `${listingFunctions}\nlist_files ${shellQuote(path)} ${shellQuote(join(folder, 'out'))}; c=$?; listed_hash ${shellQuote(join(folder, 'out'))}; exit $c`;
  const ran = spawnSync(file, [...args, '-c', script], { encoding: 'utf8' });
  return {
    code: ran.status,
    hash: ran.stdout.trim(),
    words: ran.stderr,
    listing: readFileSync(join(folder, 'out'), 'utf8'),
  };
};

describe('the listing of data that is on the cluster, as the second implementation has it', () => {
  const shells = [['sh'], ['bash'], ['busybox', 'sh']].filter(([file = '']) => findProgram(file) !== undefined);
  test.each(vectors.listings.flatMap((vector) => shells.map((shell) => ({ ...vector, shell }))))(
    '$name, by $shell',
    ({ files, listing, hash, shell }) => {
      const data = join(folder, 'my data');
      for (const [name, [size, time]] of Object.entries(files))
        make(name === '.' ? data : join(data, name), size, time);
      expect(list(data, shell)).toEqual({ code: 0, hash, words: '', listing });
    },
  );

  test('links count as what they lead to, and what tools leave behind does not count', () => {
    const data = join(folder, 'data');
    make(join(folder, 'elsewhere/a.csv'), 2, 100);
    make(join(data, 'b.csv'), 1, 100);
    for (const litter of ['.DS_Store', '.gitkeep', '.nfs0000beef', '.git/config', '.ipynb_checkpoints/x.ipynb'])
      make(join(data, litter), 1, 1);
    symlinkSync('../elsewhere', join(data, 'linked'));
    symlinkSync('b.csv', join(data, 'c.csv'));
    expect(list(data).listing).toBe('1 100 b.csv\n1 100 c.csv\n2 100 linked/a.csv\n');
  });

  test.each([
    ['a link that leads nowhere', (data: string) => symlinkSync('/nowhere/at/all', join(data, 'odd'))],
    ['a pipe', (data: string) => void execFileSync('mkfifo', [join(data, 'odd')])],
    ['a name with a line break', (data: string) => writeFileSync(join(data, 'odd\nname'), '')],
    ['a folder that links to itself', (data: string) => symlinkSync('.', join(data, 'odd'))],
  ])('%s is named, and there is no listing', (_what, spoil) => {
    const data = join(folder, 'data');
    make(join(data, 'a'), 1, 1);
    writeFileSync(join(folder, 'out'), '');
    spoil(data);
    expect(list(data)).toMatchObject({ code: 1, words: expect.stringContaining('odd'), listing: '' });
  });
});

describe('a pin', () => {
  const pin = (more: Partial<Parameters<typeof pinScript>[0]> = {}) => {
    const own = join(folder, 'own');
    mkdirSync(own, { recursive: true });
    const request = {
      cluster: join(folder, 'data'),
      how: 'content',
      folder: own,
      workdir: folder,
      group: false,
    } as const;
    const ran = spawnSync('sh', ['-c', pinScript({ ...request, ...more })], { encoding: 'utf8' });
    return { answer: parsePin(ran.stdout), own };
  };

  test('by content has each file’s hash by its path in the repository, whatever it is called', () => {
    const names = ['a', 'with blank', 'back\\slash', 'ünï', '-n', `quote's"`];
    for (const name of names) make(join(folder, 'data/deep', name), 3, 100);
    const { answer, own } = pin();
    expect(answer).toMatchObject({ state: 'done', files: names.length, bytes: 3 * names.length });
    const contents = parseContent(readFileSync(join(own, 'content'), 'utf8'), 'in/here');
    const xxx = 'cd2eb0837c9b4c962c22d2ff8b5441b7b45805887f051d39bf133b583baf6860';
    expect(new Map(contents)).toEqual(new Map(names.map((name) => [`in/here/deep/${name}`, xxx])));
  });

  test('more files than may be looked at are not listed at all', () => {
    for (const name of ['a', 'b', 'c']) make(join(folder, 'data', name), 1, 1);
    // The folder itself is one of them.
    expect(pin({ mostFiles: 3 }).answer).toEqual({ state: 'big', words: '' });
    expect(pin({ mostFiles: 4 }).answer).toMatchObject({ state: 'done', files: 3 });
  });

  (process.getuid?.() === 0 ? test.skip : test)('a file that cannot be read is named', () => {
    make(join(folder, 'data/secret'), 1, 1);
    chmodSync(join(folder, 'data/secret'), 0);
    expect(pin().answer).toMatchObject({ state: 'unreadable', words: expect.stringContaining('secret') });
  });

  test('in what is not ours there is no answer', () => {
    expect(parsePin('Welcome to the cluster\n')).toBeUndefined();
  });
});

test('the check of pins is a POSIX shell’s in the eyes of every shell that is here', () => {
  const hostile = `it's "q" $(touch oops)`;
  const script = checkPinsScript([
    {
      as: hostile,
      cluster: `$SCRATCH/${hostile}`,
      listing: 'ab'.repeat(32),
      files: 3,
      pinnedAt: '2026-11-24T09:00:00Z',
    },
  ]);
  for (const shell of ['sh', 'dash', 'bash', 'busybox'].filter((one) => findProgram(one) !== undefined)) {
    const args = shell === 'busybox' ? ['sh', '-n'] : ['-n'];
    expect([shell, spawnSync(shell, args, { input: script, encoding: 'utf8' }).stderr]).toEqual([shell, '']);
  }
});
