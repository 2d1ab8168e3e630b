import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asSha256 } from '../../lib/base/ids.ts';
import type { Config } from '../../lib/config/types.ts';
import type { Pin } from '../../lib/fingerprint/types.ts';
import { renderShell } from '../../lib/job/render.ts';
import { readTemplates } from '../../lib/job/templates.ts';
import { pythonImage } from '../rig/image.ts';
import { expressions, notebookOf, notebookStep, runStep, type Scene, templatesFolder, Workdir } from '../rig/job.ts';
import { describeWith, findProgram, program, type Requirement } from '../rig/requirements.ts';

const pinOf = (as: string, cluster: string, listing: string): Pin => {
  const hash = asSha256(createHash('sha256').update(listing).digest('hex'));
  return { as, cluster, how: 'stat', hash, listing: hash, files: 1, bytes: 1, pinnedAt: '2026-11-24T09:00:00Z' };
};

const debianPython: Requirement = {
  name: "Debian's Python",
  missing: () =>
    existsSync('/usr/bin/python3') && existsSync('/usr/share/python-wheels')
      ? undefined
      : 'no /usr/bin/python3 with python3-venv, which the image is made of',
};
const exec = promisify(execFile);
let workdir: Workdir;
beforeAll(async () => {
  workdir = await Workdir.make();
});
afterAll(async () => workdir[Symbol.asyncDispose]());
const container = (image: string): Config['environment'] => ({ kind: 'container', image, buildOn: 'job' });
const scene = (image: string, line: string, more: Partial<Scene> = {}): Scene => ({
  ...more,
  config: { environment: container(image), steps: [runStep(line)], ...more.config },
});

describeWith(
  [program('ch-run', 'charliecloud'), program('mksquashfs', 'squashfs-tools'), debianPython],
  'a container through Charliecloud',
  () => {
    let image: string;
    beforeAll(async () => {
      image = await pythonImage();
    }, 60_000);
    afterAll(async () => rm(image, { recursive: true, force: true }));

    test('runs a line in the image, in the commit’s tree, with its results outside', async () => {
      await writeFile(join(image, 'only-here'), 'in the image\n');
      const { result, log, folder } = await workdir.run(
        scene(image, 'cat /only-here a.txt >"$MLOPS_OUT/words.txt"; [ ! -e /usr/bin/git ]; echo "home $HOME"', {
          files: { 'a.txt': 'in the tree\n' },
        }),
      );
      expect(result.preparation).toBeUndefined();
      expect([result.steps, log]).toMatchObject([
        [{ outcome: 'passed' }],
        expect.stringMatching(/^home .*\/tmp\/.*\/home$/m),
      ]);
      expect(await readFile(join(folder, 'out/words.txt'), 'utf8')).toBe('in the image\nin the tree\n');
    });

    test('opens a shell in the image, where the run ran, and leaves the attempt as it was', async () => {
      await writeFile(join(image, 'for-the-shell'), 'in the image\n');
      const { folder, plan } = await workdir.run(
        scene(image, 'echo left >"$MLOPS_OUT/left.txt"', { files: { 'a.txt': 'in the tree\n' } }),
      );
      const script = await renderShell(plan.view, await readTemplates(templatesFolder));
      await writeFile(join(folder, 'shell.sh'), script.ok ? script.value : script.error.detail);
      const before = (await readdir(folder)).sort();
      const shell = exec('sh', ['shell.sh'], { cwd: folder, env: { PATH: process.env.PATH, HOME: workdir.home } });
      shell.child.stdin?.end('cat /for-the-shell a.txt "$MLOPS_OUT/left.txt"; exit 0\n');
      expect((await shell).stdout).toContain('in the image\nin the tree\nleft\n');
      expect((await readdir(folder)).sort()).toEqual(before);
    });

    test('sees data that is on the machine already at its own path, also below a folder that the image has', async () => {
      const there = join(workdir.folder, '..', 'data sets');
      await mkdir(there);
      await writeFile(join(there, 'a.csv'), 'there\n');
      await utimes(join(there, 'a.csv'), 100, 100);
      await mkdir(join(image, 'opt/of-the-image'), { recursive: true });
      const opt = await mkdtemp('/opt/mlops-data-');
      try {
        await writeFile(join(opt, 'b.csv'), 'below opt\n');
        await utimes(join(opt, 'b.csv'), 100, 100);
        const { result, folder } = await workdir.run(
          scene(image, 'cat data/a/a.csv data/b.csv >"$MLOPS_OUT/words"; echo /opt/* >>"$MLOPS_OUT/words"', {
            pins: {
              'data/a': pinOf('data/a', there, '6 100 a.csv\n'),
              'data/b.csv': pinOf('data/b.csv', join(opt, 'b.csv'), '10 100 .\n'),
            },
          }),
        );
        expect([result.preparation, result.steps]).toMatchObject([undefined, [{ outcome: 'passed' }]]);
        const words = await readFile(join(folder, 'out/words'), 'utf8');
        expect(words).toBe(`there\nbelow opt\n${opt} /opt/of-the-image\n`);
      } finally {
        await rm(opt, { recursive: true });
      }
    });

    test('runs a notebook: what that needs is put beside the image, and recorded as added', async () => {
      const one = scene(image, '', {
        files: { 'a.ipynb': notebookOf(['import sys\nplace = sys.prefix\nbase = sys.base_prefix']) },
        config: { steps: [notebookStep('a.ipynb', expressions({ place: 'place', base: 'base' }))] },
      });
      const first = await workdir.run(one);
      const prefix = join(workdir.folder, 'envs', first.plan.environmentKey ?? '', 'env');
      expect(first.result.preparation).toBeUndefined();
      expect(first.result.metrics).toMatchObject({ place: { shown: `'${prefix}'` }, base: { shown: "'/usr'" } });
      expect(first.result.findings).toContainEqual(expect.objectContaining({ name: 'environment-added' }));
      const second = await workdir.run(one);
      expect(second.log).not.toContain('environment built');
      expect(second.result.metrics).toEqual(first.result.metrics);
      // Replaced by another one at the same path.
      await utimes(image, new Date(0), new Date(0));
      const third = await workdir.run(one);
      expect(third.log).toContain('environment built');
      expect(third.result.findings).toContainEqual(
        expect.objectContaining({ name: 'environment-changed', severity: 'warn' }),
      );
    }, 240_000);

    test.each([
      ['tar.gz', ['tar', '-C', '.', '-czf']],
      ['sqfs', ['mksquashfs', '.']],
    ])(
      'from a file *.%s is unpacked once, and again when its files were lost',
      async (ending, command) => {
        const file = join(workdir.folder, `packed.${ending}`);
        const [tool = '', ...args] = command;
        const rest = tool === 'tar' ? ['.'] : ['-quiet', '-no-progress'];
        await exec(tool, [...args, file, ...rest], { cwd: image });
        const first = await workdir.run(scene(file, '[ -e /usr/bin/python3 ]'));
        expect(first.result.preparation).toBeUndefined();
        expect([first.result.steps[0]?.outcome, first.log.includes('environment built')]).toEqual(['passed', true]);
        const second = await workdir.run(scene(file, 'echo again; [ -e /usr/bin/python3 ]'));
        expect([second.result.steps[0]?.outcome, second.log.includes('environment built')]).toEqual(['passed', false]);
        const unpacked = join(workdir.folder, 'envs', first.plan.environmentKey ?? '', 'image');
        await rm(join(unpacked, 'usr/bin/python3'));
        const third = await workdir.run(scene(file, 'echo third; [ -e /usr/bin/python3 ]'));
        expect([third.result.steps[0]?.outcome, third.log.includes('environment built')]).toEqual(['passed', true]);
      },
      120_000,
    );

    test('that needs Apptainer, or is not there, is named', async () => {
      const sif = join(workdir.folder, 'a.sif');
      await writeFile(sif, '');
      expect((await workdir.run(scene(sif, 'true'))).result.preparation).toMatchObject({
        reason: 'environment',
        detail: expect.stringContaining('a.sif is an image of Apptainer'),
      });
      const { result, folder } = await workdir.run(scene('image', 'true'));
      expect(result.preparation).toMatchObject({ detail: `there is no image ${folder}/tree/image` });
    });

    test('without a Python in the image is an error of the environment', async () => {
      await rm(join(image, 'usr/bin/python3'));
      const { result } = await workdir.run(scene(image, 'cat a'));
      expect(result.preparation).toMatchObject({ reason: 'environment' });
      expect(result.preparation?.detail).toContain(`no python3 and no python in ${image}`);
    });
  },
);

describe('a container through Apptainer (the command lines alone: a program of that name that writes them down)', () => {
  test('gets the workdir at its own path, an empty home, the GPUs that are asked for, and runs there', async () => {
    const tools = join(workdir.folder, 'apptainer tools');
    await mkdir(tools);
    const lines = join(workdir.folder, 'apptainer lines');
    // `exec OPTIONS IMAGE COMMAND…` runs the command on this machine, `pull FILE REFERENCE` makes an empty file.
    await writeFile(
      join(tools, 'apptainer'),
      `#!/bin/sh
printf '%s\\n' "$*" >>'${lines}'
case $1 in
--version) echo "apptainer version 1.3.4" ;;
pull) : >"$2" ;;
exec)
  shift
  while :; do
    case $1 in
    --nv) shift ;;
    --home | --bind) shift 2 ;;
    --pwd) cd "$2" && shift 2 ;;
    *) break ;;
    esac
  done
  shift
  exec "$@"
  ;;
esac
`,
    );
    await chmod(join(tools, 'apptainer'), 0o755);
    const { result, plan, folder } = await workdir.run(
      scene('docker://example.org/group/image:1', '', {
        path: tools,
        files: { 'a.txt': 'a' },
        config: { steps: [runStep('cat a.txt')], resources: { seconds: 60, gpus: 1 } },
      }),
    );
    expect(result.preparation).toBeUndefined();
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
    const key = join(workdir.folder, 'envs', plan.environmentKey ?? '');
    const inside = `sh -c PATH=$0:$PATH; export PATH; exec "$@" ${key}/env/bin`;
    const written = (await readFile(lines, 'utf8')).split('\n');
    expect(written[0]).toBe(`pull ${key}/image.sif docker://example.org/group/image:1`);
    expect(written.at(-2)).toMatch(/ cat a\.txt$/);
    const home = /--home (.*\/home) --bind/.exec(written.at(-2) ?? '')?.[1];
    expect(written.at(-2)).toBe(
      `exec --nv --home ${home} --bind ${workdir.folder} --pwd ${folder}/tree ${key}/image.sif /bin/${inside} sh -c cat a.txt`,
    );
  }, 60_000);
});

test('without anything that runs containers, what was looked for is named', async () => {
  const bare = join(workdir.folder, 'bare');
  await mkdir(bare);
  const needed = [
    'sh',
    'cat',
    'date',
    'mkdir',
    'rm',
    'mv',
    'sed',
    'uname',
    'sort',
    'uniq',
    'tr',
    'tail',
    'head',
    'cut',
    'id',
    'grep',
    'find',
    'readlink',
    'ls',
    'awk',
    'touch',
    'wc',
    'cp',
  ];
  for (const name of needed) await symlink(findProgram(name) ?? `/bin/${name}`, join(bare, name));
  const { result } = await workdir.run(scene('docker://debian:12', 'true', { env: { PATH: bare } }));
  expect(result.preparation).toMatchObject({
    reason: 'environment',
    detail: expect.stringMatching(/^nothing that runs containers: looked for apptainer, singularity and ch-run/),
  });
});
