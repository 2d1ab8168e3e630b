import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { cliProject } from '../rig/cli.ts';
import { run, temporaryRepository } from '../rig/repository.ts';

const tarball = (): string => {
  const path = process.env.MLOPS_TEST_TARBALL;
  if (path === undefined) throw new Error('MLOPS_TEST_TARBALL is not set');
  return path;
};

describe('the packed program', () => {
  test('is less than a megabyte, and holds the program, its hooks, templates, schema and licences', async () => {
    expect((await stat(tarball())).size).toBeLessThan(1_000_000);
    const { stdout } = await run('tar', ['-tzf', tarball()], { env: process.env });
    const top = new Set(stdout.split('\n').map((path) => path.split('/')[1] ?? ''));
    expect([...top].filter((name) => name !== '').sort()).toEqual(
      ['LICENSE', 'README.md', 'THIRD-PARTY-LICENSES', 'dist', 'hooks', 'package.json', 'schema', 'templates'].sort(),
    );
  });

  test('installs globally without a warning, brings no other package, and works in a repository without the checkout', async () => {
    await using repository = await temporaryRepository();
    const prefix = await mkdtemp(join(tmpdir(), 'mlops-prefix-'));
    try {
      const installed = await run(
        'npm',
        ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', '--userconfig', '/dev/null', tarball()],
        { env: repository.env, cwd: repository.dir },
      );
      expect(installed).toMatchObject({ code: 0, stderr: '' });
      expect(await readdir(join(prefix, 'lib/node_modules'))).toEqual(['mlops-hpc']);
      expect(await readdir(join(prefix, 'lib/node_modules/mlops-hpc'))).not.toContain('node_modules');

      await repository.write('train.ipynb', '{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}\n');
      const program = join(prefix, 'bin/mlops');
      const init = await run(program, ['init', '--yes'], { env: repository.env, cwd: repository.dir });
      expect(init).toMatchObject({ code: 0 });
      expect(init.stderr).not.toMatch(/warning|deprecat/i);
      expect(await repository.read('.mlops/config.yaml')).toContain('notebook: train.ipynb');
    } finally {
      await rm(prefix, { recursive: true, force: true });
    }
  });

  test('init twice changes nothing, and uninstall leaves only what is yours', async () => {
    await using project = await cliProject({ init: false });
    const state = async () => {
      const { stdout } = await run('sh', ['-c', 'cat .git/config; find .git/hooks -type f | sort | xargs cksum'], {
        cwd: project.repository.dir,
        env: project.env,
      });
      return stdout;
    };
    const untouched = await state();
    expect((await project.mlops(['init', '--yes'])).code).toBe(0);
    const once = await state();
    expect(once).not.toBe(untouched);
    expect((await project.mlops(['init', '--yes'])).code).toBe(0);
    expect(await state()).toBe(once);
    expect((await project.mlops(['uninstall'])).code).toBe(0);
    expect(await state()).toBe(untouched);
  });
});
