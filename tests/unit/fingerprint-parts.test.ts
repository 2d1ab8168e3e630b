import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asFingerprint, asOid, asSha256 } from '../../lib/base/ids.ts';
import { dataSet } from '../../lib/fingerprint/data-set.ts';
import { explainDifference } from '../../lib/fingerprint/differences.ts';
import { environmentInputs } from '../../lib/fingerprint/environment.ts';
import { formatLock } from '../../lib/fingerprint/environment-lock.ts';
import { selection } from '../../lib/fingerprint/glob.ts';
import { readManifest } from '../../lib/fingerprint/manifests.ts';
import * as mentions from '../../lib/fingerprint/mentions.ts';
import { readRecord, recordCommit } from '../../lib/fingerprint/records.ts';
import { selectCode } from '../../lib/fingerprint/select-code.ts';
import type { Fingerprinted, Inputs } from '../../lib/fingerprint/types.ts';
import { configOf } from '../rig/fingerprint.ts';

const oid = asOid('1'.repeat(40));
const hex = (digit: string) => digit.repeat(64);

describe('globs', () => {
  test.each([
    [['**'], 'a/.b/c', true],
    [['src'], 'src/deep/a.py', true],
    [['./src/'], 'src/a.py', true],
    [['src'], 'src2/a.py', false],
    [['*.py'], 'a.py', true],
    [['*.py'], 'deep/a.py', false],
    [['**', '!notebooks/**'], 'notebooks/a.ipynb', false],
    [['**', '!notebooks'], 'notebooks/a.ipynb', false],
    [['**', '!notebooks/**', 'notebooks/train.ipynb'], 'notebooks/train.ipynb', true],
    [['!**'], 'a.py', false],
    [['src/{a,b}.py'], 'src/b.py', true],
  ])('%j selects %s: %s', (patterns, path, expected) => {
    expect(selection(patterns)(path)).toBe(expected);
  });
});

describe('which files of the tree are code', () => {
  const select = (code: string, paths: readonly string[], run = 'python train.py') => {
    const config = configOf(`version: 1\ncode: ${code}\nenvironment: none\nsteps:\n  - run: ${run}\n`);
    const tree = paths.map((path) => ({ path, mode: '100644' as const, oid }));
    const { counted, documentation, readmes } = selectCode(config, tree, () => false);
    const names = (entries: readonly { path: string }[]) => entries.map((entry) => entry.path);
    return { counted: names(counted), documentation: names(documentation), readmes: names(readmes) };
  };
  test.each([
    ['.gitignore', 'not'],
    ['deep/.gitattributes', 'not'],
    ['.github/workflows/ci.yml', 'not'],
    ['.gitlab-ci.yml', 'not'],
    ['.husky/pre-push', 'not'],
    ['.vscode/settings.json', 'not'],
    ['LICENSE', 'not'],
    ['LICENSE.txt', 'not'],
    ['sub/COPYING', 'not'],
    ['CHANGELOG.md', 'not'],
    ['CITATION.cff', 'not'],
    ['.mlops/config.yaml', 'not'],
    ['.mlops/templates/report.md.hbs', 'not'],
    ['.mlops/data.lock', 'not'],
    ['.mlops/templates/job.sh.hbs', 'counted'],
    ['.mlops/templates/env-conda.sh.hbs', 'counted'],
    ['train.py', 'counted'],
    ['data.csv', 'counted'],
    ['notice.py', 'counted'],
    ['license_plates.csv', 'counted'],
    ['license_plates.txt', 'counted'],
    ['readme_words.csv', 'counted'],
    ['LICENSE-MIT', 'not'],
    ['LICENSE_APACHE.txt', 'not'],
    ['license', 'not'],
    ['README.zh-CN.md', 'readmes'],
    ['Makefile', 'counted'],
    ['pyproject.toml', 'counted'],
    ['notes.md', 'documentation'],
    ['deep/x.rst', 'documentation'],
    ['docs/conf.py', 'documentation'],
    ['doc/a.png', 'documentation'],
    ['src/docs/a.py', 'counted'],
    ['README.md', 'readmes'],
    ['README', 'readmes'],
    ['sub/readme.rst', 'readmes'],
  ] as const)('%s: %s', (path, expected) => {
    const selected = select('["**"]', [path]);
    const where = Object.entries(selected).find(([, paths]) => paths.includes(path))?.[0] ?? 'not';
    expect(where).toBe(expected);
  });

  test('a pattern that names documentation means it', () => {
    const paths = ['prompts/a.md', 'notes.md', 'docs/b.md'];
    expect(select('["**", "prompts/*.md"]', paths).counted).toEqual(['prompts/a.md']);
    expect(select('["**", "prompts/*.{txt,md}"]', paths).counted).toEqual(['prompts/a.md']);
    expect(select('["**", "docs/**"]', paths).counted).toEqual(['docs/b.md']);
    expect(select('["**", "LICENSE"]', ['LICENSE']).counted).toEqual(['LICENSE']);
  });

  test('what a step names counts, whatever the patterns select', () => {
    expect(select('["src/**"]', ['src/a.py', 'train.py', 'other.py']).counted).toEqual(['src/a.py', 'train.py']);
    expect(select('["src/**"]', ['go.sh'], '"./go.sh && echo"').counted).toEqual(['go.sh']);
  });
});

describe('mentions', () => {
  // Every character of ASCII that is neither a letter nor a digit nor the end of a name.
  test.each([...' !"#$%&\'()*+,-;<=>?@[\\]^_`{|}~'])('find a file with %s in its name and its folder', (character) => {
    const path = `a${character}b/c${character}d.m${character}d`;
    const text = `"${path}"`;
    expect(mentions.mentionsName(text, path)).toBe(true);
    expect(mentions.mentionsStem(text, path)).toBe(true);
    expect(mentions.mentionsFolder(text, path)).toBe(true);
    expect(mentions.mentionsExtension(`*.m${character}d`, path)).toBe(true);
    expect(mentions.mentionsName('"ab/cd.md"', path)).toBe(false);
    expect(mentions.mentionsQuoted(`"c${character}d.m${character}d"`, path)).toBe(true);
  });

  const doc = (text: string, path: string) =>
    mentions.mentionsName(text, path) || mentions.mentionsExtension(text, path) || mentions.mentionsFolder(text, path);
  test.each([
    ['open("prompts/system.md")', 'prompts/system.md', true],
    ['cat prompts/system.md', 'prompts/system.md', true],
    ['Path(".").glob("*.md")', 'notes.md', true],
    ['open(f"prompts/{name}.md")', 'prompts/system.md', true],
    ['open("prompts/%s.md" % name)', 'prompts/system.md', true],
    ['p.suffix == ".md"', 'notes.md', true],
    ['os.listdir("prompts")', 'prompts/system.md', true],
    ['os.listdir("prompts/")', 'prompts/system.md', true],
    ['result["docs"]', 'docs/guide.md', false],
    ['open("docs/x")', 'docs/guide.md', true],
    ['open("my_notes.md")', 'notes.md', false],
    ['x.mdx', 'notes.md', false],
    ['prompts = 1', 'prompts/system.md', false],
    ['obj.md = 3', 'notes.md', false],
    ['(a).md', 'notes.md', false],
  ])('%s mentions %s: %s', (text, path, expected) => {
    expect(doc(text, path)).toBe(expected);
  });

  test.each([
    ['open("README.md")', true],
    ["Path('./README.md')", true],
    ['"""See README.md for usage."""', false],
    ['# README.md', false],
  ])('%s reads the README: %s', (text, expected) => {
    expect(mentions.mentionsQuoted(text, 'README.md')).toBe(expected);
  });

  test.each([
    ['import evaluate', true],
    ['from pkg.evaluate import f', true],
    ['%run evaluate.ipynb', true],
    ['subprocess.run(["python", "evaluate.py"])', true],
    ['importlib.import_module("evaluate")', true],
    ['model.evaluate(x)', false],
    ['def evaluate (x):', false],
    ['re_evaluate = 1', false],
    ['evaluated', false],
  ])('%s could use evaluate.py: %s', (text, expected) => {
    expect(mentions.mentionsStem(text, 'steps/evaluate.py')).toBe(expected);
  });
});

describe('the environment by its meaning', () => {
  const inputs = async (environment: string, files: Readonly<Record<string, string>>) => {
    const config = configOf(`version: 1\nenvironment: ${environment}\nsteps:\n  - run: "true"\n`);
    return environmentInputs(config, async (path) => files[path]);
  };
  const same = async (environment: string, a: Record<string, string>, b: Record<string, string>) => {
    const [one, other] = [await inputs(environment, a), await inputs(environment, b)];
    if (!one.ok || !other.ok) throw new Error(JSON.stringify([one, other]));
    return JSON.stringify(one.value.specification) === JSON.stringify(other.value.specification);
  };
  const conda = (text: string) => ({ 'environment.yml': text });
  test.each([
    ['a comment', 'dependencies: [a, b] # why\n', true],
    ['block style', 'dependencies:\n  - a\n  - b\n', true],
    ['a name and a prefix', 'name: x\nprefix: /y\ndependencies: [a, b]\n', true],
    ['Windows line ends', 'dependencies:\r\n  - a\r\n  - b\r\n', true],
    ['another order', 'dependencies: [b, a]\n', false],
    ['a channel', 'channels: [x]\ndependencies: [a, b]\n', false],
    ['a version', 'dependencies: [a=1, b]\n', false],
  ])('conda, %s: the same is %j', async (_, text, expected) => {
    expect(await same('{ conda: environment.yml }', conda('dependencies: [a, b]\n'), conda(text))).toBe(expected);
  });

  const explicit = '# lock\n@EXPLICIT\nhttps://c/a-1.conda#0\n# pip: six==1\n';
  test.each([
    ['other comments and line ends', '@EXPLICIT\r\n\r\nhttps://c/a-1.conda#0\r\n# pip: six==1\r\n', true],
    ['another package', '@EXPLICIT\nhttps://c/a-2.conda#0\n# pip: six==1\n', false],
    ['another package of pip', '@EXPLICIT\nhttps://c/a-1.conda#0\n# pip: six==2\n', false],
  ])('an explicit list of conda, %s: the same is %j', async (_, text, expected) => {
    expect(await same('{ conda: environment.yml }', conda(explicit), conda(text))).toBe(expected);
  });

  const base = { 'requirements.txt': 'numpy==1\n-r more.txt\n', 'more.txt': 'pandas\n' };
  test.each([
    ['comments and blank lines', { ...base, 'requirements.txt': '# top\n\nnumpy==1  # why\n-r more.txt' }, true],
    ['a comment in an included file', { ...base, 'more.txt': '# x\npandas   \n' }, true],
    [
      'an included file under another name',
      { 'requirements.txt': 'numpy==1\n--requirement=b.txt', 'b.txt': 'pandas' },
      true,
    ],
    ['a line that goes on', { ...base, 'requirements.txt': 'numpy\\\n==1\n-r more.txt\n' }, true],
    ['a version in an included file', { ...base, 'more.txt': 'pandas==2\n' }, false],
    ['constraints instead of requirements', { ...base, 'requirements.txt': 'numpy==1\n-c more.txt\n' }, false],
    ['a fragment that is no comment', { ...base, 'requirements.txt': 'numpy==1#x\n-r more.txt\n' }, false],
  ])('venv, %s: the same is %j', async (_, files, expected) => {
    expect(await same('{ venv: requirements.txt }', base, files)).toBe(expected);
  });

  test.each([
    [
      'a conda file that is not in the commit',
      '{ conda: environment.yml }',
      {},
      { reason: 'environment-missing', path: 'environment.yml' },
    ],
    [
      'a conda file that is no YAML',
      '{ conda: environment.yml }',
      conda('a: [\n'),
      { reason: 'environment-unreadable' },
    ],
    ['a conda file that is a list', '{ conda: environment.yml }', conda('- a\n'), { reason: 'environment-unreadable' }],
    [
      'an include that is missing',
      '{ venv: a/r.txt }',
      { 'a/r.txt': '-r ../b.txt' },
      { reason: 'environment-missing', path: 'b.txt', includedBy: 'a/r.txt' },
    ],
    ['an include in a circle', '{ venv: r.txt }', { 'r.txt': '-r r.txt' }, { reason: 'include-loop', path: 'r.txt' }],
    [
      'a file that conda gives to pip and that is missing',
      '{ conda: environment.yml }',
      conda('dependencies: [{ pip: [-r r.txt] }]'),
      { reason: 'environment-missing', path: 'r.txt' },
    ],
    ['a lock file that is missing', '{ uv: uv.lock }', {}, { reason: 'environment-missing', path: 'uv.lock' }],
  ])('%s is named', async (_, environment, files, error) => {
    expect(await inputs(environment, files)).toMatchObject({ ok: false, error });
  });

  describe('that is locked', () => {
    const asked = { 'r.txt': 'numpy\npandas>=2 # why\n' };
    const locked = async (files: Readonly<Record<string, string>>) =>
      inputs('{ venv: r.txt, lock: .mlops/environment.lock }', files);
    const lock = async () => {
      const unlocked = await inputs('{ venv: r.txt }', asked);
      if (!unlocked.ok) throw new Error(JSON.stringify(unlocked));
      return formatLock(
        '# mlops lock 1: Python 3.11.2, linux x86_64\nnumpy==2.1\npandas==2.2\n',
        unlocked.value.specification,
      );
    };

    test('is what the lock says; neither file counts as code', async () => {
      expect(await locked({ ...asked, '.mlops/environment.lock': await lock() })).toEqual({
        ok: true,
        value: {
          specification: { kind: 'venv', requirements: ['numpy==2.1', 'pandas==2.2'] },
          files: ['.mlops/environment.lock', 'r.txt'],
        },
      });
    });

    test('is the same whatever comments come to the specification', async () => {
      const files = { 'r.txt': '# more\nnumpy\n\npandas>=2\n', '.mlops/environment.lock': await lock() };
      expect(await locked(files)).toMatchObject({ ok: true });
    });

    test('and whose specification has changed since is refused, with what has', async () => {
      const files = { 'r.txt': 'numpy<2\nscipy\n', '.mlops/environment.lock': await lock() };
      expect(await locked(files)).toMatchObject({
        ok: false,
        error: {
          reason: 'lock-drift',
          changes: [
            { kind: 'changed', where: 'requirements', before: 'numpy', after: 'numpy<2' },
            { kind: 'removed', before: 'pandas>=2' },
            { kind: 'added', after: 'scipy' },
          ],
        },
      });
    });

    test('and whose lock nobody has written yet is told so', async () => {
      expect(await locked(asked)).toMatchObject({ error: { reason: 'lock-missing', path: '.mlops/environment.lock' } });
    });

    test('by a list of conda packages is that list', async () => {
      const files = { l: '@EXPLICIT\nhttps://x/numpy-2.conda#0\n' };
      expect(await inputs('{ packages: [numpy], lock: l }', files)).toMatchObject({
        value: { specification: { kind: 'conda', conda: { explicit: ['@EXPLICIT', 'https://x/numpy-2.conda#0'] } } },
      });
    });

    test('with a damaged first line is refused rather than believed', async () => {
      const files = { ...asked, '.mlops/environment.lock': '# made for {"kind":\nnumpy==2.1\n' };
      expect(await locked(files)).toMatchObject({ error: { reason: 'lock-drift', changes: [{ kind: 'changed' }] } });
    });
  });

  test('another Python is another environment', async () => {
    const files = { 'r.txt': 'numpy' };
    expect(await inputs('{ venv: r.txt, python: "3.11" }', files)).toMatchObject({
      value: { specification: { kind: 'venv', requirements: ['numpy'], python: '3.11' } },
    });
  });

  test('the files that it read count here and not as code', async () => {
    const files = { 'e.yml': 'dependencies: [a, { pip: [-r r.txt, x] }]', 'r.txt': 'numpy' };
    expect(await inputs('{ conda: e.yml }', files)).toMatchObject({ ok: true, value: { files: ['e.yml', 'r.txt'] } });
  });
});

describe('records', () => {
  let stateDir: string;
  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), 'mlops-records-'));
  });
  afterEach(() => rmSync(stateDir, { recursive: true }));

  const files = [{ path: 'data/a', sha256: asSha256(hex('a')), size: 3, source: { kind: 'blob' as const, oid } }];
  const set = dataSet(files, true);
  const fingerprinted: Fingerprinted = {
    fingerprint: asFingerprint(hex('f')),
    inputs: { format: 1, code: {}, data: { data: set }, environment: null, env: {}, steps: [] },
    data: { data: files },
  };
  const record = () => recordCommit({ stateDir }, oid, fingerprinted, new Date(0), 'Ada <ada@example.org>');
  const recordPath = () => join(stateDir, 'records/11', `${oid}.json`);
  const manifestPath = () => join(stateDir, 'manifests', set.hash.slice(0, 2), `${set.hash}.json`);

  test('a commit’s record and its manifest are read back', () => {
    const written = record();
    expect(written).toMatchObject({ ok: true, value: { recordedAt: '1970-01-01T00:00:00.000Z', data: { data: set } } });
    expect(readRecord({ stateDir }, oid)).toEqual(written);
    expect(readManifest(stateDir, set.hash)).toEqual({ ok: true, value: files });
  });

  test('what was never recorded is absent', () => {
    expect(readRecord({ stateDir }, oid)).toMatchObject({ ok: false, error: { reason: 'absent' } });
    expect(readManifest(stateDir, set.hash)).toMatchObject({ ok: false, error: { reason: 'absent' } });
  });

  test.each([
    ['cut short', (text: string) => text.slice(0, 40), 'damaged'],
    ['empty', () => '', 'damaged'],
    [
      'with another number in it',
      (text: string) => text.replace(/"(bytes|size)":3|,3,/, (m) => m.replace('3', '4')).replace(/a{64}/, hex('b')),
      'damaged',
    ],
    ['of another version', (text: string) => text.replace('"version":1', '"version":2'), 'foreign'],
  ])('a file %s is a named problem', (_, damage, reason) => {
    record();
    for (const path of [recordPath(), manifestPath()]) writeFileSync(path, damage(readFileSync(path, 'utf8')));
    expect(readRecord({ stateDir }, oid)).toMatchObject({ ok: false, error: { reason, path: recordPath() } });
    expect(readManifest(stateDir, set.hash)).toMatchObject({ ok: false, error: { reason, path: manifestPath() } });
  });

  test('a state folder that cannot be written is a named problem', () => {
    const occupied = join(stateDir, 'file');
    writeFileSync(occupied, '');
    const done = recordCommit({ stateDir: occupied }, oid, fingerprinted, new Date(0), 'Ada');
    expect(done).toMatchObject({ ok: false, error: { reason: 'not-writable' } });
  });
});

describe('why two fingerprints differ', () => {
  const step = (definition: object) => ({
    definition: { ...definition },
    without: ['b.py'],
    fingerprint: asFingerprint(hex('0')),
  });
  const base: Inputs = {
    format: 1,
    code: {
      'a.ipynb': { kind: 'notebook', meaning: asSha256(hex('a')) },
      'b.py': { kind: 'blob', oid, mode: '100644' },
    },
    data: { data: { hash: asSha256(hex('d')), files: 1, bytes: 2, writable: false } },
    environment: { kind: 'none' },
    env: { A: '1' },
    steps: [
      step({ kind: 'notebook', notebook: 'a.ipynb', parameters: { k: 1, l: 2 }, metrics: { expressions: { m: 'x' } } }),
    ],
  };
  const other = asSha256(hex('e'));
  test.each<readonly [string, Partial<Inputs>, readonly object[]]>([
    ['nothing', {}, []],
    ['sizes alone, which do not count', { data: { data: { ...base.data.data, bytes: 9 } as never } }, []],
    [
      'a notebook',
      { code: { ...base.code, 'a.ipynb': { kind: 'notebook', meaning: other } } },
      [{ kind: 'notebook', path: 'a.ipynb' }],
    ],
    [
      'a file that is gone',
      { code: { 'a.ipynb': base.code['a.ipynb'] as never } },
      [{ kind: 'code', path: 'b.py', before: { kind: 'blob' } }],
    ],
    [
      'data',
      { data: { data: { hash: other, files: 1, bytes: 2, writable: false } } },
      [{ kind: 'data', entry: 'data', after: { hash: other } }],
    ],
    ['a variable', { env: {} }, [{ kind: 'env', name: 'A', before: '1' }]],
    ['setup', { setup: 'x' }, [{ kind: 'setup', after: 'x' }]],
    [
      'a parameter',
      {
        steps: [
          step({
            kind: 'notebook',
            notebook: 'a.ipynb',
            parameters: { k: 3, l: 2 },
            metrics: { expressions: { m: 'x' } },
          }),
        ],
      },
      [{ kind: 'parameter', step: 0, name: 'k', before: 1, after: 3 }],
    ],
    [
      'an expression',
      {
        steps: [
          step({
            kind: 'notebook',
            notebook: 'a.ipynb',
            parameters: { k: 1, l: 2 },
            metrics: { expressions: { m: 'y' } },
          }),
        ],
      },
      [{ kind: 'metric', step: 0, name: 'm', before: 'x', after: 'y' }],
    ],
    [
      'a new step',
      { steps: [...base.steps, step({ kind: 'run', run: 'x' })] },
      [{ kind: 'step', step: 1, name: '', after: { kind: 'run', run: 'x' } }],
    ],
    ['a step that is gone', { steps: [] }, [{ kind: 'step', step: 0, name: '' }]],
    [
      'a file that now counts for a step',
      { steps: base.steps.map((one) => ({ ...one, without: [] })) },
      [{ kind: 'scope', step: 0, path: 'b.py', counts: true }],
    ],
    ['the computation', { computation: 2 }, [{ kind: 'computation', before: 1, after: 2 }]],
  ])('%s', (_, change, changes) => {
    expect(explainDifference(base, { ...base, ...change })).toMatchObject(changes);
    expect(explainDifference(base, { ...base, ...change })).toHaveLength(changes.length);
  });
});
