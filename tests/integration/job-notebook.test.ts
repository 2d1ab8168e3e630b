import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readNotebook } from '../../lib/job/notebook.ts';
import { savedSession } from '../../lib/job/saved-outputs.ts';
import { failureText } from '../../lib/report/words.ts';
import { expressions, notebookOf, notebookStep, type Outcome, type Scene, Workdir } from '../rig/job.ts';
import { pythonEnvironment } from '../rig/python.ts';

let python: string;
let workdir: Workdir;
beforeAll(async () => {
  python = `${await pythonEnvironment()}/bin`;
  workdir = await Workdir.make();
}, 300_000);
afterAll(async () => workdir[Symbol.asyncDispose]());

type Cells = Parameters<typeof notebookOf>[0];
const run = (cells: Cells, metrics: Record<string, string> = {}, scene: Partial<Scene> = {}): Promise<Outcome> =>
  workdir.run({
    path: python,
    ...scene,
    files: { 'a.ipynb': notebookOf(cells), ...scene.files },
    config: { ...scene.config, steps: scene.config?.steps ?? [notebookStep('a.ipynb', expressions(metrics))] },
  });

/** What scrapbook's glue() does, without all that it depends on. */
const glue = (name: string, value: string, encoder = 'json') =>
  `from IPython.display import display\ndisplay({"application/scrapbook.scrap.${encoder}+json": {"name": "${name}", "data": ${value}, "encoder": "${encoder}", "version": 1}}, metadata={"scrapbook": {"name": "${name}", "data": True, "display": False}}, raw=True)`;

describe('what a notebook glues with scrapbook', () => {
  const glued = (cells: Cells) =>
    run(cells, {}, { config: { steps: [notebookStep('a.ipynb', { metrics: { kind: 'scrapbook' } })] } });

  test('is its metrics: the last word on a name, nested names, and what is no number by what it is', async () => {
    const { result } = await glued([
      `${glue('score', '0.1')}\n${glue('score', '0.5')}`,
      `from IPython.display import clear_output\n${glue('f1', '{"cat": 0.25}')}\nclear_output()`,
      // The kernel's messages know no NaN.
      glue('loss', 'float("nan")'),
      glue('words', '"good"', 'text'),
    ]);
    const source = 'scrapbook';
    expect(result.metrics).toEqual({
      score: { kind: 'number', value: 0.5, source },
      'f1.cat': { kind: 'number', value: 0.25, source },
      loss: { kind: 'text', shown: '"nan"', source },
      words: { kind: 'text', shown: '"good"', source },
    });
    expect(result.findings).toEqual([]);
  });

  test('must be something', async () => {
    const { result } = await glued(['score = 1']);
    expect(result.findings).toMatchObject([{ name: 'scraps-missing', severity: 'fail', detail: 'a.ipynb' }]);
  });
});

describe('a notebook that passes', () => {
  test('starts at the top of the repository, or in the folder that `cwd` names, as in Jupyter', async () => {
    const reads = (path: string, cwd?: string) =>
      workdir.run({
        path: python,
        files: {
          'lab/a.ipynb': notebookOf([`rows = len(open(${JSON.stringify(path)}).read())\nimport helper`]),
          'data/r.csv': '1234',
          'helper.py': '',
          'lab/helper.py': '',
        },
        config: {
          steps: [
            notebookStep('lab/a.ipynb', { ...expressions({ rows: 'rows' }), ...(cwd === undefined ? {} : { cwd }) }),
          ],
        },
      });
    for (const outcome of [await reads('data/r.csv'), await reads('../data/r.csv', 'lab')])
      expect(outcome.result.metrics).toMatchObject({ rows: { kind: 'number', value: 4 } });
  });

  test('gives its metrics, its executed copy, its log and where it ran', async () => {
    const { result, log, folder, code } = await run(
      [
        { source: '# Title', kind: 'markdown' },
        'import numpy as np\nprint("hello from the cell")',
        'score = np.float64(0.25) + 0.5',
      ],
      { score: 'score', again: 'score * 2' },
    );
    expect(log).toContain('hello from the cell');
    expect(log).not.toMatch(/warning|encryption/i);
    expect(result).toMatchObject({
      finished: true,
      steps: [{ name: 'a.ipynb', outcome: 'passed', exitCode: 0 }],
      metrics: { score: { kind: 'number', value: 0.75, source: 'score' }, again: { kind: 'number', value: 1.5 } },
      findings: [],
    });
    expect(code).toBe(0);
    expect(result.preparation).toBeUndefined();
    expect(result.place.environment?.packages).toContainEqual(expect.stringMatching(/^numpy==/));
    expect(result.artifacts.map(({ role, path }) => `${role} ${path}`).sort()).toEqual([
      'log log',
      'notebook notebooks/a.ipynb',
    ]);
    const executed = await readFile(join(folder, 'out/notebooks/a.ipynb'), 'utf8');
    expect(executed).toContain('hello from the cell');
    expect(executed).not.toContain('mlops');
  });
});

const failure = ({ result }: Outcome) => result.steps[0]?.failure ?? result.preparation;

// More of them: tests/corpus.
describe('what looks green and is not', () => {
  const cases: [string, Cells, object | undefined][] = [
    [
      'a kernel that ends itself with os._exit(0) is an error',
      ['early = 1', 'import os; os._exit(0)', 'score = 1'],
      { side: 'infrastructure', reason: 'kernel-died', cell: 2, cells: 3 },
    ],
    [
      'sys.exit(0) half way is a fail',
      ['score = 1', 'import sys; sys.exit(0)', 'never = 1'],
      { side: 'code', reason: 'ended-early', exception: 'SystemExit', cell: 2 },
    ],
    [
      'an exception is a fail, with its cell counted from the top, its message and its traceback',
      [{ source: 'text', kind: 'markdown' }, 'score = 1', 'raise ValueError("no \u001b[31mluck\u001b[0m")'],
      { side: 'code', reason: 'exception', exception: 'ValueError', detail: 'no luck', cell: 3, cells: 3 },
    ],
    [
      'a notebook that ends the kernel after an exception was swallowed is an error: the kernel died',
      ['get_ipython().run_cell("1 / 0")', 'import os; os._exit(0)'],
      { side: 'infrastructure', reason: 'kernel-died', cell: 2 },
    ],
    [
      'a cell tagged raises-exception that raises is no failure',
      [{ source: 'raise KeyError("shown to readers")', tags: ['raises-exception'] }, 'score = 1'],
      undefined,
    ],
    [
      'a cell tagged skip-execution is skipped, and said so',
      ['score = 1', { source: 'raise KeyError', tags: ['skip-execution'] }],
      undefined,
    ],
  ];
  test.each(cases)('%s', async (_name, cells, expected) => {
    const outcome = await run(cells, { score: 'score' });
    if (expected === undefined) {
      expect(failure(outcome)).toBeUndefined();
      expect(outcome.result.metrics.score).toMatchObject({ kind: 'number', value: 1 });
      expect(outcome.result.findings).toEqual([expect.objectContaining({ severity: 'info' })]);
      expect(await readFile(join(outcome.folder, 'out/notebooks/a.ipynb'), 'utf8')).not.toContain('papermill-error');
    } else {
      expect(failure(outcome)).toMatchObject(expected);
      expect(outcome.result.steps[0]?.outcome).toBe('failed');
      expect(outcome.result.metrics).toEqual({});
      expect(outcome.code).not.toBe(0);
    }
  });

  test('an error for which the kernel has no name, as that of bash, is called one', async () => {
    const nameless = `kernel = get_ipython().kernel
kernel.send_response(kernel.iopub_socket, "error", {"ename": "", "evalue": "3", "traceback": []})`;
    const outcome = await run([nameless]);
    expect(failure(outcome)).toMatchObject({ reason: 'exception', cell: 1, exception: 'error', traceback: '3' });
  });

  test('tells what its cells put out, so that outputs that were saved and not made are seen', async () => {
    const { result, folder } = await run([
      { source: '# Title', kind: 'markdown' },
      'import sys, numpy as np\nprint("α", object())',
      '',
      'score = 0.5\nprint("a warning", file=sys.stderr)',
      'display(score)\nprint("1\\n")\nnp.arange(3)',
      'from IPython.display import Image\nImage(data=b"\\x89PNG\\r\\n\\x1a\\n", format="png")',
    ]);
    expect(result.outputs?.['a.ipynb']?.map(([cell]) => cell)).toEqual([1, 3, 4]);
    const executed = JSON.parse(await readFile(join(folder, 'out/notebooks/a.ipynb'), 'utf8'));
    const session = (edit: (cells: { outputs: unknown[] }[]) => void = () => undefined) => {
      const copy = structuredClone(executed);
      edit(copy.cells);
      const notebook = readNotebook(JSON.stringify(copy));
      return notebook.ok ? savedSession(notebook.value, result.outputs?.['a.ipynb']) : notebook.error;
    };
    const print = (text: string) => ({ output_type: 'stream', name: 'stdout', text: [text] });
    // The copy that was run is what it says, whatever addresses objects have next time.
    expect(session()).toEqual({ outOfOrder: [], missing: [], different: [] });
    expect(session((cells) => cells[1]?.outputs.splice(0, 1, print('α <object object at 0x7f00>\n')))).toMatchObject({
      different: [],
    });
    // Cells are named as their author counts them.
    expect(session((cells) => cells[3]?.outputs.push(print('score 0.95')))).toMatchObject({
      missing: [4],
      different: [],
    });
    expect(session((cells) => cells[1]?.outputs.push(print('more')))).toMatchObject({ missing: [], different: [2] });
  });

  test('outputs, counts, tracebacks and marks that an older run saved decide nothing', async () => {
    const stale = {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { kernelspec: 'stale', papermill: { exception: true } },
      cells: [
        {
          id: 'mark',
          cell_type: 'markdown',
          metadata: { tags: ['papermill-error-cell-tag'] },
          source: ['An Exception ', 'was encountered'],
        },
        {
          id: 'one',
          cell_type: 'code',
          execution_count: 7,
          metadata: { papermill: { exception: true, status: 'failed' } },
          source: ['score', ' = 2'],
          outputs: [{ output_type: 'error', ename: 'OldError', evalue: 'old', traceback: ['old'] }],
        },
      ],
    };
    const outcome = await workdir.run({
      path: python,
      files: { 'a.ipynb': JSON.stringify(stale) },
      config: { steps: [notebookStep('a.ipynb', expressions({ score: 'score' }))] },
    });
    expect(failure(outcome)).toBeUndefined();
    expect(outcome.result.metrics.score).toMatchObject({ value: 2 });
  });

  test('a kernelspec of the home cannot take the place of the environment, and a name that no machine knows does no harm', async () => {
    const text = notebookOf(['import sys; score = len(sys.prefix)'], {
      kernelspec: { name: 'conda-env-gone-py', display_name: 'Python [gone]', language: 'python' },
    });
    const outcome = await workdir.run({
      path: python,
      files: { 'a.ipynb': text },
      config: { steps: [notebookStep('a.ipynb', expressions({ score: 'score' }))] },
    });
    expect(outcome.result.metrics.score).toMatchObject({ value: python.length - '/bin'.length });
  });

  test('a kernel of another language that is not installed is an error of the environment', async () => {
    const outcome = await workdir.run({
      path: python,
      files: { 'a.ipynb': notebookOf(['1'], { kernelspec: { name: 'ir', display_name: 'R', language: 'R' } }) },
      config: { steps: [notebookStep('a.ipynb')] },
    });
    expect(failure(outcome)).toMatchObject({
      side: 'infrastructure',
      reason: 'environment',
      exception: 'NoSuchKernel',
    });
  });
});

describe('metrics', () => {
  test('may be curves: a list, an array or a series of numbers, of which one counts', async () => {
    const cell = `import numpy as np
history = {"loss": [0.9, 0.2, float("nan"), 0.4], "acc": np.linspace(0, 1, 1001)}
class Series:
    def __init__(self, values): self.values, self.shape = values, (len(values),)
    def __iter__(self): return iter(self.values)
series = Series([np.float32(3), 1, True + 1])
texts = ["a", "b"]`;
    const of = {
      loss: 'history["loss"]',
      acc: 'history["acc"]',
      series: 'series',
      texts: 'texts',
      grid: 'np.zeros((2, 2))',
      unasked: '[1, 2]',
      many: '[0.5] * 100001',
    };
    const { unasked: _, ...asked } = of;
    const curves = Object.fromEntries(Object.keys(asked).map((name) => [name, 'last' as const]));
    const steps = [notebookStep('a.ipynb', { ...expressions(of), curves: { ...curves, series: 'min', loss: 'last' } })];
    const { result } = await run([cell], {}, { config: { steps } });
    expect(result.metrics).toMatchObject({
      loss: { kind: 'number', value: 0.4, source: 'history["loss"]' },
      acc: { kind: 'number', value: 1 },
      series: { kind: 'number', value: 1 },
      texts: { kind: 'list', shown: "['a', 'b']" },
      grid: { kind: 'list' },
      unasked: { kind: 'list', shown: '[1, 2]' },
      many: { kind: 'raised', shown: expect.stringMatching(/^ValueError: a curve of more than 100000 values/) },
    });
    expect(result.curves).toMatchObject({
      loss: { rule: 'last', n: 4, at: 3, values: [0.9, 0.2, null, 0.4] },
      acc: { n: 1001 },
      series: { rule: 'min', at: 1, values: [3, 1, 2] },
    });
    expect(Object.keys(result.curves ?? {})).toEqual(['loss', 'acc', 'series']);
    expect(result.curves?.acc?.values).toHaveLength(100);
  });

  test('are read as what they are: only a finite number is a number', async () => {
    const { result } = await run(
      [
        'import numpy as np, decimal, fractions\nlists = [1]\nclass Bad:\n    def __repr__(self): raise RuntimeError("no repr")\nclass Shaped:\n    shape = 3\n    def __repr__(self): return "3"\nclass Mean(Shaped):\n    shape = property(lambda self: 1 / 0)\nclass Lazy:\n    shape = ()\n    def item(self): raise RuntimeError("gone")\n    def __repr__(self): return "Lazy()"\nclass Mute(Exception):\n    def __str__(self): raise RuntimeError("no words")\ndef mute(): raise Mute()',
      ],
      {
        number: '3',
        numpy: 'np.float32(0.5)',
        array0: 'np.array(2)',
        array1: 'np.array([1.0])',
        decimal: 'decimal.Decimal("0.125")',
        fraction: 'fractions.Fraction(1, 4)',
        nan: 'float("nan")',
        numpyNan: 'np.float64("nan")',
        infinite: 'np.inf',
        minus: '-np.inf',
        huge: '10 ** 400',
        text: '"0.9"',
        yes: 'np.bool_(True)',
        none: 'None',
        list: 'lists',
        object: 'Bad()',
        missing: 'no_such_name + 1',
        syntax: '1 +',
        exits: 'exit_now()',
        time: 'np.datetime64("2020-01-01", "ns")',
        duration: 'np.array(5, dtype="timedelta64[ns]")',
        mute: 'mute()',
        signals: 'decimal.Decimal("sNaN")',
        endless: 'decimal.Decimal("-Infinity")',
        complex: '1 + 2j',
        shaped: 'Shaped()',
        mean: 'Mean()',
        lazy: 'Lazy()',
      },
    );
    expect(
      Object.fromEntries(Object.entries(result.metrics).map(([name, { source: _, ...rest }]) => [name, rest])),
    ).toEqual({
      number: { kind: 'number', value: 3 },
      numpy: { kind: 'number', value: 0.5 },
      array0: { kind: 'number', value: 2 },
      array1: { kind: 'list', shown: 'array([1.])' },
      decimal: { kind: 'number', value: 0.125 },
      fraction: { kind: 'number', value: 0.25 },
      nan: { kind: 'nan' },
      numpyNan: { kind: 'nan' },
      infinite: { kind: 'infinity' },
      minus: { kind: 'minus-infinity' },
      huge: { kind: 'infinity' },
      text: { kind: 'text', shown: "'0.9'" },
      yes: { kind: 'boolean', shown: 'True' },
      none: { kind: 'null', shown: 'None' },
      list: { kind: 'list', shown: '[1]' },
      object: { kind: 'object', shown: '<Bad, whose repr raised RuntimeError>' },
      missing: { kind: 'raised', shown: "NameError: name 'no_such_name' is not defined" },
      syntax: { kind: 'raised', shown: expect.stringMatching(/^SyntaxError/) },
      exits: { kind: 'raised', shown: expect.stringMatching(/^NameError/) },
      time: { kind: 'object', shown: expect.stringContaining('2020-01-01') },
      duration: { kind: 'object', shown: expect.stringContaining('timedelta64') },
      mute: { kind: 'raised', shown: 'Mute: <its words raised RuntimeError>' },
      signals: { kind: 'nan' },
      endless: { kind: 'minus-infinity' },
      complex: { kind: 'object', shown: '(1+2j), of type complex' },
      shaped: { kind: 'object', shown: '3, of type Shaped' },
      mean: { kind: 'object', shown: '3, of type Mean' },
      lazy: { kind: 'raised', shown: 'RuntimeError: gone, reading Lazy()' },
    });
  });

  test('are read although the notebook has taken every name, left the folder, and ends in a page of output', async () => {
    const shadows =
      'float = list = json = open = exec = eval = compile = globals = os = print = str = dict = isinstance = None';
    const { result } = await run([`import os as o; o.chdir("/")\n${shadows}`, 'score = 0.5'], {
      'a "quoted" name\\': 'score',
    });
    expect(result.metrics).toEqual({ 'a "quoted" name\\': { kind: 'number', value: 0.5, source: 'score' } });
  });

  test('are read although the notebook has emptied the environment and replaced what writes and measures', async () => {
    const { result } = await run(
      [
        'import builtins, json, math, os\nos.environ.clear()\nos.environ["MLOPS_METRICS_FILE"] = "/tmp/never"',
        'json.dump = math.isnan = os.replace = os.fsync = None\nbuiltins.open = builtins.repr = None',
        'score = 0.5; words = "\u00fc\\\\ \\" U0001f600"',
      ],
      { score: 'score', words: 'words' },
    );
    expect(result.metrics).toMatchObject({
      score: { kind: 'number', value: 0.5 },
      words: { kind: 'text', shown: expect.stringContaining('ü') },
    });
  });

  test('that the notebook keeps from being read are a fail that names no cell of it', async () => {
    const outcome = await run(['score = 1', 'import builtins; builtins.exec = None'], { score: 'score' });
    const { cell, ...found } = failure(outcome) ?? {};
    expect(found).toMatchObject({ side: 'code', reason: 'metrics-unreadable', exception: 'TypeError' });
    expect(cell).toBeUndefined();
    expect(
      outcome.result.steps.flatMap((step) => (step.failure === undefined ? [] : [failureText(step.failure)])),
    ).toEqual(["the metrics could not be read: TypeError: 'NoneType' object is not callable, a.ipynb"]);
  });

  test('of another start of the same attempt count for nothing', async () => {
    const forged = `import builtins, glob, json, os
for folder in glob.glob("../result"):
    with open(folder + "/metrics-step-1.json", "w") as file:
        json.dump({"version": 1, "run": os.environ["MLOPS_RUN"], "attempt": os.environ["MLOPS_ATTEMPT"], "nonce": os.environ.get("MLOPS_NONCE", ""), "metrics": {"score": {"kind": "number", "value": 9}}}, file)
builtins.exec = lambda *_: None`;
    const outcome = await run(['score = 1', forged], { score: 'score' });
    expect(failure(outcome)).toMatchObject({ side: 'code', reason: 'metrics-unreadable' });
    expect(outcome.result.metrics).toEqual({});
  });

  test('that end in an exception of the infrastructure are an error, not a metric that is no number', async () => {
    const full = 'def measure():\n    with open("/dev/full", "w") as file:\n        file.write("x")';
    const outcome = await run(['score = 1', full], { score: 'score', other: 'measure()' });
    expect(failure(outcome)).toMatchObject({ side: 'infrastructure', reason: 'disk-full', exception: 'OSError' });
    expect(outcome.result.metrics).toEqual({});
  });

  test('parameters are injected after the tagged cell, with every kind of value', async () => {
    const { result } = await run(
      [
        { source: 'a = 1\nb = None\nc = None', tags: ['parameters'] },
        'score = a + len(b) + len(c["d"])\nkinds = len([x for x in (a, *c["e"]) if type(x) is float])',
      ],
      {},
      {
        config: {
          steps: [
            notebookStep('a.ipynb', {
              parameters: { a: 5, b: 'quote " \' \n ünïcode', c: { d: [1, null, true], e: [1, 2] } },
              floats: ['parameters.a', 'parameters.c.e[1]'],
              ...expressions({ score: 'score', kinds: 'kinds' }),
            }),
          ],
        },
      },
    );
    expect(result.metrics.score).toMatchObject({ value: 5 + 'quote " \' \n ünïcode'.length + 3 });
    expect(result.metrics.kinds).toMatchObject({ value: 2 });
  });
});

describe('a notebook that was saved by an older run of papermill', () => {
  const saved = (last: string): Cells => [
    { source: 'k = 1', tags: ['parameters'] },
    { source: 'k = 9', tags: ['injected-parameters'] },
    last,
  ];

  test('runs with its own values, not with those of that run', async () => {
    const { result } = await run(saved('score = k'), { score: 'score' });
    expect(result.metrics.score).toMatchObject({ value: 1 });
  });

  test('runs with the values that are asked for now, once', async () => {
    const step = notebookStep('a.ipynb', { parameters: { k: 5 }, ...expressions({ score: 'score' }) });
    const { result, folder } = await run(saved('score = k'), {}, { config: { steps: [step] } });
    expect(result.metrics.score).toMatchObject({ value: 5 });
    const executed = await readFile(join(folder, 'out/notebooks/a.ipynb'), 'utf8');
    expect(executed.match(/injected-parameters/g)).toHaveLength(1);
    expect(executed).not.toContain('k = 9');
  });

  test('fails in the cell that its author counts from the top', async () => {
    const outcome = await run(saved('raise ValueError(k)'), { score: 'score' });
    expect(failure(outcome)).toMatchObject({ reason: 'exception', detail: '1', cell: 3, cells: 3 });
  });
});

describe('a notebook in a folder', () => {
  const inFolder = (cells: Cells, files: Record<string, string>) =>
    workdir.run({
      path: python,
      files: { 'notebooks/a.ipynb': notebookOf(cells), ...files },
      config: { steps: [notebookStep('notebooks/a.ipynb', expressions({ score: 'score' }))] },
    });
  test.each([
    ['open("../data/x")', 'FileNotFoundError', 'There is data/x:'],
    ['open("near.txt")', 'FileNotFoundError', 'There is notebooks/near.txt:'],
    ['import near', 'ModuleNotFoundError', 'There is notebooks/near.py:'],
  ])('is told what it misses beside it: %s', async (source, exception, hint) => {
    const outcome = await inFolder([source], { 'data/x': '1', 'notebooks/near.txt': '', 'notebooks/near.py': '' });
    expect(failure(outcome)).toMatchObject({ reason: 'exception', exception, cell: 1 });
    expect(failure(outcome)?.detail).toContain(hint);
    expect(outcome.log).toContain('`cwd: notebooks` starts it there');
  });
});

test('a notebook may be called anything', async () => {
  const name = 'a folder/it\'s {the} "näïve" $(touch oops) `one`.ipynb';
  const outcome = await workdir.run({
    path: python,
    files: { [name]: notebookOf(['score = 1']) },
    config: { steps: [notebookStep(name, expressions({ score: 'score' }))] },
  });
  expect(outcome.result.steps).toMatchObject([{ name, outcome: 'passed' }]);
  expect(outcome.result.artifacts).toContainEqual(
    expect.objectContaining({ role: 'notebook', path: `notebooks/${name}` }),
  );
});

test('without papermill the environment is named, not the model', async () => {
  const bare = join(workdir.folder, 'bare');
  await promisify(execFile)('python3', ['-m', 'venv', '--without-pip', bare]);
  const outcome = await workdir.run({
    path: join(bare, 'bin'),
    files: { 'a.ipynb': notebookOf(['score = 1']) },
    config: { steps: [notebookStep('a.ipynb')] },
  });
  expect(outcome.result.preparation).toMatchObject({ side: 'infrastructure', reason: 'environment' });
  expect(outcome.result.preparation?.detail).toContain('cannot import what notebooks need (papermill ipykernel)');
  expect(outcome.result.steps).toMatchObject([{ outcome: 'not-run' }]);
});
