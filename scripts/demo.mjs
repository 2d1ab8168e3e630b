// `npm run demo`: the whole way of a push on the example, with real commands and their real output.
// Nothing but Node, Python 3 and git is needed, so this file uses no package.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const usage = `npm run demo                                the job runs on this machine
npm run demo -- --cluster HOST              the job runs on Slurm, through ssh HOST
                  [--workdir DIR]           where everything is kept there, $HOME/mlops-demo if left out
                  [--partition NAME] [--account NAME]
`;

const quote = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
const say = (text) => process.stdout.write(`\n${text}\n`);

/** Ends the demo: what is missing or went another way than it must, and what to do. */
function stop(text) {
  process.stderr.write(`\ndemo: ${text}\n`);
  process.exit(1);
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        cluster: { type: 'string' },
        workdir: { type: 'string' },
        partition: { type: 'string' },
        account: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    if (values.cluster === undefined && (values.workdir ?? values.partition ?? values.account) !== undefined)
      stop(`--workdir, --partition and --account go with --cluster HOST\n${usage}`);
    return values;
  } catch (error) {
    return stop(`${error.message}\n${usage}`);
  }
}

/** What a program says, or undefined where it is missing or fails. */
function ask(file, args) {
  const { status, stdout } = spawnSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 ? stdout.trim() : undefined;
}

const atLeast = (version, [major, minor]) => {
  const [a = 0, b = 0] = (/\d+(\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);
  return a > major || (a === major && b >= minor);
};

function checkMachine({ cluster }) {
  if (!atLeast(process.versions.node, [20, 19]))
    stop(`Node ${process.versions.node} is too old; 20.19 or newer is needed`);
  const git = ask('git', ['--version']);
  if (git === undefined) stop('git is missing');
  if (!atLeast(git, [2, 31])) stop(`${git} is too old; 2.31 or newer is needed`);
  if (cluster === undefined) {
    const python = ask('python3', ['--version']);
    if (python === undefined) stop('python3 is missing');
    if (!atLeast(python, [3, 9])) stop(`${python} is too old; 3.9 or newer is needed`);
    if (ask('python3', ['-c', 'import venv, ensurepip']) === undefined)
      stop('python3 cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv');
    return `Node ${process.versions.node}, ${python}, ${git}`;
  }
  if (ask('python3', ['--version']) === undefined) stop('python3 is missing (it unpacks the example here)');
  // The same file that the program reads instead of ~/.ssh/config.
  const file = process.env.MLOPS_SSH_CONFIG ? ['-F', process.env.MLOPS_SSH_CONFIG] : [];
  const seen = spawnSync('ssh', [...file, cluster, 'command -v sbatch && command -v python3'], {
    encoding: 'utf8',
    stdio: ['inherit', 'pipe', 'pipe'],
  });
  if (seen.error !== undefined) stop(`ssh is missing: ${seen.error.message}`);
  if (seen.status === 255) stop(`ssh ${quote(cluster)} does not work:\n${seen.stderr.trim()}`);
  if (!seen.stdout.includes('sbatch')) stop(`there is no sbatch on ${cluster}: is it a login node of a Slurm cluster?`);
  if (!seen.stdout.includes('python3')) stop(`there is no python3 on ${cluster}`);
  return `Node ${process.versions.node}, ${git}, Slurm on ${cluster}`;
}

/** The newest change below these paths, in milliseconds. */
function newest(paths) {
  return Math.max(
    ...paths.map((path) => {
      const info = statSync(path);
      return info.isDirectory() ? newest([...readdirSync(path)].map((name) => join(path, name))) : info.mtimeMs;
    }),
    0,
  );
}

/** Builds the program from the checkout, if what is built is missing or older than what it is made of. */
function build() {
  const program = join(checkout, 'dist/mlops.js');
  const sources = ['lib', 'templates', 'hooks', 'build.mjs', 'package.json'].map((path) => join(checkout, path));
  if (existsSync(program) && statSync(program).mtimeMs >= newest(sources)) return program;
  if (!existsSync(join(checkout, 'node_modules/esbuild'))) {
    say('The program is built once; its packages come first.');
    run(['npm', 'ci', '--no-audit', '--no-fund'], { cwd: checkout });
  }
  run(['npm', 'run', '--silent', 'build'], { cwd: checkout });
  return program;
}

/** Shows a command line and runs it in this terminal. Any other exit code than `expect` ends the demo. */
function run([file, ...args], { cwd, env, expect = 0 }) {
  process.stdout.write(`\n$ ${[file, ...args].map(quote).join(' ')}\n`);
  const { status, signal, error } = spawnSync(file, args, { cwd, env, stdio: 'inherit' });
  if (error !== undefined) stop(`${file} could not be started: ${error.message}`);
  if (signal !== null) stop(`ended by ${signal}`);
  if (status !== expect)
    stop(
      `exit code ${expect} was expected, and it is ${status}. Everything is kept${cwd === undefined ? '' : ` in ${cwd}`}`,
    );
}

/** One change of a file, which must be there to be changed. */
function edit(path, from, to) {
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) stop(`${path} does not contain ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}

function clusterLines({ cluster, workdir = '$HOME/mlops-demo', partition, account }) {
  const slurm = Object.entries({ partition, account }).filter(([, value]) => value !== undefined);
  const pairs = slurm.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ');
  return `cluster:\n  host: ${JSON.stringify(cluster)}\n  workdir: ${JSON.stringify(workdir)}\n${slurm.length > 0 ? `  slurm: { ${pairs} }\n` : ''}`;
}

const chosen = options();
const machine = checkMachine(chosen);
const program = build();
const folder = mkdtempSync(join(tmpdir(), 'mlops-demo-'));
const project = join(folder, 'digits');
// A cache of its own, the same one for every demo: nothing is mixed with real work, and the environment is built once.
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mlops-demo');
mkdirSync(cache, { recursive: true });
mkdirSync(join(folder, 'bin'));
writeFileSync(join(folder, 'bin/mlops'), `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(program)} "$@"\n`, {
  mode: 0o755,
});
writeFileSync(
  join(folder, 'env'),
  `PATH=${quote(join(folder, 'bin'))}:$PATH\nXDG_CACHE_HOME=${quote(cache)}\nexport PATH XDG_CACHE_HOME\n`,
);
const env = {
  ...process.env,
  PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
  XDG_CACHE_HOME: cache,
  GIT_PAGER: 'cat',
};
const here = (command, expect = 0) => run(command, { cwd: project, env, expect });

say(`mlops demo · ${machine}
       everything happens in     ${folder}   (kept: look around, delete it when you like)
       environments and runs in  ${chosen.cluster === undefined ? `${cache}   (kept, so that the next demo is fast)` : `${chosen.workdir ?? '$HOME/mlops-demo'} on ${chosen.cluster}`}`);

say('1. A repository with a notebook, 1797 images as files that git does not keep, and a remote to push to.');
cpSync(join(checkout, 'examples/digits'), project, { recursive: true });
if (chosen.cluster !== undefined)
  edit(join(project, '.mlops/config.yaml'), 'version: 1\n', `version: 1\n${clusterLines(chosen)}`);
here(['git', 'init', '--quiet', '-b', 'main']);
// A new machine may have no identity, and signing would ask for a passphrase.
if (ask('git', ['-C', project, 'config', 'user.email']) === undefined) {
  spawnSync('git', ['config', 'user.name', 'mlops demo'], { cwd: project });
  spawnSync('git', ['config', 'user.email', 'demo@example.org'], { cwd: project });
}
spawnSync('git', ['config', 'commit.gpgSign', 'false'], { cwd: project });
here(['git', 'init', '--quiet', '--bare', '../digits.git']);
here(['git', 'remote', 'add', 'origin', '../digits.git']);
here(['python3', 'make_data.py']);
here(['cat', '.mlops/config.yaml']);

say('2. The first of the two commands that mlops needs.');
here(['mlops', 'init', '--yes']);

say('3. A commit: code and data are hashed.');
here(['git', 'add', '.']);
here(['git', 'commit', '--quiet', '-m', 'Read digits']);

say(
  '4. A push: held until the notebook has been trained and judged. The first one also builds the Python environment.',
);
here(['git', 'push', '--set-upstream', 'origin', 'main']);

say('5. Another sentence in the README: nothing that the metrics depend on, so nothing is trained.');
edit(
  join(project, 'README.md'),
  '# The example: reading handwritten digits\n',
  '# The example: reading handwritten digits\n\nThe first version.\n',
);
here(['git', 'commit', '--quiet', '-am', 'Say that this is the first version']);
here(['git', 'push']);

say('6. A change that looks like tidying up, and shuffles images and labels independently. The push must be blocked.');
edit(
  join(project, 'digits.ipynb'),
  'train_images, train_labels = train_images[order], train_labels[order]',
  'train_images, train_labels = rng.permutation(train_images), rng.permutation(train_labels)',
);
here(['git', '--no-pager', 'diff', '--unified=0']);
here(['git', 'commit', '--quiet', '-am', 'Shuffle in one line']);
here(['git', 'push'], 1);

say('7. Both verdicts are git data: notes in the log, reports on the branch mlops.');
here(['git', '--no-pager', 'log', '-3']);
here(['mlops', 'show']);
const reports = (ask('git', ['-C', project, 'ls-tree', '-r', '--name-only', 'mlops']) ?? '').split('\n');
if (reports.filter((path) => path.endsWith('report.json')).length < 2)
  stop('two reports were expected on the branch mlops');
const branch = ask('git', ['--git-dir', join(folder, 'digits.git'), 'log', '-1', '--format=%s', 'main']);
if (branch !== 'Say that this is the first version')
  stop(`the remote's main must not have the blocked commit, and has: ${branch}`);

say(`All as it must be: the good model was let through, the bad one was not.

       the reports    ${reports
         .filter((path) => path.endsWith('report.md'))
         .map((path) => `git show mlops:${path}`)
         .join('\n                      ')}

Play on:
       cd ${quote(project)} && . ../env
       mlops why HEAD~1 HEAD                 what changed between the two runs
       mlops log                             all runs
       git revert --no-edit HEAD && git push   the good model again: known, nothing is trained
       edit .mlops/config.yaml, commit, push (say \`min: 0.99\`, or \`parameters: { hidden: 4 }\`)
Clean up:
       rm -rf ${quote(folder)}${chosen.cluster === undefined ? ` ${quote(cache)}` : ''}`);
