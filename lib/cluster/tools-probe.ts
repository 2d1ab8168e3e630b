import { shellExpanded, shellQuote } from '../base/shell-quote.ts';
import { fields } from './site-probe.ts';

export interface ToolsRequest {
  readonly setup?: string;
  readonly modules: readonly string[];
  /** An environment's folder; may begin with a variable. Undefined: the Python on PATH. */
  readonly prefix?: string;
  /** Names of Python packages that are imported. */
  readonly needs: readonly string[];
  /** Addresses to reach; `$PIP_INDEX_URL` and the like of `env` count before them. */
  readonly reach: readonly Address[];
  readonly env: Readonly<Record<string, string>>;
}
export interface Address {
  /** A variable that people set to a mirror of their own. */
  readonly variable?: string;
  readonly url: string;
}

/** What is there once the site's set-up and the modules are loaded, as a job does it. */
export interface ToolsFacts {
  readonly node: string;
  /** The status of the last line of `setup`; undefined: there is none, or it ended the shell. */
  readonly setup?: number;
  readonly moduleCommand: boolean;
  readonly modules: readonly { readonly name: string; readonly loaded: boolean; readonly words: string }[];
  readonly python?: Python;
  readonly uv?: string;
  /** conda, mamba or micromamba: the path. */
  readonly conda?: string;
  /** apptainer, singularity or ch-run: the path. */
  readonly container?: string;
  readonly reached: readonly { readonly url: string; readonly ok: boolean; readonly words: string }[];
  /** It came to its end: `setup` did not end the shell. */
  readonly complete: boolean;
}
export interface Python {
  readonly path: string;
  /** Undefined: it does not start; `words` says why. */
  readonly version?: string;
  readonly venv: boolean;
  /** Everything of `needs` can be imported. */
  readonly imports: boolean;
  readonly words: string;
}

/** The same places and order as in templates/job.sh.hbs and env-conda.sh.hbs. */
export function toolsScript(request: ToolsRequest): string {
  const { setup, modules, prefix, needs, reach, env } = request;
  return `unset PYTHONPATH PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV CDPATH
${Object.entries(env)
  .map(([name, value]) => `export ${name}=${shellQuote(value)}`)
  .join('\n')}
echo "node=$(uname -n)"
tell() { printf '%s\\n' "$2" | sed "s/^/$1=/"; }
${setup === undefined ? '' : setupLines(setup)}
${modules.length === 0 ? '' : moduleLines(modules)}
limit=$(command -v timeout) && limit="$limit 60"
python=${prefix === undefined ? '$(command -v python3 || command -v python)' : `${shellExpanded(prefix)}/bin/python`}
if [ -n "$python" ]; then
  echo "python=$python"
  version=$($limit "$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>&1 </dev/null) && echo "version=$version" || tell python-words "$version"
  if $limit "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 </dev/null; then echo "venv=yes"; fi
  words=$($limit "$python" -c 'import importlib, sys
for name in sys.argv[1:]: importlib.import_module(name)' ${needs.map(shellQuote).join(' ')} 2>&1 </dev/null) && echo "imports=yes" || tell python-words "$words"
fi
first() { # KEY PATH…
  key=$1
  shift
  for place in "$@"; do
    if [ -n "$place" ] && [ -x "$place" ] && [ ! -d "$place" ]; then
      echo "$key=$place"
      return
    fi
  done
}
on_path() { # PROGRAM: its file, past the shell functions that conda's own set-up makes
  IFS=:
  for folder in $PATH; do
    if [ -x "$folder/$1" ] && [ ! -d "$folder/$1" ]; then
      unset IFS
      printf %s "$folder/$1"
      return
    fi
  done
  unset IFS
}
first uv "$(on_path uv)"
first conda "$(on_path micromamba)" "$(on_path mamba)" "$(on_path conda)" "\${MAMBA_EXE:-}" "\${CONDA_EXE:-}" "$HOME/miniforge3/bin/conda" \\
  "$HOME/mambaforge/bin/conda" "$HOME/miniconda3/bin/conda" "$HOME/anaconda3/bin/conda" /opt/conda/bin/conda /opt/miniforge3/bin/conda \\
  /opt/miniconda3/bin/conda /opt/anaconda3/bin/conda
first container "$(on_path apptainer)" "$(on_path singularity)" "$(on_path ch-run)"
${reach.length === 0 ? '' : reachLines(reach)}
echo complete=yes`;
}

const setupLines = (
  setup: string,
): string => `if ! command -v source >/dev/null 2>&1; then eval 'source() { . "$@"; }'; fi
eval ${shellQuote(setup)} </dev/null >/dev/null
echo "setup=$?"`;

const moduleLines = (modules: readonly string[]): string => `if ! command -v module >/dev/null 2>&1; then
  for init in "\${LMOD_PKG:-/nowhere}/init/sh" "\${MODULESHOME:-/nowhere}/init/sh" /etc/profile.d/lmod.sh /etc/profile.d/z00_lmod.sh /etc/profile.d/modules.sh \\
    /usr/share/lmod/lmod/init/sh /usr/share/modules/init/sh /usr/share/Modules/init/sh /etc/profile; do
    [ -r "$init" ] || continue
    . "$init" >/dev/null 2>&1 </dev/null
    ! command -v module >/dev/null 2>&1 || break
  done
fi
if command -v module >/dev/null 2>&1; then
  echo "module-command=yes"
  # Asked in a shell of its own, so that its words are in no file; loaded where it counts.
  index=0
  for module in ${modules.map(shellQuote).join(' ')}; do
    index=$((index + 1))
    words=$(module load "$module" 2>&1 </dev/null) && ! printf '%s\\n' "$words" | grep -Eq 'ERROR|Unable to locate|unknown' && {
      module load "$module" >/dev/null 2>&1 </dev/null
      echo "module-$index-loaded=yes"
    } || tell "module-$index-words" "$words"
  done
fi`;

const reachLines = (reach: readonly Address[]): string => `reach() { # URL
  if command -v curl >/dev/null 2>&1; then words=$(curl -sS -L -o /dev/null --max-time 20 --head "$1" 2>&1 </dev/null)
  elif command -v wget >/dev/null 2>&1; then words=$(wget -q -O /dev/null -T 20 -t 1 "$1" 2>&1 </dev/null)
  elif [ -n "$python" ]; then words=$("$python" -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=20)' "$1" 2>&1 </dev/null | tail -n 1)
    [ -z "$words" ]
  else words='neither curl nor wget nor Python is there'; false
  fi && echo "reached=$1" || { echo "unreached=$1"; tell "reach-words" "$words"; }
}
${reach.map(({ variable, url }) => `reach "${variable === undefined ? url : `\${${variable}:-${url}}`}"`).join('\n')}`;

export function parseTools(text: string, request: ToolsRequest): ToolsFacts {
  const { one, all } = fields(text);
  const setup = one('setup');
  const version = one('version');
  const path = one('python');
  const found = (key: 'uv' | 'conda' | 'container') => (one(key) === '' ? {} : { [key]: one(key) });
  return {
    node: one('node'),
    ...(setup === '' ? {} : { setup: Number(setup) }),
    moduleCommand: one('module-command') === 'yes',
    modules: request.modules.map((name, index) => ({
      name,
      loaded: one(`module-${index + 1}-loaded`) === 'yes',
      words: all(`module-${index + 1}-words`)
        .join('\n')
        .trim(),
    })),
    ...(path === ''
      ? {}
      : {
          python: {
            path,
            ...(version === '' ? {} : { version }),
            venv: one('venv') === 'yes',
            imports: one('imports') === 'yes',
            words: all('python-words').join('\n'),
          },
        }),
    ...found('uv'),
    ...found('conda'),
    ...found('container'),
    reached: [
      ...all('reached').map((url) => ({ url, ok: true, words: '' })),
      ...all('unreached').map((url) => ({ url, ok: false, words: all('reach-words').join('\n') })),
    ],
    complete: one('complete') === 'yes',
  };
}
