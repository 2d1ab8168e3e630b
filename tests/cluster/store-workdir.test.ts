import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openLocalHost } from '../../lib/cluster/local-host.ts';
import { expandWorkdir } from '../../lib/cluster/workdir.ts';

async function scratch(variables: Record<string, string> = {}) {
  const path = await mkdtemp(join(tmpdir(), 'mlops-scratch-'));
  const { USER: _user, ...rest } = process.env;
  const host = openLocalHost({ ...rest, HOME: path, SCRATCH: path, ...variables });
  return { path, host, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

describe('the working folder', () => {
  test.each(['$SCRATCH/w', '${SCRATCH}/w', '~/w', '$HOME/w', '$SCRATCH//w'])(
    '%s is expanded on the host and made',
    async (written) => {
      await using at = await scratch();
      const expanded = await expandWorkdir(at.host, written);
      expect(expanded.ok && expanded.value.replace('//', '/')).toBe(`${at.path}/w`);
      expect((await readdir(`${at.path}/w`)).sort()).toEqual(['objects', 'tmp']);
      expect((await stat(`${at.path}/w`)).mode & 0o777).toBe(0o700);
      expect(await readdir(`${at.path}/w/tmp`)).toEqual([]);
    },
  );

  test('$USER works where nobody has set it', async () => {
    await using at = await scratch();
    expect(await expandWorkdir(at.host, '$SCRATCH/$USER/w')).toEqual({
      ok: true,
      value: `${at.path}/${userInfo().username}/w`,
    });
  });

  test('a home is only a home: nothing else of the shell is known', async () => {
    await using at = await scratch({ EVIL: '$(touch pwned)`touch pwned`' });
    for (const written of ['/x/$(touch pwned)', '~other/w', '${A:-b}', '/a/$', '/${}']) {
      expect(await expandWorkdir(at.host, written)).toMatchObject({ ok: false, error: { reason: 'not-a-variable' } });
    }
    const odd = '$SCRATCH/`touch pwned`;"\' *$EVIL';
    expect(await expandWorkdir(at.host, odd)).toEqual({
      ok: true,
      value: `${at.path}/\`touch pwned\`;"' *$(touch pwned)\`touch pwned\``,
    });
    expect(execFileSync('find', [at.path, '-name', 'pwned'], { encoding: 'utf8' })).toBe('');
  });

  test('variables that are not set are all named', async () => {
    await using at = await scratch();
    expect(await expandWorkdir(at.host, '/a/$NOT_SET/${NOR_THIS}/$HOME')).toEqual({
      ok: false,
      error: { reason: 'unset-variable', workdir: '/a/$NOT_SET/${NOR_THIS}/$HOME', variables: ['NOT_SET', 'NOR_THIS'] },
    });
  });

  test.each(['relative/path', '', '$RELATIVE/w'])('%j is not absolute', async (written) => {
    await using at = await scratch({ RELATIVE: 'here' });
    expect(await expandWorkdir(at.host, written)).toMatchObject({ ok: false, error: { reason: 'not-absolute' } });
  });

  test('that cannot be made says why', async () => {
    await using at = await scratch();
    await writeFile(join(at.path, 'file'), '');
    const made = await expandWorkdir(at.host, '$SCRATCH/file/w');
    expect(made).toMatchObject({ ok: false, error: { reason: 'not-writable', path: `${at.path}/file/w` } });
    expect(JSON.stringify(made)).toContain('Not a directory');
  });

  test('of a group is open to it, also when it was made by hand', async () => {
    await using at = await scratch();
    const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
    await mkdir(join(at.path, 'by-hand'), { mode: 0o755 });
    for (const name of ['shared', 'by-hand']) {
      expect(await expandWorkdir(at.host, `$SCRATCH/${name}`, { group })).toMatchObject({ ok: true });
      expect((await stat(join(at.path, name))).mode & 0o7777).toBe(0o2770);
      expect((await stat(join(at.path, name, 'objects'))).mode & 0o7777).toBe(0o2770);
    }
  });

  test('that was private and has content is not shared by half', async () => {
    await using at = await scratch();
    const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
    expect(await expandWorkdir(at.host, '$SCRATCH/private')).toMatchObject({ ok: true });
    expect(await expandWorkdir(at.host, '$SCRATCH/private', { group })).toMatchObject({
      ok: false,
      error: { reason: 'not-shared', path: `${at.path}/private`, group, detail: expect.stringContaining('drwx------') },
    });
  });
});
