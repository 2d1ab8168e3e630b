import { chmod, lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { type HookOptions, installHooks, readShims, uninstallHooks } from '../../lib/git/hooks-install.ts';
import { hookStates } from '../../lib/git/hooks-state.ts';
import { openRepository, type Repository } from '../../lib/git/repository.ts';
import { run, type TestRepository, temporaryRepository } from '../rig/repository.ts';

const shims = await readShims(fileURLToPath(new URL('../../hooks', import.meta.url)));

/** A program in a folder with an awkward name. It notes its arguments and input, and exits with what the file `exit` says. */
async function recorder(
  repository: TestRepository,
): Promise<{ options: HookOptions; calls(): Promise<string[]>; exits(code: number): Promise<void> }> {
  const folder = join(repository.root, 'it\'s "my" $program');
  const program = join(folder, 'mlops.sh');
  const log = join(folder, 'log');
  await mkdir(folder);
  await writeFile(
    program,
    `cd "$(dirname "$0")" || exit 9
{ printf '%s' "$1"; shift; for a; do printf ' [%s]' "$a"; done; echo; sed 's/^/  /'; } >> log
[ ! -f exit ] || exit "$(cat exit)"
`,
  );
  return {
    options: { program: { node: '/bin/sh', program }, shims, home: repository.home },
    calls: async () => {
      const text = await readFile(log, 'utf8').catch(() => '');
      await writeFile(log, '');
      return text.split('\n').filter((line) => line !== '');
    },
    exits: (code) => writeFile(join(folder, 'exit'), String(code)),
  };
}

async function open(repository: TestRepository): Promise<Repository> {
  const opened = await openRepository(repository.dir, repository.env);
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return opened.value;
}

async function install(repository: TestRepository, options: HookOptions) {
  const installed = await installHooks(await open(repository), options);
  if (!installed.ok) throw new Error(JSON.stringify(installed.error));
  return installed.value;
}
async function uninstall(repository: TestRepository) {
  const removed = await uninstallHooks(await open(repository), repository.home);
  if (!removed.ok) throw new Error(JSON.stringify(removed.error));
  return removed.value;
}

/** Every file under a folder with its bytes, its mode and where a link leads. */
async function snapshot(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const found: Record<string, string> = {};
  for (const entry of entries.sort()) {
    const path = join(folder, entry);
    const stats = await lstat(path);
    if (stats.isDirectory()) continue;
    found[entry] =
      `${(stats.mode & 0o777).toString(8)} ${await readFile(path, 'latin1').catch(() => 'a link to nothing')}`;
  }
  return found;
}

async function prepared(name?: string): Promise<TestRepository> {
  const repository = await temporaryRepository(name === undefined ? {} : { name });
  await repository.remote();
  return repository;
}

const refLine = (oid: string): string => `  refs/heads/main ${oid} refs/heads/main ${'0'.repeat(40)}`;

describe('without another hook manager', () => {
  test('a commit, an amend and a push call the program with their arguments and input', async () => {
    await using repository = await prepared('a "b" \'c\' $d');
    const { options, calls } = await recorder(repository);
    const { place, actions } = await install(repository, options);
    expect(place).toEqual({ kind: 'git', dir: join(repository.dir, '.git/hooks') });
    expect(actions.map(({ hook, action }) => `${hook} ${action}`)).toEqual([
      'post-commit created',
      'pre-push created',
      'post-rewrite created',
    ]);
    const first = await repository.commit();
    expect(await calls()).toEqual(['post-commit']);
    await repository.git('commit', '--quiet', '--amend', '--allow-empty', '--message', 'other');
    const second = await repository.git('rev-parse', 'HEAD');
    expect((await calls()).sort()).toEqual([`  ${first} ${second}`, 'post-commit', 'post-rewrite [amend]']);
    await repository.git('push', '--quiet', 'origin', 'main');
    const url = await repository.git('remote', 'get-url', 'origin');
    expect(await calls()).toEqual([`pre-push [origin] [${url}]`, refLine(second)]);
  });

  test('a program that says no blocks the push, and never a commit', async () => {
    await using repository = await prepared();
    const { options, exits } = await recorder(repository);
    await install(repository, options);
    await exits(3);
    await repository.commit();
    const push = await repository.tryGit(['push', 'origin', 'main']);
    expect(push.code).toBe(1);
    expect(await repository.tryGit(['push', '--no-verify', 'origin', 'main'])).toMatchObject({ code: 0 });
  });

  test('an up-to-date push and our own push of reports start no program', async () => {
    await using repository = await prepared();
    const { options, calls } = await recorder(repository);
    await repository.commit();
    await repository.git('push', '--quiet', 'origin', 'main');
    await install(repository, options);
    await repository.git('push', '--quiet', 'origin', 'main');
    await repository.tryGit(['push', '--quiet', 'origin', 'main:other'], { env: { MLOPS_NESTED: '1' } });
    expect(await calls()).toEqual([]);
  });

  test('the commits of a rebase start no program, its end does', async () => {
    await using repository = await prepared();
    const { options, calls } = await recorder(repository);
    await repository.write('a', '1');
    await repository.commit();
    for (const name of ['b', 'c']) {
      await repository.write(name, name);
      await repository.commit();
    }
    await install(repository, options);
    await repository.tryGit(['rebase', '--quiet', '--force-rebase', '--exec', 'true', 'HEAD~2']);
    const seen = await calls();
    expect(seen.filter((line) => line === 'post-commit')).toEqual([]);
    expect(seen).toContain('post-rewrite [rebase]');
  });

  test('installing twice changes nothing, and uninstalling leaves nothing', async () => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    const hooks = join(repository.dir, '.git/hooks');
    const before = await snapshot(hooks);
    await install(repository, options);
    const after = await snapshot(hooks);
    expect((await install(repository, options)).actions.map(({ action }) => action)).toEqual(
      Array(3).fill('unchanged'),
    );
    expect(await snapshot(hooks)).toEqual(after);
    await uninstall(repository);
    expect(await snapshot(hooks)).toEqual(before);
    expect(await uninstall(repository)).toEqual([]);
  });

  test('another place of the program replaces the lines, and doctor sees the difference', async () => {
    await using repository = await prepared();
    const { options, calls } = await recorder(repository);
    const states = async () => {
      const found = await hookStates(await open(repository), options);
      return found.ok ? Object.values(found.value.states) : found.error;
    };
    expect(await states()).toEqual(['missing', 'missing', 'missing']);
    await install(repository, { ...options, program: { node: '/old/node', program: '/old/mlops.js' } });
    expect(await states()).toEqual(['outdated', 'outdated', 'outdated']);
    expect((await install(repository, options)).actions.map(({ action }) => action)).toEqual(Array(3).fill('updated'));
    await chmod(join(repository.dir, '.git/hooks/pre-push'), 0o644);
    expect(await states()).toEqual(['installed', 'not-executable', 'installed']);
    await repository.commit();
    expect(await calls()).toEqual(['post-commit']);
  });

  test('a program that is gone: a commit goes, a push says how to install it or to skip', async () => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    await install(repository, { ...options, program: { node: '/gone/node', program: '/gone/mlops.js' } });
    const PATH = '/usr/bin:/bin';
    expect(await repository.tryGit(['commit', '--allow-empty', '-m', 'x'], { env: { PATH } })).toMatchObject({
      code: 0,
    });
    const push = await repository.tryGit(['push', 'origin', 'main'], { env: { PATH } });
    expect(push.code).toBe(1);
    expect(push.stderr).toContain('npm install --global mlops-hpc && mlops init');
    expect(push.stderr).toContain('git push --no-verify');
    const skipped = await repository.tryGit(['push', 'origin', 'main'], { env: { PATH, MLOPS_SKIP: 'moving house' } });
    expect(skipped.code).toBe(0);
    expect(skipped.stderr).toContain('unjudged');
  });

  test('a push that the hook cannot read does not go: a PATH without cat is no pass', async () => {
    await using repository = await prepared();
    const { options, calls } = await recorder(repository);
    await repository.commit();
    await install(repository, options);
    const bin = join(repository.root, 'bin');
    await mkdir(bin);
    await symlink((await run('sh', ['-c', 'command -v git'], { env: process.env })).stdout.trim(), join(bin, 'git'));
    const push = await repository.tryGit(['push', 'origin', 'main'], { env: { PATH: bin } });
    expect(push).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be read, so it does not go') });
    expect(await calls()).toEqual([]);
  });

  test('a program that is gone is looked for on the PATH', async () => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    await install(repository, { ...options, program: { node: '/gone/node', program: '/gone/mlops.js' } });
    const bin = join(repository.root, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'mlops'), '#!/bin/sh\necho "found $*" >&2\n', { mode: 0o755 });
    await repository.commit();
    const push = await repository.tryGit(['push', 'origin', 'main'], { env: { PATH: `${bin}:${process.env.PATH}` } });
    expect(push.stderr).toContain('found pre-push origin');
  });

  test('a linked worktree uses the same hooks', async () => {
    await using repository = await prepared();
    const { options, calls } = await recorder(repository);
    await repository.commit();
    const linked = await repository.worktree('side');
    const { place } = await install(linked, options);
    expect(place).toEqual({ kind: 'git', dir: join(repository.dir, '.git/hooks') });
    await linked.commit();
    await linked.git('push', '--quiet', 'origin', 'side');
    expect((await calls()).filter((line) => !line.startsWith(' ')).map((line) => line.split(' ')[0])).toEqual([
      'post-commit',
      'pre-push',
    ]);
  });

  test('a folder that cannot be written is named', async () => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    await repository.git('config', 'core.hooksPath', '.git/config/hooks');
    const installed = await installHooks(await open(repository), options);
    expect(installed).toMatchObject({ ok: false, error: { reason: 'not-writable' } });
  });
});

describe('hooks that are there already keep working, and come back byte for byte', () => {
  const echo = 'while read -r line; do echo "theirs: $line" >> theirs.log; done\necho "args $*" >> theirs.log\n';
  const existing: readonly (readonly [name: string, hook: string])[] = [
    ['a plain one', `#!/bin/sh\n${echo}`],
    ['one with an option that ends it at the first failure', `#!/bin/sh -eu\n${echo}`],
    ['one of bash', `#!/usr/bin/env bash\nset -o pipefail\n${echo}`],
    ['one without a shebang', echo],
    ['one in Latin-1', `#!/bin/sh\n# caf\xe9\n${echo}`],
    [
      'the kind that git-lfs writes',
      `#!/bin/sh\ncommand -v cat >/dev/null 2>&1 || { printf >&2 "missing"; exit 2; }\n${echo.trimEnd()}`,
    ],
    [
      'the kind that pre-commit writes, which hands over by exec',
      `#!/usr/bin/env bash\nHERE="$(cd "$(dirname "$0")" && pwd)"\nexec bash "$HERE/theirs" "$@"\n`,
    ],
    [
      'one of Python',
      '#!/usr/bin/env python3\nimport sys\nwith open("theirs.log", "a") as log:\n    for line in sys.stdin:\n        log.write(f"theirs: {line}")\n    log.write("args " + " ".join(sys.argv[1:]) + "\\n")\n',
    ],
  ];

  test.each(existing)('%s', async (_, hook) => {
    await using repository = await prepared();
    const { options, calls, exits } = await recorder(repository);
    const hooks = join(repository.dir, '.git/hooks');
    await mkdir(hooks, { recursive: true });
    await writeFile(join(hooks, 'pre-push'), hook, { encoding: 'latin1', mode: 0o755 });
    await writeFile(join(hooks, 'theirs'), echo);
    const before = await snapshot(hooks);
    await install(repository, options);
    await install(repository, options);
    const oid = await repository.commit();
    await calls();
    await repository.git('push', '--quiet', 'origin', 'main');
    const url = await repository.git('remote', 'get-url', 'origin');
    expect(await calls()).toEqual([`pre-push [origin] [${url}]`, refLine(oid)]);
    expect(await repository.read('theirs.log')).toBe(`theirs: ${refLine(oid).trim()}\nargs origin ${url}\n`);
    await repository.remove('theirs.log');
    // Nothing to push: nothing to read, not even an empty line.
    await repository.git('push', '--quiet', 'origin', 'main');
    expect(await repository.read('theirs.log')).toBe(`args origin ${url}\n`);
    await exits(1);
    await repository.commit();
    expect((await repository.tryGit(['push', 'origin', 'main'])).code).toBe(1);
    await uninstall(repository);
    expect(await snapshot(hooks)).toEqual(before);
  });

  test('a hook that refuses a push goes on refusing it', async () => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    await repository.write('.git/hooks/pre-push', '#!/bin/sh\nexit 1\n', 0o755);
    await install(repository, options);
    await repository.commit();
    expect((await repository.tryGit(['push', 'origin', 'main'])).code).toBe(1);
  });

  test('a link to a tracked script is moved aside, and the script is not written to', async () => {
    await using repository = await prepared();
    const { options, calls } = await recorder(repository);
    const hooks = join(repository.dir, '.git/hooks');
    await repository.write('scripts/pre-push', `#!/bin/sh\n${echo}`, 0o755);
    await mkdir(hooks, { recursive: true });
    await symlink('../../scripts/pre-push', join(hooks, 'pre-push'));
    const { actions } = await install(repository, options);
    expect(actions[1]).toMatchObject({ action: 'moved-aside', original: join(hooks, 'pre-push.mlops-original') });
    await repository.commit();
    await repository.git('push', '--quiet', 'origin', 'main');
    expect(await calls()).toHaveLength(3);
    expect(await repository.read('theirs.log')).toContain('theirs: refs/heads/main');
    await uninstall(repository);
    expect((await lstat(join(hooks, 'pre-push'))).isSymbolicLink()).toBe(true);
    expect(await repository.read('scripts/pre-push')).toBe(`#!/bin/sh\n${echo}`);
  });

  test('a hook that was switched off stays switched off', async () => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    await repository.write('.git/hooks/pre-push', '#!/bin/sh\nexit 1\n', 0o644);
    const before = await snapshot(join(repository.dir, '.git/hooks'));
    await install(repository, options);
    await repository.commit();
    expect((await repository.tryGit(['push', 'origin', 'main'])).code).toBe(0);
    await uninstall(repository);
    expect(await snapshot(join(repository.dir, '.git/hooks'))).toEqual(before);
  });

  test('a file in the way of the moved hook is named and left alone', async () => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    await repository.write('.git/hooks/pre-push', '#!/usr/bin/python3\n', 0o755);
    await repository.write('.git/hooks/pre-push.mlops-original', 'mine');
    const installed = await installHooks(await open(repository), options);
    expect(installed).toMatchObject({ ok: false, error: { reason: 'original-in-the-way' } });
    expect(await repository.read('.git/hooks/pre-push.mlops-original')).toBe('mine');
  });

  test('lines that others have added to our file since then stay', async () => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    await install(repository, options);
    const file = '.git/hooks/post-commit';
    await repository.write(file, `${await repository.read(file)}echo more\n`);
    await uninstall(repository);
    expect(await repository.read(file)).toBe('#!/bin/sh\necho more\n');
  });
});

describe('husky', () => {
  /** What husky 9 writes: .husky/_/NAME calls .husky/_/h, which runs .husky/NAME with sh -e. */
  async function husky(repository: TestRepository): Promise<void> {
    const h =
      '#!/usr/bin/env sh\n[ "$HUSKY" = "2" ] && set -x\nn=$(basename "$0")\ns=$(dirname "$(dirname "$0")")/$n\n[ ! -f "$s" ] && exit 0\n[ "${HUSKY-}" = "0" ] && exit 0\nsh -e "$s" "$@"\nexit $?\n';
    await repository.write('.husky/_/h', h, 0o755);
    for (const hook of ['post-commit', 'pre-push', 'post-rewrite', 'pre-commit'])
      await repository.write(`.husky/_/${hook}`, '#!/usr/bin/env sh\n. "$(dirname "$0")/h"', 0o755);
    await repository.write('package.json', '{ "devDependencies": { "husky": "^9.0.0" } }\n');
    await repository.git('config', 'core.hooksPath', '.husky/_');
  }

  test('the lines go into its tracked files, without a path of this machine', async () => {
    await using repository = await prepared();
    const { options, calls } = await recorder(repository);
    await husky(repository);
    await repository.write('.husky/pre-push', 'cat > theirs.log\n');
    const before = await snapshot(join(repository.dir, '.husky'));
    const { place } = await install(repository, options);
    expect(place).toEqual({ kind: 'husky', dir: join(repository.dir, '.husky') });
    expect(await repository.read('.husky/pre-push')).not.toContain(repository.root);
    expect(await snapshot(join(repository.dir, '.git/hooks'))).not.toHaveProperty('pre-push');
    await repository.git('config', 'mlops.node', options.program.node);
    await repository.git('config', 'mlops.program', options.program.program);
    const oid = await repository.commit();
    await repository.git('push', '--quiet', 'origin', 'main');
    const url = await repository.git('remote', 'get-url', 'origin');
    expect(await calls()).toEqual(['post-commit', `pre-push [origin] [${url}]`, refLine(oid)]);
    expect(await repository.read('theirs.log')).toBe(`${refLine(oid).trim()}\n`);
    await uninstall(repository);
    expect(await snapshot(join(repository.dir, '.husky'))).toEqual(before);
  });

  test('HUSKY=0 is its own way to switch hooks off', async () => {
    await using repository = await prepared();
    const { options, exits } = await recorder(repository);
    await husky(repository);
    await install(repository, options);
    await repository.git('config', 'mlops.node', options.program.node);
    await repository.git('config', 'mlops.program', options.program.program);
    await exits(1);
    await repository.commit();
    expect((await repository.tryGit(['push', 'origin', 'main'])).code).toBe(1);
    expect((await repository.tryGit(['push', 'origin', 'main'], { env: { HUSKY: '0' } })).code).toBe(0);
  });

  test('a repository that takes husky later has our lines in one place only', async () => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    await install(repository, options);
    await husky(repository);
    const { actions } = await install(repository, options);
    expect(actions.map(({ action }) => action)).toEqual([
      'deleted',
      'deleted',
      'deleted',
      'created',
      'created',
      'created',
    ]);
  });

  test('in the files of husky 8 the lines stand behind the line by which it starts itself anew', async () => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    await repository.write('package.json', '{ "scripts": { "prepare": "husky install" } }\n');
    await repository.write(
      '.husky/pre-push',
      '#!/usr/bin/env sh\n. "$(dirname -- "$0")/_/husky.sh"\n\nnpm test\n',
      0o755,
    );
    await install(repository, options);
    expect((await repository.read('.husky/pre-push')).split('\n').slice(0, 3)).toEqual([
      '#!/usr/bin/env sh',
      '. "$(dirname -- "$0")/_/husky.sh"',
      expect.stringContaining('# >>> mlops'),
    ]);
  });
});

describe('core.hooksPath', () => {
  test('a folder of the repository gets lines without a path of this machine', async () => {
    await using repository = await prepared();
    const { options, calls } = await recorder(repository);
    await repository.git('config', 'core.hooksPath', 'tools/hooks');
    const { place } = await install(repository, options);
    expect(place).toEqual({ kind: 'hooks-path', dir: join(repository.dir, 'tools/hooks'), of: 'repository' });
    expect(await repository.read('tools/hooks/pre-push')).not.toContain(repository.root);
    await repository.git('config', 'mlops.node', options.program.node);
    await repository.git('config', 'mlops.program', options.program.program);
    await repository.commit();
    expect(await calls()).toEqual(['post-commit']);
  });

  test('a folder of the user serves the repositories where init has been, and no other', async () => {
    await using repository = await prepared();
    const { options, calls } = await recorder(repository);
    await repository.git('config', '--global', 'core.hooksPath', '~/git hooks');
    const { place } = await install(repository, options);
    expect(place).toEqual({ kind: 'hooks-path', dir: join(repository.home, 'git hooks'), of: 'user' });
    await repository.commit();
    expect((await repository.tryGit(['push', 'origin', 'main'], { env: { PATH: '/usr/bin:/bin' } })).code).toBe(0);
    expect(await calls()).toEqual([]);
    await repository.git('config', 'mlops.trusted', 'true');
    await repository.git('config', 'mlops.node', options.program.node);
    await repository.git('config', 'mlops.program', options.program.program);
    await repository.commit();
    expect(await calls()).toEqual(['post-commit']);
  });

  test('a folder of the whole machine is refused by name', async () => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    await repository.git('config', 'core.hooksPath', '/etc/git/hooks');
    expect(await installHooks(await open(repository), options)).toEqual({
      ok: false,
      error: { reason: 'hooks-path-foreign', path: '/etc/git/hooks', scope: 'local' },
    });
    expect(await uninstall(repository)).toEqual([]);
  });
});

describe('lefthook', () => {
  const config =
    '# our hooks\npre-push:\n  parallel: true\n  commands:\n    # fast\n    test:\n      run: npm test\npost-rewrite:\n  scripts:\n    "a.sh":\n      runner: sh\n';

  test('the lines go into its config among its own, and come out again', async () => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    await repository.write('lefthook.yml', config);
    const { place, actions } = await install(repository, options);
    expect(place).toEqual({ kind: 'lefthook', file: join(repository.dir, 'lefthook.yml') });
    expect(actions.map(({ action }) => action)).toEqual(['added']);
    const { parse } = await import('yaml');
    const written = parse(await repository.read('lefthook.yml'));
    expect(Object.keys(written['pre-push'].commands)).toEqual(['mlops', 'test']);
    expect(written['pre-push'].commands.mlops.use_stdin).toBe(true);
    expect(Object.keys(written['post-rewrite'])).toEqual(['commands', 'scripts']);
    expect(Object.keys(written['post-commit'].commands)).toEqual(['mlops']);
    expect(written['pre-push'].commands.test).toEqual({ run: 'npm test' });
    expect((await install(repository, options)).actions.map(({ action }) => action)).toEqual(['unchanged']);
    await uninstall(repository);
    expect(await repository.read('lefthook.yml')).toBe(config);
  });

  test.each([
    ['', ''],
    ['no end', 'colors: false'],
    ['comments', '# nothing yet\n'],
  ])('a config that has no hooks yet (%s)', async (_, text) => {
    await using repository = await prepared();
    const { options } = await recorder(repository);
    await repository.write('.lefthook.yaml', text);
    await install(repository, options);
    const { parse } = await import('yaml');
    expect(parse(await repository.read('.lefthook.yaml'))['pre-push'].commands.mlops.use_stdin).toBe(true);
    await uninstall(repository);
    expect(await repository.read('.lefthook.yaml')).toBe(text);
  });

  test('the command is a script that sh runs as it stands', async () => {
    await using repository = await prepared();
    const { options, calls } = await recorder(repository);
    await repository.write('lefthook.yml', config);
    await install(repository, options);
    await repository.git('config', 'mlops.node', options.program.node);
    await repository.git('config', 'mlops.program', options.program.program);
    const { parse } = await import('yaml');
    const script: string = parse(await repository.read('lefthook.yml'))['pre-push'].commands.mlops.run;
    const filled = script.replace('{1}', 'origin').replace('{2}', 'a url');
    const options_ = { cwd: repository.dir, env: repository.env, stdin: 'a b c d\n' };
    expect((await run('sh', ['-c', filled], options_)).code).toBe(0);
    expect(await calls()).toEqual(['pre-push [origin] [a url]', '  a b c d']);
  });

  test.each(['pre-push: { commands: { a: { run: x } } }\n', 'pre-push:\n'])(
    '%p is refused: no line can be put in',
    async (text) => {
      await using repository = await prepared();
      const { options } = await recorder(repository);
      await repository.write('lefthook.yml', text);
      expect(await installHooks(await open(repository), options)).toMatchObject({
        ok: false,
        error: { reason: 'lefthook-format', hook: 'pre-push' },
      });
      expect(await repository.read('lefthook.yml')).toBe(text);
    },
  );
});
