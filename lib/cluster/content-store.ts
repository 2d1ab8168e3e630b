import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { asSha256, type Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { shellQuote } from '../base/shell-quote.ts';
import type { Host } from './host.ts';
import { findTreesScript, finishTreeScript } from './share-scripts.ts';
import { hostFailure, scriptFailure } from './store-failure.ts';
import { DEFAULT_BLOCKS, type PutPlace, putContents } from './store-put.ts';
import { buildScript, missingScript } from './store-scripts.ts';
import { collectText, Pen } from './store-stream.ts';
import type {
  Content,
  ContentStore,
  Materialise,
  SharedFolder,
  StoreError,
  TransferOptions,
  TreeEntry,
} from './store-types.ts';
import { objectPath } from './store-upload.ts';
import { tarEnd, tarHeader } from './tar-writer.ts';
import { checkTree, pathBytes } from './tree-paths.ts';

export type {
  Content,
  ContentStore,
  FileSource,
  Materialise,
  Put,
  PutOptions,
  Source,
  StoreError,
  TransferOptions,
  TreeEntry,
  TreePath,
} from './store-types.ts';

export interface StoreOptions {
  /** The folder is shared with a Unix group: what is made there is the group's too. */
  readonly group?: boolean;
  readonly blocks?: Omit<PutPlace, 'workdir' | 'group'>;
}

/** `workdir` is an absolute folder of the host that exists: see expandWorkdir. */
export function openStore(host: Host, workdir: string, options: StoreOptions = {}): ContentStore {
  const group = options.group === true;

  async function missing(
    contents: readonly Content[],
    signal?: AbortSignal,
  ): Promise<Result<readonly Sha256[], StoreError>> {
    if (contents.length === 0) return ok([]);
    const stdin = contents.map(({ sha256, size }) => `${objectPath(sha256)} ${size}\n`).join('');
    const seconds = 60 + Math.ceil(contents.length / 500);
    const asked = await host.exec(missingScript(workdir, group), {
      stdin,
      timeoutSeconds: seconds,
      ...signalOf(signal),
    });
    if (!asked.ok) return hostFailure(asked.error);
    if (asked.value.code !== 0) return scriptFailure('list', workdir, asked.value);
    const lacking = new Set(asked.value.stdout.split('\n').map((path) => path.replace('/', '')));
    return ok([...new Set(contents.map((content) => content.sha256))].filter((sha256) => lacking.has(sha256)));
  }

  async function download(sha256: Sha256, file: string, transfer: TransferOptions = {}) {
    const object = `objects/${objectPath(sha256)}`;
    const script = `cd ${shellQuote(workdir)} || exit 70\n[ -f ${object} ] || exit 78\nexec cat ${object}`;
    const started = await host.spawn(script, signalOf(transfer.signal));
    if (!started.ok) return hostFailure(started.error);
    const { stdin, stdout, exit } = started.value;
    stdin.end();
    const partial = `${file}.tmp-${randomBytes(6).toString('hex')}`;
    const received = await receive(stdout, partial, transfer.onProgress);
    if (typeof received === 'string') {
      started.value.kill();
      await rm(partial, { force: true });
      // A torn stream is the connection's; its exit says so. Anything else is this machine's disk.
      const ended = await exit;
      if (!ended.ok) return hostFailure(ended.error);
      return err({ reason: 'local', path: file, detail: received } as const);
    }
    const ended = await exit;
    const problem = !ended.ok
      ? hostFailure(ended.error)
      : ended.value.code === 78
        ? err({ reason: 'missing', sha256s: [sha256] } as const)
        : ended.value.code !== 0
          ? scriptFailure('download', workdir, { ...ended.value, stdout: '' })
          : received.sha256 !== sha256
            ? err({ reason: 'corrupt', sha256 } as const)
            : undefined;
    if (problem === undefined) await rename(partial, file);
    else await rm(partial, { force: true });
    return problem ?? ok({ bytes: received.bytes });
  }

  async function materialise(request: Materialise): Promise<Result<void, StoreError>> {
    const safe = checkTree(request.tree);
    if (!safe.ok) return safe;
    if (!/^\/[^\0]*[^/\0]$/.test(request.into))
      return err({ reason: 'unsafe-path', path: request.into, why: 'absolute' });
    const first = await build(request, 'hardlink');
    if (!isOfBuild(first)) return first;
    const lacking = await lackingOf(request);
    if (!lacking.ok) return lacking;
    // No hard links there: another file system, objects of another user (fs.protected_hardlinks), too many of one.
    if (!hasLinks(request)) return first;
    const second = await build(request, 'symlink');
    if (!isOfBuild(second)) return second;
    const lost = await lackingOf(request);
    return lost.ok ? second : lost;
  }

  /** What explains a build that has failed better than tar's words do. */
  async function lackingOf({ tree, signal }: Materialise): Promise<Result<void, StoreError>> {
    const wanted = tree.flatMap((entry) => (entry.kind === 'file' ? [{ sha256: entry.sha256, size: -1 }] : []));
    const lacking = await missing(wanted, signal);
    if (!lacking.ok) return lacking;
    return lacking.value.length > 0 ? err({ reason: 'missing', sha256s: lacking.value }) : ok(undefined);
  }

  async function build(request: Materialise, links: 'hardlink' | 'symlink'): Promise<Result<void, StoreError>> {
    const { into, as } = request;
    const id = randomBytes(8).toString('hex');
    const partial = `${into}.tmp-${id}`;
    const name = `TREE-${id}`;
    const hardLinks = links === 'hardlink' && hasLinks(request);
    const script = buildScript({ workdir, build: name, into, partial, group, hardLinks });
    const started = await host.spawn(script, signalOf(request.signal));
    if (!started.ok) return hostFailure(started.error);
    const said = collectText(started.value.stdout);
    const header = (entry: TreeEntry): Buffer => {
      const path = pathBytes(entry.path);
      if (entry.kind === 'symlink') {
        const link = Buffer.concat([Buffer.from(`tmp/${name}/L/`), path]);
        return tarHeader({ kind: 'symlink', name: link, target: pathBytes(entry.target) });
      }
      const object = `objects/${objectPath(entry.sha256)}`;
      const copied = (entry.as ?? as) === 'copy';
      const plain = `tmp/${name}/${copied ? 'F' : 'P'}/`;
      // An object has one mode for all its links, so that a file with another mode has to be a copy.
      if (entry.executable || copied || links === 'symlink') {
        const folder = entry.executable ? `tmp/${name}/${copied ? 'X' : 'E'}/` : plain;
        const target = Buffer.from(`${workdir}/${object}`);
        return tarHeader({ kind: 'symlink', name: Buffer.concat([Buffer.from(folder), path]), target });
      }
      return tarHeader({
        kind: 'hardlink',
        name: Buffer.concat([Buffer.from(plain), path]),
        target: Buffer.from(object),
      });
    };
    const whole = tarHeader({ kind: 'symlink', name: Buffer.from(`tmp/${name}/whole`), target: Buffer.from('.') });
    const gone = new AbortController();
    void started.value.exit.then(() => gone.abort());
    const pen = new Pen(started.value.stdin, gone.signal);
    for (const entry of request.tree) await pen.write(header(entry));
    await pen.write(whole);
    await pen.write(tarEnd());
    await pen.flush();
    started.value.stdin.end();
    const ended = await started.value.exit;
    if (!ended.ok) return hostFailure(ended.error);
    if (ended.value.code === 0) return ok(undefined);
    if (ended.value.code === 76) return err({ reason: 'exists', path: into });
    return scriptFailure('build', into, { ...ended.value, stdout: await said });
  }

  async function findShared(
    folders: readonly SharedFolder[],
    signal?: AbortSignal,
  ): Promise<Result<ReadonlyMap<string, string>, StoreError>> {
    if (folders.length === 0) return ok(new Map());
    const asked = await host.exec(findTreesScript(workdir, folders), patience(folders, signal));
    if (!asked.ok) return hostFailure(asked.error);
    if (asked.value.code !== 0) return scriptFailure('build', workdir, asked.value);
    const found = asked.value.stdout.matchAll(/^found (trees\/(\w+)\.\w+)$/gm);
    return ok(new Map([...found].map(([, home = '', key = '']) => [key, `${workdir}/${home}/tree`])));
  }

  async function share(folder: SharedFolder, signal?: AbortSignal): Promise<Result<string, StoreError>> {
    const { key, files } = folder;
    // Never into one that is there: runs may use it.
    const home = `${workdir}/trees/${key}.${randomBytes(8).toString('hex')}`;
    const built = await materialise({ tree: files, into: `${home}/tree`, as: 'link', ...signalOf(signal) });
    const stdin = files.map(({ sha256 }) => `${sha256}\n`).join('');
    const finished = built.ok
      ? await host.exec(finishTreeScript(home, group, files.length), { stdin, ...patience([folder], signal) })
      : undefined;
    if (finished?.ok && finished.value.code === 0 && finished.value.stdout.includes('ready')) return ok(`${home}/tree`);
    // What cannot be removed now is a folder without a list, which gc sweeps.
    await host.exec(
      `cd ${shellQuote(home)} 2>/dev/null && find . -type d -exec chmod u+w {} + && rm -rf ${shellQuote(home)}`,
    );
    if (!built.ok) return built;
    if (finished?.ok === false) return hostFailure(finished.error);
    return scriptFailure('build', home, finished?.value ?? { code: 1, stdout: '', stderr: '' });
  }

  const put: ContentStore['put'] = (sources, transfer = {}) =>
    putContents(host, { workdir, group, ...(options.blocks ?? DEFAULT_BLOCKS) }, sources, transfer);

  return { workdir, missing, put, download, materialise, findShared, share };
}

const isOfBuild = (built: Result<void, StoreError>): boolean =>
  !built.ok && built.error.reason === 'failed' && built.error.what === 'build';
const hasLinks = ({ tree, as }: Materialise): boolean =>
  tree.some((entry) => entry.kind === 'file' && !entry.executable && (entry.as ?? as) === 'link');
/** A slow file system takes its time to list many names. */
const patience = (folders: readonly SharedFolder[], signal: AbortSignal | undefined) => ({
  timeoutSeconds: 60 + Math.ceil(folders.reduce((sum, { files }) => sum + files.length, 0) / 500),
  ...signalOf(signal),
});
const signalOf = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal });

/** Writes a stream into a file that must not be there; gives its hash, or why it could not be done. */
async function receive(
  from: AsyncIterable<Buffer>,
  file: string,
  onProgress: TransferOptions['onProgress'],
): Promise<{ readonly sha256: Sha256; readonly bytes: number } | string> {
  const hash = createHash('sha256');
  const to = createWriteStream(file, { flags: 'wx' });
  const broken = new Promise<string>((resolve) => to.once('error', (error) => resolve(error.message)));
  let bytes = 0;
  const copy = async () => {
    for await (const chunk of from) {
      hash.update(chunk);
      bytes += chunk.length;
      if (!to.write(chunk)) await new Promise<void>((resolve) => to.once('drain', resolve));
      onProgress?.(bytes);
    }
    await new Promise<void>((resolve) => to.end(resolve));
    return { sha256: asSha256(hash.digest('hex')), bytes };
  };
  const done = await Promise.race([copy().catch((error: Error) => error.message), broken]);
  if (typeof done === 'string') to.destroy();
  return done;
}
