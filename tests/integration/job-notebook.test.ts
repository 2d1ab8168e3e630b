import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { expressions, notebookOf, notebookStep, type Outcome, type Scene, Workdir } from '../rig/job.ts';
import { pythonEnvironment } from '../rig/python.ts';

let python: string;
let workdir: Workdir;
beforeAll(async () => {
  python = `${await pythonEnvironment()}/bin`;
  workdir = await Workdir.make();
}, 300_000);
afterAll(async () => workdir[Symbol.asyncDispose]());

type Cells = Parameters<typeof notebookOf>[0];
const run = (cells: Cells, metrics: Record<string, string> = {}, scene: Partial<Scene> = {}): Promise<Outcome> =>
  workdir.run({
    path: python,
    ...scene,
    files: { 'a.ipynb': notebookOf(cells), ...scene.files },
    config: { ...scene.config, steps: scene.config?.steps ?? [notebookStep('a.ipynb', expressions(metrics))] },
  });

describe('a notebook that passes', () => {
  test('gives its metrics, its executed copy, its log and where it ran', async () => {
    const { result, log, folder, code } = await run(
      [
        { source: '# Title', kind: 'markdown' },
        'import numpy as np\nprint("hello from the cell")',
        'score = np.float64(0.25) + 0.5',
      ],
      { score: 'score', again: 'score * 2' },
    );
    expect(log).toContain('hello from the cell');
    expect(result).toMatchObject({
      finished: true,
      steps: [{ name: 'a.ipynb', outcome: 'passed', exitCode: 0 }],
      metrics: { score: { kind: 'number', value: 0.75, source: 'score' }, again: { kind: 'number', value: 1.5 } },
      findings: [],
    });
    expect(code).toBe(0);
    expect(result.preparation).toBeUndefined();
    expect(result.place.environment?.packages).toContainEqual(expect.stringMatching(/^numpy==/));
    expect(result.artifacts.map(({ role, path }) => `${role} ${path}`).sort()).toEqual([
      'log log',
      'notebook notebooks/a.ipynb',
    ]);
    const executed = await readFile(join(folder, 'out/notebooks/a.ipynb'), 'utf8');
    expect(executed).toContain('hello from the cell');
    expect(executed).not.toContain('mlops');
  });
});
