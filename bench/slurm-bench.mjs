// What the benches on a cluster have in common: a real Slurm behind a real sshd of this machine (those of the tests), a login node whose commands
// are counted, a repository, and clients that are timed.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

export const checkout = dirname(dirname(fileURLToPath(import.meta.url)));

export async function openBench() {
  const root = mkdtempSync(join(tmpdir(), 'mlops-bench-'));
  const { slurmCluster, startSshd } = await bundled(root);
  const slurm = await slurmCluster();
  const closers = [
    async () => slurm[Symbol.asyncDispose](),
    async () => rmSync(root, { recursive: true, force: true }),
  ];
  mkdirSync(join(root, 'home'));
  const env = {
    PATH: process.env.PATH,
    HOME: join(root, 'home'),
    XDG_CACHE_HOME: join(root, 'cache'),
    GIT_CONFIG_NOSYSTEM: '1',
    LC_ALL: 'C.UTF-8',
    NO_COLOR: '1',
  };
  const finish = (file, args) => {
    const { status, stdout, stderr, error } = spawnSync(file, args, { env, encoding: 'utf8' });
    if (error !== undefined || status !== 0)
      throw new Error(`${file} ${args.join(' ')}: ${error?.message ?? stdout + stderr}`);
    return stdout;
  };
  return {
    root,
    slurm,
    env,
    /** Each command that asks the scheduler is noted, and the real one started. `extra`: lines of scripts that take the place of others. */
    async loginNode(name, extra = {}) {
      const home = join(root, `login-${name}`);
      const commands = join(home, 'commands');
      mkdirSync(commands, { recursive: true });
      const asked = join(home, 'asked');
      writeFileSync(asked, '');
      const counted = ['squeue', 'sacct', 'scontrol', 'sbatch'].map((command) => [
        command,
        `echo ${command} >>'${asked}'\nexec ${whereIs(command)} "$@"`,
      ]);
      for (const [command, lines] of [...counted, ...Object.entries(extra)]) {
        writeFileSync(join(commands, command), `#!/bin/sh\n${lines}\n`);
        chmodSync(join(commands, command), 0o755);
      }
      const profile = `export PATH=${commands}:$PATH SLURM_CONF=${slurm.env.SLURM_CONF}\n`;
      writeFileSync(join(home, '.bash_profile'), profile);
      const before = new Set(ownSshds());
      const sshd = await startSshd({ config: [`SetEnv SLURM_CONF=${slurm.env.SLURM_CONF} HOME=${home}`] });
      const [listener] = ownSshds().filter((pid) => !before.has(pid));
      closers.unshift(async () => sshd[Symbol.asyncDispose]());
      return {
        ...sshd,
        /** The process of the server itself. */
        listener,
        forget: () => writeFileSync(asked, ''),
        /** How often a command that asks the scheduler was started. */
        commands: () =>
          readFileSync(asked, 'utf8')
            .split('\n')
            .filter((line) => line !== '').length,
        logins: async () => ((await sshd.log()).match(/^Accepted publickey/gm) ?? []).length,
        /** Of all that was run for its connections and has ended. */
        cpuSeconds: () => cpuOfChildren(listener),
      };
    },
    makeRepository(name, config) {
      const folder = join(root, name);
      const git = (...args) => finish('git', ['-C', folder, ...args]);
      mkdirSync(join(folder, '.mlops'), { recursive: true });
      finish('git', ['init', '--quiet', '-b', 'main', folder]);
      git('config', 'user.name', 'Bench');
      git('config', 'user.email', 'bench@example.org');
      git('config', 'mlops.trusted', 'true');
      writeFileSync(join(folder, '.mlops/config.yaml'), config);
      return { folder, git };
    },
    /** When a program ended, and how long it took, in seconds. */
    started: (file, args, cwd, more = {}) => timed(file, args, cwd, { ...env, ...more }),
    versions() {
      const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
      return [
        `mlops-hpc ${version}`,
        `node ${process.versions.node}`,
        spawnSync('sinfo', ['-V'], { encoding: 'utf8', env: { ...process.env, ...slurm.env } }).stdout.trim(),
        spawnSync('ssh', ['-V'], { encoding: 'utf8' }).stderr.trim().split(',')[0],
        `Linux ${release()}`,
        `${cpus().length} × ${cpus()[0]?.model.trim()}`,
      ].join(' · ');
    },
    async close() {
      for (const close of closers) await close();
    },
  };
}

/** Keeps a bench's text under its name and today's date, which goes into its heading too, and prints it. */
export function keep(name, written) {
  const date = new Date().toISOString().slice(0, 10);
  const file = `bench/results/${name}-${date}.md`;
  const text = written.replace(/^# .*/, (heading) => `${heading}, ${date}`);
  mkdirSync(join(checkout, 'bench/results'), { recursive: true });
  writeFileSync(join(checkout, file), text);
  process.stdout.write(`${text}\nkept in ${file}\n`);
}

const whereIs = (command) => spawnSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).stdout.trim();

function ownSshds() {
  const { stdout } = spawnSync('ps', ['--ppid', String(process.pid), '-o', 'pid=,comm='], { encoding: 'utf8' });
  return [...stdout.matchAll(/^\s*(\d+) sshd/gm)].map(([, pid]) => Number(pid));
}

/** proc(5): cutime and cstime, of children that were waited for, in hundredths. */
function cpuOfChildren(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

function timed(file, args, cwd, env) {
  return new Promise((resolve, reject) => {
    const begun = Date.now();
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        said += text;
      });
    child.once('error', reject);
    child.once('exit', (code) => {
      const now = Date.now();
      if (code === 0) resolve({ ended: now / 1000, took: (now - begun) / 1000, said });
      else reject(new Error(`${file} ${args.join(' ')}: exit ${code}\n${said}`));
    });
  });
}

/** The cluster and the login node of the tests. */
async function bundled(root) {
  const outfile = join(root, 'rig.mjs');
  await build({
    stdin: {
      contents: `export { slurmCluster } from './tests/rig/slurm.ts'; export { startSshd } from './tests/rig/sshd.ts';`,
      resolveDir: checkout,
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Only what describes suites needs jest, and none is described here.
    plugins: [{ name: 'no-jest', setup: withoutJest }],
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile).href);
}

function withoutJest(bundle) {
  bundle.onResolve({ filter: /^@jest\/globals$/ }, () => ({ path: 'jest', namespace: 'none' }));
  bundle.onLoad({ filter: /./, namespace: 'none' }, () => ({ contents: 'export const describe = undefined;' }));
}
