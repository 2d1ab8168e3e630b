import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asFingerprint } from '../../lib/base/ids.ts';
import { planSteps } from '../../lib/job/plan-steps.ts';
import { judge } from '../../lib/verdict/judge.ts';
import { type CorpusNotebook, corpusNotebooks } from '../rig/corpus.ts';
import { baseConfig, expressions, notebookStep, Workdir } from '../rig/job.ts';
import { pythonEnvironment } from '../rig/python.ts';

interface Judged {
  readonly verdict: string;
  readonly reason: string | undefined;
  readonly cell: number | undefined;
}

const notebooks = corpusNotebooks();
const judged = new Map<string, Judged>();
let workdir: Workdir;
let python: string;

beforeAll(async () => {
  python = `${await pythonEnvironment()}/bin`;
  workdir = await Workdir.make();
  const waiting = [...notebooks];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      judged.set(next.name, await verdictOf(next));
    }
  };
  await Promise.all([work(), work()]);
}, 600_000);
afterAll(async () => workdir[Symbol.asyncDispose]());

/** Through our own job script, driver, reading and judging: asked for is `score`, at least 0.5. */
async function verdictOf({ name, text, parameters = {}, metrics }: CorpusNotebook): Promise<Judged> {
  const file = `${name}.ipynb`;
  const asked = metrics === false ? {} : expressions({ score: 'score' });
  const config = { ...baseConfig, steps: [notebookStep(file, { parameters, ...asked })] };
  const { errors } = planSteps({
    config,
    fingerprinted: { fingerprint: asFingerprint('0'.repeat(64)), inputs: { steps: [] } } as never,
    tree: [],
    notebooks: new Map([[file, text]]),
    secrets: {},
    driver: '',
  });
  const [refused] = errors;
  if (refused !== undefined) return { verdict: 'refused', reason: refused.reason, cell: undefined };
  const { result } = await workdir.run({ path: python, files: { [file]: text }, config });
  const require = metrics === false ? {} : { score: { min: 0.5, withoutBaseline: 'fail' as const } };
  const { kind, reasons } = judge({ result, require, baselines: {} });
  const [first] = reasons;
  if (first?.reason === 'failure') return { verdict: kind, reason: first.failure.reason, cell: first.failure.cell };
  return { verdict: kind, reason: first?.reason === 'finding' ? first.finding.name : first?.reason, cell: undefined };
}

describe('the corpus', () => {
  test('has a row for each of its notebooks, and a kind of each', () => {
    const files = readdirSync(join(import.meta.dirname, '../corpus/notebooks'));
    expect(files.sort()).toEqual(notebooks.map(({ name }) => `${name}.ipynb`).sort());
    expect(files.length).toBeGreaterThanOrEqual(40);
    expect(new Set(notebooks.map(({ kind }) => kind))).toEqual(new Set(['good', 'broken', 'lying']));
  });

  const rows = notebooks.map(
    (notebook) => [notebook.kind, notebook.name, notebook.why, notebook.verdict, notebook] as const,
  );
  test.each(rows)('%s: %s, %s: %s', (_kind, name, _why, verdict, { reason, cell }) => {
    const found = judged.get(name);
    expect(found).toEqual({ verdict, reason, cell: cell ?? found?.cell });
    // Who is not to blame is not blamed.
    if (verdict === 'pass' || reason === 'check' || reason === 'metrics-unreadable')
      expect(found?.cell).toBeUndefined();
  });
});
