import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { asOid } from '../../lib/base/ids.ts';
import { announceRecorder, asRecorder } from '../../lib/fingerprint/recorder.ts';
import { shellProject } from '../rig/shell-project.ts';
import { until } from '../rig/until.ts';

const passes = { code: 0, stderr: expect.stringMatching(/PASS/) };

describe('data that is hashed in the background', () => {
  test('a push waits for the recorder that a commit has left, and goes on from its record', async () => {
    await using project = await shellProject();
    const { repository } = project;
    const stateDir = join(repository.dir, '.git/mlops');
    const commit = asOid(await repository.git('rev-parse', 'HEAD'));
    let hashed = () => {};
    const recorder = asRecorder(stateDir, commit, () => new Promise<void>((resolve) => (hashed = resolve)));
    const push = project.start('git', ['push', 'origin', 'main']);
    await until(async () => push.output().includes('waiting  for the hash of the data'));
    expect(await project.trainings()).toBe(0);
    hashed();
    await recorder;
    expect(await push.done).toMatchObject(passes);
    expect(existsSync(join(stateDir, 'recording', commit))).toBe(false);
  });

  test('a recorder that has died is not waited for: the push hashes for itself', async () => {
    await using project = await shellProject();
    const { repository } = project;
    const stateDir = join(repository.dir, '.git/mlops');
    const commit = asOid(await repository.git('rev-parse', 'HEAD'));
    await rm(join(stateDir, 'records'), { recursive: true });
    const recorder = spawn('sleep', ['600']);
    announceRecorder(stateDir, commit, recorder.pid ?? 0);
    const push = project.start('git', ['push', 'origin', 'main']);
    await until(async () => push.output().includes('waiting  for the hash of the data'));
    recorder.kill('SIGKILL');
    expect(await push.done).toMatchObject(passes);
  });

  test('the recorder records the commit that it was started for, whatever HEAD is by then', async () => {
    await using project = await shellProject();
    const { repository } = project;
    const records = join(repository.dir, '.git/mlops/records');
    const commit = await repository.git('rev-parse', 'HEAD');
    await project.score(0.8);
    await project.commit('Another');
    await rm(records, { recursive: true });
    expect(await project.mlops(['record', commit])).toMatchObject({ code: 0 });
    expect(existsSync(join(records, commit.slice(0, 2), `${commit}.json`))).toBe(true);
    expect(existsSync(join(repository.dir, '.git/mlops/recording', commit))).toBe(false);
  });
});

describe('the line after a commit', () => {
  test('says what changed, and that content which has run before will not run again: a revert, an amended message', async () => {
    await using project = await shellProject();
    const line = async (...args: readonly string[]) => (await project.git(['commit', '--quiet', ...args])).stderr;
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    await project.score(0.8);
    expect(await line('--all', '-m', 'Worse')).toMatch(
      /changed: train\.sh · data unchanged · a push trains about \d:\d\d on/,
    );
    await project.score(0.9);
    const known = /changed: train\.sh · data unchanged · its metrics are known, a push trains nothing/;
    expect(await line('--all', '-m', 'Back')).toMatch(known);
    expect(await line('--amend', '-m', 'Back again')).toMatch(known);
    expect(await line('--allow-empty', '-m', 'Words')).toMatch(/nothing that counts has changed · the same run as/);
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    expect(await project.trainings()).toBe(1);
  });
});

describe('why a verdict changed', () => {
  test('mlops bisect trains what is missing, diff tells what the commit changed, reproduce that it comes to the same', async () => {
    await using project = await shellProject();
    const { repository } = project;
    // Data that git keeps is there for every commit.
    await repository.remove('.gitignore');
    await project.commit('Keep the data');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    for (const score of [0.8, 0.7, 0.2, 0.1]) {
      await project.score(score);
      await repository.write('data/a.txt', `${score}\n`);
      await project.commit(`Score ${score}`);
    }
    expect(await project.mlops(['run'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/FAIL/) });
    expect(await project.trainings()).toBe(2);
    const [bad, good] = (await repository.git('log', '--format=%h', '-2', 'HEAD~1')).split('\n');

    expect(await project.mlops(['bisect', '--known'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/or one of 3 before it/),
    });
    const bisected = await project.mlops(['bisect']);
    expect(bisected).toMatchObject({ code: 0 });
    expect(bisected.stdout).toMatch(new RegExp(`^mlops  ${bad} is the first bad commit: score 0.2 is below`));
    expect(bisected.stdout).toMatch(/score +0\.7 +0\.2 +−0\.5\n/);
    expect(bisected.stdout).toMatch(/code +train\.sh +\+1 −1\n(.*\n)* +data +data +1 file {2}~1\n +~ data\/a\.txt/);
    expect(await repository.git('status', '--porcelain')).toBe('');
    const trained = await project.trainings();
    expect(trained).toBeLessThanOrEqual(4);

    const compared = await project.mlops(['diff', `${good}..${bad}`, '--json']);
    expect(JSON.parse(compared.stdout)).toMatchObject({
      metrics: [{ metric: 'score', before: { value: 0.7 }, after: { value: 0.2 } }],
      lines: { 'train.sh': { added: 1, removed: 1 } },
    });
    expect(await project.mlops(['diff', 'nowhere'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/nowhere/),
    });

    const log = await project.mlops(['log', '--metric', 'score', '--since', 'yesterday', '--json']);
    const values = log.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).value);
    expect(values).toEqual(expect.arrayContaining([0.1, 0.2, 0.7, 0.9]));

    expect(await project.mlops(['reproduce', '--known'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/once/),
    });
    expect(await project.mlops(['reproduce', `${good}`])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^mlops {2}SAME .*\n.*\n +score +0\.7 +0\.7 +0 +the same/),
    });
    expect(await project.trainings()).toBe(trained + 1);
    expect(await project.git(['push', 'origin', `${good}:refs/heads/good`])).toMatchObject(passes);
    expect(await repository.git('--git-dir', project.remote, 'show', 'mlops:README.md')).toMatch(
      /\| main \| .*score 0\.9/,
    );
  });
});

describe('what a push brings besides a branch', () => {
  test('a push of all branches, whose reports are newer than those of the remote, goes as a whole', async () => {
    await using project = await shellProject();
    const there = (ref: string) => project.repository.git('--git-dir', project.remote, 'rev-parse', ref);
    expect(await project.git(['push', '--all'])).toMatchObject(passes);
    await project.score(0.8);
    await project.commit('A little worse');
    expect(await project.mlops(['run'])).toMatchObject({ code: 0 });
    // Now refs/heads/mlops is one of the branches that git itself pushes.
    expect(await project.git(['push', '--all', '--atomic'])).toMatchObject(passes);
    expect(await there('mlops')).toBe(await project.repository.git('rev-parse', 'mlops'));
    await project.score(0.7);
    await project.commit('Worse still');
    expect(await project.mlops(['push', '--all'])).toMatchObject(passes);
    expect(await there('mlops')).toBe(await project.repository.git('rev-parse', 'mlops'));
    expect(await there('refs/notes/mlops')).toBe(await project.repository.git('rev-parse', 'refs/notes/mlops'));
  });

  test('a mirror gets everything, again and again', async () => {
    await using project = await shellProject();
    await project.git(['remote', 'set-url', 'origin', project.remote]);
    for (const score of [0.9, 0.8, 0.7]) {
      await project.score(score);
      await project.git(['commit', '--quiet', '--all', '--allow-empty', '-m', `Score ${score}`]);
      expect(await project.git(['push', '--mirror', 'origin'])).toMatchObject(passes);
    }
    expect(await project.git(['push', '--mirror', 'origin'])).toMatchObject({ code: 0 });
    const there = (ref: string) => project.repository.git('--git-dir', project.remote, 'rev-parse', ref);
    expect(await there('mlops')).toBe(await project.repository.git('rev-parse', 'mlops'));
  });
});

describe('a branch without a config', () => {
  test('one that never had a config, such as gh-pages, goes unjudged and says so; the others are judged all the same', async () => {
    await using project = await shellProject();
    const { repository } = project;
    await repository.git('switch', '--quiet', '--orphan', 'gh-pages');
    await repository.write('index.html', '<p>Hello</p>');
    await repository.git('add', 'index.html');
    expect(await project.git(['commit', '--quiet', '-m', 'Pages'])).toMatchObject({ code: 0, stderr: '' });
    const alone = await project.git(['push', 'origin', 'gh-pages']);
    expect(alone).toMatchObject({ code: 0, stderr: expect.stringMatching(/gh-pages never had a .mlops\/config.yaml/) });
    await repository.write('index.html', '<p>Hello again</p>');
    await project.git(['commit', '--quiet', '--all', '-m', 'More']);
    await repository.git('switch', '--quiet', 'main');
    expect(await project.git(['push', '--all', 'origin'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/gh-pages never had.*\n(.*\n)*mlops {2}PASS/),
    });
  });

  test('taking the config away, or forcing an older or foreign history over the branch, is no way around the gate', async () => {
    await using project = await shellProject();
    const { repository } = project;
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    await repository.git('switch', '--quiet', '--orphan', 'other');
    await repository.write('index.html', '<p>Hello</p>');
    await repository.git('add', 'index.html');
    await project.git(['commit', '--quiet', '-m', 'Pages']);
    const refused = { code: 1, stderr: expect.stringMatching(/has no .mlops\/config.yaml/) };
    expect(await project.git(['push', '--force', 'origin', 'other:main'])).toMatchObject(refused);
    await repository.git('switch', '--quiet', 'main');
    await repository.git('rm', '--quiet', '.mlops/config.yaml');
    await project.git(['commit', '--quiet', '-m', 'Away with it']);
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(refused);
    expect(await project.git(['push', 'origin', 'main'], { env: { MLOPS_SKIP: 'we stop judging' } })).toMatchObject({
      code: 0,
    });
  });

  test('a config that is written and not committed is asked for', async () => {
    await using project = await shellProject({ init: false });
    await project.mlops(['init', '--yes']);
    await project.git(['add', 'train.sh']);
    await project.git(['commit', '--quiet', '-m', 'Only the script']);
    const refused = await project.git(['push', 'origin', 'main']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/written, and not in the commit/) });
  });
});

describe('the reports branch', () => {
  test('a config that calls a branch of code the reports branch does not switch its gate off', async () => {
    await using project = await shellProject({ config: 'reports: main\n' });
    await project.score(0.1);
    await project.commit('Worse');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/FAIL/),
    });
  });

  test('a remote that refuses it, or has a branch in its way, gets a warning in its own words, and the push goes on', async () => {
    await using project = await shellProject();
    const { repository, remote } = project;
    await repository.git('push', '--quiet', '--no-verify', 'origin', 'main:mlops/x');
    const inTheWay = await project.git(['push', 'origin', 'main']);
    expect(inTheWay).toMatchObject(passes);
    expect(inTheWay.stderr).toMatch(/not published: the remote refuses this[\s\S]*'refs\/heads\/mlops\/x' exists/);
    await repository.git('push', '--quiet', '--no-verify', 'origin', ':mlops/x');

    const hook = join(remote, 'hooks/pre-receive');
    await writeFile(hook, '#!/bin/sh\n! grep -q " refs/heads/mlops$" || { echo "mlops is protected" >&2; exit 1; }\n');
    await chmod(hook, 0o755);
    await project.score(0.8);
    await project.commit('Another');
    const refused = await project.git(['push', 'origin', 'main']);
    expect(refused).toMatchObject(passes);
    expect(refused.stderr).toMatch(/not published[\s\S]*mlops is protected/);
    expect(await repository.git('--git-dir', remote, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');

    await rm(hook);
    await project.git(['commit', '--quiet', '--allow-empty', '-m', 'Again']);
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    const published = await repository.git('--git-dir', remote, 'ls-tree', '-r', '--name-only', 'mlops');
    expect(published.match(/report\.json$/gm)?.length).toBe(3);
  });

  test('a branch of ours in its way, and the branch checked out, are named; the verdict stands', async () => {
    await using project = await shellProject();
    const { repository } = project;
    await repository.git('branch', 'mlops/x');
    const inTheWay = await project.git(['push', 'origin', 'main']);
    expect(inTheWay).toMatchObject(passes);
    expect(inTheWay.stderr).toMatch(/mlops cannot\s+stand beside the branch mlops\/x/);
    expect(inTheWay.stderr).not.toMatch(/branch-conflict/);
    await repository.git('branch', '--quiet', '-D', 'mlops/x');
    await project.git(['commit', '--quiet', '--allow-empty', '-m', 'Again']);
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    expect(await project.trainings()).toBe(1);
    await repository.git('worktree', 'add', '--quiet', join(repository.root, 'reports'), 'mlops');
    await project.score(0.8);
    await project.commit('Another');
    const checkedOut = await project.git(['push', 'origin', 'main']);
    expect(checkedOut).toMatchObject({ code: 0, stderr: expect.stringMatching(/mlops\s+is checked out/) });
    expect(checkedOut.stderr).not.toMatch(/branch-checked-out/);
  });
});

describe('data as people keep it', () => {
  test('entries may overlap, and empty files and folders are data too', async () => {
    await using project = await shellProject({
      data: '["data/**/*.txt", data/sub, { path: data/sub/w.txt, writable: true }, data]',
    });
    const { repository } = project;
    await repository.write('data/sub/w.txt', 'w\n');
    await repository.write('data/sub/empty.txt', '');
    await project.score(0.9, 'test "$(find data -type f | wc -l)" = 4; echo more >> data/sub/w.txt');
    await project.commit('Overlapping');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    expect(await repository.read('data/sub/w.txt')).toBe('w\n');
  });

  test('data that DVC tracks is hashed where it lies; a commit made without it says so, and is the same run', async () => {
    await using project = await shellProject({ data: '[data/big.csv]' });
    const { repository } = project;
    await repository.write('.gitignore', '');
    await repository.write('data/.gitignore', '/big.csv\n');
    await repository.write('data/big.csv', '5\n');
    await repository.write('data/big.csv.dvc', 'outs:\n- md5: 1dcca23355272056f04fe8bf20edfce0\n  path: big.csv\n');
    await project.score(0.9, 'test "$(cat data/big.csv)" = 5');
    await project.commit('Tracked by DVC');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    await repository.remove('data/big.csv');
    const gone = await project.git(['commit', '--quiet', '--allow-empty', '-m', 'Words']);
    expect(gone.stderr).toMatch(/nothing that counts has changed · data\/big\.csv: not here, taken as last recorded/);
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    expect(await project.trainings()).toBe(1);
  });
});

describe('hooks beside those of others', () => {
  test('lefthook gets our commands into its own file, and a conda environment is read', async () => {
    await using project = await shellProject({ init: false });
    const { repository } = project;
    await repository.write('lefthook.yml', 'pre-push:\n  commands:\n    lint:\n      run: echo lint\n');
    const config = await repository.read('.mlops/config.yaml');
    await repository.write(
      '.mlops/config.yaml',
      config.replace('environment: none', 'environment: { conda: environment.yml }'),
    );
    await repository.write('environment.yml', 'name: x\ndependencies: [python=3.11]\n');
    expect(await project.mlops(['init', '--yes'])).toMatchObject({ code: 0 });
    expect(await repository.read('lefthook.yml')).toMatch(/mlops:\n\s+use_stdin: true/);
    await project.git(['add', '--all']);
    await project.git(['commit', '--quiet', '-m', 'Conda']);
    const commit = await repository.git('rev-parse', 'HEAD');
    expect(await project.mlops(['record', commit])).toMatchObject({ code: 0, stderr: '' });
  });

  test('moving from plain git hooks to husky names only files that can be added', async () => {
    await using project = await shellProject();
    await project.repository.write('package.json', '{ "devDependencies": { "husky": "^9" } }');
    await project.repository.write('.husky/pre-push', 'true\n');
    const init = await project.mlops(['init', '--yes']);
    expect(init.stdout + init.stderr).toMatch(/git add (\.husky\/\S+ )+&& git commit/);
  });
});

describe('a terminal that is closed, or Ctrl-C', () => {
  test('the signal to git, hook and program lets go: the job goes on, and the next push comes back to it', async () => {
    await using project = await shellProject();
    await project.hold();
    const first = project.start('git', ['push', 'origin', 'main']);
    await project.training(1);
    await until(() => /^ +(?:queued|running|job) /m.test(first.output()));
    if (first.child.pid === undefined) throw new Error('git did not start');
    process.kill(-first.child.pid, 'SIGINT');
    await first.done;
    await until(() => first.output().includes('the job goes on'));
    expect(first.output()).toMatch(/(?:RUNNING|QUEUED) {2}run \S+ · job \d+[\s\S]*not pushed: you stopped waiting/);
    const second = project.start('git', ['push', 'origin', 'main']);
    await project.release();
    expect(await second.done).toMatchObject(passes);
    expect(await project.trainings()).toBe(1);
  });

  test('a push that is recorded is looked after by mlops sync, which says that it goes on and publishes it at its end', async () => {
    await using project = await shellProject({ config: 'push: { "*": record }\n' });
    await project.hold();
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/SUBMITTED/),
    });
    await project.training(1);
    expect((await project.mlops(['sync'])).stderr).toMatch(/RUNNING[\s\S]*not judged yet: it goes on/);
    await project.release();
    await until(async () => (await project.mlops(['sync'])).stderr.includes('PASS'));
    const there = await project.repository.git('--git-dir', project.remote, 'notes', '--ref=mlops', 'show', 'main');
    expect(there).toMatch(/^pass/);
  });
});

describe('histories that are written anew', () => {
  test('amending words keeps the note, amending content does not; a revert to a known state trains nothing', async () => {
    await using project = await shellProject();
    const note = () => project.repository.git('log', '-1', '--format=%N');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    await project.git(['commit', '--quiet', '--amend', '-m', 'Better words']);
    expect(await note()).toMatch(/pass/);
    await project.score(0.8);
    await project.git(['commit', '--quiet', '--all', '--amend', '-m', 'Other content']);
    expect(await note()).not.toMatch(/pass/);
    expect(await project.git(['push', '--force', 'origin', 'main'])).toMatchObject(passes);
    await project.score(0.9);
    await project.commit('As it was first');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/nothing trained/),
    });
    expect(await project.trainings()).toBe(2);
  });

  test('a squash merge made by a forge is found as the baseline by its content', async () => {
    await using project = await shellProject();
    const { repository } = project;
    const config = await repository.read('.mlops/config.yaml');
    await repository.write('.mlops/config.yaml', config.replace('min: 0.5', 'min: 0.5, baseline: main, max_drop: 1%'));
    await project.commit('Compare with main');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({ code: 0 });
    await repository.git('switch', '--quiet', '--create', 'feature');
    await project.score(0.95);
    await project.commit('Feature');
    expect(await project.git(['push', 'origin', 'feature'])).toMatchObject(passes);
    // The forge: no hook, no data, another commit with the same tree.
    const tree = await repository.git('rev-parse', 'feature^{tree}');
    const squashed = await repository.git('commit-tree', tree, '-p', 'main', '-m', 'Feature (#1)');
    await repository.git('push', '--quiet', '--no-verify', 'origin', `${squashed}:refs/heads/main`);
    await repository.git('fetch', '--quiet');
    await repository.git('switch', '--quiet', '--create', 'next', 'origin/main');
    await project.score(0.9);
    await project.commit('A step back');
    expect(await project.git(['push', 'origin', 'next'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/more than 1 % below main's 0\.95/),
    });
  });
});

describe('repositories of every kind', () => {
  test('one with SHA-256 names, and a bare clone of it', async () => {
    await using project = await shellProject({ objectFormat: 'sha256' });
    const { repository, remote } = project;
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    expect(await repository.git('log', '-1', '--format=%N')).toMatch(/^pass/);
    const bare = join(repository.root, 'bare.git');
    await repository.git('clone', '--quiet', '--bare', remote, bare);
    await project.mlops(['trust'], { cwd: bare });
    expect(await project.mlops(['run', 'main'], { cwd: bare })).toMatchObject(passes);
    expect(await project.trainings()).toBe(1);
  });

  test('files arrive under any name, with links and executable bits, and as git stores them', async () => {
    await using project = await shellProject();
    const { repository } = project;
    const names = ['-x', '--', 'new\nline', 'quo"te\'s', 'ünï', ' lead', 'back\\slash', ':(top)x', '*.glob', '-d/f'];
    for (const name of names) await repository.write(name, 'x');
    await repository.write('run.sh', 'exit 0\n', 0o755);
    await repository.write('.gitattributes', 'secret filter=rot\nhidden/ export-ignore\n*.eol text eol=crlf\n');
    await repository.git('config', 'filter.rot.clean', 'tr a b');
    await repository.git('config', 'filter.rot.smudge', 'tr b a');
    await repository.git('config', 'core.autocrlf', 'true');
    for (const path of ['secret', 'hidden/h.py', 'lines.eol']) await repository.write(path, 'a\n');
    for (const [link, target] of [
      ['link', 'data/a.txt'],
      ['out', '/etc/hostname'],
      ['broken', 'nowhere'],
    ] as const)
      await symlink(target, join(repository.dir, link));
    await project.score(
      0.9,
      [
        ...names.map((name) => `test "$(cat ./'${name.replaceAll("'", "'\\''")}')" = x`),
        './run.sh; test -L broken; test "$(readlink out)" = /etc/hostname; test "$(cat link)" = 1',
        'test "$(cat secret)" = b; test "$(cat hidden/h.py)" = a; test "$(wc -c < lines.eol)" = 2',
      ].join('\n'),
    );
    await project.commit('Names');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
  });

  test('what Git LFS points to counts and is sent, as code and as data; where it is missing it is named', async () => {
    await using project = await shellProject({ data: '[tracked]' });
    const { repository } = project;
    const content = 'the real content\n';
    const hash = createHash('sha256').update(content).digest('hex');
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${hash}\nsize ${content.length}\n`;
    await repository.write('tracked/x.bin', pointer);
    await repository.write('code.bin', pointer);
    await project.score(0.9, 'grep -q real tracked/x.bin; grep -q real code.bin');
    await project.commit('Pointers');
    const missing = await project.git(['push', 'origin', 'main']);
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringMatching(/Git LFS content[\s\S]*git lfs fetch/) });
    await repository.write(`.git/lfs/objects/${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash}`, content);
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
  });

  test('a remote with several push URLs, and a URL without a remote, get the reports', async () => {
    await using project = await shellProject();
    const { repository, remote } = project;
    const other = join(repository.root, 'other.git');
    const third = join(repository.root, 'third.git');
    for (const path of [other, third]) await repository.git('init', '--quiet', '--bare', path);
    for (const url of [remote, other]) await repository.git('remote', 'set-url', '--add', '--push', 'origin', url);
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    expect(await project.git(['push', third, 'main'])).toMatchObject(passes);
    const reports = await repository.git('rev-parse', 'mlops');
    for (const path of [remote, other, third])
      expect(await repository.git('--git-dir', path, 'rev-parse', 'mlops')).toBe(reports);
    expect(await project.trainings()).toBe(1);
  });

  test('two clones that push at once leave both verdicts, and each sees the other after a plain fetch', async () => {
    await using project = await shellProject();
    const { repository, remote } = project;
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    const clone = await project.secondClone();
    await clone.write('data/a.txt', '1\n');
    await clone.write('data/b.txt', '2\n');
    const script = await clone.read('train.sh');
    await clone.write('train.sh', script.replace('0.9', '0.71'));
    await clone.git('commit', '--quiet', '--all', '-m', 'Theirs');
    await project.score(0.72);
    await project.commit('Ours');
    const done = await Promise.all([
      project.git(['push', 'origin', 'main:ours']),
      clone.tryGit(['push', 'origin', 'main:theirs'], { env: project.env }),
    ]);
    expect(done).toEqual([expect.objectContaining(passes), expect.objectContaining(passes)]);
    for (const { git } of [repository, clone]) {
      await git('fetch', '--quiet');
      expect(await git('log', '-1', '--format=%N', 'origin/theirs')).toMatch(/^pass {2}score 0\.71/);
      expect(await git('log', '-1', '--format=%N', 'origin/ours')).toMatch(/^pass {2}score 0\.72/);
    }
    const reports = await repository.git('--git-dir', remote, 'ls-tree', '-r', '--name-only', 'mlops');
    expect(reports.match(/report\.json$/gm)?.length).toBe(3);
  });

  test('a submodule counts at the commit that is named; one that is not here is named with how to bring it', async () => {
    await using project = await shellProject();
    const { repository } = project;
    const library = await repository.clone(repository.dir);
    await repository.git('submodule', '--quiet', 'add', library.dir, 'lib');
    await project.score(0.9, 'test -f lib/train.sh');
    await project.commit('A library');
    await repository.write('lib/train.sh', 'dirty');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject(passes);
    const clone = await project.secondClone();
    await clone.write('more.py', 'x = 1\n');
    await clone.git('add', 'more.py');
    await clone.tryGit(['commit', '--quiet', '-m', 'More'], { env: project.env });
    expect(await clone.tryGit(['push', 'origin', 'main'], { env: project.env })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/submodule lib is not here[\s\S]*git submodule update --init/),
    });
  });
});
