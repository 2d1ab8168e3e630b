import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../lib/config/load-config.ts';
import type { Step } from '../../lib/config/types.ts';
import { floatPaths } from '../../lib/config/whole-numbers.ts';
import { stepDefinition } from '../../lib/fingerprint/steps.ts';
import { exportLines, taskKey, tasksOf } from '../../lib/job/plan-tasks.ts';

const stepOf = (step: string): Step => {
  const loaded = loadConfig(`version: 1\nsteps:\n  - ${step}\n`, 'config.yaml');
  const [first] = loaded.ok ? loaded.value.config.steps : [];
  if (first === undefined) throw new Error(JSON.stringify(loaded));
  return first;
};
const notebook = (parameters: string) => stepOf(`{ notebook: a.ipynb, parameters: ${parameters} }`);

describe('a whole number that is written as a float', () => {
  test.each([
    ['1.0', true],
    ['1e3', true],
    ['+2.', true],
    ['1', false],
    ['0x10', false],
    ['"1.0"', false],
    ['1.5', false],
  ])('%s: %j', (written, isFloat) => {
    expect(notebook(`{ a: ${written} }`).floats).toEqual(isFloat ? ['parameters.a'] : undefined);
  });

  test('is found in lists and maps, and behind an alias', () => {
    const step = notebook('{ z: [1, 2.0, &two 2.0], "a": { deep: 3.0, also: *two } }');
    expect(step.floats).toEqual(['parameters.a.also', 'parameters.a.deep', 'parameters.z[1]', 'parameters.z[2]']);
    expect(floatPaths(step, 'parameters')).toEqual([
      ['a', 'also'],
      ['a', 'deep'],
      ['z', 1],
      ['z', 2],
    ]);
  });

  test('makes another run than the whole number, and changes nothing where there is none', () => {
    expect(stepDefinition(notebook('{ a: 1.0 }'))).not.toEqual(stepDefinition(notebook('{ a: 1 }')));
    expect(Object.entries(stepDefinition(notebook('{ a: 1 }')) ?? {})).toContainEqual(['floats', undefined]);
  });

  test('is one in a matrix, and a task of its own beside the whole number', () => {
    const tasks = tasksOf(stepOf('{ run: train, matrix: { lr: [1, 1.0] }, seeds: { parameter: seed, values: [7] } }'));
    expect(tasks.map(({ title }) => title)).toEqual(['lr=1, seed=7', 'lr=1.0, seed=7']);
    expect(tasks.map(({ combination }) => combination)).toEqual(['lr=1', 'lr=1.0']);
    expect(tasks.map(exportLines)).toEqual(['export lr=1\nexport seed=7\n', 'export lr=1.0\nexport seed=7\n']);
    expect(new Set(tasks.map(taskKey)).size).toBe(2);
  });
});
