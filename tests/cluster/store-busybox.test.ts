import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openStore } from '../../lib/cluster/content-store.ts';
import { openLocalHost } from '../../lib/cluster/local-host.ts';
import { openStoreGc } from '../../lib/cluster/store-gc.ts';
import { describeWith, findProgram, program } from '../rig/requirements.ts';
import { ls, sha256, source, workFolder } from '../rig/store.ts';
import { describeStore } from './store-contract.ts';

const busybox = program('busybox', 'busybox');

/** A machine whose only programs are busybox's: no GNU option gets by unnoticed. */
function openBusybox() {
  const bin = mkdtempSync(join(tmpdir(), 'mlops-busybox-'));
  const file = findProgram('busybox') ?? '';
  for (const applet of execFileSync(file, ['--list'], { encoding: 'utf8' }).trim().split('\n'))
    symlinkSync(file, join(bin, applet));
  const host = openLocalHost({ PATH: bin });
  return {
    host,
    async [Symbol.asyncDispose]() {
      await host.close();
      await rm(bin, { recursive: true });
    },
  };
}

describeWith(busybox, 'with busybox alone', () => {
  describeStore('busybox', async () => openBusybox());

  test('a large file arrives in blocks, or as a stream', async () => {
    await using at = openBusybox();
    await using work = await workFolder();
    const data = randomBytes(5_000_000);
    const path = join(work.path, 'big');
    writeFileSync(path, data);
    const big = { sha256: sha256(data), size: data.length, file: path };
    const store = openStore(at.host, work.path, { blocks: { from: 1_000_000, blockSize: 1_048_576, channels: 3 } });
    expect(await store.put([big])).toEqual({ ok: true, value: { files: 1, bytes: data.length, resumed: 0 } });
    expect(await store.missing([big])).toEqual({ ok: true, value: [] });
    expect(ls(join(work.path, 'tmp'))).toBe('');
  });

  test('gc finds and frees what is old', async () => {
    await using at = openBusybox();
    await using work = await workFolder();
    const store = openStore(at.host, work.path);
    await store.put([source('old'), source('young')]);
    execFileSync('touch', [
      '-d',
      '40 days ago',
      join(work.path, 'objects', sha256('old').slice(0, 2), sha256('old').slice(2)),
    ]);
    const gc = openStoreGc(at.host, work.path);
    const survey = await gc.survey({ olderThanDays: 30, maxBytes: 0 });
    if (!survey.ok) throw new Error(JSON.stringify(survey.error));
    expect(survey.value).toMatchObject({
      total: 8,
      objects: expect.arrayContaining([expect.objectContaining({ sha256: sha256('old'), bytes: 3, old: true })]),
    });
    const old = {
      kind: 'object',
      path: `objects/${sha256('old').slice(0, 2)}/${sha256('old').slice(2)}`,
      sha256: sha256('old'),
      bytes: 3,
    } as const;
    expect(await gc.remove([old], { olderThanDays: 30 })).toEqual({ ok: true, value: { left: [], stderr: '' } });
    expect(await gc.verify({ remove: false })).toEqual({ ok: true, value: { damaged: [], stderr: '' } });
    expect(await store.missing([source('old'), source('young')])).toEqual({ ok: true, value: [sha256('old')] });
  });
});
