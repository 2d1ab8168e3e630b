import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Step } from '../../lib/config/types.ts';
import { exists } from '../rig/environment.ts';
import { collect, ended, expressions, notebookOf, notebookStep, runStep, type Scene, Workdir } from '../rig/job.ts';
import { pythonEnvironment } from '../rig/python.ts';
import { until } from '../rig/until.ts';

let workdir: Workdir;
beforeAll(async () => {
  workdir = await Workdir.make();
});
afterAll(async () => workdir[Symbol.asyncDispose]());

const run = (steps: readonly Step[], scene: Partial<Scene> = {}) =>
  workdir.run({ ...scene, config: { ...scene.config, steps } });
const fileMetrics = (file: string) => ({ metrics: { kind: 'file' as const, file } });
const object = (text: string) => {
  const hash = createHash('sha256').update(text).digest('hex');
  return join(workdir.folder, 'objects', hash.slice(0, 2), hash.slice(2));
};

describe('a shell line', () => {
  test('runs in the commit’s files, with what it needs in the environment, quoted as it was written', async () => {
    const line = `printf '%s\\n' "$MLOPS_RUN" "$MLOPS_ATTEMPT" "$ODD" 'it'"'"'s' > "$MLOPS_OUT/said"; ls >> "$MLOPS_OUT/said"; pwd; [ -d "$MLOPS_KEEP" ]`;
    const odd = `it's $(touch oops) \`x\` "q"\nünïcode\\`;
    const { result, folder, plan } = await run([runStep(line)], {
      files: { 'a file.txt': '' },
      config: { env: { ODD: odd }, steps: [] },
    });
    expect(result.steps).toMatchObject([{ outcome: 'passed', exitCode: 0 }]);
    expect(await readFile(join(folder, 'out/said'), 'utf8')).toBe(`${plan.fingerprint}\n1\n${odd}\nit's\na file.txt\n`);
    expect(result.seconds).toBeGreaterThanOrEqual(0);
    expect(result.place.cpu).toBeTruthy();
    expect(await readFile(join(folder, 'state/end'), 'utf8')).toMatch(/^run=[0-9a-f]{64} attempt=1 exit=0 at=\d+\n$/);
    expect(await readdir(join(workdir.folder, 'tmp'))).toEqual([]);
  });

  test('starts in the folder that `cwd` names, and a file without a path is written there', async () => {
    const { result, folder } = await run(
      [runStep('cat here.txt > copy.txt; pwd > "$MLOPS_OUT/where"', { cwd: 'a b/c' })],
      { files: { 'a b/c/here.txt': 'here' } },
    );
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(await readFile(join(folder, 'tree/a b/c/copy.txt'), 'utf8')).toBe('here');
    expect(await readFile(join(folder, 'out/where'), 'utf8')).toBe(`${join(folder, 'tree/a b/c')}\n`);
  });

  test('that exits non-zero is a fail with its status and its last words, and what comes after is not run', async () => {
    const { result, code } = await run([runStep('echo before; echo "went wrong" >&2; exit 7'), runStep('true')]);
    expect(result.steps).toMatchObject([
      {
        outcome: 'failed',
        exitCode: 7,
        failure: { side: 'code', reason: 'exit-status', detail: 'before\nwent wrong' },
      },
      { outcome: 'not-run' },
    ]);
    expect(code).toBe(1);
  });

  test('that a signal ended names the signal: a crash is the code’s, being killed is not', async () => {
    expect((await run([runStep('kill -SEGV $$')])).result.steps).toMatchObject([
      { exitCode: 139, failure: { side: 'code', reason: 'exit-status', detail: expect.stringContaining('SIGSEGV') } },
    ]);
    expect((await run([runStep('kill -KILL $$')])).result.steps).toMatchObject([
      { exitCode: 137, failure: { side: 'infrastructure', detail: expect.stringContaining('SIGKILL') } },
    ]);
  });

  test('whose Python raised an exception of the infrastructure is an error', async () => {
    const { result } = await run([
      runStep(`python3 -c 'import errno; raise OSError(errno.ENOSPC, "No space left on device")'`),
    ]);
    expect(result.steps[0]?.failure).toMatchObject({
      side: 'infrastructure',
      reason: 'disk-full',
      exception: 'OSError',
    });
  });
});

describe('a step that wants to be told before the time is over', () => {
  const early = (name: 'USR1' | 'USR2') => ({ resources: { seconds: 600, signal: { name, seconds: 120 } } });
  const python = (signal: string) =>
    `import signal, sys, time
told = []
signal.signal(signal.${signal}, lambda *_: told.append(1))
print("ready", flush=True)
while not told: time.sleep(0.01)
print("told", len(told), flush=True)
sys.exit(int(sys.argv[1]))`;
  /** Starts a job, and tells the script once the steps' programs are ready. */
  const told = async (steps: readonly Step[], files: Readonly<Record<string, string>>, logs = ['log']) => {
    const scene = { config: { steps }, files, path: `${await pythonEnvironment()}/bin` };
    const { folder, plan } = await workdir.prepare(scene);
    const child = await workdir.start(folder, scene);
    const isReady = async (log: string) => /^ready$/m.test(await readFile(join(folder, log), 'utf8').catch(() => ''));
    await until(async () => (await Promise.all(logs.map(isReady))).every(Boolean));
    child.kill('SIGUSR1');
    const code = await ended(child);
    return { ...(await collect(folder, plan, code)), code };
  };

  test('gets the signal that it asks for; the shell around it, and what is beside it, do not', async () => {
    const { log, code, result } = await told(
      [runStep('python3 wait.py 0 | tee words; test -s words', early('USR2')), runStep('true')],
      { 'wait.py': python('SIGUSR2') },
    );
    expect(log).toMatch(/the time is nearly over: USR2 for process \d+\n/);
    expect(log).toMatch(/^told 1$/m);
    expect([code, result.steps.map(({ outcome }) => outcome)]).toEqual([0, ['passed', 'passed']]);
  });

  test('and its own exit status counts, whatever the signal did to the script that waits for it', async () => {
    const { result } = await told([runStep('sh -c "exec python3 wait.py 7"', early('USR1'))], {
      'wait.py': python('SIGUSR1'),
    });
    expect(result.steps).toMatchObject([{ outcome: 'failed', exitCode: 7 }]);
  });

  test('in a notebook the kernel gets it', async () => {
    const cells = python('SIGUSR1').replace('sys.exit(int(sys.argv[1]))', 'score = len(told)');
    const { result } = await told([notebookStep('a.ipynb', { ...early('USR1'), ...expressions({ score: 'score' }) })], {
      'a.ipynb': notebookOf([cells]),
    });
    expect(result.metrics).toMatchObject({ score: { value: 1 } });
  });

  test('tasks that run side by side are all told', async () => {
    const step = runStep('python3 wait.py 0', {
      ...early('USR1'),
      seeds: { parameter: 'seed', values: [1, 2] },
      throttle: 2,
    });
    const { log, code } = await told([step], { 'wait.py': python('SIGUSR1') }, ['tasks/1/log', 'tasks/2/log']);
    expect(log.match(/^told 1$/gm)).toHaveLength(2);
    expect(code).toBe(0);
  });

  test('one that does not catch it is not ended by it, and that is said', async () => {
    const { log, code } = await told([runStep('echo ready; sleep 2; echo done', early('USR1'))], {});
    expect(log).toMatch(/no program of this step catches USR1: nothing was told[\s\S]*^done$/m);
    expect(code).toBe(0);
  });

  test('in a task too', async () => {
    const step = notebookStep('a.ipynb', {
      ...early('USR1'),
      ...expressions({ score: 'weight + len(told)' }),
      matrix: { weight: [10, 20] },
    });
    const source = python('SIGUSR1')
      .replace('while not told:', 'while weight == 10 and not told:')
      .replace('sys.exit(int(sys.argv[1]))', '');
    const { result } = await told([step], {
      'a.ipynb': notebookOf([{ source: 'weight = 1', tags: ['parameters'] }, source]),
    });
    expect(result.tasks?.map(({ metrics }) => metrics.score)).toMatchObject([{ value: 11 }, { value: 20 }]);
  });

  test('Ctrl-C still reaches a program that the script waits for in the background', async () => {
    const { result } = await run([
      runStep(
        `python3 -c 'import signal; print(signal.getsignal(signal.SIGINT) == signal.default_int_handler)' | grep True`,
        early('USR1'),
      ),
    ]);
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
  });
});

describe('a file of metrics', () => {
  test('may hold what Python calls JSON, nested', async () => {
    const { result } = await run([
      runStep(
        `echo '{"a": 0.5, "test": {"auc": NaN, "n": -Infinity}, "s": "NaN", "b": true}' > "$MLOPS_OUT/m.json"`,
        fileMetrics('$MLOPS_OUT/m.json'),
      ),
    ]);
    expect(result.metrics).toMatchObject({
      a: { kind: 'number', value: 0.5 },
      'test.auc': { kind: 'nan' },
      'test.n': { kind: 'minus-infinity' },
      s: { kind: 'text', shown: '"NaN"' },
      b: { kind: 'boolean' },
    });
  });

  test.each([
    ['that the commit brought and the step did not write is not believed', 'true', 'm.json', 'metrics-file-stale'],
    [
      'that is a new link to such a file is not believed either',
      'ln -s "$PWD/m.json" "$MLOPS_OUT/l.json"',
      '$MLOPS_OUT/l.json',
      'metrics-file-stale',
    ],
    ['that is not there fails by name', 'true', '$MLOPS_OUT/m.json', 'metrics-file-missing'],
    ['that is no JSON fails by name', 'echo nonsense > m.json', 'm.json', 'metrics-file-unreadable'],
    ['that is too big fails by name', 'head -c 2000000 /dev/zero > m.json', 'm.json', 'metrics-file-too-big'],
  ])('%s', async (_, line, file, name) => {
    const { result } = await run([runStep(line, fileMetrics(file))], { files: { 'm.json': '{"a": 1}' } });
    expect(result.metrics).toEqual({});
    expect(result.findings).toMatchObject([{ name, severity: 'fail' }]);
  });

  test('that the commit brought and the step wrote anew counts', async () => {
    const { result } = await run([runStep(`echo '{"a": 2}' > m.json`, fileMetrics('m.json'))], {
      files: { 'm.json': '{"a": 1}' },
    });
    expect(result.metrics).toMatchObject({ a: { value: 2 } });
  });
});

describe('test results', () => {
  const xml = `<?xml version="1.0"?><testsuites><testsuite name="s" tests="3"><testcase classname="c" name="ok"/><testcase classname="c" name="bad &lt;1&gt;"><failure message="no"><![CDATA[<x>]]></failure></testcase><testcase classname="c" name="later"><skipped/></testcase></testsuite></testsuites>`;
  test('are counted case by case; one that fails is a fail even when the program exits with 0', async () => {
    const { result } = await run([runStep(`printf '%s' '${xml}' > "$MLOPS_OUT/tests.xml"`, { junit: 'tests.xml' })]);
    expect(result.steps).toMatchObject([
      {
        outcome: 'failed',
        tests: { passed: 1, failed: 1, skipped: 1, failures: ['c.bad <1>'] },
        failure: { side: 'code', reason: 'tests-failed' },
      },
    ]);
  });
  test('that are not there fail by name', async () => {
    const { result } = await run([runStep('true', { junit: '$MLOPS_OUT/tests.xml' })]);
    expect(result.findings).toMatchObject([{ name: 'junit-file-missing', severity: 'fail' }]);
  });
});

describe('data', () => {
  const data = { 'data/a b.csv': 'one,two\n', 'data/c.csv': 'three\n' };
  /** The folder `data` as one that runs share. */
  const runShared = async (...lines: (string | undefined)[]) => {
    const scene = { config: { steps: lines.flatMap((line) => (line === undefined ? [] : [runStep(line)])) }, data };
    const prepared = await workdir.prepare(scene);
    shares += 1;
    const home = join(workdir.folder, `trees/k.${shares}`);
    await mkdir(home, { recursive: true });
    await rename(join(prepared.folder, 'tree/data'), join(home, 'tree'));
    await symlink(join(home, 'tree'), join(prepared.folder, 'tree/data'));
    await writeFile(join(prepared.folder, 'in/trees'), `k.${shares} data\n`);
    const hashes = Object.values(data).map((content) => `${createHash('sha256').update(content).digest('hex')}\n`);
    await writeFile(join(home, 'files'), `hard\n${hashes.join('')}`);
    await chmod(join(home, 'tree'), 0o555);
    const code = await ended(await workdir.start(prepared.folder, scene));
    return { ...(await collect(prepared.folder, prepared.plan, code)), folder: prepared.folder, home };
  };
  let shares = 0;

  test('is linked from the store, can be replaced, and the store stays as it was', async () => {
    const { result, folder } = await run(
      [runStep('cat data/*.csv > "$MLOPS_OUT/all"; rm data/c.csv; echo new > data/c.csv')],
      { data },
    );
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(await readFile(join(folder, 'out/all'), 'utf8')).toBe('one,two\nthree\n');
    expect(await readFile(object('three\n'), 'utf8')).toBe('three\n');
  });
  test('that a step writes through is named, and the damaged content leaves the store', async () => {
    const { result } = await run([runStep('chmod u+w data/*; echo more >> "data/a b.csv"')], { data });
    expect(result.steps).toMatchObject([
      { outcome: 'failed', failure: { side: 'code', reason: 'wrote-into-data', detail: 'data/a b.csv' } },
    ]);
    await expect(stat(object('one,two\n'))).rejects.toThrow('ENOENT');
    expect(await readFile(object('three\n'), 'utf8')).toBe('three\n');
  });
  test('in a folder that runs share is read, and what a step changes there is found, whoever it is', async () => {
    const reads = await runShared('cat data/*.csv >"$MLOPS_OUT/all"');
    expect(reads.result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(await readFile(join(reads.folder, 'out/all'), 'utf8')).toBe('one,two\nthree\n');
    expect(await exists(join(reads.home, 'files'))).toBe(true);
    for (const [line, detail] of [
      ['chmod u+w data; echo 1 >"data/new file"', 'data/new file'],
      ['chmod u+w data; rm data/c.csv', 'data/c.csv'],
      ['chmod u+w data/c.csv; echo more >>data/c.csv', 'data/c.csv'],
    ] as const) {
      const { result, home } = await runShared(line);
      expect(result.steps).toMatchObject([{ outcome: 'failed', failure: { reason: 'wrote-into-data', detail } }]);
      // No other run begins to use it.
      expect(await exists(join(home, 'files'))).toBe(false);
    }
    const replaces = await runShared('rm data && mkdir data && echo own >data/c.csv');
    expect(replaces.result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(await exists(join(replaces.home, 'files'))).toBe(true);
  });
  test('in a folder that runs share is not what an older archive of a step is unpacked into', async () => {
    const lines = ['echo "$$" >data/made', 'cat data/made'];
    const steps = lines.map((line) => runStep(line));
    const before = await run(steps, { data });
    expect(before.result.steps).toMatchObject([{ outcome: 'passed' }, { outcome: 'passed' }]);
    const { result, home } = await runShared(lines[0] ?? '', lines[1]);
    expect(result.steps[0]?.outcome).not.toBe('reused');
    expect((await readdir(join(home, 'tree'))).includes('made')).toBe(process.getuid?.() === 0);
  });
  test('that is declared writable is the run’s own copy', async () => {
    const writable = { data: [{ kind: 'path' as const, path: 'data', writable: true }], steps: [] };
    const { result } = await run([runStep('echo more >> data/c.csv')], { data, config: writable, writable: true });
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(await readFile(object('three\n'), 'utf8')).toBe('three\n');
  });
});

describe('a step that is known', () => {
  const train =
    'date +%s%N > "$MLOPS_OUT/trained"; echo w > weights; rm -f extra; echo \'{"loss": 0.5}\' > "$MLOPS_OUT/m.json"';
  const files = { 'a.py': '', extra: 'x' };
  const both = (second: string) => run([runStep(train, fileMetrics('$MLOPS_OUT/m.json')), runStep(second)], { files });

  test('is not run again when a later one changes: its files and metrics come from the store', async () => {
    const first = await both('cat weights');
    const second = await both('cat weights; [ ! -e extra ]');
    expect(first.result.steps).toMatchObject([{ outcome: 'passed' }, { outcome: 'passed' }]);
    expect(second.result.steps).toMatchObject([{ outcome: 'reused' }, { outcome: 'passed' }]);
    expect(second.result.metrics).toEqual(first.result.metrics);
    const trained = (folder: string) => readFile(join(folder, 'out/trained'), 'utf8');
    expect(await trained(second.folder)).toBe(await trained(first.folder));
  });

  test('is run again when its archive has been damaged', async () => {
    const steps = join(workdir.folder, 'steps');
    for (const name of await readdir(steps)) {
      const archive = /archive=(\w+)/.exec(await readFile(join(steps, name), 'utf8'))?.[1] ?? '';
      const path = join(workdir.folder, 'objects', archive.slice(0, 2), archive.slice(2));
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, 'damaged', { mode: 0o600, flag: 'w' });
    }
    const third = await both('cat weights; true');
    expect(third.result.steps).toMatchObject([{ outcome: 'passed' }, { outcome: 'passed' }]);
  });

  test('may be a notebook, whose metrics come with it', async () => {
    const path = `${await pythonEnvironment()}/bin`;
    const steps = (last: string) => [notebookStep('a.ipynb', expressions({ score: 'score' })), runStep(last)];
    const scene = { path, files: { 'a.ipynb': notebookOf(['score = 0.75']) } };
    await run(steps('true'), scene);
    const { result } = await run(steps('test -f "$MLOPS_OUT/notebooks/a.ipynb"'), scene);
    expect(result.steps).toMatchObject([{ outcome: 'reused' }, { outcome: 'passed' }]);
    expect(result.metrics).toEqual({ score: { kind: 'number', value: 0.75, source: 'score' } });
  });
});

test('secrets reach the steps, and neither the script nor the log nor any file that stays', async () => {
  const secret = `s3cr'et "$HOME" ${process.pid}`;
  const { result, script, log, folder } = await run([runStep('[ -n "$TOKEN" ] && printf %s "$TOKEN" | wc -c')], {
    secrets: { TOKEN: secret },
    config: { secrets: ['TOKEN'], setup: 'export BEFORE=${TOKEN-unset}; [ "$BEFORE" = unset ]', steps: [] },
  });
  expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
  expect(log).toContain(String(secret.length));
  expect(script + log).not.toContain('s3cr');
  await expect(stat(join(folder, 'in/secrets'))).rejects.toThrow('ENOENT');
});

test('artifacts are kept by content: globs over what the run wrote', async () => {
  const { result } = await run(
    [
      runStep(
        'mkdir "$MLOPS_OUT/plots" sub; echo p > "$MLOPS_OUT/plots/a b.png"; echo s > "$MLOPS_OUT/plots/b.svg"; echo m > sub/model.pkl; echo n > other.txt',
      ),
    ],
    {
      files: { 'old.pkl': 'of the commit' },
      config: { artifacts: ['plots/*.png', '$MLOPS_OUT/plots/*.{svg,pdf}', '**/*.pkl'], steps: [] },
    },
  );
  expect(
    result.artifacts
      .filter(({ role }) => role === 'artifact')
      .map(({ path }) => path)
      .sort(),
  ).toEqual(['plots/a b.png', 'plots/b.svg', 'sub/model.pkl']);
  expect(await readFile(object('m\n'), 'utf8')).toBe('m\n');
});

describe('what keeps the steps from starting is told before they start', () => {
  test('setup that fails', async () => {
    const { result } = await run([runStep('true')], { config: { setup: 'echo "no licence"; false', steps: [] } });
    expect(result.preparation).toMatchObject({ reason: 'environment', detail: expect.stringContaining('no licence') });
    const gone = await run([runStep('true')], { config: { setup: 'source /no/such/file.sh', steps: [] } });
    expect(gone.result.preparation).toMatchObject({
      reason: 'environment',
      detail: expect.stringContaining('/no/such/file.sh'),
    });
  });

  test('a module that is not there, in the words of the module command', async () => {
    const config = {
      cluster: {
        workdir: '',
        modules: ['Anaconda3/2021.11'],
        slurm: {},
        transport: 'auto' as const,
        requireMaster: false,
      },
      setup: 'module() { echo "ERROR: Unable to locate a modulefile for $2" >&2; }',
      steps: [],
    };
    const { result } = await run([runStep('true')], { config });
    expect(result.preparation).toMatchObject({
      side: 'infrastructure',
      reason: 'missing-module',
      detail: expect.stringContaining('Unable to locate a modulefile for Anaconda3/2021.11'),
    });
  });
});

describe('a job that is ended from outside', () => {
  const started = async (steps: readonly Step[]) => {
    const scene = { config: { steps } };
    const { folder, plan } = await workdir.prepare(scene);
    const child = await workdir.start(folder, scene);
    // A shell that is just about to fork would keep the signal to itself.
    await until(async () => /^ready$/m.test(await readFile(join(folder, 'log'), 'utf8').catch(() => '')));
    return { folder, plan, child };
  };
  const kill = (pid: number | undefined, signal: NodeJS.Signals) => process.kill(-(pid ?? 0), signal);

  test('by SIGTERM leaves its last word, and no private folder', async () => {
    const { folder, plan, child } = await started([runStep('echo ready; sleep 300; true'), runStep('true')]);
    kill(child.pid, 'SIGTERM');
    const code = await ended(child);
    const { result } = await collect(folder, plan, code);
    expect(result.finished).toBe(true);
    expect(await readFile(join(folder, 'state/signals'), 'utf8')).toContain('TERM');
    expect(result.steps[0]).toMatchObject({ outcome: 'failed' });
    expect(await readdir(join(workdir.folder, 'tmp'))).toEqual([]);
  });

  test('by SIGKILL leaves none: nothing is known but where it was', async () => {
    const { folder, plan, child } = await started([runStep('echo ready; sleep 301')]);
    kill(child.pid, 'SIGKILL');
    const { result } = await collect(folder, plan, await ended(child));
    expect(result.finished).toBe(false);
    expect(result.steps).toMatchObject([
      { outcome: 'failed', failure: { side: 'infrastructure', reason: 'no-result' } },
    ]);
  });

  test('a result of another attempt is foreign', async () => {
    const { folder, plan } = await run([runStep('true')]);
    await writeFile(join(folder, 'state/end'), `run=${plan.fingerprint} attempt=99 exit=0 at=1\n`);
    const { result } = await collect(folder, plan, 0);
    expect(result).toMatchObject({ finished: false, steps: [], preparation: { reason: 'result-foreign' } });
  });
});
