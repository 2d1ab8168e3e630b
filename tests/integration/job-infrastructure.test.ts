import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { knownVerdict } from '../../lib/gate/known.ts';
import { infrastructureRule } from '../../lib/job/infrastructure.ts';
import { parseStep } from '../../lib/job/parse-step.ts';
import { pythonEnvironment } from '../rig/python.ts';
import { fingerprint, sampleReport } from '../rig/sample-report.ts';

interface Case {
  readonly name: string;
  readonly expected: 'error' | 'fail';
  readonly exception: string;
  readonly message: string;
}

const checkout = join(import.meta.dirname, '../..');
let cases: readonly Case[];
beforeAll(async () => {
  const python = `${await pythonEnvironment()}/bin/python`;
  const { stdout } = await promisify(execFile)(python, [join(checkout, 'tests/corpus/exceptions.py')]);
  const found = JSON.parse(stdout) as Record<string, Omit<Case, 'name'>>;
  cases = Object.entries(found).map(([name, rest]) => ({ name, ...rest }));
}, 300_000);

/** What becomes of a notebook whose second cell raised it. */
async function reportOf({ exception, message }: Case) {
  const ids = { run: fingerprint, attempt: '1', nonce: 'n' };
  const written = { version: 1, ...ids, outcome: 'raised', cell: 2, cells: 3, sentinel: true, exception, message };
  const files = new Map([
    ['result/step-1', 'version=1\noutcome=failed\nexit=1\nseconds=1\n'],
    ['result/step-1.json', JSON.stringify(written)],
  ]);
  const step = { index: 1, name: 'a.ipynb', kind: 'notebook' as const, expressions: { rprec: 'rprec' } };
  const { result, metrics } = await parseStep({
    step,
    run: fingerprint,
    attempt: 1,
    linked: [],
    read: (path) => files.get(path),
  });
  if (result === undefined) throw new Error('no result');
  const job = { id: '7', how: 'failed', word: 'FAILED', exitCode: 1 };
  return sampleReport({ run: { job, steps: [result], metrics } });
}

describe('exceptions that Python really raises', () => {
  test('are an error where they are the infrastructure’s, a fail where they are the code’s', async () => {
    const seen = await Promise.all(cases.map(async (of) => [of.name, (await reportOf(of)).verdict?.kind]));
    expect(seen).toEqual(cases.map(({ name, expected }) => [name, expected]));
    const expected = cases.map((of) => of.expected);
    expect(expected.filter((verdict) => verdict === 'error').length).toBeGreaterThanOrEqual(15);
    expect(expected.filter((verdict) => verdict === 'fail').length).toBeGreaterThanOrEqual(15);
  });

  test('are known to the next push only where they are the code’s', async () => {
    for (const of of cases) {
      const known = knownVerdict([await reportOf(of)]);
      expect([of.name, known?.verdict?.kind]).toEqual([of.name, of.expected === 'fail' ? 'fail' : undefined]);
    }
  });

  test('are in docs/notebooks.md as they are judged', async () => {
    const path = join(checkout, 'docs/notebooks.md');
    const rows = await Promise.all(
      cases.map(async (of) => {
        const rule = infrastructureRule(of)?.name ?? '';
        return `| ${of.name} | \`${of.exception}\` | ${of.expected} | ${(await reportOf(of)).verdict?.kind} | ${rule} |\n`;
      }),
    );
    const table = `| what was raised | class | expected | seen | rule |\n|---|---|---|---|---|\n${rows.join('')}`;
    const [start, end] = ['<!-- exceptions -->\n', '<!-- /exceptions -->'];
    let text = await readFile(path, 'utf8');
    const [from, to] = [text.indexOf(start) + start.length, text.indexOf(end)];
    if (process.env.UPDATE_DOCS === '1') {
      text = text.slice(0, from) + table + text.slice(to);
      await writeFile(path, text);
    }
    expect(text).toContain(`${start}${table}${end}`);
  });
});
