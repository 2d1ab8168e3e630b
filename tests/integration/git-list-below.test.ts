import { expect, test } from '@jest/globals';
import type { Oid } from '../../lib/base/ids.ts';
import { listBelow } from '../../lib/git/list-below.ts';
import { opened } from '../rig/fingerprint.ts';
import { temporaryRepository } from '../rig/repository.ts';

test.each(['sha1', 'sha256'] as const)(
  'files below several prefixes are listed once each, in a %s repository',
  async (objectFormat) => {
    await using repository = await temporaryRepository({ objectFormat });
    const paths = [
      'a.txt',
      'runs/ab/abc/1/r.json',
      'runs/ab/abc/2/r.json',
      'runs/ab/abd/1/r.json',
      'runs/cd/cde/1/r.md',
    ];
    for (const path of [...paths, 'runs/ab/ab', 'runs/ü/é.json']) await repository.write(path, `${path}\n`);
    await repository.write('runs/cd/run.sh', '#!/bin/sh\n', 0o755);
    const commit = await repository.commit();
    const list = async (...prefixes: readonly string[]) => {
      const found = await listBelow(await opened(repository), commit as Oid, prefixes);
      if (!found.ok) throw new Error(JSON.stringify(found.error));
      for (const { path, oid } of found.value) expect(await repository.git('rev-parse', `${commit}:${path}`)).toBe(oid);
      return found.value.map(({ path }) => path);
    };
    expect(await list('runs/ab/abc')).toEqual(['runs/ab/abc/1/r.json', 'runs/ab/abc/2/r.json']);
    expect(await list('runs/ab/abc/', 'runs/ab/abc/1/', 'runs/ab/abc/1/r')).toEqual([
      'runs/ab/abc/1/r.json',
      'runs/ab/abc/2/r.json',
    ]);
    expect(await list('runs/cd/cd', 'runs/ab/abd', 'runs/zz/zz', 'a.txt/')).toEqual([
      'runs/ab/abd/1/r.json',
      'runs/cd/cde/1/r.md',
    ]);
    expect(await list('runs/ü/')).toEqual(['runs/ü/é.json']);
    // Neither a link nor a program is a report.
    expect(await list('')).toEqual([...paths, 'runs/ab/ab', 'runs/ü/é.json'].sort());
    expect(await list()).toEqual([]);
    expect(await list('a\nb/', 'nothing')).toEqual([]);
  },
);
