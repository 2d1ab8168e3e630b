import { describe, expect, test } from '@jest/globals';
import { asFingerprint } from '../../lib/base/ids.ts';
import type { EndKind, JobEnd } from '../../lib/cluster/scheduler.ts';
import type { Config } from '../../lib/config/types.ts';
import { takenFrom } from '../../lib/gate/taken.ts';
import { parseResult } from '../../lib/job/parse-result.ts';
import { planJob } from '../../lib/job/plan.ts';
import type { PlanRequest } from '../../lib/job/types.ts';
import { gpuHours } from '../../lib/report/gpu-hours.ts';
import { judge } from '../../lib/verdict/judge.ts';
import { baseConfig, runStep } from '../rig/job.ts';

const run = asFingerprint('a'.repeat(64));
const seeds = { parameter: 'seed', values: [1, 2, 3] };
const metrics = { kind: 'file' as const, file: '$MLOPS_OUT/m.json' };
const cluster: NonNullable<Config['cluster']> = {
  host: 'login',
  workdir: '/scratch',
  modules: [],
  slurm: {},
  transport: 'auto',
  requireMaster: false,
};
const plan = (config: Partial<Config>, more: Partial<PlanRequest> = {}) => {
  const whole: Config = { ...baseConfig, cluster, steps: [runStep('train', { seeds, metrics })], ...config };
  const steps = whole.steps.map(() => ({ definition: null, without: [], fingerprint: run }));
  const planned = planJob({
    config: whole,
    fingerprinted: {
      fingerprint: run,
      inputs: { format: 1, code: {}, data: {}, environment: null, env: {}, steps },
      data: {},
    },
    tree: [],
    notebooks: new Map(),
    secrets: {},
    driver: '',
    ...more,
  });
  if (!planned.ok) throw new Error(JSON.stringify(planned.error));
  return planned.value;
};
const arrayOf = (config: Partial<Config>, more: Partial<PlanRequest> = {}) => plan(config, more).repeated?.array;

describe('tasks are an array', () => {
  test('on Slurm, where the repeated step is the first, so many at a time', () => {
    expect(arrayOf({})).toEqual({});
    expect(arrayOf({ steps: [runStep('train', { seeds, throttle: 2 }), runStep('pytest')] })).toEqual({ throttle: 2 });
    expect(plan({ steps: [runStep('train', { seeds, throttle: 2 })] }).view.sbatch).toContainEqual({
      option: 'array',
      value: '1-3%2',
    });
  });

  test('and are not on this machine, behind another step, for a single one, or by a script of one’s own', () => {
    expect(arrayOf({}, { config: { ...baseConfig, steps: [runStep('train', { seeds })] } })).toBeUndefined();
    expect(arrayOf({ steps: [runStep('prepare'), runStep('train', { seeds })] })).toBeUndefined();
    expect(arrayOf({ steps: [runStep('train', { seeds: { ...seeds, values: [1] } })] })).toBeUndefined();
    expect(arrayOf({}, { arrays: false })).toBeUndefined();
  });
});

/** What one task leaves: `at` is when it began, after ten seconds it has ended. */
const leaves = (task: number, { attempt = 1, exit = 0, ended = true, at = 100, node = 'c1' } = {}) => {
  const folder = `tasks/${task}`;
  return [
    [`${folder}/state/started`, `job=1${task} node=${node} at=${at}\ncpu=Epyc\n`],
    [
      `${folder}/result/step-1`,
      `version=1\noutcome=${exit === 0 ? 'passed' : 'failed'}\nexit=${exit}\nseconds=9\nmetrics=there\njunit=\n`,
    ],
    [`${folder}/result/metrics-file-1.json`, `{"score": 0.${task}}`],
    [`${folder}/result/kept`, `${'b'.repeat(64)} 3 artifact model.pkl\n`],
    ...(ended
      ? [[`${folder}/state/end`, `run=${run} attempt=${attempt} task=${task} exit=${exit} at=${at + 10}\n`]]
      : []),
  ] as const;
};
const end = (how: EndKind): JobEnd => ({ state: 'ended', how, word: how.toUpperCase() });
const parse = (
  files: readonly (readonly [string, string] | readonly string[])[],
  ends: readonly (EndKind | undefined)[],
  { attempt = 1, array = '1-3' } = {},
) => {
  const tasks = new Map(ends.flatMap((how, index) => (how === undefined ? [] : [[index + 1, end(how)] as const])));
  const worst = [...tasks.values()].find(({ how }) => how !== 'completed') ?? end('completed');
  const all = [['state/array', `${array}\n`], ['state/started', 'job=11 node=c1 at=100\n'], ...files];
  return parseResult({
    plan: { ...plan({}), gpus: 1 },
    attempt,
    files: new Map(all.map(([path = '', text = '']) => [path, new TextEncoder().encode(text)])),
    logTail: '',
    cluster: 'cluster',
    job: { id: '1', end: { ...worst, tasks } },
  });
};
const verdict = async (result: ReturnType<typeof parse>) =>
  judge({ result: await result, require: { score: { min: 0.01, withoutBaseline: 'warn' } }, baselines: {} });

describe('the result of an array', () => {
  test('is a pass with the word of every task and Slurm’s of every task, and its hours add up', async () => {
    const result = await parse(
      [...leaves(1), ...leaves(2, { at: 150, node: 'c2' }), ...leaves(3)],
      Array(3).fill('completed'),
    );
    expect(result).toMatchObject({ finished: true, taskSeconds: 30, place: { node: 'c1, c2', cpu: 'Epyc' } });
    expect(result.artifacts.map(({ path }) => path)).toEqual([1, 2, 3].map((task) => `tasks/${task}/model.pkl`));
    expect(gpuHours(result)).toBeCloseTo(30 / 3600);
    expect(judge({ result, require: {}, baselines: {} }).kind).toBe('pass');
  });

  test('is an error where one task was out of memory, and that one alone is to be run again', async () => {
    const result = await parse(
      [...leaves(1), ...leaves(2, { ended: false }), ...leaves(3, { exit: 1 })],
      ['completed', 'out-of-memory', 'failed'],
    );
    expect(result.tasks?.map(({ outcome, lost }) => [outcome, lost])).toEqual([
      ['passed', undefined],
      ['failed', true],
      ['failed', undefined],
    ]);
    expect(judge({ result, require: {}, baselines: {} })).toMatchObject({
      kind: 'error',
      reasons: [{ failure: { reason: 'out-of-memory', step: 'train (seed=2)' } }],
    });
    expect(takenFrom(result)).toEqual({ taken: { tasks: [1, 3], from: 1 } });
  });

  test('is an error where one was cancelled before it began, after its last word, or never said one', async () => {
    for (const [files, how] of [
      [[], 'cancelled'],
      [leaves(3), 'cancelled'],
      [leaves(3, { ended: false }), 'completed'],
      [leaves(3), 'failed'],
    ] as const) {
      const result = parse([...leaves(1), ...leaves(2), ...files], ['completed', 'completed', how]);
      expect((await verdict(result)).kind).toBe('error');
      expect((await result).tasks?.map(({ lost }) => lost)).toEqual([undefined, undefined, true]);
    }
  });

  test('is an error where one could not be prepared, with what kept it', async () => {
    const result = await parse(
      [
        ...leaves(1),
        ...leaves(2),
        ['tasks/3/result/preparation', 'missing-module\nmodule load cuda'],
        ['tasks/3/state/end', `run=${run} attempt=1 task=3 exit=3 at=110`],
      ],
      ['completed', 'completed', 'failed'],
    );
    expect(judge({ result, require: {}, baselines: {} })).toMatchObject({
      kind: 'error',
      reasons: [{ failure: { reason: 'missing-module', detail: 'module load cuda', step: 'train (seed=3)' } }],
    });
  });

  test('of a later attempt has what the earlier one has left of the others, which nobody asks Slurm about', async () => {
    const files = [...leaves(1), ...leaves(2, { attempt: 2, at: 300 }), ...leaves(3)];
    const result = await parse(files, [undefined, 'completed', undefined], { attempt: 2, array: '2' });
    expect(result).toMatchObject({ finished: true, attempt: 2 });
    expect(result.metrics.score).toMatchObject({ kind: 'number', value: expect.closeTo(0.2) });
    expect((await verdict(parse(files, [undefined, 'completed', undefined], { attempt: 2, array: '2-3' }))).kind).toBe(
      'error',
    );
  });

  test('is a fail of the code where tasks fail and none is lost: nothing is run again', async () => {
    const result = parse([...leaves(1), ...leaves(2, { exit: 1 }), ...leaves(3)], ['completed', 'failed', 'completed']);
    expect((await verdict(result)).kind).toBe('fail');
  });

  test('one that ran in one job is not taken from', async () => {
    expect(takenFrom(undefined)).toEqual({});
    const { taskSeconds: _none, ...whole } = await parse(leaves(1), ['completed', 'node-failed', 'node-failed']);
    expect(takenFrom(whole)).toEqual({});
  });
});
