import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { renderShell } from '../../lib/job/render.ts';
import { readTemplates } from '../../lib/job/templates.ts';
import { judge } from '../../lib/verdict/judge.ts';
import { expressions, notebookOf, notebookStep, runStep, templatesFolder, Workdir } from '../rig/job.ts';
import { pythonEnvironment } from '../rig/python.ts';

let python: string;
let workdir: Workdir;
beforeAll(async () => {
  python = `${await pythonEnvironment()}/bin`;
  workdir = await Workdir.make();
}, 300_000);
afterAll(async () => workdir[Symbol.asyncDispose]());

const seeds = { parameter: 'seed', values: [1, 2, 3] };
const number = (value: number) => expect.objectContaining({ kind: 'number', value });
const metricsFile = { metrics: { kind: 'file' as const, file: '$MLOPS_OUT/m.json' } };

describe('a step with seeds or a matrix', () => {
  test('a notebook with three seeds is run three times, and the verdict looks at the sample', async () => {
    const files = {
      'a.ipynb': notebookOf([{ source: 'seed = 0', tags: ['parameters'] }, 'score = 0.5 + seed / 100']),
    };
    const step = notebookStep('a.ipynb', { seeds, ...expressions({ score: 'score' }) });
    const { result, code } = await workdir.run({ path: python, files, config: { steps: [step] } });
    expect(code).toBe(0);
    expect(result.tasks?.map(({ seed, outcome, metrics }) => [seed, outcome, metrics.score])).toEqual([
      [1, 'passed', number(0.51)],
      [2, 'passed', number(0.52)],
      [3, 'passed', number(0.53)],
    ]);
    expect(result.metrics.score).toEqual(number(0.52));
    expect(result.steps.map(({ name }) => name)).toEqual([1, 2, 3].map((seed) => `a.ipynb (seed=${seed})`));
    expect(result.artifacts.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['tasks/1/notebooks/a.ipynb', 'tasks/3/notebooks/a.ipynb', 'log']),
    );
    // t(0.95, 2) = 2.92: the mean of these three may be off by 0.0169.
    const verdict = (min: number) =>
      judge({ result, require: { score: { min, withoutBaseline: 'warn' } }, baselines: {} });
    expect(verdict(0.503)).toMatchObject({ kind: 'pass' });
    expect(verdict(0.51)).toMatchObject({ kind: 'fail', checks: [{ outcome: 'undecided', sample: { n: 3 } }] });
    expect(verdict(0.54)).toMatchObject({ kind: 'fail', checks: [{ outcome: 'not-met' }] });
  });

  test('a shell opens in the folder of one task, with its parameters', async () => {
    const step = runStep('echo "of $seed" >mine; echo "out of $seed" >"$MLOPS_OUT/mine"', { seeds });
    const { folder, plan } = await workdir.run({ config: { steps: [step] } });
    const script = await renderShell(plan.view, await readTemplates(templatesFolder));
    await writeFile(join(folder, 'shell.sh'), script.ok ? script.value : script.error.detail);
    const shell = promisify(execFile)('sh', ['shell.sh', '2'], { cwd: folder });
    shell.child.stdin?.end('echo "seed $seed"; cat mine "$MLOPS_OUT/mine"; exit 0\n');
    expect((await shell).stdout).toContain('seed 2\nof 2\nout of 2\n');
    const none = promisify(execFile)('sh', ['shell.sh', '7'], { cwd: folder });
    await expect(none).rejects.toMatchObject({
      code: 90,
      stderr: expect.stringMatching(/tasks\/7\/tree is not there/),
    });
  });

  test('every combination has a folder of its own, data that stays linked, and the parameters as variables', async () => {
    const line = [
      'cat data.txt >/dev/null; echo "$steps $seed" >>notes; rm -f data.txt',
      'test "$(wc -l <notes)" -eq 2',
      'echo "{\\"score\\": $steps$seed, \\"loss\\": [$steps, $seed]}" >"$MLOPS_OUT/m.json"',
    ].join(' && ');
    const step = runStep(line, {
      matrix: { steps: [10, 20] },
      seeds: { parameter: 'seed', values: [1, 2] },
      curves: { loss: 'min' },
      ...metricsFile,
    });
    const { result, folder } = await workdir.run({
      files: { notes: 'of the commit\n' },
      data: { 'data.txt': 'kept\n' },
      config: { steps: [step] },
    });
    expect(result.steps.map(({ outcome }) => outcome)).toEqual(['passed', 'passed', 'passed', 'passed']);
    expect(result.metrics).toEqual({
      'score[steps=10]': number(101.5),
      'score[steps=20]': number(201.5),
      'loss[steps=10]': number(1.5),
      'loss[steps=20]': number(1.5),
    });
    // Each seed's own number counts, and the curve is the mean of theirs.
    expect(result.tasks?.map(({ metrics }) => metrics.loss)).toEqual([1, 2, 1, 2].map((value) => number(value)));
    expect(result.curves).toEqual({
      'loss[steps=10]': { rule: 'min', n: 2, values: [10, 1.5] },
      'loss[steps=20]': { rule: 'min', n: 2, values: [20, 1.5] },
    });
    expect(await readFile(join(folder, 'tasks/4/tree/notes'), 'utf8')).toBe('of the commit\n20 2\n');
    // The attempt's own tree has it still, and no second copy: store, attempt, what is to be linked.
    expect((await stat(join(folder, 'tree/data.txt'))).nlink).toBe(3);
  });

  test('what comes before is done once, what comes after is done in each task', async () => {
    const steps = [
      runStep('echo once >>prepared'),
      runStep('echo "$seed" >"$MLOPS_OUT/model"', { seeds }),
      runStep(
        'echo "{\\"score\\": $(cat "$MLOPS_OUT/model"), \\"lines\\": $(wc -l <prepared)}" >"$MLOPS_OUT/m.json"',
        metricsFile,
      ),
    ];
    const { result } = await workdir.run({ config: { steps } });
    expect(result.metrics).toEqual({ score: number(2), lines: number(1) });
    expect(result.steps).toHaveLength(7);
    // A change of the last step alone takes the models from the store, each seed its own.
    const again = [
      ...steps.slice(0, 2),
      runStep(`${steps[2]?.kind === 'run' ? steps[2].run : ''} # said otherwise`, metricsFile),
    ];
    const second = (await workdir.run({ config: { steps: again } })).result;
    expect(second.metrics).toEqual(result.metrics);
    expect(second.steps.map(({ outcome }) => outcome)).toEqual([
      'reused',
      'reused',
      'passed',
      'reused',
      'passed',
      'reused',
      'passed',
    ]);
  });

  test('a task that fails is named with its seed, the others are done, and the run is no pass', async () => {
    const step = runStep('test "$seed" -ne 2 && echo "{\\"score\\": 1}" >"$MLOPS_OUT/m.json"', {
      seeds,
      ...metricsFile,
    });
    const { result, code } = await workdir.run({ config: { steps: [step] } });
    expect(code).toBe(1);
    expect(result.tasks?.map(({ outcome }) => outcome)).toEqual(['passed', 'failed', 'passed']);
    expect(result.metrics.score).toMatchObject({ kind: 'missing' });
    const verdict = judge({ result, require: { score: { min: 0, withoutBaseline: 'warn' } }, baselines: {} });
    expect(verdict).toMatchObject({
      kind: 'fail',
      reasons: [{ reason: 'failure', failure: { reason: 'exit-status', step: expect.stringContaining('(seed=2)') } }],
    });
  });

  test('`throttle` of them run at a time, and none beyond', async () => {
    const meet = (count: number, throttle: number) =>
      runStep(
        `: >"$HERE/came.$seed"; : >"$HERE/here.$seed"
         until [ "$(ls "$HERE" | grep -c '^came')" -ge ${count} ]; do sleep 0.05; done
         echo "seed $seed"; echo "again $seed"
         [ "$(ls "$HERE" | grep -c '^here')" -le ${throttle} ] || exit 1
         rm "$HERE/here.$seed"; echo "{\\"score\\": $seed}" >"$MLOPS_OUT/m.json"`,
        { seeds: { parameter: 'seed', values: [1, 2, 3, 4] }, throttle, ...metricsFile },
      );
    const place = await mkdtemp(join(tmpdir(), 'mlops-throttle-'));
    // The first two wait for each other: one after another they would wait for ever.
    const { result, code, log } = await workdir.run({ config: { env: { HERE: place }, steps: [meet(2, 2)] } });
    expect(code).toBe(0);
    expect(result.tasks?.map(({ outcome, metrics }) => [outcome, metrics.score])).toEqual(
      [1, 2, 3, 4].map((seed) => ['passed', number(seed)]),
    );
    for (const seed of [1, 2, 3, 4]) expect(log).toContain(`seed ${seed}\nagain ${seed}\n`);
    expect((await workdir.run({ config: { env: { HERE: place }, steps: [meet(1, 1)] } })).code).toBe(0);
    await rm(place, { recursive: true });
  });

  test('side by side, notebooks are as apart as one after another, and a failure is its own', async () => {
    const files = {
      'a.ipynb': notebookOf([
        { source: 'seed = 0', tags: ['parameters'] },
        'open("mine", "x").write(str(seed))\nprint("trained with", seed)\nassert seed != 2, "two"',
        'score = int(open("mine").read())',
      ]),
    };
    const step = notebookStep('a.ipynb', { seeds, throttle: 3, ...expressions({ score: 'score' }) });
    const { result, code } = await workdir.run({ path: python, files, config: { steps: [step] } });
    expect(code).toBe(1);
    expect(result.tasks?.map(({ outcome, metrics }) => [outcome, metrics.score?.kind])).toEqual([
      ['passed', 'number'],
      ['failed', undefined],
      ['passed', 'number'],
    ]);
    expect(result.steps.map(({ failure }) => failure?.exception)).toEqual([undefined, 'AssertionError', undefined]);
  });

  test('a task that is killed in the middle has no last word, and nothing is known about the model', async () => {
    const step = runStep('test "$seed" -ne 3 || kill -KILL "$PPID"; echo "{\\"score\\": 1}" >"$MLOPS_OUT/m.json"', {
      seeds,
      ...metricsFile,
    });
    const { result } = await workdir.run({ config: { steps: [step] } });
    const verdict = judge({ result, require: { score: { min: 0, withoutBaseline: 'warn' } }, baselines: {} });
    expect(verdict.kind).toBe('error');
  });

  test('where an earlier step fails, no task is begun', async () => {
    const { result } = await workdir.run({ config: { steps: [runStep('false'), runStep('true', { seeds })] } });
    expect(result.tasks?.map(({ outcome }) => outcome)).toEqual(['not-run', 'not-run', 'not-run']);
    expect(judge({ result, require: {}, baselines: {} }).kind).toBe('fail');
  });
});
