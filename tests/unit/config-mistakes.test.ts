import { describe, expect, test } from '@jest/globals';
import { formatDiagnostic } from '../../lib/cli/diagnostic.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import type { Diagnostic } from '../../lib/config/types.ts';

// What someone typed, and what is said about it: line:column+length, the message, the hint.
const mistakes: readonly (readonly [name: string, document: string, said: readonly string[]])[] = [
  [
    'the design’s own example',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    metric: { rprec: 0.1 }\n',
    ['4:5+6 unknown key `metric` in a notebook step; did you mean `metrics`?'],
  ],
  [
    'a misspelt key at the top',
    'version: 1\nstep: []\nsteps: [{ run: pytest -q }]\n',
    ['2:1+4 unknown key `step`; did you mean `steps`?'],
  ],
  [
    'a key that belongs one level lower',
    'version: 1\nmem: 16G\nsteps: [{ run: pytest -q }]\n',
    ['2:1+3 unknown key `mem`; `mem` belongs in `resources`'],
  ],
  [
    'a Slurm option outside of slurm',
    'version: 1\npartition: gpu\nsteps: [{ run: pytest -q }]\n',
    ['2:1+9 unknown key `partition`; `partition` belongs in `cluster.slurm`'],
  ],
  [
    'a key of a run step in a notebook step',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    junit: tests.xml\n',
    ['4:5+5 unknown key `junit` in a notebook step; only a run step has `junit`'],
  ],
  [
    'a key of a notebook step in a run step',
    'version: 1\nsteps:\n  - run: x\n    parameters: { a: 1 }\n',
    ['4:5+10 unknown key `parameters` in a run step; only a notebook step has `parameters`'],
  ],
  [
    'letters of a short key in another order',
    'version: 1\nsteps:\n  - run: x\n    cdw: src\n',
    ['4:5+3 unknown key `cdw` in a run step; did you mean `cwd`?'],
  ],
  [
    'every key of an environment',
    "version: 1\nenvironment: { venv: r.txt, pyhton: '3.11', lokc: x }\npython: '3.11'\nsteps: [{ run: x }]\n",
    [
      '2:29+6 unknown key `pyhton` in `environment`; did you mean `python`?',
      '2:45+4 unknown key `lokc` in `environment`; did you mean `lock`?',
      '3:1+6 unknown key `python`; `python` belongs in `environment`',
    ],
  ],
  [
    'camel case for snake case',
    'version: 1\nonCommit: submit\nsteps: [{ run: pytest -q }]\n',
    ['2:1+8 unknown key `onCommit`; did you mean `on_commit`?'],
  ],
  [
    'a curve of a metric that the step has not',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    metrics: { loss: h }\n    curves: { los: min }\n',
    ['5:15+3 the step has no metric `los`; did you mean `loss`?'],
  ],
  [
    'a curve without a metric',
    'version: 1\nsteps:\n  - run: train\n    curves: { loss: min }\n',
    ['4:15+4 the step has no metric `loss`; a curve is a metric whose value is a list: name it in `metrics` too'],
  ],
  [
    'a curve that stands for no known number',
    'version: 1\nsteps:\n  - run: train\n    metrics: { file: log.csv }\n    curves: { loss: mean }\n',
    ['5:21+4 `loss` is last, min or max: which of its values is the metric, not `mean`; did you mean `min`?'],
  ],
  [
    'a key written twice',
    'version: 1\nsteps: [{ run: pytest -q }]\nversion: 1\n',
    ['3:1+7 the key `version` is here twice'],
  ],
  [
    'no version',
    'steps: [{ run: pytest -q }]\n',
    ['1:1+27 missing key `version`; `version: 1` is the first line of a config'],
  ],
  [
    'another version',
    'version: 2\nsteps: [{ run: pytest -q }]\n',
    ['1:10+1 `version` is 1, not `2`; a newer mlops may know it'],
  ],
  [
    'a number with more digits than a double keeps',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    parameters: { user: 12345678901234567891 }\n    matrix: { id: [-9007199254740993, 3] }\n',
    [
      '4:25+20 `12345678901234567891` has more digits than a number keeps here; write "12345678901234567891" and let the step make a number of it',
      '5:20+17 `-9007199254740993` has more digits than a number keeps here; write "-9007199254740993" and let the step make a number of it',
    ],
  ],
  [
    'a signal that would end the step',
    'version: 1\nresources: { signal: TERM@60 }\nsteps: [{ run: pytest -q }]\n',
    ['2:22+7 `signal` is USR1@SECONDS or USR2@SECONDS, such as USR1@120, not `TERM@60`'],
  ],
  [
    'a signal before the beginning',
    'version: 1\nresources: { signal: USR1@120 }\nsteps: [{ run: pytest -q, resources: { time: "01:00" } }]\n',
    ['3:46+7 the signal would come 120 s before the end, and the whole time is 60 s; fewer seconds, or more time'],
  ],
  [
    'a signal among the options of sbatch, where no step would get it',
    'version: 1\ncluster: { workdir: /w, slurm: { signal: USR1@120 } }\nsteps: [{ run: pytest -q }]\n',
    ['2:34+6 `signal` is not an option to set in `slurm`; it comes from `resources.signal`'],
  ],
  ['a version in quotes', 'version: "1"\nsteps: [{ run: pytest -q }]\n', ['1:10+3 `version` is 1, not `"1"`']],
  [
    'no steps',
    'version: 1\n',
    ['1:1+10 missing key `steps`; `steps` is a list of steps: `- notebook: …` or `- run: …`'],
  ],
  [
    'an empty list of steps',
    'version: 1\nsteps: []\n',
    ['2:8+2 `steps` is a list of at least one step, not an empty list'],
  ],
  [
    'a step that does nothing',
    'version: 1\nsteps:\n  - metrics: { a: b }\n',
    ['3:5+17 a step needs `notebook` or `run`'],
  ],
  [
    'a step of two kinds',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    run: x\n',
    ['4:5+3 a step has `notebook` or `run`, not both; make two steps of it'],
  ],
  [
    'a step that is a text',
    'version: 1\nsteps:\n  - train.py\n',
    ['3:5+8 `steps[0]` is a step: a map with `notebook` or `run`, not `train.py`'],
  ],
  [
    'a script as a notebook',
    'version: 1\nsteps:\n  - notebook: train.py\n',
    ['3:15+8 `notebook` is a notebook (.ipynb), not `train.py`; `run: python train.py` runs a script'],
  ],
  [
    'a memory size in words',
    'version: 1\nresources: { mem: 16 gigs }\nsteps: [{ run: pytest -q }]\n',
    ['2:19+7 `mem` is a size such as 16G, not `16 gigs`'],
  ],
  [
    'a memory size of zero',
    'version: 1\nresources: { mem: 0 }\nsteps: [{ run: pytest -q }]\n',
    ['2:19+1 `mem` is a size such as 16G, not `0`'],
  ],
  [
    'a time in words',
    'version: 1\nresources:\n  time: 2 hours\nsteps: [{ run: pytest -q }]\n',
    [
      '3:9+7 `time` is a wall-clock limit as Slurm writes it: minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM or D-HH:MM:SS, not `2 hours`',
    ],
  ],
  [
    'no time limit',
    'version: 1\nresources: { time: UNLIMITED }\nsteps: [{ run: pytest -q }]\n',
    [
      '2:20+9 `time` is a wall-clock limit as Slurm writes it: minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM or D-HH:MM:SS, not `UNLIMITED`',
    ],
  ],
  [
    'a time of zero, which is no limit in Slurm',
    'version: 1\nresources: { time: "0" }\nsteps: [{ run: pytest -q }]\n',
    [
      '2:20+3 `time` is a wall-clock limit as Slurm writes it: minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM or D-HH:MM:SS, not `"0"`',
    ],
  ],
  [
    'half a CPU',
    'version: 1\nresources: { cpus: 0.5 }\nsteps: [{ run: pytest -q }]\n',
    ['2:20+3 `cpus` is a number of CPUs, 1 or more, not `0.5`'],
  ],
  [
    'a GPU by name',
    'version: 1\nresources: { gpus: a100 }\nsteps: [{ run: pytest -q }]\n',
    ['2:20+4 `gpus` is a number of GPUs, 0 or more, not `a100`'],
  ],
  [
    'a cluster that is a text',
    'version: 1\ncluster: login.example.org\nsteps: [{ run: pytest -q }]\n',
    [
      '2:10+17 `cluster` is a map such as { host: login.hpc.example.edu, workdir: /scratch/$USER/mlops }, not `login.example.org`',
    ],
  ],
  [
    'a host without a folder',
    'version: 1\ncluster: { host: login.example.org }\nsteps: [{ run: pytest -q }]\n',
    ['2:1+7 missing key `workdir` in `cluster`; a folder with room on the cluster, such as /scratch/$USER/mlops'],
  ],
  [
    'a cluster with neither host nor Slurm',
    'version: 1\ncluster: { workdir: /scratch/x }\nsteps: [{ run: pytest -q }]\n',
    [
      '2:1+7 `cluster` has neither `host` nor `slurm`; `host` names a login node; `slurm` alone says that this machine is one; without `cluster` the job runs here',
    ],
  ],
  [
    'a relative workdir',
    'version: 1\ncluster: { host: h, workdir: scratch }\nsteps: [{ run: pytest -q }]\n',
    [
      '2:30+7 `workdir` is an absolute path on the cluster, not `scratch`; begin with / or with a variable such as $HOME or $SCRATCH',
    ],
  ],
  [
    'a wrong transport',
    'version: 1\ncluster: { host: h, workdir: /s, transport: opensh }\nsteps: [{ run: pytest -q }]\n',
    ['2:45+6 `transport` is auto, ssh2 or openssh, not `opensh`; did you mean `openssh`?'],
  ],
  [
    'an sbatch option that resources set',
    'version: 1\ncluster:\n  host: h\n  workdir: /s\n  slurm:\n    time: 60\nsteps: [{ run: pytest -q }]\n',
    ['6:5+4 `time` is not an option to set in `slurm`; it comes from `resources.time`'],
  ],
  [
    'an sbatch option that the run sets',
    'version: 1\ncluster: { host: h, workdir: /s, slurm: { job-name: x } }\nsteps: [{ run: pytest -q }]\n',
    [
      '2:43+8 `job-name` is not an option to set in `slurm`; it comes from the run itself: the job is found again by its name',
    ],
  ],
  [
    'a short sbatch option',
    'version: 1\ncluster: { host: h, workdir: /s, slurm: { p: gpu } }\nsteps: [{ run: pytest -q }]\n',
    ['2:43+1 `p` is not a long option of sbatch without its dashes; did you mean `partition`?'],
  ],
  [
    'an sbatch option with its dashes',
    'version: 1\ncluster: { host: h, workdir: /s, slurm: { --partition: gpu } }\nsteps: [{ run: pytest -q }]\n',
    ['2:43+11 `--partition` is not a long option of sbatch without its dashes; did you mean `partition`?'],
  ],
  [
    'an sbatch option with underscores',
    'version: 1\ncluster: { host: h, workdir: /s, slurm: { cpus_per_task: 4 } }\nsteps: [{ run: pytest -q }]\n',
    ['2:43+13 `cpus_per_task` is not an option to set in `slurm`; it comes from `resources.cpus`'],
  ],
  [
    'an sbatch option with a line break',
    'version: 1\ncluster: { host: h, workdir: /s, slurm: { comment: "a\\nb" } }\nsteps: [{ run: pytest -q }]\n',
    ['2:52+6 `comment` has a line break in it'],
  ],
  [
    'memory in two ways',
    'version: 1\nresources: { mem: 1G }\ncluster: { host: h, workdir: /s, slurm: { mem-per-cpu: 1G } }\nsteps: [{ run: pytest -q }]\n',
    ['3:43+11 `mem-per-cpu` and `resources.mem` exclude each other in Slurm; keep one of them'],
  ],
  [
    'a list as an sbatch option',
    'version: 1\ncluster: { host: h, workdir: /s, slurm: { partition: [a, b] } }\nsteps: [{ run: pytest -q }]\n',
    ['2:54+6 `partition` is a text or a number, not a list'],
  ],
  [
    'an absolute data path',
    'version: 1\ndata:\n  - /datasets/x\nsteps: [{ run: pytest -q }]\n',
    [
      '3:5+11 `/datasets/x` is an absolute path: paths here begin at the top of the repository; { cluster: /datasets/x, as: data/x } names data that is on the cluster already',
    ],
  ],
  [
    'a data path that leaves the repository',
    'version: 1\ndata: [ data/../../x ]\nsteps: [{ run: pytest -q }]\n',
    [
      '2:9+12 `data/../../x` leaves the repository by `..`; { cluster: /datasets/x, as: data/x } names data that is on the cluster already',
    ],
  ],
  [
    'a data path in the home',
    'version: 1\ndata: [ { path: ~/x } ]\nsteps: [{ run: pytest -q }]\n',
    ['2:17+3 `~/x` begins with ~: paths here begin at the top of the repository'],
  ],
  [
    'data twice',
    'version: 1\ndata: [ data/x, ./data/x/ ]\nsteps: [{ run: pytest -q }]\n',
    ['2:17+9 `./data/x/` is in `data` twice'],
  ],
  [
    'data on the cluster without a name here',
    'version: 1\ndata: [ { cluster: /datasets/x } ]\nsteps: [{ run: pytest -q }]\n',
    ['2:9+24 missing key `as` in an entry of `data`; the path in the repository under which steps see it'],
  ],
  [
    'a data entry of two kinds',
    'version: 1\ndata: [ { path: x, cluster: /y, as: z } ]\nsteps: [{ run: pytest -q }]\n',
    ['2:20+7 an entry of `data` has `path` or `cluster`, not both'],
  ],
  [
    'writable data on the cluster',
    'version: 1\ndata: [ { cluster: /y, as: z, writable: true } ]\nsteps: [{ run: pytest -q }]\n',
    ['2:31+8 `writable` does not go with `cluster` in an entry of `data`'],
  ],
  [
    'data that is a text',
    'version: 1\ndata: data/x.csv\nsteps: [{ run: pytest -q }]\n',
    ['2:7+10 `data` is a list of files, folders and globs, not `data/x.csv`'],
  ],
  [
    'an environment of two kinds',
    'version: 1\nenvironment: { conda: a.yml, venv: r.txt }\nsteps: [{ run: pytest -q }]\n',
    [
      '2:30+4 `conda` and `venv`: an environment is made from exactly one of `conda`, `packages`, `venv`, `uv`, `container`, `prefix`',
    ],
  ],
  [
    'an environment of no kind',
    'version: 1\nenvironment: { name: mlops }\nsteps: [{ run: pytest -q }]\n',
    [
      '2:1+11 `environment` needs one of `conda`, `packages`, `venv`, `uv`, `container`, `prefix`; `environment: none` uses what is there',
    ],
  ],
  [
    'an environment by a wrong name',
    'version: 1\nenvironment: { pip: r.txt }\nsteps: [{ run: pytest -q }]\n',
    ['2:16+3 unknown key `pip` in `environment`; did you mean `venv`?'],
  ],
  [
    'an environment that is a text',
    'version: 1\nenvironment: environment.yml\nsteps: [{ run: pytest -q }]\n',
    ['2:14+15 `environment` is none, or a map such as { conda: environment.yml }, not `environment.yml`'],
  ],
  [
    'channels without packages',
    'version: 1\nenvironment: { venv: r.txt, channels: [a] }\nsteps: [{ run: pytest -q }]\n',
    ['2:29+8 `channels` goes with `packages` only'],
  ],
  [
    'a Python version that YAML takes for a number',
    'version: 1\nenvironment: { venv: r.txt, python: 3.10 }\nsteps: [{ run: pytest -q }]\n',
    ['2:37+4 `python` is a version in quotes such as "3.11" (without them 3.10 would be 3.1), not `3.10`'],
  ],
  [
    'a Python version where the packages name it',
    'version: 1\nenvironment: { conda: e.yml, python: "3.10" }\nsteps: [{ run: pytest -q }]\n',
    ['2:30+6 `python` goes with `venv` only; a conda file names it among its packages: python=3.11'],
  ],
  [
    'a lock of a lock',
    'version: 1\nenvironment: { uv: uv.lock, lock: a.lock }\nsteps: [{ run: pytest -q }]\n',
    ['2:29+4 `lock` goes with `conda`, `packages` and `venv`; uv.lock is a lock already'],
  ],
  [
    'a job that builds with a misspelt key',
    'version: 1\nenvironment: { conda: e.yml, build_on: { tme: "00:30:00" } }\nsteps: [{ run: pytest -q }]\n',
    ['2:42+3 unknown key `tme` in `build_on`; did you mean `time`?'],
  ],
  [
    'a job that builds with a partition beside its resources',
    'version: 1\nenvironment: { conda: e.yml, build_on: { partition: cpu } }\nsteps: [{ run: pytest -q }]\n',
    ['2:42+9 unknown key `partition` in `build_on`; `partition` belongs in its `slurm: { … }`'],
  ],
  [
    'a place to build that is none',
    'version: 1\nenvironment: { conda: e.yml, build_on: node }\nsteps: [{ run: pytest -q }]\n',
    ['2:40+4 `build_on` is job, login, or a map such as { time: "00:30:00", mem: 8G }, not `node`'],
  ],
  [
    'a packed container',
    'version: 1\nenvironment: { container: a.sif, packed: true }\nsteps: [{ run: pytest -q }]\n',
    ['2:34+6 `packed` goes with `conda`, `packages`, `venv` and `uv`'],
  ],
  [
    'a packed environment for Jupyter',
    'version: 1\nenvironment: { venv: r.txt, packed: true, kernel: user }\nsteps: [{ run: pytest -q }]\n',
    ['2:43+6 `kernel` does not go with `packed`: Jupyter would find an empty folder'],
  ],
  [
    'a manager by its name alone',
    'version: 1\nenvironment: { conda: e.yml, manager: mamba }\nsteps: [{ run: pytest -q }]\n',
    ['2:39+5 `manager` is the absolute path of conda, mamba or micromamba, not `mamba`'],
  ],
  [
    'a manager of another kind',
    'version: 1\nenvironment: { uv: uv.lock, manager: /opt/conda/bin/conda }\nsteps: [{ run: pytest -q }]\n',
    ['2:38+20 `manager` is the absolute path of uv, not `/opt/conda/bin/conda`'],
  ],
  [
    'a manager where nothing is built by one',
    'version: 1\nenvironment: { prefix: /opt/env, manager: /opt/conda/bin/conda }\nsteps: [{ run: pytest -q }]\n',
    ['2:34+7 `manager` goes with `conda`, `packages`, `venv` and `uv`'],
  ],
  [
    'a manager by a misspelt key',
    'version: 1\nenvironment: { conda: e.yml, manger: /opt/conda/bin/conda }\nsteps: [{ run: pytest -q }]\n',
    ['2:30+6 unknown key `manger` in `environment`; did you mean `manager`?'],
  ],
  [
    'packages that are a text',
    'version: 1\nenvironment: { packages: numpy }\nsteps: [{ run: pytest -q }]\n',
    ['2:26+5 `packages` is a list of conda packages, not `numpy`'],
  ],
  [
    'an environment file elsewhere',
    'version: 1\nenvironment: { conda: ../environment.yml }\nsteps: [{ run: pytest -q }]\n',
    ['2:23+18 `../environment.yml` leaves the repository by `..`'],
  ],
  [
    'expressions in a run step',
    'version: 1\nsteps:\n  - run: x\n    metrics: { a: b }\n',
    [
      '4:5+7 a run step has no kernel that could evaluate an expression; let it write a JSON file: metrics: { file: $MLOPS_OUT/metrics.json }',
    ],
  ],
  [
    'scraps of a run step',
    'version: 1\nsteps:\n  - run: x\n    metrics: scrapbook\n',
    [
      '4:5+7 a run step has no notebook that could glue anything; let it write a JSON file: metrics: { file: $MLOPS_OUT/metrics.json }',
    ],
  ],
  [
    'metrics by a word that is none',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    metrics: scrapbok\n',
    ['4:14+8 `metrics` is a map of names and expressions, { file: … }, or scrapbook, not `scrapbok`'],
  ],
  [
    'one metric in two steps',
    'version: 1\nsteps:\n  - { notebook: a.ipynb, metrics: { acc: a, loss: b } }\n  - { notebook: b.ipynb, metrics: { acc: a } }\n',
    ['4:37+3 `acc` is a metric of step 1 already; give each a name of its own'],
  ],
  [
    'a bound beside equals',
    'version: 1\nsteps: [{ run: x, metrics: { file: m.json } }]\nrequire: { a: { equals: 0, max: 1 }, b: { equals: none } }\n',
    ['3:28+3 `max` of `a` stands beside `equals`, which says it all', '3:51+4 `equals` is a number, not `none`'],
  ],
  [
    'a metrics file and expressions',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    metrics: { file: m.json, a: b }\n',
    ['4:16+4 `metrics` is a map of expressions or { file: … }, not both'],
  ],
  [
    'an expression that is a number',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    metrics: { a: 1 }\n',
    ['4:19+1 `a` is an expression of the notebook, such as history["loss"][-1], not `1`'],
  ],
  [
    'a parameter that is no Python name',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    parameters: { learning-rate: 1 }\n',
    ['4:19+13 `learning-rate` is not a name: letters, digits and _, not beginning with a digit'],
  ],
  [
    'a parameter that is infinite',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    parameters: { lr: .inf }\n',
    ['4:23+4 `lr` is a JSON value: a text, a finite number, true, false, null, a list or a map, not `.inf`'],
  ],
  [
    'a seed twice',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    seeds: { parameter: seed, values: [1, 2, 1] }\n',
    ['4:46+1 the seed `1` is here twice; a repeated seed makes the sample look surer than it is'],
  ],
  [
    'seeds without values',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    seeds: { parameter: seed }\n',
    ['4:5+5 missing key `values` in `seeds`; `values` is a list of whole numbers'],
  ],
  [
    'seeds that are a list',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    seeds: [1, 2]\n',
    ['4:12+6 `seeds` is a map such as { parameter: seed, values: [1, 2, 3] }, not a list'],
  ],
  [
    'a matrix with a single value',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    matrix: { lr: 0.1 }\n',
    ['4:19+3 `lr` is a list of values, not `0.1`'],
  ],
  [
    'a parameter in the matrix too',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    parameters: { lr: 1 }\n    matrix: { lr: [1, 2] }\n',
    ['5:15+2 `lr` is in `parameters` and in `matrix`'],
  ],
  [
    'a throttle for nothing',
    'version: 1\nsteps:\n  - run: x\n    throttle: 2\n',
    ['4:5+8 `throttle` needs `seeds` or `matrix`: this step is run once'],
  ],
  [
    'a requirement of an unknown metric',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    metrics: { rprec: r }\nrequire:\n  rperc: { min: 0.1 }\n',
    ['6:3+5 no step defines a metric `rperc`; did you mean `rprec`?'],
  ],
  [
    'an expression with a metric that is not there',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { f1.cat: a, f1.dog: b } }]\nrequire:\n  f1.cat - f1.dgo: { min: 0 }\n',
    ['4:3+15 no step defines a metric `f1.dgo`; did you mean `f1.dog`?'],
  ],
  [
    'an expression without spaces around its operator',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { f1.cat: a, f1.dog: b } }]\nrequire:\n  f1.cat-f1.dog: { min: 0 }\n',
    ['4:3+13 no step defines a metric `f1.cat-f1.dog`; an operator has spaces around it: a name may contain - and /'],
  ],
  [
    'an expression that ends too early',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { f1.cat: a, f1.dog: b } }]\nrequire:\n  f1.cat - : { min: 0 }\n',
    [
      '4:3+8 `f1.cat -` is neither a metric nor an expression of metrics: a metric, a number or ( is missing at its end; such as `f1.cat - f1.dog`',
    ],
  ],
  [
    'an expression with a parenthesis too few',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { f1.cat: a, f1.dog: b } }]\nrequire:\n  abs(f1.cat - f1.dog: { min: 0 }\n',
    [
      '4:3+19 `abs(f1.cat - f1.dog` is neither a metric nor an expression of metrics: ) is missing at its end; such as `f1.cat - f1.dog`',
    ],
  ],
  [
    'an expression with two metrics beside each other',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { f1.cat: a, f1.dog: b } }]\nrequire:\n  f1.cat f1.dog: { min: 0 }\n',
    [
      '4:3+13 `f1.cat f1.dog` is neither a metric nor an expression of metrics: an operator is missing before `f1.dog`; such as `f1.cat - f1.dog`',
    ],
  ],
  [
    'an expression with another function',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { f1.cat: a, f1.dog: b } }]\nrequire:\n  ab(f1.cat): { min: 0 }\n',
    [
      '4:3+10 `ab(f1.cat)` is neither a metric nor an expression of metrics: there is no function `ab`; did you mean `abs`?',
    ],
  ],
  [
    'an expression that would be code',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { f1.cat: a, f1.dog: b } }]\nrequire:\n  f1.cat; process.exit(): { min: 0 }\n',
    [
      '4:3+22 `f1.cat; process.exit()` is neither a metric nor an expression of metrics: an operator is missing before `;`; such as `f1.cat - f1.dog`',
    ],
  ],
  [
    'a function with too little',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { f1.cat: a, f1.dog: b } }]\nrequire:\n  max(f1.cat): { min: 0 }\n',
    ['4:3+11 `max(f1.cat)` is neither a metric nor an expression of metrics: `max` takes 2 or more'],
  ],
  [
    'an expression without a metric',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { f1.cat: a, f1.dog: b } }]\nrequire:\n  1 + 2: { min: 0 }\n',
    ['4:3+5 `1 + 2` has no metric in it; it is the same for every run'],
  ],
  [
    'a resource that is not known',
    'version: 1\nsteps: [{ notebook: a.ipynb }]\nartifacts: [model.pkl]\nrequire:\n  $tiem: { max: 10 }\n',
    ['5:3+5 `$tiem` is nothing that is known of a run; did you mean `$time`?'],
  ],
  [
    'a time in other units',
    'version: 1\nsteps: [{ notebook: a.ipynb }]\nartifacts: [model.pkl]\nrequire:\n  $time: { max: 10min }\n',
    ['5:17+5 `max` is a time as in `resources`: minutes, "MM:SS" or "HH:MM:SS", not `10min`'],
  ],
  [
    'a size in other units',
    'version: 1\nsteps: [{ notebook: a.ipynb }]\nartifacts: [model.pkl]\nrequire:\n  $memory: { max: 8 apples }\n',
    ['5:19+8 `max` is a size such as 8G, not `8 apples`'],
  ],
  [
    'a size of a file that is not kept',
    'version: 1\nsteps: [{ notebook: a.ipynb }]\nartifacts: [model.pkl]\nrequire:\n  $size(modle.pkl): { max: 8G }\n',
    ['5:3+16 `modle.pkl` is not among the `artifacts`, so its size is not known; did you mean `$size(model.pkl)`?'],
  ],
  [
    'a rise of a resource by an amount',
    'version: 1\nsteps: [{ notebook: a.ipynb }]\nartifacts: [model.pkl]\nrequire:\n  $time: { baseline: main, max_rise: 5 }\n',
    ['5:38+1 `max_rise` of `$time` is a percentage such as 20%'],
  ],
  [
    'a resource that can never be so',
    'version: 1\nsteps: [{ notebook: a.ipynb }]\nartifacts: [model.pkl]\nrequire:\n  $time: { min: "01:00:00", max: 30 }\n',
    ['5:34+2 `$time` can never be at least 01:00:00 and at most 30'],
  ],
  [
    'a warning of a resource that a fail comes before',
    'version: 1\nsteps: [{ notebook: a.ipynb }]\nartifacts: [model.pkl]\nrequire:\n  $memory: { max: 8G, warn: { max: 9000M } }\n',
    [
      '5:36+5 this warning of `$memory` never comes: what misses it fails by `max: 8G` already; warn before it fails, or take one of the two away',
    ],
  ],
  [
    'more seeds, and nobody says how many',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    metrics: { acc: a }\n    seeds: { parameter: s, values: [1, 2] }\nrequire:\n  acc: { min: 1, undecided: more }\n',
    [
      '7:29+4 `undecided: more` does not say how many seeds more; add `more` to the seeds: { parameter: seed, values: [1, 2, 3], more: 10 }',
    ],
  ],
  [
    'more seeds that nothing asks for',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    metrics: { acc: a }\n    seeds: { parameter: s, values: [1, 2], more: 3 }\nrequire:\n  acc: { min: 1 }\n',
    ['5:44+4 `more` is for requirements that say `undecided: more`, and there is none'],
  ],
  [
    'more seeds than anyone runs',
    'version: 1\nsteps:\n  - notebook: a.ipynb\n    metrics: { acc: a }\n    seeds: { parameter: s, values: [1, 2], more: 0 }\nrequire:\n  acc: { min: 1, undecided: more }\n',
    ['5:50+1 `more` is how many seeds may be added, 1 to 1000, not `0`'],
  ],
  [
    'a requirement where there are no metrics',
    'version: 1\nsteps: [{ run: pytest -q }]\nrequire: { acc: { min: 0.1 } }\n',
    ['3:12+3 no step defines a metric `acc`; no step defines `metrics`'],
  ],
  [
    'a requirement without a bound',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { without_baseline: warn }\n',
    [
      '4:3+3 the requirement of `acc` has no bound; add `min`, `max`, `equals`, or `baseline` with `max_drop` or `max_rise`',
    ],
  ],
  [
    'a requirement that is a number',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: 0.5\n',
    ['4:8+3 `acc` is a map of bounds such as { min: 0.25 }, not `0.5`'],
  ],
  [
    'a drop without a baseline',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { max_drop: 1% }\n',
    ['4:10+8 `max_drop` of `acc` needs a `baseline`; `baseline: main` compares with the branch main'],
  ],
  [
    'a baseline without a drop',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { baseline: main }\n',
    ['4:10+8 `baseline` of `acc` is compared with nothing; add `max_drop` or `max_rise`'],
  ],
  [
    'a minimum above the maximum',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { min: 2, max: 1 }\n',
    ['4:23+1 `acc` can never be at least 2 and at most 1'],
  ],
  [
    'a warning that a fail comes before',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { min: 0.3, warn: { min: 0.2 } }\n',
    [
      '4:33+3 this warning of `acc` never comes: what misses it fails by `min: 0.3` already; warn before it fails, or take one of the two away',
    ],
  ],
  [
    'a warning that always comes',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { max: 1, warn: { min: 2 } }\n',
    ['4:31+1 every value of `acc` warns or fails'],
  ],
  [
    'a warning of a drop that is a fail already',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { baseline: main, max_drop: 1%, warn: { max_drop: 2% } }\n',
    [
      '4:58+2 this warning of `acc` never comes: what misses it fails by `max_drop: 1%` already; warn before it fails, or take one of the two away',
    ],
  ],
  [
    'a warning of a drop without a baseline',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { warn: { max_drop: 2% } }\n',
    ['4:18+8 `max_drop` of `acc` needs a `baseline`; `baseline: main` compares with the branch main'],
  ],
  [
    'a goal without a direction',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { min: 0.3, goal: 0.5 }\n',
    ['4:26+3 `goal` is a map that says the direction, such as { min: 0.5 }, not `0.5`'],
  ],
  [
    'a goal that is required already',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { min: 0.3, goal: { min: 0.2 } }\n',
    ['4:33+3 the goal of `acc` asks for no more than its `min` does'],
  ],
  [
    'a goal that nothing can reach',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { max: 0.3, goal: { min: 0.5 } }\n',
    ['4:33+3 the goal of `acc` is beyond what its requirement allows'],
  ],
  [
    'a limit that a goal cannot have',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { min: 0.3, goal: { max_drop: 1% } }\n',
    [
      '4:28+8 unknown key `max_drop` in `goal` of `acc`; `max_drop` belongs in a requirement: `require: { METRIC: { … } }`',
    ],
  ],
  [
    'a misspelt limit of a warning',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { warn: { minimum: 1 } }\n',
    ['4:18+7 unknown key `minimum` in `warn` of `acc`; did you mean `min`?'],
  ],
  [
    'a warning that contradicts itself',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { warn: { min: 2, max: 1 } }\n',
    ['4:31+1 `acc` can never be at least 2 and at most 1'],
  ],
  [
    'a bound in quotes',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { min: "0.5" }\n',
    ['4:15+5 `min` is a number, not `"0.5"`'],
  ],
  [
    'a bound that is not a number',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { min: .nan }\n',
    ['4:15+4 `min` is a number, not `.nan`'],
  ],
  [
    'a negative drop',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { baseline: main, max_drop: -1 }\n',
    [
      '4:36+2 `max_drop` is how far the metric may drop below the baseline: a percentage such as 1% or an amount such as 0.01, not `-1`',
    ],
  ],
  [
    'a misspelt bound',
    'version: 1\nsteps: [{ notebook: a.ipynb, metrics: { acc: a } }]\nrequire:\n  acc: { minimum: 1, maxdrop: 1% }\n',
    [
      '4:10+7 unknown key `minimum` in the requirement of `acc`; did you mean `min`?',
      '4:22+7 unknown key `maxdrop` in the requirement of `acc`; did you mean `max_drop`?',
    ],
  ],
  [
    'a branch that git refuses',
    'version: 1\nreports: my reports\nsteps: [{ run: pytest -q }]\n',
    ['2:10+10 git refuses a branch called `my reports`; `mlops` is the usual name'],
  ],
  [
    'a branch with its folder',
    'version: 1\nreports: refs/heads/mlops\nsteps: [{ run: pytest -q }]\n',
    ['2:10+16 `reports` is the name of a branch without refs/heads/; write `mlops`'],
  ],
  [
    'a policy that does not exist',
    'version: 1\npush: { main: gated }\nsteps: [{ run: pytest -q }]\n',
    ['2:15+5 `main` is gate, record or ignore, not `gated`; did you mean `gate`?'],
  ],
  [
    'a policy for all branches',
    'version: 1\npush: gate\nsteps: [{ run: pytest -q }]\n',
    ['2:7+4 `push` is a map of branches and gate, record or ignore, not `gate`'],
  ],
  [
    'a pattern that matches no branch',
    'version: 1\npush: { "a b": gate }\nsteps: [{ run: pytest -q }]\n',
    ['2:9+5 `a b` can match no branch: git refuses such names'],
  ],
  [
    'a variable of ours',
    'version: 1\nenv: { MLOPS_OUT: x }\nsteps: [{ run: pytest -q }]\n',
    ['2:8+9 `MLOPS_OUT`: names that begin with MLOPS_ are set by the run itself'],
  ],
  [
    'a variable without a value',
    'version: 1\nenv:\n  A:\nsteps: [{ run: pytest -q }]\n',
    ['3:5+1 `A` is a text or a number, not nothing'],
  ],
  [
    'a secret with its value',
    'version: 1\nsecrets: { KEY: abc }\nsteps: [{ run: pytest -q }]\n',
    ['2:10+12 `secrets` is a list of names of environment variables, not a map'],
  ],
  [
    'a secret in env too',
    'version: 1\nenv: { KEY: abc }\nsecrets: [KEY]\nsteps: [{ run: pytest -q }]\n',
    ['2:8+3 `KEY` is in `env` and in `secrets`; a secret has no value in this file'],
  ],
  [
    'an artifact elsewhere',
    'version: 1\nartifacts: [ /tmp/model.pkl ]\nsteps: [{ run: pytest -q }]\n',
    ['2:14+14 `/tmp/model.pkl` is an absolute path: paths here begin at the top of the repository'],
  ],
  [
    'endless retries',
    'version: 1\nretry: { infrastructure: 1000 }\nsteps: [{ run: pytest -q }]\n',
    ['2:26+4 `infrastructure` is how often, 0 to 10, not `1000`'],
  ],
  [
    'a wrong word',
    'version: 1\npublish: metric\nsteps: [{ run: pytest -q }]\n',
    ['2:10+6 `publish` is full or metrics, not `metric`; did you mean `metrics`?'],
  ],
  [
    'broken YAML',
    'version: 1\nsteps: [\n',
    ['3:1+1 not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  [
    'a tab',
    'version: 1\nsteps:\n\t- run: x\n',
    ['3:1+1 not valid YAML: tabs are not allowed as indentation; indent with spaces'],
  ],
  [
    'brackets inside braces',
    "version: 1\nsteps:\n  - notebook: a.ipynb\n    metrics: { loss: h['loss'][-1] }\n",
    [
      "4:23+1 not valid YAML: unexpected flow-seq-start at node end; inside { } a text with brackets, quotes or commas needs quotes around it: '…'",
    ],
  ],
  [
    'an unquoted star',
    'version: 1\ncode: [ ** ]\nsteps: [{ run: pytest -q }]\n',
    ['2:9+2 `**` is an alias in YAML, and nothing is called that; a text that begins with * needs quotes: "**"'],
  ],
  [
    'an unquoted star as a key',
    'version: 1\npush: { *: gate }\nsteps: [{ run: pytest -q }]\n',
    ['2:12+1 not valid YAML: missing , or : between flow map items; a key that begins with * needs quotes: "*"'],
  ],
  [
    'an unquoted exclamation mark',
    'version: 1\ncode:\n  - !docs/**\nsteps: [{ run: pytest -q }]\n',
    ['3:5+8 `!docs/**` is a tag in YAML, and an unknown one; a text that begins with ! needs quotes: "!docs/**"'],
  ],
  [
    'an undefined alias',
    'version: 1\nresources: *big\nsteps: [{ run: pytest -q }]\n',
    ['2:12+4 `*big` is an alias in YAML, and nothing is called that; a text that begins with * needs quotes: "*big"'],
  ],
  [
    'a merge key',
    'version: 1\nresources: &r { cpus: 1 }\nsteps: [{ run: pytest -q }]\n<<: *r\n',
    ['4:1+2 unknown key `<<`; merge keys are YAML 1.1; repeat the lines'],
  ],
  [
    'two documents',
    'version: 1\nsteps: [{ run: pytest -q }]\n---\nversion: 1\n',
    ['3:1+3 a config is one document, and here begins another; take the line `---` away'],
  ],
  ['an empty file', '', ['1:1+1 the config is empty; `mlops init` writes one']],
  ['a file of comments', '# nothing\n', ['1:1+9 the config is empty; `mlops init` writes one']],
  ['a list at the top', '- a\n- b\n', ['1:1+3 the file is a map of keys and values, not a list']],
  ['a text at the top', 'hello\n', ['1:1+5 the file is a map of keys and values, not `hello`']],
  [
    'Windows line ends',
    'version: 1\r\nsteps:\r\n  - runn: x\r\n',
    ['3:5+4 unknown key `runn` in a step; did you mean `run`?'],
  ],
  [
    'a byte order mark',
    '\ufeffverson: 1\nversion: 1\nsteps: [{ run: x }]\n',
    ['1:1+6 unknown key `verson`; did you mean `version`?'],
  ],
  ['bytes that are not UTF-8', 'version: 1\n# caf\ufffd\n', ['2:6+1 the file is not UTF-8 text; save it as UTF-8']],
  [
    'several mistakes at once',
    'version: 1\nresources: { mem: lots, gpu: 1 }\nsteps:\n  - run: x\n    junits: a\nreports: a..b\n',
    [
      '2:19+4 `mem` is a size such as 16G, not `lots`',
      '2:25+3 unknown key `gpu` in `resources`; did you mean `gpus`?',
      '5:5+6 unknown key `junits` in a run step; did you mean `junit`?',
      '6:10+4 git refuses a branch called `a..b`; `mlops` is the usual name',
    ],
  ],
];

describe('a mistake in the config is shown with its place and the way out', () => {
  test.each(mistakes)('%s', (_, document, said) => {
    const loaded = loadConfig(document, '.mlops/config.yaml');
    expect(loaded.ok).toBe(false);
    if (loaded.ok) return;
    expect(
      loaded.error.map(
        ({ range, message, hint }) =>
          `${range.line}:${range.column}+${range.length} ${message}${hint === undefined ? '' : `; ${hint}`}`,
      ),
    ).toEqual(said);
  });

  test('in the form of the screen: file, line, column, and the key underlined', () => {
    const document =
      'version: 1\nsteps:\n  - notebook: movie-recs.ipynb\n    metric: { rprec: rprecs["rprec"].mean() }\n';
    const loaded = loadConfig(document, '.mlops/config.yaml');
    expect(loaded.ok ? '' : loaded.error.map((diagnostic) => formatDiagnostic(diagnostic))[0]).toBe(
      [
        '.mlops/config.yaml:4:5  unknown key `metric` in a notebook step; did you mean `metrics`?',
        '    4 |     metric: { rprec: rprecs["rprec"].mean() }',
        '      |     ^^^^^^',
      ].join('\n'),
    );
  });

  test('wide characters and tabs keep the underline under its text', () => {
    const loaded = loadConfig('version: 1\nsteps: [{ run: "数据", junits: x }]\n', 'c.yaml');
    const shown = loaded.ok ? '' : formatDiagnostic(loaded.error[0] as Diagnostic);
    const [, line = '', marks = ''] = shown.split('\n');
    // Each of the two characters takes two columns of a terminal.
    expect(marks.indexOf('^')).toBe(line.indexOf('junits') + 2);
  });

  test('control characters of the file do not reach the terminal', () => {
    const loaded = loadConfig('version: 1\nsteps: [{ run: "\u001b[31mx", junits: x }]\n', 'c.yaml');
    expect(loaded.ok ? '' : loaded.error.map((diagnostic) => formatDiagnostic(diagnostic)).join()).not.toContain(
      '\u001b',
    );
  });

  test('a few aliases that expand to gigabytes are refused', () => {
    const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
    for (let n = 1; n < 9; n++)
      lines.push(
        `a${n}: &a${n} [${Array(9)
          .fill(`*a${n - 1}`)
          .join(',')}]`,
      );
    const loaded = loadConfig(`version: 1\n${lines.join('\n')}\nsteps: [{ run: x }]\n`, 'c.yaml');
    expect(loaded.ok ? [] : loaded.error.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('alias'),
    );
  });

  test('a file that is not UTF-8 is refused at its first foreign byte', () => {
    const loaded = loadConfig(new Uint8Array([0x76, 0x3a, 0x20, 0xe9, 0x0a]), 'c.yaml');
    expect(loaded.ok ? [] : loaded.error.map(({ range, message }) => [range.line, range.column, message])).toEqual([
      [1, 4, 'the file is not UTF-8 text'],
    ]);
  });
});
