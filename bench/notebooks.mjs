// `node bench/notebooks.mjs`: tests/corpus/notebooks under plain papermill and `jupyter nbconvert --execute`, and what their exit status says.
// Ours is what tests/integration/corpus.test.ts holds it to. Writes the table of docs/notebooks.md; --python names one that has both tools.
import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { python: { type: 'string' } } });
const corpus = join(checkout, 'tests/corpus');
const notebooks = JSON.parse(await readFile(join(corpus, 'notebooks.json'), 'utf8'));
const folder = await mkdtemp(join(tmpdir(), 'mlops-bench-notebooks-'));
// A minute is long for these; a notebook that hangs a tool is not let through by it.
const limit = 60_000;

async function environment() {
  if (values.python !== undefined) return values.python;
  await run('python3', ['-m', 'venv', join(folder, 'venv')]);
  const python = join(folder, 'venv/bin/python');
  await run(python, ['-m', 'pip', 'install', '-q', 'papermill', 'nbconvert', 'ipykernel', 'numpy']);
  return python;
}
const python = await environment();

/** How it ends, in a folder and with Jupyter folders of its own. */
function ended(name, tool, args) {
  return new Promise((resolve, reject) => {
    const place = join(folder, tool, name);
    mkdir(place, { recursive: true })
      .then(() => cp(join(corpus, 'notebooks', `${name}.ipynb`), join(place, `${name}.ipynb`)))
      .then(() => {
        const child = spawn(python, args, {
          cwd: place,
          stdio: 'ignore',
          detached: true,
          env: { ...process.env, IPYTHONDIR: join(place, '.ipython'), JUPYTER_RUNTIME_DIR: join(place, '.runtime') },
        });
        const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), limit);
        child.on('error', reject);
        child.on('exit', (code) => {
          clearTimeout(timer);
          resolve(code ?? 'killed');
        });
      })
      .catch(reject);
  });
}

const tools = {
  papermill: ({ name, parameters = {} }) =>
    ended(name, 'papermill', [
      ...['-m', 'papermill', `${name}.ipynb`, 'out.ipynb', '--no-progress-bar'],
      ...Object.entries(parameters).flatMap(([key, value]) => ['-p', key, String(value)]),
    ]),
  nbconvert: ({ name }) =>
    ended(name, 'nbconvert', [
      ...['-m', 'nbconvert', '--to', 'notebook', '--execute', `${name}.ipynb`, '--output', 'out.ipynb'],
    ]),
};

const rows = [];
const waiting = [...notebooks];
async function work() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [papermill, nbconvert] = [await tools.papermill(next), await tools.nbconvert(next)];
    rows.push({ ...next, papermill, nbconvert });
    process.stderr.write(`${next.name}: ${papermill} ${nbconvert}\n`);
  }
}
await Promise.all([work(), work()]);
rows.sort(
  (a, b) => notebooks.findIndex(({ name }) => name === a.name) - notebooks.findIndex(({ name }) => name === b.name),
);

const versions = JSON.parse((await run(python, ['-m', 'pip', 'list', '--format', 'json'])).stdout)
  .filter(({ name }) => /^(?:papermill|nbconvert|nbclient|ipykernel|ipython)$/.test(name))
  .map(({ name, version }) => `${name} ${version}`)
  .join(', ');
const pythonVersion = (await run(python, ['-V'])).stdout.trim();

const passes = (status) => status === 0;
const rightly = (kind, tool) =>
  rows.filter((row) => kindOf(row) === kind && passes(row[tool]) === (row.verdict === 'pass')).length;
const of = (kind) => rows.filter((row) => kindOf(row) === kind).length;
const titles = { good: 'good', broken: 'broken', lying: 'lying about how it ran', numbers: 'lying about the metric' };
const aboutMetric = ['check', 'metrics-unreadable'];
const kindOf = ({ kind, reason }) => (kind === 'lying' && aboutMetric.includes(reason) ? 'numbers' : kind);
const summary = Object.entries(titles)
  .map(
    ([kind, title]) =>
      `| ${title} | ${of(kind)} of ${of(kind)} | ${rightly(kind, 'papermill')} of ${of(kind)} | ${rightly(kind, 'nbconvert')} of ${of(kind)} |\n`,
  )
  .join('');
const shown = (status, row) => {
  const word = status === 0 ? 'exit 0' : status === 'killed' ? 'hangs' : `exit ${status}`;
  return passes(status) === (row.verdict === 'pass') ? word : `**${word}**`;
};
const table = rows
  .map(
    (row) =>
      `| ${row.name} | ${row.why} | ${row.verdict} | ${shown(row.papermill, row)} | ${shown(row.nbconvert, row)} |\n`,
  )
  .join('');
const text = `Seen with ${versions}, ${pythonVersion}. What is wrong is bold.

| judged rightly | mlops | papermill | nbconvert --execute |
|---|---|---|---|
${summary}
| notebook | what it is | mlops | papermill | nbconvert |
|---|---|---|---|---|
${table}`;

const page = join(checkout, 'docs/notebooks.md');
const old = await readFile(page, 'utf8');
const [start, end] = ['<!-- corpus -->\n', '<!-- /corpus -->'];
await writeFile(page, old.slice(0, old.indexOf(start) + start.length) + text + old.slice(old.indexOf(end)));
await rm(folder, { recursive: true, force: true });
