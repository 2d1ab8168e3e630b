import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { cliProject } from '../rig/cli.ts';
import { describeWith, program } from '../rig/requirements.ts';
import { shellProject } from '../rig/shell-project.ts';
import { until } from '../rig/until.ts';

const needs = [program('python3', 'python3-venv')];

describeWith(needs, 'a push that trains on this machine', () => {
  test('a model that meets the requirements lets the push go; a worse one blocks it with exit code 1; both verdicts are in git log', async () => {
    await using project = await cliProject();
    const { repository, remote } = project;
    const good = await project.git(['push', '--set-upstream', 'origin', 'main']);
    expect(good).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS.*\n(.*\n)*.*score\s+0\.9\b/) });

    await project.quality(0.1);
    await project.commit('Simplify the model');
    const bad = await project.git(['push']);
    expect(bad).toMatchObject({ code: 1, stderr: expect.stringMatching(/FAIL.*score 0\.1\b.*minimum 0\.5/) });
    expect(bad.stderr).toMatch(/failed to push some refs/);
    const there = await repository.git('--git-dir', remote, 'log', '--format=%s', 'main');
    expect(there).toBe('A tiny project');

    const log = await repository.git('log', '--format=%s%n%N');
    expect(log).toMatch(/Simplify the model\n\s*fail .*score.*A tiny project\n\s*pass .*score/s);
    const clone = await project.secondClone();
    expect(await clone.git('log', '--format=%s%n%N', 'origin/main')).toMatch(/A tiny project\n\s*pass .*score/);
    expect(await project.trainings()).toBe(2);
  });

  test('a push of content whose verdict is known trains nothing, from here and from a clone without the data', async () => {
    await using project = await cliProject();
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({ code: 0 });
    expect(await project.git(['push', 'origin', 'main:again'])).toMatchObject({ code: 0 });

    const clone = await project.secondClone();
    await clone.write('README.md', '# Another sentence\n');
    await clone.git('commit', '--quiet', '--all', '--message', 'Say more');
    const pushed = await clone.tryGit(['push'], { env: project.env });
    expect(pushed).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });

    // A commit of outputs alone is the same run, and is told that nothing of it made them.
    const notebook = JSON.parse(await project.repository.read('train.ipynb'));
    notebook.cells[2].outputs = [{ output_type: 'stream', name: 'stdout', text: ['accuracy 0.99\n'] }];
    notebook.cells[2].execution_count = 9;
    notebook.cells[3].execution_count = 4;
    await project.repository.write('train.ipynb', JSON.stringify(notebook));
    await project.commit('Show a better result');
    expect(await project.git(['push', 'origin', 'main:outputs'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/warning +outputs-not-reproduced: train\.ipynb: cell 3 \(/),
    });
    expect((await project.mlops(['show'])).stdout).toMatch(/noted +cells-out-of-order: train\.ipynb: cell 4 \(/);
    expect(await project.trainings()).toBe(1);
  });

  test('a notebook with three seeds trains three times in one job; the verdict, the note and the report have the sample', async () => {
    await using project = await cliProject();
    const { repository } = project;
    const config = await repository.read('.mlops/config.yaml');
    const seeds = '    seeds: { parameter: weight, values: [1, 2, 3] }\n    metrics:';
    await repository.write('.mlops/config.yaml', config.replace('    metrics:', seeds).replace('min: 0.5', 'min: 0.2'));
    await project.commit('Train with three seeds');
    const pushed = await project.git(['push', 'origin', 'main']);
    expect(pushed).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/PASS.*\n(.*\n)*.*score\s+1\.8 ± 0\.9 \(3 seeds\)/),
    });
    expect(await project.trainings()).toBe(3);
    expect(await repository.git('log', '-1', '--format=%N')).toMatch(
      /pass {2}score 1\.8 ± 0\.9 \(3 seeds\) {2}min 0\.2/,
    );

    // The mean may be off by 1.52: a minimum in between can't be decided by three seeds.
    await repository.write('.mlops/config.yaml', config.replace('    metrics:', seeds).replace('min: 0.5', 'min: 1.5'));
    await project.commit('Ask for more than the seeds can tell');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/undecided[\s\S]*more\s+seeds/),
    });
    expect(await project.trainings()).toBe(3);
  });

  test('seeds that are too few to tell are added to as the config has declared, once, and all are one sample', async () => {
    await using project = await shellProject();
    const { repository } = project;
    const config = (await repository.read('.mlops/config.yaml'))
      .replace('    metrics:', '    seeds: { parameter: seed, values: [1, 2, 3], more: 6 }\n    metrics:')
      .replace('{ min: 0.5 }', '{ min: 0.598, undecided: more }');
    await repository.write('.mlops/config.yaml', config);
    await project.score(0, 'echo "{\\"score\\": 0.6$((seed % 3))}" > "$MLOPS_OUT/metrics.json"; exit 0');
    await project.commit('Train with seeds');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/undecided: with 97\.5 % [\s\S]*settle +mlops run --more-seeds/),
    });
    const more = await project.mlops(['run', '--more-seeds']);
    expect(more).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS[\s\S]*0\.61 ± 0\.009 \(9 seeds\)/) });
    // The three of before were not run again, and the commit's verdict is that of all nine.
    expect(await project.trainings()).toBe(9);
    expect((await project.mlops(['show'])).stdout).toMatch(/added +6 seeds: 4, 5, 6, 7, 8, 9 · run \w{7}/);
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/9 seeds/),
    });

    // There is no third look.
    await repository.write('.mlops/config.yaml', config.replace('0.598', '0.605'));
    await project.commit('Ask for more');
    const last = await project.mlops(['run', '--more-seeds']);
    expect(last).toMatchObject({ code: 1, stderr: expect.stringMatching(/undecided/) });
    expect(last.stderr).not.toMatch(/settle +mlops/);
    expect(await project.trainings()).toBe(9);
  });

  test('a changed requirement is judged again from the known metrics', async () => {
    await using project = await cliProject();
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({ code: 0 });
    const config = await project.repository.read('.mlops/config.yaml');
    await project.repository.write('.mlops/config.yaml', config.replace('min: 0.5', 'min: 0.95'));
    await project.commit('Ask for more');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/FAIL.*0\.9.*0\.95/),
    });
    expect(await project.trainings()).toBe(1);
  });

  test('what is computed from metrics, what the run took, and limits that only warn are judged of the same run', async () => {
    await using project = await shellProject({
      data: '[data, test.txt]',
      init: false,
      config:
        '  score * 2: { max: 1.5, warn: { max: 1 } }\n  $time: { max: 2, goal: { max: 1 } }\n  $size(model.pkl): { max: 2K }\nartifacts: [model.pkl]\n',
    });
    await project.score(0.7, 'head -c 1500 /dev/zero > "$MLOPS_OUT/model.pkl"; sleep 1.5');
    await project.repository.write('test.txt', '2\n');
    await project.mlops(['init', '--yes']);
    await project.commit('Keep the model');
    const { code, stderr } = await project.git(['push', 'origin', 'main']);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/PASS/)]);
    expect(stderr).toMatch(/warning[\s\S]*same-data-twice: all of test\.txt is in data \(/);
    expect(stderr).toMatch(/score \* 2 +1\.4 +≤ 1\.5 ✓ {2}warns unless ≤ 1 !/);
    expect(stderr).toMatch(/\$time +0:0\d +≤ 2:00 ✓ {2}goal ≤ 1:00 ✓/);
    expect(stderr).toMatch(/\$size\(model\.pkl\) +1\.5 KB +≤ 2 KB ✓/);
    expect(stderr).toMatch(/warning +score \* 2 = 1\.4 is above the warning limit 1/);
    // From the report alone, as in a clone that has never seen the model.
    await project.repository.write(
      '.mlops/config.yaml',
      (await project.repository.read('.mlops/config.yaml')).replace('2K', '1K'),
    );
    await project.commit('Ask for a smaller model');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/FAIL.*\$size\(model\.pkl\) 1\.5 KB is above the maximum 1 KB/),
    });
    expect(await project.trainings()).toBe(1);
  });

  test('MLOPS_SKIP lets a worse model go, and who skipped and why is recorded as such, not as a pass', async () => {
    await using project = await cliProject({ quality: 0.1 });
    const pushed = await project.git(['push', 'origin', 'main'], { env: { MLOPS_SKIP: 'the cluster is down' } });
    expect(pushed.code).toBe(0);
    expect(await project.trainings()).toBe(0);
    const note = await project.repository.git('log', '-1', '--format=%N');
    expect(note).toMatch(/skip/);
    expect(note).toMatch(/the cluster is down/);
    expect(note).not.toMatch(/pass/);
  });

  test('a branch whose policy is ignore is pushed unjudged; one with record is pushed at once and judged later', async () => {
    await using project = await cliProject({
      quality: 0.1,
      config: 'push: { main: gate, "draft/*": ignore, "*": record }\n',
    });
    expect(await project.git(['push', 'origin', 'main:draft/one'])).toMatchObject({ code: 0 });
    expect(await project.trainings()).toBe(0);
    await project.hold();
    expect(await project.git(['push', 'origin', 'main:other'])).toMatchObject({ code: 0 });
    await project.training(1);
    await project.release();
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/FAIL/),
    });
    expect(await project.trainings()).toBe(1);
  });

  test('on_commit: submit starts at the commit; supersede: queued ends what still waits when a newer commit comes', async () => {
    await using project = await cliProject({ config: 'on_commit: submit\nsupersede: queued\n', init: false });
    await project.hold();
    await project.mlops(['init', '--yes']);
    const goesOn = async (...subjects: readonly string[]) => {
      const { stdout } = await project.mlops(['status']);
      const runs = stdout.split('\n').filter((line) => / run [0-9a-f]+ of /.test(line));
      const shown = ['Model 1', 'Model 2', 'Model 3'].filter((one) => runs.some((line) => line.endsWith(` · ${one}`)));
      return shown.join() === subjects.join();
    };
    await project.commit('Model 1');
    await project.training(1);
    await project.quality(0.8);
    await project.commit('Model 2');
    await until(() => goesOn('Model 1', 'Model 2'));
    await project.quality(0.7);
    await project.commit('Model 3');
    await until(() => goesOn('Model 1', 'Model 3'));
    await project.release();
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({ code: 0 });
    expect(await project.trainings()).toBe(2);
  });

  test('the client is killed in the middle: the next push attaches to the run, and no second one is started', async () => {
    await using project = await cliProject();
    await project.hold();
    const first = project.start('git', ['push', 'origin', 'main']);
    await project.training(1);
    if (first.child.pid === undefined) throw new Error('git did not start');
    process.kill(-first.child.pid, 'SIGKILL');
    expect((await first.done).code).not.toBe(0);
    const second = project.start('git', ['push', 'origin', 'main']);
    await project.release();
    expect(await second.done).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
    expect(await project.trainings()).toBe(1);
  });

  test('two pushes of the same commit at once share one run', async () => {
    await using project = await cliProject();
    await project.hold();
    const pushes = ['one', 'two'].map((branch) => project.start('git', ['push', 'origin', `main:${branch}`]));
    await project.training(1);
    await project.release();
    for (const push of pushes)
      expect(await push.done).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
    expect(await project.trainings()).toBe(1);
  });

  test('two pushes of different commits at once leave two reports', async () => {
    await using project = await cliProject();
    await project.hold();
    const first = project.start('git', ['push', 'origin', 'main']);
    await project.training(1);
    await project.repository.git('switch', '--quiet', '--create', 'other');
    await project.quality(0.8);
    await project.commit('Another model');
    const second = project.start('git', ['push', 'origin', 'other']);
    // One at a time on this machine: the second waits for its turn.
    await until(async () => second.output().includes('queued'));
    await project.release();
    expect(await first.done).toMatchObject({ code: 0 });
    expect(await second.done).toMatchObject({ code: 0 });
    const reports = await project.repository.git('ls-tree', '-r', '--name-only', 'refs/heads/mlops');
    expect(reports.split('\n').filter((path) => path.endsWith('/report.json'))).toHaveLength(2);
    const published = await project.repository.git(
      '--git-dir',
      project.remote,
      'ls-tree',
      '-r',
      '--name-only',
      'mlops',
    );
    expect(published).toBe(reports);
  });

  test('the pushed commit is what is trained: what the worktree holds by then does not count', async () => {
    await using project = await cliProject();
    await project.quality(0.1);
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/not what is changed beside it: train\.ipynb[\s\S]*score\s+0\.9/),
    });
  });

  test('data that changed since the commit is refused by name, and committing again is the way on', async () => {
    await using project = await cliProject();
    await project.repository.write('data/07.txt', '77\n');
    const refused = await project.git(['push', 'origin', 'main']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/data\/07\.txt/) });
    expect(await project.trainings()).toBe(0);
    expect((await project.git(['commit', '--quiet', '--allow-empty', '-m', 'New data'])).code).toBe(0);
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/PASS/),
    });
  });

  test('a folder of many data files is made once, linked into each run, and read-only there', async () => {
    await using project = await shellProject();
    const { repository } = project;
    for (let index = 0; index < 5000; index += 1)
      await repository.write(`data/img/${index % 10}/${index}.txt`, `${index}\n`);
    const read = '[ "$(cat data/img/*/*.txt | wc -l)" -eq 5000 ] && [ -L data ]';
    await project.score(0.9, read);
    await project.commit('Many images');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/PASS/),
    });
    const trees = async () => (await readdir(join(repository.home, '.cache/mlops/trees'))).length;
    expect(await trees()).toBe(1);
    await project.score(0.8, read);
    await project.commit('Another model');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/PASS/),
    });
    expect(await trees()).toBe(1);

    // Who may not is refused by the system, and root is found out.
    await project.score(0.8, `${read} && echo more >data/img/new.txt`);
    await project.commit('Write beside the data');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/FAIL[\s\S]*not `writable`[\s\S]*data\/img\/new\.txt/),
    });
    await project.score(0.7, read);
    await project.commit('Read it alone');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/PASS/),
    });
  });

  test('a push that brings nothing, deletes, tags or only looks costs no training', async () => {
    await using project = await cliProject();
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({ code: 0 });
    await project.git(['tag', 'v1']);
    for (const args of [
      ['origin', 'main'],
      ['origin', 'v1'],
      ['origin', ':refs/tags/v1'],
      ['--dry-run', 'origin', 'main:dry'],
    ])
      expect(await project.git(['push', ...args])).toMatchObject({ code: 0 });
    expect(await project.trainings()).toBe(1);
  });

  test('mlops run judges without pushing, and the push after it is instant', async () => {
    await using project = await cliProject();
    expect(await project.mlops(['run'])).toMatchObject({ code: 0 });
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({ code: 0 });
    expect(await project.trainings()).toBe(1);
    expect(await project.mlops(['run', '--again'])).toMatchObject({ code: 0 });
    expect(await project.trainings()).toBe(2);
  });

  test('a known run that is repeated in the background: a push goes by the verdict that is known, and mlops sync waits for the new one and publishes it', async () => {
    await using project = await shellProject();
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({ code: 0 });
    await project.hold();
    expect(await project.mlops(['run', '--again', '--detach'])).toMatchObject({ code: 0 });
    await project.training(2);
    const goesOn = { code: 0, stderr: expect.stringMatching(/^mlops {2}RUNNING .* attempt 2 [\s\S]*not judged yet/m) };
    expect(await project.mlops(['sync'])).toMatchObject(goesOn);
    expect(await project.git(['push', 'origin', 'main:other'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/PASS/),
    });
    expect(await project.mlops(['sync'])).toMatchObject(goesOn);
    await project.release();
    expect(await project.mlops(['wait'])).toMatchObject({ code: 0, stderr: expect.stringMatching(/^mlops {2}PASS/) });
    // Its verdict is here, and what was waited for is over.
    expect(await project.mlops(['sync'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/no run of this clone is waited for/),
    });
    const reports = async () => {
      const paths = await project.repository.git('--git-dir', project.remote, 'ls-tree', '-r', '--name-only', 'mlops');
      return paths.split('\n').filter((path) => path.endsWith('/report.json')).length;
    };
    expect(await project.mlops(['run', '--again', '--detach'])).toMatchObject({ code: 0 });
    await until(async () => /PASS/.test((await project.mlops(['sync'])).stderr));
    expect(await reports()).toBe(3);
    expect(await project.trainings()).toBe(3);
  });

  test('mlops logs shows a run that goes on, follows it to its end, and shows what one cell has put out; mlops wait exits as it was judged', async () => {
    await using project = await cliProject();
    await project.hold();
    expect(await project.mlops(['run', '--detach'])).toMatchObject({ code: 0 });
    await project.training(1);
    expect(await project.mlops(['logs'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^mlops: step 1 of 1/m),
    });
    expect(await project.mlops(['logs', '--cell', '5'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/cell 5 of .*: quality = 0\.9\n +has not been executed yet/),
    });
    const following = project.start('mlops', ['logs', '-f']);
    const waiting = project.start('mlops', ['wait']);
    const leaving = project.start('mlops', ['logs', '-f']);
    await until(() => /step 1 of 1/.test(leaving.output()));
    leaving.child.kill('SIGINT');
    expect(await leaving.done).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/you stopped looking, and job .* goes on/),
    });
    await project.release();
    const whole = await following.done;
    expect(whole).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^mlops {2}job .*COMPLETED[\s\S]*mlops attach/),
    });
    expect(await waiting.done).toEqual({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^mlops {2}PASS {2}main.*\n$/),
    });
    const after = await project.mlops(['logs']);
    expect(after).toMatchObject({ code: 0, stderr: '' });
    expect(whole.stdout).toBe(after.stdout);
    expect(after.stdout).toMatch(/^score 0\.9$/m);
    expect(await project.mlops(['logs', '--cell', '5'])).toMatchObject({
      stdout: 'score 0.9\n',
      stderr: expect.stringMatching(/^mlops {2}cell 5 of train\.ipynb: quality = 0\.9\n$/),
    });
    expect(await project.mlops(['logs', '--cell', '6'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/has no such cell: it has 5 cells/),
    });
    // By the run's first digits, as `mlops log` has them.
    const [, run = ''] = /^ +run +([0-9a-f]{7})/m.exec((await project.mlops(['show'])).stdout) ?? [];
    expect(await project.mlops(['logs', run])).toMatchObject({ stdout: after.stdout });
    await rm(join(project.repository.home, '.cache/mlops/runs'), { recursive: true });
    expect(await project.mlops(['logs'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^score 0\.9$/m),
      stderr: expect.stringMatching(/the end of the log, as the report has it[\s\S]*mlops show --log/),
    });
    await project.quality(0.1);
    await project.commit('Simplify the model');
    expect(await project.mlops(['wait'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no run of .* goes on/),
    });
    expect(await project.mlops(['run'])).toMatchObject({ code: 1 });
    expect(await project.mlops(['wait'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^mlops {2}FAIL .*\n$/),
    });
  });

  test('a verdict that arrives is told to the command of the user, once; one that fails or hangs is a warning and changes nothing', async () => {
    await using project = await cliProject();
    const told = join(project.repository.root, 'told');
    const notify = (command: string) => project.git(['config', 'mlops.notify', command]);
    await notify(`printf '%s|' "$MLOPS_OUTCOME" "$MLOPS_SUBJECT" "$MLOPS_BRANCH" "$MLOPS_SUMMARY" >>${told}`);
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({ code: 0 });
    expect(await project.git(['push', 'origin', 'main:again'])).toMatchObject({ code: 0 });
    expect(await readFile(told, 'utf8')).toMatch(/^pass\|A tiny project\|main\|pass {2}score 0\.9 [^|]*\|$/);

    await notify('echo no such bus >&2; exit 3');
    await project.quality(0.8);
    await project.commit('Another $(touch injected) model');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/PASS[\s\S]*warning {2}mlops\.notify ended with 3: no such bus/),
    });

    await notify(`sleep 1000 & echo $! >${told}; wait`);
    await project.quality(0.1);
    await project.commit('A worse one');
    expect(await project.mlops(['run', '--detach'])).toMatchObject({
      code: 0,
      stderr: expect.not.stringMatching(/notify/),
    });
    expect(await project.mlops(['wait'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/FAIL[\s\S]*mlops\.notify did not end within 10 s/),
    });
    const sleeper = Number(await readFile(told, 'utf8'));
    await until(() => !existsSync(`/proc/${sleeper}`));
  });

  test('mlops push judges first and connects afterwards', async () => {
    await using project = await cliProject();
    expect(await project.mlops(['push', 'origin', 'main'])).toMatchObject({ code: 0 });
    expect(await project.repository.git('--git-dir', project.remote, 'log', '--format=%s', 'main')).toBe(
      'A tiny project',
    );
    await project.quality(0.1);
    await project.commit('Simplify');
    expect(await project.mlops(['push', 'origin', 'main'])).toMatchObject({ code: 1 });
    expect(await project.trainings()).toBe(2);
  });
});

describeWith(needs, 'repositories as people have them', () => {
  test('a path with spaces, quotes, a newline and unicode is a path like any other', async () => {
    await using project = await cliProject({ name: `it's "my"\nproject  ünïcode $HOME` });
    await project.repository.write('data/a file, "quoted"\nand über.txt', '3\n');
    await project.git(['commit', '--quiet', '--allow-empty', '-m', 'A file with a name']);
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/PASS/),
    });
  });

  test('a detached head, a linked worktree and a shallow clone push like any other', async () => {
    await using project = await cliProject();
    await project.git(['checkout', '--quiet', '--detach']);
    expect(await project.git(['push', 'origin', 'HEAD:refs/heads/main'])).toMatchObject({ code: 0 });

    const linked = await project.repository.worktree('linked');
    for (let number = 1; number <= 20; number += 1)
      await linked.write(`data/${String(number).padStart(2, '0')}.txt`, `${number}\n`);
    await linked.write('helper.py', 'more = 1\n');
    await linked.git('add', '--all');
    const committed = await linked.tryGit(['commit', '--quiet', '-m', 'A helper'], { env: project.env });
    expect(committed.code).toBe(0);
    expect(await linked.tryGit(['push', 'origin', 'linked'], { env: project.env })).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/PASS/),
    });

    const shallow = await project.repository.clone(`file://${project.remote}`, ['--depth=1', '--branch=linked']);
    const init = { cwd: shallow.dir };
    expect((await project.mlops(['init', '--yes'], init)).code).toBe(0);
    await shallow.write('README.md', '# Shallow\n');
    await shallow.git('commit', '--quiet', '--all', '-m', 'Words');
    expect(await shallow.tryGit(['push', 'origin', 'HEAD:shallow'], { env: project.env })).toMatchObject({ code: 0 });
    expect(await project.trainings()).toBe(2);
  });

  test('a hook in a clone that nobody has looked at runs nothing and contacts nobody', async () => {
    await using project = await cliProject();
    const clone = await project.repository.clone(project.repository.dir);
    // A template folder or a global core.hooksPath brings hooks into a clone without any init.
    const hook = await project.repository.git('rev-parse', '--path-format=absolute', '--git-path', 'hooks/pre-push');
    await clone.git('config', 'core.hooksPath', join(hook, '..'));
    await clone.git('remote', 'set-url', 'origin', project.remote);
    const pushed = await clone.tryGit(['push', 'origin', 'main'], { env: project.env });
    expect(pushed).toMatchObject({ code: 1, stderr: expect.stringMatching(/mlops trust/) });
    expect(await project.trainings()).toBe(0);
  });
});
