import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { judge } from '../../lib/verdict/judge.ts';
import { type CorpusNotebook, corpusNotebooks } from '../rig/corpus.ts';
import { expressions, notebookStep, Workdir } from '../rig/job.ts';
import { pythonEnvironment } from '../rig/python.ts';

interface Judged {
  readonly verdict: string;
  readonly reason: string | undefined;
  readonly cell: number | undefined;
  readonly warnings: readonly string[];
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
  const config = { steps: [notebookStep(file, { parameters, ...asked })] };
  const scene = { path: python, files: { [file]: text }, config };
  const { planned } = await workdir.plan(scene);
  if (!planned.ok) return { verdict: 'refused', reason: planned.error[0]?.reason, cell: undefined, warnings: [] };
  const { result } = await workdir.run(scene);
  const require = metrics === false ? {} : { score: { min: 0.5, withoutBaseline: 'fail' as const } };
  const { kind, reasons, warnings } = judge({ result, require, baselines: {} });
  const [first] = reasons;
  const failure = first?.reason === 'failure' ? first.failure : undefined;
  const finding = first?.reason === 'finding' ? first.finding.name : undefined;
  return {
    verdict: kind,
    reason: failure?.reason ?? finding ?? first?.reason,
    cell: failure?.cell,
    warnings: warnings.map((warning) => warning.name),
  };
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
  test.each(rows)('%s: %s, %s: %s', (_kind, name, _why, verdict, { reason, cell, warning }) => {
    const found = judged.get(name);
    expect(found).toEqual({
      verdict,
      reason,
      cell: cell ?? found?.cell,
      warnings: warning === undefined ? [] : [warning],
    });
    // Who is not to blame is not blamed.
    if (verdict === 'pass' || reason === 'check' || reason === 'metrics-unreadable')
      expect(found?.cell).toBeUndefined();
  });
});
