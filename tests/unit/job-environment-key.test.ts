import { describe, expect, test } from '@jest/globals';
import { asFingerprint, asOid } from '../../lib/base/ids.ts';
import type { Config, Environment } from '../../lib/config/types.ts';
import type { CodeFile } from '../../lib/fingerprint/types.ts';
import { planJob } from '../../lib/job/plan.ts';
import type { PlanRequest } from '../../lib/job/types.ts';
import { baseConfig, runStep } from '../rig/job.ts';

const blob = (digit: string): CodeFile => ({ kind: 'blob', mode: '100644', oid: asOid(digit.repeat(40)) });
interface Given extends Partial<PlanRequest> {
  readonly code?: Readonly<Record<string, CodeFile>>;
  readonly requirements?: readonly string[];
}
/** The key of an environment in a commit with these files. */
function keyOf(environment: Environment, { code = {}, requirements = ['numpy'], ...more }: Given = {}): string {
  const config: Config = { ...baseConfig, environment, steps: [runStep('true')] };
  const fingerprint = asFingerprint('a'.repeat(64));
  const definition = { definition: null, without: [], fingerprint };
  const inputs = { format: 1, code, data: {}, environment: { requirements }, env: {}, steps: [definition] } as const;
  const tree =
    'file' in environment ? [{ path: environment.file, mode: '100644' as const, oid: asOid('f'.repeat(40)) }] : [];
  const planned = planJob({
    config,
    fingerprinted: { fingerprint, inputs, data: {} },
    tree,
    notebooks: new Map(),
    secrets: {},
    driver: '',
    ...more,
  });
  if (!planned.ok) throw new Error(JSON.stringify(planned.error));
  return planned.value.environmentKey ?? '';
}
const venv: Environment = { kind: 'venv', file: 'requirements.txt', buildOn: 'job' };
const uv: Environment = { kind: 'uv', file: 'sub/uv.lock', buildOn: 'job' };

describe('the key of an environment', () => {
  test('is the same whatever it is called, wherever it is built, and whatever the code is', () => {
    const key = keyOf(venv);
    expect(key).toMatch(/^[0-9a-f]{24}$/);
    expect(keyOf({ ...venv, name: 'mlops', buildOn: 'login' })).toBe(key);
    expect(keyOf(venv, { code: { 'train.py': blob('1'), 'wheels/a-1-py3-none-any.whl': blob('2') } })).toBe(key);
  });

  test('is another one with another manager', () => {
    expect(keyOf({ ...venv, manager: '/opt/uv/bin/uv' })).not.toBe(keyOf(venv));
  });

  test('is another one where it is packed', () => {
    expect(keyOf({ ...venv, packed: true })).not.toBe(keyOf(venv));
  });

  test('is another one with another template of the repository that builds it', () => {
    const own = (digit: string) => keyOf(venv, { code: { '.mlops/templates/env-venv.sh.hbs': blob(digit) } });
    expect(new Set([own('1'), own('2'), keyOf(venv)]).size).toBe(3);
  });

  test('is another one with other wheels, where packages are looked for in a folder', () => {
    const wheels = (digit: string, ...requirements: string[]) =>
      keyOf(venv, { requirements, code: { 'wheels/a-1-py3-none-any.whl': blob(digit), 'train.py': blob(digit) } });
    for (const option of ['--find-links wheels', '-f ./wheels', '--find-links=file:wheels'])
      expect(wheels('1', option, 'a')).not.toBe(wheels('2', option, 'a'));
    expect(wheels('1', '--find-links https://example.org/wheels', 'a')).toBe(
      wheels('2', '--find-links https://example.org/wheels', 'a'),
    );
  });

  test('is another one with another .python-version or uv.toml beside the lock, which uv reads', () => {
    for (const name of ['.python-version', 'uv.toml']) {
      const at = (folder: string, digit: string) => keyOf(uv, { code: { [`${folder}${name}`]: blob(digit) } });
      expect(at('sub/', '1')).not.toBe(at('sub/', '2'));
      expect(at('', '1')).toBe(at('', '2'));
    }
  });

  test.each([
    ['editable = "../pkg"', true],
    ['directory = "pkg"', true],
    ['path = "wheels/a.whl"', true],
    ['editable = "."', false],
    ['virtual = "pkg"', false],
    ['registry = "https://example.org/simple"', false],
  ])('of a uv.lock with { %s } is another one for other code: %j', (source, counts) => {
    const uvLock = `[[package]]\nname = "a"\nsource = { ${source} }\n`;
    const at = (digit: string) => keyOf(uv, { uvLock, code: { 'pkg/a.py': blob(digit) } });
    expect(at('1') !== at('2')).toBe(counts);
  });
});
