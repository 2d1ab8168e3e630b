import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  chown,
  lchown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { canonicalJson, type Json } from '../../lib/base/canonical-json.ts';
import { asFingerprint, asOid, asSha256 } from '../../lib/base/ids.ts';
import type { Config, Environment, Step } from '../../lib/config/types.ts';
import type { Fingerprinted, Pin } from '../../lib/fingerprint/types.ts';
import { parseResult } from '../../lib/job/parse-result.ts';
import { planJob } from '../../lib/job/plan.ts';
import { renderJob } from '../../lib/job/render.ts';
import { readTemplates } from '../../lib/job/templates.ts';
import type { JobPlan } from '../../lib/job/types.ts';
import type { RunResult } from '../../lib/verdict/types.ts';

export const templatesFolder = join(import.meta.dirname, '../../templates');
const sha = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');

export const baseConfig: Config = {
  version: 1,
  resources: { seconds: 3600 },
  code: ['**'],
  data: [],
  environment: { kind: 'none' },
  steps: [],
  require: {},
  artifacts: [],
  retry: { infrastructure: 0 },
  env: {},
  secrets: [],
  push: [],
  onCommit: 'record',
  publish: 'full',
  reports: 'mlops',
};

type Source =
  | string
  | { readonly source: string; readonly tags?: readonly string[]; readonly kind?: 'code' | 'markdown' };
/** A notebook of format 4 with these cells. */
export function notebookOf(cells: readonly Source[], metadata: Json = {}): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 4,
    metadata,
    cells: cells.map((cell) => {
      const { source, tags = [], kind = 'code' } = typeof cell === 'string' ? { source: cell } : cell;
      const common = { cell_type: kind, source, metadata: { tags } };
      return kind === 'code' ? { ...common, outputs: [], execution_count: null } : common;
    }),
  });
}

export const notebookStep = (notebook: string, more: Partial<Step & { kind: 'notebook' }> = {}): Step => ({
  kind: 'notebook',
  notebook,
  parameters: {},
  ...more,
});
export const runStep = (run: string, more: Partial<Step & { kind: 'run' }> = {}): Step => ({
  kind: 'run',
  run,
  ...more,
});
export const expressions = (of: Readonly<Record<string, string>>) => ({
  metrics: { kind: 'expressions' as const, expressions: of },
});

export interface Scene {
  readonly config: Partial<Config> & { readonly steps: readonly Step[] };
  /** The commit's files. */
  readonly files?: Readonly<Record<string, string>>;
  /** Data files, linked from the store. */
  readonly data?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  /** What the commit says of data that is on this machine already. */
  readonly pins?: Readonly<Record<string, Pin>>;
  /** The data is declared writable. */
  readonly writable?: boolean;
  /** The job is that of this user, in the group that the workdir is shared with (needs root); neither need have a name. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Put before PATH. */
  readonly path?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly result: RunResult;
  readonly log: string;
  readonly code: number | null;
  /** The attempt's folder. */
  readonly folder: string;
  readonly plan: JobPlan;
  readonly script: string;
}

/** A folder as it is on a cluster, in which attempts really run under a plain sh. */
export class Workdir implements AsyncDisposable {
  readonly folder: string;
  readonly home: string;
  private constructor(folder: string) {
    this.folder = folder;
    this.home = join(folder, '..', 'home');
  }

  static async make(): Promise<Workdir> {
    const top = await mkdtemp(join(tmpdir(), 'mlops-job-'));
    await mkdir(join(top, 'work dir'));
    await mkdir(join(top, 'home'));
    return new Workdir(join(top, 'work dir'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(dirname(this.folder), { recursive: true, force: true });
  }

  /** What would run, or why nothing does. */
  async plan(scene: Scene) {
    const config: Config = { ...baseConfig, ...scene.config };
    const fingerprinted = fingerprint(config, scene);
    const files = Object.entries(scene.files ?? {});
    const templates = await readTemplates(templatesFolder);
    const planned = planJob({
      config,
      fingerprinted,
      tree: files.map(([path, text]) => ({ path, mode: '100644', oid: asOid(sha(text).slice(0, 40)) })),
      notebooks: new Map(files),
      uvLock: config.environment.kind === 'uv' ? (scene.files?.[config.environment.file] ?? '') : '',
      secrets: scene.secrets ?? {},
      driver: templates['notebook.py'],
    });
    return { planned, fingerprinted, templates, files };
  }

  /** Lays the attempt out and gives what starts it. */
  async prepare(
    scene: Scene,
  ): Promise<{ folder: string; plan: JobPlan; script: string; fingerprinted: Fingerprinted }> {
    const { planned, fingerprinted, templates, files } = await this.plan(scene);
    if (!planned.ok) throw new Error(JSON.stringify(planned.error));
    const rendered = await renderJob(planned.value.view, templates);
    if (!rendered.ok) throw new Error(rendered.error.detail);
    const run = join(this.folder, 'runs', fingerprinted.fingerprint);
    const attempt = (await readdir(run).catch(() => [])).filter((name) => /^\d+$/.test(name)).length + 1;
    const folder = join(run, String(attempt));
    for (const part of ['tree', 'in']) await mkdir(join(folder, part), { recursive: true });
    const put = async (path: string, content: string) => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    };
    for (const [path, text] of files) await put(join(folder, 'tree', path), text);
    for (const [path, file] of planned.value.inputs) {
      await put(join(folder, 'in', path), file.content);
      await chmod(join(folder, 'in', path), file.mode);
    }
    for (const { path, sha256, how } of planned.value.data) {
      const object = join(this.folder, 'objects', sha256.slice(0, 2), sha256.slice(2));
      const content = scene.data?.[path] ?? '';
      if ((await readFile(object).catch(() => undefined)) === undefined) {
        await put(object, content);
        await chmod(object, 0o444);
      }
      const place = join(folder, 'tree', path);
      await mkdir(dirname(place), { recursive: true });
      if (how === 'link') await link(object, place);
      else await writeFile(place, content);
    }
    await writeFile(join(folder, 'job.sh'), rendered.value);
    if (scene.user !== undefined) await handOver(this.folder, run, folder, scene.user);
    return { folder, plan: planned.value, script: rendered.value, fingerprinted };
  }

  async start(folder: string, scene: Scene): Promise<ChildProcess> {
    const log = await open(join(folder, 'log'), 'a');
    const child = spawn('sh', ['job.sh'], {
      cwd: folder,
      ...scene.user,
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
      env: {
        ...network,
        HOME: this.home,
        PATH: `${scene.path === undefined ? '' : `${scene.path}:`}${process.env.PATH ?? ''}`,
        LANG: 'C.UTF-8',
        ...scene.env,
      },
    });
    await log.close();
    return child;
  }

  async run(scene: Scene): Promise<Outcome> {
    const prepared = await this.prepare(scene);
    const child = await this.start(prepared.folder, scene);
    const code = await ended(child);
    return { ...(await collect(prepared.folder, prepared.plan, code)), ...prepared, code };
  }
}

/** Everything as a submission by that user leaves it in a folder of the group: see expandWorkdir. */
async function handOver(workdir: string, run: string, attempt: string, user: NonNullable<Scene['user']>) {
  await chmod(dirname(workdir), 0o755);
  for (const folder of [workdir, join(workdir, 'runs'), run]) {
    await chown(folder, -1, user.gid);
    await chmod(folder, 0o2770);
  }
  await writeFile(join(attempt, 'log'), '');
  for (const entry of ['', ...(await readdir(attempt, { recursive: true }))]) {
    const path = join(attempt, entry);
    const isFolder = (await lstat(path)).isDirectory();
    await lchown(path, user.uid, user.gid);
    if (isFolder) await chmod(path, 0o2770);
    else if (entry === 'log') await chmod(path, 0o660);
  }
}

/** How this machine reaches its package index. */
const network = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => /^(?:PIP|UV|SSL|REQUESTS|CURL)_|_proxy$/i.test(name)),
);

export const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.on('exit', (code) => resolve(code));
    child.on('error', reject);
  });

/** The result as the gate reads it: small files, the log's tail, the scheduler's word. */
export async function collect(
  folder: string,
  plan: JobPlan,
  code: number | null,
): Promise<{ result: RunResult; log: string }> {
  const log = await readFile(join(folder, 'log'), 'utf8');
  const files = new Map<string, Buffer>();
  const tasks = await readdir(join(folder, 'tasks')).catch(() => []);
  const parts = ['', ...tasks.map((task) => `tasks/${task}/`)].flatMap((of) => [`${of}result`, `${of}state`]);
  for (const part of parts) {
    for (const name of await readdir(join(folder, part)).catch(() => [])) {
      files.set(`${part}/${name}`, await readFile(join(folder, part, name)));
    }
  }
  const result = await parseResult({
    plan,
    attempt: Number(folder.slice(folder.lastIndexOf('/') + 1)),
    files,
    logTail: log.slice(-4000),
    cluster: 'this machine',
    job: {
      id: '1',
      end:
        code === 0
          ? { state: 'ended', how: 'completed', word: 'COMPLETED', exitCode: 0 }
          : { state: 'ended', how: 'failed', word: 'FAILED', ...(code === null ? { signal: 9 } : { exitCode: code }) },
    },
  });
  return { result, log };
}

function fingerprint(config: Config, scene: Scene): Fingerprinted {
  const files = Object.entries(scene.data ?? {}).map(([path, text]) => ({
    path,
    sha256: asSha256(sha(text)),
    size: text.length,
  }));
  const environment = { environment: environmentOf(config.environment, scene) };
  const steps = config.steps.map((_, index) => ({
    definition: null,
    without: [],
    fingerprint: asFingerprint(sha(JSON.stringify([config.steps.slice(0, index + 1), scene.data, environment]))),
  }));
  const inputs = {
    format: 1 as const,
    code: Object.fromEntries(
      Object.entries(scene.files ?? {}).map(([path, text]) => [
        path,
        { kind: 'blob' as const, mode: '100644' as const, oid: asOid(sha(text).slice(0, 40)) },
      ]),
    ),
    data: { data: { hash: asSha256(sha('data')), files: files.length, bytes: 0, writable: scene.writable ?? false } },
    ...environment,
    env: config.env,
    steps,
  };
  const whole = asFingerprint(
    sha(canonicalJson(JSON.parse(JSON.stringify([inputs, scene.files ?? {}, scene.pins ?? {}])))),
  );
  const pins = scene.pins === undefined ? {} : { pins: scene.pins };
  return { fingerprint: whole, inputs, data: { data: files }, ...pins };
}

/** As lib/fingerprint has it for requirements; by their text for other files. */
function environmentOf(environment: Environment, scene: Scene): Json {
  const text = 'file' in environment ? (scene.files?.[environment.file] ?? '') : '';
  const requirements = text.split('\n').filter((line) => line !== '');
  return JSON.parse(JSON.stringify(environment.kind === 'venv' ? { requirements } : { environment, text }));
}
