#!/bin/sh
# One attempt of run abababababababab: 2 step(s). Started in its own folder, WORKDIR/runs/RUN/ATTEMPT, by Slurm or by this machine.
run=abababababababababababababababababababababababababababababababab
here=$(pwd)
attempt=${here##*/}
above=${here%/*}
workdir=${above%/*/*}
keep=$above/keep
if [ "${above##*/}" != "$run" ]; then
  echo "mlops: started in $here, which is no attempt of run $run" >&2
  exit 90
fi
attempt_folder=$here
umask 077
# A shell where the steps of this attempt ran, in their environment. What this script itself writes goes into a folder that it takes away again.
place=$here${1:+/tasks/$1}
if [ ! -d "$place/tree" ]; then
  echo "mlops: $place/tree is not there (any more)" >&2
  exit 90
fi
mkdir -p "$place/out" "shell-$$/in" && cd "shell-$$" && ln -s "$place/tree" tree && ln -s "$place/out" out && ln -s ../../in/setup.sh ../../in/environment.json in/ || exit 91
here=$here/shell-$$
# The login shell's leftovers must not choose the Python of a run; what `setup` and the modules set afterwards counts.
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV JUPYTER_PATH CDPATH
# Without job control, an alias or a locale of the site in between.
LC_NUMERIC=C
export LC_NUMERIC
say() { printf 'mlops: %s\n' "$*"; }
now() { printf '%s\n' "$*" >state/now.tmp && mv -f state/now.tmp state/now; }
epoch() { date +%s; }
# put FILE: standard input, complete or not at all.
put() { cat >"$1.tmp" && mv -f "$1.tmp" "$1"; }

# Whoever makes state/begun has the attempt: this job, or a client that has given it up (docs/job.md). A second job of the same attempt
# touches nothing; one that the site has started again says so, since half of its results are of its first start.
job=${MLOPS_JOB:-${SLURM_JOB_ID:-$$}}
# begin JOB: makes state/begun in the current folder for that job, once; what is there then is in $begun.
begin() {
  mkdir -p state || exit 91
  mine=state/begun.$job.tmp
  echo "job=$1 restart=${SLURM_RESTART_COUNT:-0} at=$(epoch)" >"$mine" || exit 91
  # ln makes it complete and only once; noclobber does where a file system has no hard links.
  ln "$mine" state/begun 2>/dev/null || (set -C; cat "$mine" >state/begun) 2>/dev/null
  begun=$(cat state/begun)
  is_first=
  [ "$(cat "$mine")" != "$begun" ] || is_first=yes
  rm -f "$mine"
}
# last_word STATUS
last_word() {
  printf 'run=%s attempt=%s exit=%s at=%s\n' "$run" "$attempt" "$1" "$(epoch)" | put state/end
}
begin "$job"
if [ -z "$is_first" ]; then
  case $begun in
  "job=$job "*)
    mkdir -p result
    say "job $job was started again, and an attempt is not run twice; the first start: $begun"
    { echo preempted; echo "the site started job $job again; the first start: $begun"; } | put result/preparation
    last_word 93
    exit 93
    ;;
  *)
    say "job $job does nothing: this attempt has ${begun:-no readable state/begun}"
    exit 92
    ;;
  esac
fi
mkdir -p result out "$keep" || exit 91
# Short, because Unix sockets (multiprocessing, data loaders) hold 107 bytes of path, which the run's folder alone nearly has.
private=$workdir/tmp/abababababababab.$attempt.$$.shell
rm -rf "$private"
mkdir -p "$private/tmp" || exit 91
log_start=0
phase=preparing
failed=''
lock=''

# Everything that the attempt's log has got since the byte noted in log_start, at most 4000 bytes of it.
recent_log() { if [ -f log ]; then tail -c "+$((log_start + 1))" log 2>/dev/null | tail -c 4000; fi; }
# not_prepared REASON: the words are in $words; nothing was run.
words=$private/words
not_prepared() {
  { printf '%s\n' "$1"; tail -c 6000 "$words"; } | put result/preparation
  say "not prepared ($1):"
  sed 1d result/preparation
  phase=told
  exit 3
}
the_end() {
  code=$?
  trap '' TERM INT HUP
  [ -z "${beat_pid:-}" ] || kill "$beat_pid" 2>/dev/null
  # What still installs must have ended before another builder begins.
  if [ -s "$private/installing" ]; then kill "$(cat "$private/installing")" 2>/dev/null && wait; fi
  if [ "$phase" = preparing ] && [ ! -s state/signals ]; then
    { printf 'environment\nthe script ended with status %s at: %s\n' "$code" "$doing"; recent_log; } | put result/preparation
  fi
  release_lock
  (cd / && rm -rf "$private")
  # Whoever asked for this may have taken the folder away already.
  cd "$here" 2>/dev/null || exit "$code"
  last_word "$code"
  cd "$attempt_folder" && rm -rf "$here"
  exit "$code"
}
release_lock() {
  if [ -n "${lock_token:-}" ] && [ "$(cat "$lock/owner" 2>/dev/null)" = "$lock_token" ]; then rm -rf "$lock"; fi
  lock_token=
}
doing=start
trap the_end EXIT
step_pid=''
# A step that is waited for in the background has the time to end in order.
finish_step() {
  case $step_pid in
  '') ;;
  $$) wait ;;
  *) wait "$step_pid" ;;
  esac
}
trap 'echo "$(epoch) TERM" >>state/signals; finish_step; exit 143' TERM
trap 'echo "$(epoch) INT" >>state/signals; finish_step; exit 130' INT
trap 'echo "$(epoch) HUP" >>state/signals; finish_step; exit 129' HUP

cpu=$(sed -n 's/^model name[[:space:]]*: *//p' /proc/cpuinfo 2>/dev/null | sed 1q)
gpu=
if command -v nvidia-smi >/dev/null 2>&1; then
  # It hangs on a broken driver, and not every system has `timeout`.
  limit=$(command -v timeout) && limit="$limit 20"
  gpu=$($limit nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null </dev/null | sort | uniq -c | sed 's/^ *1 //;s/^ *\([0-9]*\) /\1 x /' | tr '\n' ',' | sed 's/,$//')
fi
started=$(epoch)
{
  # By the scheduler's own name for it, where it has one.
  echo "job=$job node=${SLURMD_NODENAME:-$(uname -n)} at=$started"
  echo "cpu=${cpu:-$(uname -m)}"
  [ -z "$gpu" ] || echo "gpu=$gpu"
} | put state/started
now "starting"
# Read at once and taken away, kept out of the environment until the first step.
secrets=
if [ -f in/secrets ]; then
  secrets=$(cat in/secrets)
  rm -f in/secrets
fi

# --- what the site needs
doing=setup
now "setup"
if ! command -v source >/dev/null 2>&1; then
  eval 'source() { . "$@"; }' # in quotes, because busybox reads the name as its own even where this is not run
fi
. ./in/setup.sh </dev/null
code=$?
if [ "$code" -ne 0 ]; then
  { echo "the last line of setup ended with status $code"; recent_log; } >"$words"
  not_prepared environment
fi
cd "$here" || exit 91
doing=modules
now "loading modules"
if ! command -v module >/dev/null 2>&1; then
  for init in "${LMOD_PKG:-/nowhere}/init/sh" "${MODULESHOME:-/nowhere}/init/sh" /etc/profile.d/lmod.sh /etc/profile.d/z00_lmod.sh /etc/profile.d/modules.sh \
    /usr/share/lmod/lmod/init/sh /usr/share/modules/init/sh /usr/share/Modules/init/sh /etc/profile; do
    [ -r "$init" ] || continue
    . "$init" >/dev/null 2>&1 </dev/null
    ! command -v module >/dev/null 2>&1 || break
  done
fi
if ! command -v module >/dev/null 2>&1; then
  echo "this machine has no module command (looked in the usual places of Lmod and of Environment Modules, and in /etc/profile)" >"$words"
  not_prepared missing-module
fi
# What begins likewise, whatever its case: the longest beginning that anything has.
near_modules() {
  near=${1%%/*}
  module -t avail >"$private/modules" 2>&1 </dev/null
  while [ "${#near}" -ge 2 ]; do
    if awk -v near="$near" 'index(tolower($0), tolower(near)) == 1' "$private/modules" | sed 20q | grep . >"$private/near"; then
      echo "there are:"
      cat "$private/near"
      return
    fi
    near=${near%?}
  done
  echo "nothing of a similar name is there (module avail names $(grep -c . "$private/modules"))"
}
load_module() {
  # Its words go to standard error; version 3 ends with 0 whatever happened.
  if ! module load "$1" 2>"$private/module" </dev/null || grep -Eq 'ERROR|Unable to locate|unknown' "$private/module"; then
    { printf 'module load %s\n' "$1"; cat "$private/module"; near_modules "$1"; } >"$words"
    not_prepared missing-module
  fi
  cat "$private/module"
}
load_module Anaconda3/2021.11
load_module 'odd $(touch oops) '\''module'\'''

# --- the environment
doing=environment
now "environment"
TMPDIR=$private/tmp
export TMPDIR
needs='papermill ipykernel'
# The path is in every script of an environment, and another kind of processor cannot use it: it gets its own.
environment=$workdir/envs/0123456789abcdef01234567
platform=$(uname -m)
case $platform in
x86_64) ;;
*) environment=$environment.$platform ;;
esac
cache=$workdir/cache
use_environment() {
  environment=$1
  prefix=$environment/env
  python=$prefix/bin/python
  where=$prefix
  lock=$environment/lock
  if ! mkdir -p "$environment" "$cache" 2>"$words"; then not_prepared environment; fi
}
use_environment "$environment"
# What is downloaded does not go to a home with a tiny quota. A package manager must not ask, and must not read another's Python path.
export PIP_CACHE_DIR="$cache/pip" UV_CACHE_DIR="$cache/uv" PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PYTHONNOUSERSITE=1
# What is asked of the environment's Python, whoever made it.
has_modules() {
  [ -x "$1" ] && "$1" -c 'import importlib.util as u, sys
sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))' $needs >/dev/null 2>&1 </dev/null
}
imports() { "$python" -c 'import importlib, sys
for m in sys.argv[1:]: importlib.import_module(m)' $needs >"$private/import" 2>&1 </dev/null; }
# A blank, and one word of a command that is written into a script.
word_of() { printf " '%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }
# What a step's line runs in: the end of a subshell.
inside() { exec "$@"; }
# write_packages FOLDER: packages.txt names what is installed, lock.txt says it in a form that can be installed again.
write_packages() {
  "$python" -c 'import glob, io, json, os, platform, sys
try:
    from importlib.metadata import distributions
    found = [((d.metadata["Name"] or "?"), d.version, d.read_text) for d in distributions()]
except ImportError:
    import pkg_resources
    found = [(d.project_name, d.version, lambda name, d=d: d.get_metadata(name) if d.has_metadata(name) else None) for d in pkg_resources.working_set]
def freeze(name, version, read):
    try:
        url = json.loads(read("direct_url.json") or "{}")
    except ValueError:
        url = {}
    commit = url.get("vcs_info", {})
    return "%s @ %s" % (name, commit["vcs"] + "+" + url["url"] + "@" + commit["commit_id"] if commit else url["url"]) if "url" in url else "%s==%s" % (name, version)
def write(name, lines):
    with io.open(os.path.join(sys.argv[1], name + ".tmp"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    os.replace(os.path.join(sys.argv[1], name + ".tmp"), os.path.join(sys.argv[1], name))
key = str.lower
packages = {"%s==%s" % (name, version) for name, version, _ in found}
lock = ["# mlops lock 1: Python %s, %s %s" % (platform.python_version(), sys.platform, platform.machine())]
records = []
for path in glob.glob(os.path.join(sys.prefix, "conda-meta", "*.json")):
    with io.open(path, encoding="utf-8") as file:
        records.append(json.load(file))
if records:
    # As `conda list --explicit --md5` prints it; what pip installed has no line there, and gets one as a comment.
    lock.append("@EXPLICIT")
    lock += sorted((r["url"] + ("#" + r["md5"] if r.get("md5") else "") for r in records if r.get("url")), key=lambda u: (not os.path.basename(u).startswith("python-"), u))
    lock += sorted({"# pip: " + freeze(*one) for one in found if (one[2]("INSTALLER") or "").strip() in ("pip", "uv")}, key=key)
else:
    lock += sorted({freeze(*one) for one in found}, key=key)
write("packages.txt", sorted(packages, key=key))
write("lock.txt", lock)' "$1" </dev/null
}
# A stack that sees no GPU would train on the CPU for hours, or end in an exception that looks like the model's.
check_gpus() {
  now "checking the GPUs"
  if command -v nvidia-smi >/dev/null 2>&1; then
    limit=$(command -v timeout) && limit="$limit 20"
    $limit nvidia-smi -L >"$private/gpus" 2>&1 </dev/null
    code=$?
    if ! grep -q '^GPU [0-9]' "$private/gpus"; then
      { echo "the job asked for 2 GPU(s), and nvidia-smi -L on $(uname -n) names none (status $code):"; cat "$private/gpus"; } >"$words"
      not_prepared environment
    fi
  fi
  [ -n "$python" ] || return 0
  limit=$(command -v timeout) && limit="$limit 300"
  XLA_PYTHON_CLIENT_PREALLOCATE=false TF_CPP_MIN_LOG_LEVEL=2 $limit "$python" -c 'import importlib, importlib.util as u, sys
def torch(m):
    if m.cuda.is_available(): return "sees", ""
    built = m.version.cuda or getattr(m.version, "hip", None)
    return ("blind", "torch %s is built for CUDA %s and sees no GPU" % (m.__version__, built)) if built else ("cpu", "torch %s is built for CPUs only" % m.__version__)
def jax(m):
    try:
        m.devices("gpu")
        return "sees", ""
    except RuntimeError as error:
        return ("blind" if any(map(u.find_spec, ["jax_cuda12_plugin", "jax_cuda13_plugin", "jax_rocm60_plugin"])) else "cpu"), "jax %s: %s" % (m.__version__, error)
def tensorflow(m):
    if m.config.list_physical_devices("GPU"): return "sees", ""
    return ("blind", "tensorflow %s is built for CUDA and sees no GPU" % m.__version__) if m.test.is_built_with_cuda() else ("cpu", "tensorflow %s is built for CPUs only" % m.__version__)
found = []
for see in (torch, jax, tensorflow):
    if u.find_spec(see.__name__) is None: continue
    try:
        found.append(see(importlib.import_module(see.__name__)))
    except Exception as error:
        found.append(("blind", "import %s: %s: %s" % (see.__name__, type(error).__name__, error)))
    if found[-1][0] == "sees": sys.exit(0)
others = any(u.find_spec(m) is not None for m in ("cupy", "numba", "xgboost", "lightgbm", "catboost", "cuml", "pycuda", "onnxruntime"))
if any(kind == "blind" for kind, _ in found) or (found and not others):
    print("\n".join(text for _, text in found))
    sys.exit(4)' >"$private/gpus" 2>&1 </dev/null
  code=$?
  # 0: seen, or nothing to say. Other words than ours are an interpreter that died of its libraries.
  [ "$code" -ne 0 ] || return 0
  { echo "the job asked for 2 GPU(s), and the environment's Python sees none (status $code):"; cat "$private/gpus"; } >"$words"
  not_prepared environment
}
# A marker alone is not believed: scratch file systems delete single old files. Once a day every file of the list is looked for.
ready() {
  [ -f "$environment/complete" ] || return 1
  if ! has_modules "$python"; then
    say "the environment has lost files"
  elif [ -z "$(find "$environment/checked" -mtime -1 2>/dev/null)" ] && ! whole; then
    say "the environment has lost $(cat "$private/lost")"
  else
    touch "$environment/complete"
    return 0
  fi
  rm -f "$environment/complete"
  return 1
}
whole() {
  "$python" -c 'import os, sys
os.chdir(sys.argv[1])
lost = [f for f in open("files", "rb").read().split(b"\0") if f and not os.path.lexists(f)]
sys.stdout.buffer.write(lost[0] + b" and %d more" % (len(lost) - 1) if lost else b"")
sys.exit(bool(lost))' "$environment" >"$private/lost" 2>&1 </dev/null && touch "$environment/checked"
}
import_from_tree() {
  [ -s "$environment/editable" ] || return 0
  while IFS= read -r folder; do
    for place in "$here/tree/$folder/src" "$here/tree/$folder"; do
      [ -d "$place" ] || continue
      PYTHONPATH=$place${PYTHONPATH:+:$PYTHONPATH}
      export PYTHONPATH
      break
    done
  done <"$environment/editable"
}
# A process id says nothing on another node, nor in another namespace of this one.
token="$(id -u) $(uname -n) $$ ${SLURM_JOB_ID:-none} $started $(readlink /proc/self/ns/pid 2>/dev/null)"
owner_is_gone() {
  # A process of this user on this very node can be looked at. Otherwise only a heart that stopped says so.
  set -- $1
  [ "$1" = "$(id -u)" ] && [ "$2" = "$(uname -n)" ] && [ "${6:-}" = "$(readlink /proc/self/ns/pid 2>/dev/null)" ] && [ -d "/proc/$$" ] && [ ! -d "/proc/$3" ]
}
mine() { [ "$(cat "$lock/owner" 2>/dev/null)" = "$token" ]; }
# 0: the lock is ours. 1: someone else has built the environment meanwhile.
take_lock() {
  silent=0
  last=
  refused=0
  waiting=
  while :; do
    # A builder's failure is the failure of all that waited for it: twenty jobs need not resolve the same conflict twenty times.
    if [ -n "$waiting" ] && [ -n "$(find "$environment/failed.log" -newer "$private/waiting" 2>/dev/null)" ]; then
      { echo "the job that built the environment, and that this one waited for, could not:"; tail -n 60 "$environment/failed.log"; } >"$words"
      not_prepared environment
    fi
    if mkdir "$lock" 2>"$private/mkdir"; then
      if ! printf '%s\n' "$token" 2>"$private/mkdir" | put "$lock/owner" 2>>"$private/mkdir"; then
        rm -rf "$lock"
        { echo "the environment's lock could not be written:"; cat "$private/mkdir"; } >"$words"
        not_prepared environment
      fi
      lock_token=$token
      if ready; then
        release_lock
        return 1
      fi
      return 0
    fi
    if [ ! -d "$lock" ]; then
      # Released this very moment, or a folder that nobody can write into.
      refused=$((refused + 1))
      [ "$refused" -ge 5 ] || { sleep 1; continue; }
      { echo "the environment's lock could not be made:"; cat "$private/mkdir"; } >"$words"
      not_prepared environment
    fi
    refused=0
    if [ -z "$waiting" ]; then
      waiting=yes
      touch "$private/waiting"
    fi
    if [ -f "$environment/complete" ] && ready; then return 1; fi
    owner=$(cat "$lock/owner" 2>/dev/null)
    beat=$(cat "$lock/beat" 2>/dev/null)
    # Seconds without a new beat are counted here: the clocks of two nodes need not agree.
    if [ "$owner/$beat" = "$last" ]; then silent=$((silent + 2)); else silent=0; fi
    last=$owner/$beat
    if [ "$silent" -ge 60 ] || { [ -n "$owner" ] && owner_is_gone "$owner"; }; then
      say "the builder ($owner) is gone: taking over"
      stale=$environment/stale.$(uname -n).$$
      if mv "$lock" "$stale" 2>/dev/null && [ "$(cat "$stale/owner" 2>/dev/null)" != "$owner" ]; then
        # Another waiter was faster, and this was its new lock.
        mv "$stale" "$lock"
      fi
      rm -rf "$stale"
      silent=0
      continue
    fi
    now "environment is being built by another job: $(cat "$environment/progress" 2>/dev/null)"
    sleep 2
  done
}
keep_beating() {
  n=0
  while kill -0 "$$" 2>/dev/null && mine; do
    n=$((n + 1))
    echo "$n" >"$lock/beat.tmp" && mv -f "$lock/beat.tmp" "$lock/beat"
    sleep 5
  done
  # Suspended until another took over: what still installs here must not write into its environment.
  if kill -0 "$$" 2>/dev/null && ! mine && [ -s "$private/installing" ]; then kill "$(cat "$private/installing")"; fi
}
doing_now() { now "environment building: $*"; printf '%s\n' "$*" >"$environment/progress"; say "environment: $*"; }
# logged COMMAND…: its words go to the build's log. Its exit status decides nothing by itself.
logged() {
  mine || return 1
  printf '+ %s\n' "$*" >>"$environment/build.log"
  "$@" >>"$environment/build.log" 2>&1 </dev/null &
  echo "$!" >"$private/installing"
  wait "$!"
  set -- "$?"
  : >"$private/installing"
  return "$1"
}
clear_away() { rm -rf "$prefix" "$environment/pkgs" "$environment/image" "$environment/image.sif"; }
# Ends the job, unless the lock was lost: then nothing in that folder is ours to judge or to remove.
build_failed() {
  mine || return 0
  # A full disk keeps the manager's own words from the log, too.
  full=$( { head -c 65536 /dev/zero >"$environment/probe"; } 2>&1)
  clear_away
  rm -f "$environment/probe"
  { printf '%s\n' "$*"; [ -z "$full" ] || printf '%s\n' "$full"; } >>"$environment/build.log"
  { printf '%s\n' "$*" "$full"; tail -n 60 "$environment/build.log"; } >"$words"
  mv -f "$environment/build.log" "$environment/failed.log"
  not_prepared environment
}
# The environment outlives the tree that it is built from: what is installed as `-e` is installed once more as a copy, for its
# metadata and programs, and each run imports it from its own tree (PYTHONPATH, below).
copy_editable() {
  "$python" -c 'import json, os, sys
from importlib.metadata import distributions
from urllib.parse import unquote, urlparse
for d in distributions():
    try:
        origin = json.loads(d.read_text("direct_url.json") or "{}")
    except ValueError:
        continue
    path = unquote(urlparse(origin.get("url", "")).path)
    if origin.get("dir_info", {}).get("editable") and os.path.realpath(path).startswith(os.path.realpath("tree")):
        print(os.path.relpath(os.path.realpath(path), os.path.realpath("tree")))' >"$private/editable" 2>/dev/null </dev/null
  while IFS= read -r folder; do
    case ${manager##*/} in
    uv) logged "$manager" pip install --python "$python" --no-deps --reinstall "./tree/$folder" ;;
    *) logged "$python" -m pip install --no-deps --force-reinstall "./tree/$folder" ;;
    esac
  done <"$private/editable"
  put "$environment/editable" <"$private/editable"
}
# 0: built. 1: another builder took over meanwhile.
build() {
  keep_beating >/dev/null 2>&1 </dev/null &
  beat_pid=$!
  build_started=$(epoch)
  doing_now "starting"
  clear_away
  rm -f "$environment/complete" "$environment/checked" "$environment/added" "$environment/packages.txt" "$environment/lock.txt" "$environment/failed.log" "$environment/size"
  if [ -f in/environment.json ]; then put "$environment/specification.json" <in/environment.json; fi
  : >"$environment/build.log"
  create_environment
  if [ ! -x "$python" ] || ! "$python" -c '' >/dev/null 2>&1 </dev/null; then
    build_failed "$manager ended with status $code, and there is no Python that starts in $where"
    return 1
  fi
  if [ "$code" -ne 0 ]; then
    build_failed "$manager ended with status $code"
    return 1
  fi
  if ! has_modules "$python"; then
    doing_now "adding what notebooks need: $needs"
    add_needs
    printf '%s\n' $needs >"$environment/added"
  fi
  mine || return 1
  copy_editable
  doing_now "importing"
  if ! imports; then
    cat "$private/import" >>"$environment/build.log"
    build_failed "the environment was built, and an import fails: $needs"
    return 1
  fi
  if ! logged "$python" -c 'import os, sys
os.chdir(sys.argv[1])
found = [os.path.join(d, f) for top in (b"env", b"image") for d, _, fs in os.walk(top) for f in fs]
open("files.tmp", "wb").write(b"\0".join(f for f in found if not f.endswith(b".pyc")))
os.replace("files.tmp", "files")
# For `mlops env list`: nobody should have to walk over it to know.
more = [f for f in (b"image.sif",) if os.path.isfile(f)]
with open("size", "w") as file: file.write("%d %d\n" % (sum(os.lstat(f).st_size for f in found + more), len(found + more)))' "$environment"; then
    build_failed "the files of the environment could not be listed"
    return 1
  fi
  if ! write_packages "$environment" >>"$environment/build.log" 2>&1; then
    build_failed "the packages of the environment could not be listed"
    return 1
  fi
  rm -rf "$environment/pkgs"
  touch "$environment/checked"
  # Last, and only by the one who still holds the lock.
  mine || return 1
  printf 'version=1\nkind=venv\nplatform=%s\nmanager=%s\nmanager_version=%s\nseconds=%s\nat=%s\n' "$platform" "$manager" "$("$manager" --version 2>&1 </dev/null | sed 1q)" \
    "$(($(epoch) - build_started))" "$(epoch)" | put "$environment/complete"
  say "environment built in $(($(epoch) - build_started)) s"
  end_building
  release_lock
}
end_building() {
  kill "$beat_pid" 2>/dev/null
  beat_pid=
}
provide() {
  while ! ready && take_lock && ! build; do
    say "another builder has taken over: waiting for it"
    end_building
    lock_token=
  done
  import_from_tree
}
find_manager() {
  manager=$(command -v uv)
  base_python=$(command -v python3 || command -v python)
  if [ -z "$base_python" ] && [ -z "$manager" ]; then
    echo "no python3 and no uv on PATH ($PATH). Name the module that has one in cluster.modules." >"$words"
    not_prepared no-python
  fi
}
# Both run in the background, by `logged`: what is to be killed is the installer itself.
uv_install() { cd 'tree/it'\''s "q" $(touch oops) `touch oops`
#SBATCH --evil ünïcode\ ; | & {{sh x}} %s' && exec "$manager" pip install --python "$python" -r requirements.txt; }
pip_install() { cd 'tree/it'\''s "q" $(touch oops) `touch oops`
#SBATCH --evil ünïcode\ ; | & {{sh x}} %s' && exec "$python" -m pip install -r requirements.txt; }
create_environment() {
  find_manager
  doing_now "it?s ?q? ??touch oops? ?touch oops???SBATCH --evil ünïcode? ? ? ? ??sh x?? ?s"
  if [ -n "$manager" ]; then
    logged "$manager" venv ${base_python:+--python "$base_python"} "$prefix" && logged uv_install
    code=$?
  else
    manager=$base_python
    logged "$base_python" -m venv "$prefix" && logged pip_install
    code=$?
  fi
}
add_needs() {
  case ${manager##*/} in
  uv) logged "$manager" pip install --python "$python" $needs ;;
  *) logged "$python" -m pip install $needs ;;
  esac
}
provide
PATH=$prefix/bin:$PATH
export PATH VIRTUAL_ENV="$prefix"
[ ! -f "$environment/packages.txt" ] || cp "$environment/packages.txt" result/packages.txt
[ ! -f "$environment/lock.txt" ] || cp "$environment/lock.txt" result/lock.txt
[ ! -f "$environment/added" ] || cp "$environment/added" result/added.txt

# --- the steps
doing=steps
export IPYTHONDIR="$private/ipython" JUPYTER_RUNTIME_DIR="$private/runtime" JUPYTER_CONFIG_DIR="$private/config" \
  JUPYTER_DATA_DIR="$private/data" JUPYTER_PATH="$private/jupyter" MPLCONFIGDIR="$private/matplotlib" PYTHONDONTWRITEBYTECODE=1
mkdir -p "$IPYTHONDIR" "$JUPYTER_RUNTIME_DIR" "$JUPYTER_CONFIG_DIR" "$JUPYTER_DATA_DIR" "$JUPYTER_PATH" "$MPLCONFIGDIR"
export MLOPS_OUT="$here/out" MLOPS_RUN="$run" MLOPS_ATTEMPT="$attempt" MLOPS_KEEP="$keep"
export OMP_NUM_THREADS=4
export ODD='it'\''s "q" $(touch oops) `touch oops`
#SBATCH --evil ünïcode\ ; | & {{sh x}} %s'
if [ -n "$secrets" ]; then eval "$secrets"; fi
unset secrets
export MLOPS_OUT="$place/out" PS1='mlops abababababababab $ '
if [ -n "${1:-}" ]; then . "$attempt_folder/in/task-$1.sh"; fi
cd "$place/tree" || exit 91
# Without the start-up files of the user, which may put another Python first.
shell=$(command -v bash) && shell="$shell --noprofile --norc"
if [ -z "$shell" ] || [ -x "$private/enter" ]; then shell=/bin/sh; fi
phase=shell
say "${python:-no Python}, on $(uname -n)"
trap : INT
(inside $shell -i)
exit "$?"
