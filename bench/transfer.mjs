// `node bench/transfer.mjs`: what it takes to bring content to a host, beside scp, rsync and pipes through ssh, in one run over a real sshd on
// loopback. All use the same cipher. Ours hashes on the far side what has arrived; of the others only one pipe does. With `--python PATH`, of an
// environment that has `dvc[ssh]` or hpc-rocket (versions from PyPI), their copies stand beside, once each.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { cpus, loadavg, release, tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    files: { type: 'string', default: '10000' },
    tree: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    // Round trips in milliseconds, and what goes over such a link.
    links: { type: 'string', default: '50,100' },
    'link-mib': { type: 'string', default: '128' },
    'link-files': { type: 'string', default: '1000' },
    python: { type: 'string' },
  },
});
const [mib, files, entries, rounds] = [values.mib, values.files, values.tree, values.rounds].map(Number);
const links = values.links.split(',').filter(Boolean).map(Number);
// What else the machine was doing: a ratio on two busy cores says less than one on idle ones.
const load = loadavg()[0].toFixed(1);
const root = mkdtempSync(join(tmpdir(), 'mlops-bench-'));
const cipher = 'aes128-gcm@openssh.com';

const stop = await startSshd();
const config = join(root, 'ssh_config');
const env = { ...process.env, HOME: root, MLOPS_SSH_CONFIG: config, LC_ALL: 'C.UTF-8' };
const { openStore, openSsh2Host, shareFolders } = await bundled();
try {
  await main();
} finally {
  stop();
  rmSync(root, { recursive: true, force: true });
}

async function main() {
  if (mib > 0) await onLoopback();
  const rows = [];
  for (const roundTrip of links) rows.push(...(await overLink(roundTrip)));
  if (rows.length > 0) keep('link', `through a link with that round trip (bench/slow-link.mjs)`, rows, '');
}

async function overLink(roundTrip) {
  process.stderr.write(`a link of ${roundTrip} ms\n`);
  const { host, stop: close } = await slowLink(roundTrip);
  const [size, count] = [Number(values['link-mib']), Number(values['link-files'])];
  const big = await makeBig(join(root, 'link-big'), size);
  rmSync(join(root, 'link-many'), { recursive: true, force: true });
  const many = makeMany(join(root, 'link-many'), count);
  const fresh = (name) => {
    const to = join(root, 'far', name);
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to, { recursive: true });
    return to;
  };
  try {
    const one = await interleaved(
      {
        'cat to ssh': (to) => pipe(`cat '${big.file}' | ssh -F '${config}' ${host} "cat >'${to}/big'"`),
        scp: (to) => program('scp', ['-q', '-F', config, big.file, `${host}:${to}/big`]),
        'rsync -W': (to) => program('rsync', ['-W', '-e', `ssh -F ${config}`, big.file, `${host}:${to}/big`]),
        mlops: (to) => ours(to, [big], host),
      },
      fresh,
    );
    const small = await interleaved(
      {
        'tar to ssh tar': (to) =>
          pipe(`tar -C '${many.folder}' -cf - . | ssh -F '${config}' ${host} "tar -C '${to}' -xf -"`),
        'rsync -a': (to) => program('rsync', ['-a', '-e', `ssh -F ${config}`, `${many.folder}/`, `${host}:${to}/`]),
        mlops: (to) => ours(to, many.sources, host),
      },
      fresh,
    );
    return [
      ...rowsOf(`${roundTrip} ms, ${size} MiB in one file`, one, 'cat to ssh'),
      ...rowsOf(`${roundTrip} ms, ${count} × 4 KiB`, small, 'tar to ssh tar'),
    ];
  } finally {
    close();
  }
}

async function onLoopback() {
  process.stderr.write(`making ${mib} MiB in one file and ${files} files of 4 KiB\n`);
  const big = await makeBig(join(root, 'big'), mib);
  const many = makeMany(join(root, 'many'), files);
  const ssh = ['-F', config];
  const far = (name) => join(root, 'far', name);
  const fresh = (name) => {
    rmSync(far(name), { recursive: true, force: true });
    mkdirSync(far(name), { recursive: true });
    return far(name);
  };

  process.stderr.write('one large file\n');
  const one = await interleaved(
    {
      'cat to ssh': (to) => pipe(`cat '${big.file}' | ssh -F '${config}' cluster "cat >'${to}/big'"`),
      'cat to ssh, hashed there': (to) =>
        pipe(`cat '${big.file}' | ssh -F '${config}' cluster "tee '${to}/big' | openssl dgst -sha256"`),
      scp: (to) => program('scp', ['-q', ...ssh, big.file, `cluster:${to}/big`]),
      'rsync -W': (to) => program('rsync', ['-W', '-e', `ssh -F ${config}`, big.file, `cluster:${to}/big`]),
      mlops: (to) => ours(to, [big]),
    },
    fresh,
  );
  process.stderr.write('many small files\n');
  const small = await interleaved(
    {
      'tar to ssh tar': (to) =>
        pipe(`tar -C '${many.folder}' -cf - . | ssh -F '${config}' cluster "tar -C '${to}' -xf -"`),
      'rsync -a': (to) => program('rsync', ['-a', '-e', `ssh -F ${config}`, `${many.folder}/`, `cluster:${to}/`]),
      mlops: (to) => ours(to, many.sources),
    },
    fresh,
  );
  const scpFolder = timed(() => program('scp', ['-q', '-r', ...ssh, many.folder, `cluster:${fresh('scp')}/`]));

  process.stderr.write('nothing changed\n');
  const to = fresh('same');
  await ours(to, many.sources);
  program('rsync', ['-a', '-e', `ssh -F ${config}`, `${many.folder}/`, `cluster:${fresh('same-rsync')}/`]);
  const same = await interleaved(
    {
      'rsync -a': () =>
        program('rsync', ['-a', '-e', `ssh -F ${config}`, `${many.folder}/`, `cluster:${far('same-rsync')}/`]),
      mlops: () => theHost(async (host) => must(await openStore(host, to).missing(many.sources))),
    },
    () => to,
  );

  process.stderr.write('cut at 90 % and resumed\n');
  const resumed = await cutAndResume(fresh('cut'), big);

  process.stderr.write(`a tree of ${entries} files\n`);
  const tree = await treeTimes(fresh('tree'));

  const again = `${mib} MiB cut at 90 % and resumed: ${((100 * resumed) / big.size).toFixed(1)} % of the bytes were sent again or for the first time; 10 % were missing.`;
  const memory = `Largest resident size of the process that did all of it: ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB.`;
  const rows = [
    ...rowsOf(`${mib} MiB in one file`, one, 'cat to ssh'),
    ...peers(`${mib} MiB in one file`, [big.file], one['cat to ssh'], fresh),
    ...rowsOf(`${files} × 4 KiB`, small, 'tar to ssh tar'),
    ...peers(`${files} × 4 KiB`, [many.folder], small['tar to ssh tar'], fresh),
    row(
      `${files} × 4 KiB: scp -r, once`,
      { median: scpFolder, min: scpFolder, max: scpFolder },
      scpFolder / small['tar to ssh tar'].median,
    ),
    ...rowsOf(`${files} × 4 KiB, nothing changed, with the connection`, same, 'rsync -a'),
    ...tree.map(([name, seconds]) => row(name, { median: seconds, min: seconds, max: seconds })),
  ];
  keep('transfer', 'loopback', rows, `${again} ${memory}`);
}

/** What DVC and hpc-rocket take to send the same, where they are installed. DVC has added it before. */
function peers(work, paths, base, fresh) {
  if (values.python === undefined) return [];
  const port = sshdPort();
  const once = (name, action) => {
    const seconds = timed(action);
    return row(`${work}: ${name}, once`, { median: seconds, min: seconds, max: seconds }, seconds / base.median);
  };
  const rows = [];
  const dvc = join(dirname(values.python), 'dvc');
  if (existsSync(dvc)) {
    const dir = mkdtempSync(join(root, 'dvc-'));
    const there = { ...env, DVC_NO_ANALYTICS: '1', DVC_SITE_CACHE_DIR: join(dir, 'site') };
    const run = (...args) => execFileSync(dvc, args, { cwd: dir, env: there, stdio: ['ignore', 'ignore', 'inherit'] });
    for (const path of paths) execFileSync('cp', ['-r', path, join(dir, 'data')]);
    run('init', '-q', '--no-scm');
    run('add', '-q', 'data');
    run('remote', 'add', '-q', '-d', 'far', `ssh://${userInfo().username}@127.0.0.1:${port}${fresh('dvc')}`);
    run('remote', 'modify', '-q', 'far', 'keyfile', join(root, 'id'));
    rows.push(once('dvc push', () => run('push', '-q')));
    rmSync(dir, { recursive: true, force: true });
  }
  if (spawnSync(values.python, ['-c', 'import hpcrocket']).status === 0) {
    const to = fresh('rocket');
    const pairs = paths.flatMap((path) =>
      statSync(path).isDirectory()
        ? readdirSync(path, { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map(({ parentPath, name }) => [join(parentPath, name), join(to, parentPath.slice(path.length), name)])
        : [[path, join(to, 'big')]],
    );
    const script = `import json, sys
from hpcrocket.pyfilesystem.localfilesystem import localfilesystem
from hpcrocket.pyfilesystem.sshfilesystem import sshfilesystem
from hpcrocket.ssh.connectiondata import ConnectionData
user, port, key = sys.argv[1:]
far = sshfilesystem(ConnectionData("127.0.0.1", user, keyfile=key, port=int(port)), [])
for source, target in json.load(sys.stdin):
    localfilesystem("/").copy(source, target, False, far)`;
    rows.push(
      once('hpc-rocket’s copy', () => {
        const args = ['-W', 'ignore', '-c', script, userInfo().username, port, join(root, 'id')];
        execFileSync(values.python, args, { env, input: JSON.stringify(pairs), stdio: ['pipe', 'ignore', 'inherit'] });
      }),
    );
  }
  return rows;
}

/** One file of results for each kind. */
function keep(name, where, rows, more) {
  const versions = [
    `mlops-hpc ${JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')).version}`,
    `node ${process.versions.node}`,
    `ssh2 ${JSON.parse(readFileSync(join(checkout, 'node_modules/ssh2/package.json'), 'utf8')).version}`,
    spawnSync('ssh', ['-V'], { encoding: 'utf8' }).stderr.trim().split(',')[0],
    execFileSync('rsync', ['--version'], { encoding: 'utf8' }).split('\n')[0].replace(/ +/g, ' '),
    execFileSync('tar', ['--version'], { encoding: 'utf8' }).split('\n')[0],
    ...peerVersions(),
    `Linux ${release()}`,
    `${cpus().length} × ${cpus()[0]?.model.trim()}`,
  ];
  const table = ['| | median s | min | max | ratio |', '|---|---|---|---|---|', ...rows].join('\n');
  const date = new Date().toISOString().slice(0, 10);
  const text = `# Transfers, ${date}\n\n${versions.join(' · ')}; ${rounds} rounds, interleaved; ${cipher}; ${where}; load average at the start ${load}.\n\n${table}\n${more === '' ? '' : `\n${more}\n`}`;
  mkdirSync(join(checkout, 'bench/results'), { recursive: true });
  writeFileSync(join(checkout, `bench/results/${name}-${date}.md`), text);
  process.stdout.write(`${text}\nkept in bench/results/${name}-${date}.md\n`);
}

function peerVersions() {
  if (values.python === undefined) return [];
  const script = `from importlib import metadata
for name in ("dvc", "hpc-rocket"):
    try: print(name, metadata.version(name))
    except metadata.PackageNotFoundError: pass`;
  return execFileSync(values.python, ['-c', script], { encoding: 'utf8' }).trim().split('\n');
}

async function ours(workdir, sources, name) {
  await theHost(async (host) => must(await openStore(host, workdir).put(sources)), name);
}

/** A connection of its own each time, as the others have one. */
async function theHost(use, name = 'cluster') {
  const host = must(await openSsh2Host(name, { env, loginEnvironment: false }));
  try {
    return await use(host);
  } finally {
    await host.close();
  }
}

async function cutAndResume(workdir, big) {
  const host = must(await openSsh2Host('cluster', { env, loginEnvironment: false }));
  const abort = new AbortController();
  await openStore(host, workdir).put([big], {
    signal: abort.signal,
    onProgress: (bytes) => bytes > 0.9 * big.size && abort.abort(),
  });
  await host.close();
  const done = await theHost(async (again) => must(await openStore(again, workdir).put([big])));
  return done.bytes;
}

async function treeTimes(workdir) {
  return theHost(async (host) => {
    const store = openStore(host, workdir);
    const sources = Array.from({ length: entries }, (_, index) => contentOf(Buffer.from(`file ${index}`)));
    must(await store.put(sources));
    // Sorted, as data comes.
    const paths = sources.map((_, index) => `data/${index % 100}/${index}`).sort();
    const tree = sources.map(({ sha256 }, index) => ({
      kind: 'file',
      path: paths[index],
      sha256,
      executable: false,
      as: 'link',
    }));
    const times = [];
    for (const run of ['first', 'again']) {
      const start = process.hrtime.bigint();
      const { own, shared } = shareFolders(tree);
      const found = must(await store.findShared(shared));
      const links = [];
      for (const folder of shared) {
        const target = found.get(folder.key) ?? must(await store.share(folder));
        links.push({ kind: 'symlink', path: folder.path, target });
      }
      must(await store.materialise({ tree: [...own, ...links], into: join(workdir, run), as: 'copy' }));
      times.push([`a tree of ${entries} files, ${run}`, Number(process.hrtime.bigint() - start) / 1e9]);
    }
    return times;
  });
}

function must(result) {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

function contentOf(data) {
  return { sha256: createHash('sha256').update(data).digest('hex'), size: data.length, open: () => [data] };
}

async function makeBig(file, mib) {
  const out = createWriteStream(file);
  for (let at = 0; at < mib; at += 1)
    if (!out.write(randomBytes(1024 * 1024))) await new Promise((go) => out.once('drain', go));
  await new Promise((go) => out.end(go));
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return { file, size: mib * 1024 * 1024, sha256: hash.digest('hex') };
}

function makeMany(folder, count) {
  const sources = [];
  for (let number = 0; number < count; number += 1) {
    const sub = join(folder, String(number % 100).padStart(2, '0'));
    if (number < 100) mkdirSync(sub, { recursive: true });
    const data = randomBytes(4096);
    const file = join(sub, String(number));
    writeFileSync(file, data);
    sources.push({ file, size: data.length, sha256: createHash('sha256').update(data).digest('hex') });
  }
  return { folder, sources };
}

function program(file, args) {
  const { status, stderr } = spawnSync(file, args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}`);
}
function pipe(line) {
  program('bash', ['-o', 'pipefail', '-c', line]);
}

function timed(action) {
  const start = process.hrtime.bigint();
  action();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** A B C A B C …, so that a machine that grows slow does so for all of them. */
async function interleaved(cases, fresh) {
  const times = new Map(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, action] of Object.entries(cases)) {
      const to = fresh('to');
      const start = process.hrtime.bigint();
      await action(to);
      times.get(name).push(Number(process.hrtime.bigint() - start) / 1e9);
    }
  return Object.fromEntries(
    [...times].map(([name, all]) => {
      const sorted = all.sort((a, b) => a - b);
      return [name, { median: sorted[sorted.length >> 1], min: sorted[0], max: sorted.at(-1) }];
    }),
  );
}

function row(name, { median, min, max }, ratio) {
  const cell = (number) => number.toFixed(2).padStart(7);
  return `| ${name} | ${cell(median)} | ${cell(min)} | ${cell(max)} | ${ratio === undefined ? '' : ratio.toFixed(2)} |`;
}
function rowsOf(work, times, base) {
  return Object.entries(times).map(([name, time]) => row(`${work}: ${name}`, time, time.median / times[base].median));
}

async function bundled() {
  const outfile = join(root, 'bundle.mjs');
  await build({
    stdin: {
      contents: `export { openStore } from './lib/cluster/content-store.ts'; export { openSsh2Host } from './lib/cluster/ssh2-host.ts'; export { shareFolders } from './lib/cluster/shared-trees.ts';`,
      resolveDir: checkout,
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['cpu-features', './crypto/build/Release/sshcrypto.node'],
    banner: {
      js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url), __dirname = import.meta.dirname;",
    },
    loader: { '.node': 'empty' },
  });
  return import(pathToFileURL(outfile).href);
}

/** A host of ssh_config that is reached through it. */
async function slowLink(roundTrip) {
  const child = spawn(process.execPath, [join(checkout, 'bench/slow-link.mjs'), sshdPort(), String(roundTrip)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = Number(await new Promise((go) => child.stdout.once('data', go)));
  const host = `link-${roundTrip}`;
  writeFileSync(config, `${readFileSync(config, 'utf8')}${hostText(host, port)}`);
  appendFileSync(join(root, 'known_hosts'), `[127.0.0.1]:${port} ${readFileSync(join(root, 'host.pub'), 'utf8')}`);
  return { host, stop: () => child.kill() };
}

function sshdPort() {
  return /^ {2}Port (\d+)$/m.exec(readFileSync(config, 'utf8'))[1];
}

function hostText(name, port) {
  return `Host ${name}\n  HostName 127.0.0.1\n  Port ${port}\n  User ${userInfo().username}\n  IdentityFile ${root}/id\n  IdentitiesOnly yes\n  UserKnownHostsFile ${root}/known_hosts\n  Ciphers ${cipher}\n`;
}

async function startSshd() {
  const server = createServer();
  await new Promise((go) => server.listen(0, '127.0.0.1', go));
  const { port } = server.address();
  await new Promise((go) => server.close(go));
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  for (const key of ['host', 'id'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(root, key)]);
  writeFileSync(
    join(root, 'sshd_config'),
    `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${root}/host\nPidFile none\nAuthorizedKeysFile ${root}/id.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nUseDNS no\nMaxStartups 100\nSubsystem sftp internal-sftp\n`,
  );
  writeFileSync(join(root, 'known_hosts'), `[127.0.0.1]:${port} ${readFileSync(join(root, 'host.pub'), 'utf8')}`);
  writeFileSync(join(root, 'ssh_config'), hostText('cluster', port));
  const sshd = process.env.SSHD ?? '/usr/sbin/sshd';
  const child = spawn(sshd, ['-D', '-e', '-f', join(root, 'sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise((go, fail) => {
    child.once('error', fail);
    child.stderr.on('data', (chunk) => chunk.toString().includes('Server listening') && go());
  });
  return () => child.kill();
}
