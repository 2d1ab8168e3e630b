#!/bin/sh
#SBATCH --job-name=mlops-abababababababab
#SBATCH --time=0-01:00:00
#SBATCH --cpus-per-task=4
#SBATCH --no-requeue
#SBATCH --comment="it's \"quoted\" # \\ $(no)"
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
private=$workdir/tmp/abababababababab.$attempt
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

# --- the data that is there already: what the commit says of it holds, or nothing is run
doing=data
. ./in/pinned.sh

# --- the environment
doing=environment
now "environment"
TMPDIR=$private/tmp
export TMPDIR
needs='papermill ipykernel'
environment=$private/environment
mkdir -p "$environment"
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
python=$(command -v python3 || command -v python)
if [ -n "$needs" ]; then
  if [ -z "$python" ]; then
    echo "no python3 on PATH ($PATH); the steps are notebooks. Name the module that has it, or let the config make an environment." >"$words"
    not_prepared no-python
  fi
  if ! imports; then
    { echo "$python cannot import what notebooks need ($needs):"; cat "$private/import"; } >"$words"
    not_prepared environment
  fi
fi
if [ -n "$python" ] && ! write_packages "$environment" >"$private/packages" 2>&1; then
  say "the packages of $python could not be listed:"
  cat "$private/packages"
fi
[ ! -f "$environment/packages.txt" ] || cp "$environment/packages.txt" result/packages.txt
[ ! -f "$environment/lock.txt" ] || cp "$environment/lock.txt" result/lock.txt
[ ! -f "$environment/added" ] || cp "$environment/added" result/added.txt
check_gpus

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
if [ ! -d tree ]; then
  echo "the folder of the commit's files, $here/tree, is not there" >"$words"
  not_prepared files-missing
fi
phase=steps
throttle=2
# Files of this script alone; each task has a folder of its own for them.
scratch=$private
hash_of() {
  if command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 -r <"$1" | cut -c 1-64
  elif command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1" | cut -c 1-64
  else shasum -a 256 <"$1" | cut -c 1-64; fi
}
# keep_file FILE: into the store by content; prints its hash.
keep_file() {
  kept_hash=$(hash_of "$1") && [ "${#kept_hash}" -eq 64 ] || return 1
  kept_rest=${kept_hash#??}
  kept_dir=$workdir/objects/${kept_hash%"$kept_rest"}
  kept_new=$kept_dir/.$kept_rest.$run.$attempt${task:+.$task}
  if [ ! -f "$kept_dir/$kept_rest" ]; then
    mkdir -p "$kept_dir" && cp "$1" "$kept_new" && [ "$(hash_of "$kept_new")" = "$kept_hash" ] &&
      chmod 0444 "$kept_new" && mv -f "$kept_new" "$kept_dir/$kept_rest" || return 1
  fi
  printf '%s' "$kept_hash"
}
size_of() { wc -c <"$1" | tr -d ' '; }
# From here on whatever is written is newer than the mark, even where time stamps are coarse.
mark() {
  touch "$scratch/mark"
  while :; do
    touch "$scratch/probe"
    [ -z "$(find "$scratch/probe" -newer "$scratch/mark" 2>/dev/null)" ] || break
  done
}
# bring FILE RESULT LIMIT: a file that this step must have written itself.
bring() {
  if [ ! -f "$1" ]; then echo missing
  elif [ -z "$(find -L "$1" -newer "$scratch/mark" 2>/dev/null)" ]; then echo stale
  elif [ "$(size_of "$1")" -gt "$3" ]; then echo too-big
  elif put "$2" <"$1"; then echo there
  else echo missing; fi
}
# Data files are hard links to the store's read-only objects, in the tree itself or in a folder that runs share: whoever makes one writable and writes changes the store.
check_data() {
  [ -s in/data ] || return 0
  find tree -type f -links +1 -newer "$scratch/mark" 2>/dev/null | sed 's|^tree/||' >"$scratch/touched"
  if [ -s in/trees ]; then
    while IFS= read -r line; do check_shared "$1" "${line%% *}" "${line#* }"; done <in/trees
  fi
  awk 'NR == FNR { hash[substr($0, 66)] = substr($0, 1, 64); next } ($0 in hash) { print hash[$0] " " $0 }' in/data "$scratch/touched" >"$scratch/suspect"
  while IFS= read -r suspect; do
    suspect_hash=${suspect%% *}
    suspect_path=${suspect#* }
    [ "$(hash_of "tree/$suspect_path")" != "$suspect_hash" ] || continue
    suspect_rest=${suspect_hash#??}
    rm -f "$workdir/objects/${suspect_hash%"$suspect_rest"}/$suspect_rest"
    for list in "$workdir"/trees/*/files; do
      if [ -f "$list" ] && grep -q "^$suspect_hash" "$list"; then rm -f "$list"; fi
    done
    printf '%s\n' "$suspect_path" >>"result/step-$1.wrote"
  done <"$scratch/suspect"
  [ ! -s "result/step-$1.wrote" ]
}
# check_shared STEP FOLDER PATH: a shared folder is for reading. One that has got or lost a name is not believed any more.
check_shared() {
  [ -L "tree/$3" ] || return 0
  (cd "$workdir/trees/$2/tree" && find . ! -type l -newer "$scratch/mark" 2>/dev/null) >"$scratch/newer"
  [ -s "$scratch/newer" ] || return 0
  sed "s|^\./||" "$scratch/newer" | while IFS= read -r name; do printf '%s/%s\n' "$3" "$name"; done >>"$scratch/touched"
  (cd "$workdir/trees/$2/tree" && find . ! -type d) | sed 's|^\./||' | while IFS= read -r name; do printf '%s/%s\n' "$3" "$name"; done | LC_ALL=C sort >"$scratch/there"
  cut -c 66- in/data | awk -v top="$3/" 'index($0, top) == 1' | LC_ALL=C sort >"$scratch/known"
  LC_ALL=C comm -3 "$scratch/known" "$scratch/there" | tr -d '\t' >"$scratch/odd"
  [ -s "$scratch/odd" ] || return 0
  rm -f "$workdir/trees/$2/files"
  cat "$scratch/odd" >>"result/step-$1.wrote"
}
# What a step left is kept as one archive, so that a later change to a later step does not run this one again.
snapshot() { (cd "$here" && find tree out ! -type d -print 2>/dev/null | LC_ALL=C sort); }
# reaches_shared LIST: what is in $scratch/restore, or is to be deleted, lies in a folder that runs share, and the step has not put its own in its place.
reaches_shared() {
  [ -s in/trees ] || return 1
  cut -d ' ' -f 2- in/trees >"$scratch/shared"
  while IFS= read -r path; do
    ! grep -qxF "tree/$path" "$1" 2>/dev/null || continue
    [ ! -d "$scratch/restore/tree/$path" ] && ! awk -v top="tree/$path/" 'index($0, top) == 1 { found = 1 } END { exit !found }' "$1" 2>/dev/null || return 0
  done <"$scratch/shared"
  return 1
}
restore_step() {
  index_file=$workdir/steps/$2
  [ -f "$index_file" ] || return 1
  tar_hash=$(sed -n 's/^archive=//p' "$index_file")
  tar_rest=${tar_hash#??}
  tar_file=$workdir/objects/${tar_hash%"$tar_rest"}/$tar_rest
  [ "${#tar_hash}" -eq 64 ] && [ -f "$tar_file" ] && [ "$(hash_of "$tar_file")" = "$tar_hash" ] || return 1
  mkdir -p "$scratch/restore" && tar -xf "$tar_file" -C "$scratch/restore" || return 1
  if reaches_shared "$scratch/restore/result/step-$1.deleted"; then
    rm -rf "$scratch/restore"
    return 1
  fi
  if [ -s "$scratch/restore/result/step-$1.deleted" ]; then
    while IFS= read -r gone; do rm -f "$here/$gone"; done <"$scratch/restore/result/step-$1.deleted"
  fi
  # Removing first: a data file that the step replaced is a link to the store here, and must not be written through.
  (cd "$scratch/restore" && find tree out ! -type d -print 2>/dev/null) | while IFS= read -r path; do rm -f "$here/$path"; done
  for part in tree out result; do
    if [ -d "$scratch/restore/$part" ]; then (cd "$scratch/restore" && tar -cf - "$part") | tar -xmf - -C "$here" || return 1; fi
  done
  rm -rf "$scratch/restore"
  touch "$index_file"
}
keep_step() {
  # A name with a newline cannot be listed: such a step is simply run again.
  [ -z "$(find tree out -name '*
*' -print 2>/dev/null | sed 1q)" ] || return 0
  snapshot >"$scratch/after"
  LC_ALL=C comm -23 "$scratch/before" "$scratch/after" >"result/step-$1.deleted"
  { LC_ALL=C comm -13 "$scratch/before" "$scratch/after"; find tree out ! -type d -newer "$scratch/mark" -print; } | LC_ALL=C sort -u >"$scratch/left"
  (cd result && ls -d "step-$1" "step-$1".* "metrics-step-$1.json" "metrics-file-$1.json" "junit-$1.xml" 2>/dev/null) | sed 's|^|result/|' >>"$scratch/left"
  tar -cf "$scratch/step.tar" -T "$scratch/left" || return 0
  tar_hash=$(keep_file "$scratch/step.tar") || return 0
  mkdir -p "$workdir/steps"
  printf 'version=1\narchive=%s\nrun=%s\nattempt=%s\nat=%s\n' "$tar_hash" "$run" "$attempt" "$(epoch)" | put "$workdir/steps/$2.$attempt" && mv -f "$workdir/steps/$2.$attempt" "$workdir/steps/$2"
  rm -f "$scratch/step.tar"
}

# A shell switches Ctrl-C off for what it runs in the background. Where env can, it is on again.
interruptible=
allow_interrupts() { if (inside env --default-signal=INT,QUIT true) >/dev/null 2>&1 </dev/null; then interruptible='env --default-signal=INT,QUIT'; fi; }
task=
task_exports=
prefix_known=yes
run_notebook() { MLOPS_NONCE="$step_started.$$" "$python" "$here/in/notebook.py" "$1" "$steps" "$here" </dev/null; }
# run_line LINE [FOLDER]
run_line() { (cd "tree${2:+/$2}" && inside $interruptible sh -c "$task_exports$1") </dev/null; }
# take_step K CHAIN notebook|run LINE METRICS-FILE JUNIT-FILE SIGNAL [FOLDER]
take_step() {
  if [ -n "$failed" ]; then
    printf 'version=1\noutcome=not-run\n' | put "result/step-$1"
    return
  fi
  now "step $1 of $steps"
  chain=$2
  if [ -n "$task" ] && [ "$1" -lt "$steps" ]; then
    { printf '%s ' "$2"; cat "$attempt_folder/in/task-$task.key"; } >"$scratch/chain"
    chain=$(hash_of "$scratch/chain")
  fi
  if [ -n "$prefix_known" ] && [ "$1" -lt "$steps" ] && restore_step "$1" "$chain"; then
    say "step $1 of $steps: known, its results are taken from the store"
    { printf 'version=1\noutcome=reused\n'; sed '/^version=/d;/^outcome=/d' "result/step-$1"; } | put "result/step-$1"
    return
  fi
  prefix_known=
  say "step $1 of $steps"
  [ "$1" -ge "$steps" ] || snapshot >"$scratch/before"
  mark
  if [ -f log ]; then log_start=$(size_of log); fi
  step_started=$(epoch)
  if [ "$3" = notebook ]; then run_notebook "$1"
  else run_line "$4" "${8:-}"; fi
  code=$?
  cd "$here" || exit 91
  outcome=passed
  [ "$code" -eq 0 ] || outcome=failed
  check_data "$1" || outcome=failed
  metrics=''
  junit=''
  [ -z "$5" ] || metrics=$(bring "$5" "result/metrics-file-$1.json" 1048576)
  [ -z "$6" ] || junit=$(bring "$6" "result/junit-$1.xml" 8388608)
  [ "$outcome" = passed ] || recent_log | put "result/step-$1.tail"
  {
    printf 'version=1\noutcome=%s\nexit=%s\nseconds=%s\nmetrics=%s\njunit=%s\n' "$outcome" "$code" "$(($(epoch) - step_started))" "$metrics" "$junit"
    [ "$code" -le 128 ] || printf 'signal=%s\n' "$(kill -l "$((code - 128))" 2>/dev/null)"
  } | put "result/step-$1"
  if [ "$outcome" = failed ]; then
    failed=$1
    say "step $1 failed with exit status $code"
  elif [ "$1" -lt "$steps" ]; then
    keep_step "$1" "$chain"
  fi
}

keep_results() {
  : >"$scratch/kept"
  touched_list=$scratch/candidates
  if [ -n "$task" ] && [ -z "${task_number:-}" ]; then find out tree -type f -newer state/started -print 2>/dev/null >"$touched_list"
  else { find out -type f -print; find tree -type f -newer state/started -print; } 2>/dev/null >"$touched_list"; fi
  while IFS= read -r file; do
    role=
    case $file in
    out/notebooks/*) role=notebook ;;
    esac
    if [ -z "$role" ] && wanted "${file#*/}"; then role=artifact; fi
    [ -n "$role" ] || continue
    if hash=$(keep_file "$file"); then printf '%s %s %s %s\n' "$hash" "$(size_of "$file")" "$role" "${file#*/}" >>"$scratch/kept"
    else say "could not keep $file"; fi
  done <"$touched_list"
  # A task of an array has a log of its own.
  if [ "$task" = "${task_number:-}" ] && [ -f log ] && cp log "$scratch/log" && hash=$(keep_file "$scratch/log"); then printf '%s %s log log\n' "$hash" "$(size_of "$scratch/log")" >>"$scratch/kept"; fi
  for list in tasks/*/result/kept; do
    [ -f "$list" ] || continue
    sed "s|^\([^ ]* [^ ]* [^ ]*\) |\1 ${list%/result/kept}/|" "$list" >>"$scratch/kept"
  done
  put result/kept <"$scratch/kept"
}

# --- tasks: one for each seed and combination, `throttle` of them at a time, each in a folder laid out like the attempt's.
# Links to the store stay links in every task, all else is each task's own copy. The attempt's tree stays whole: its image may run all this.
part_data() {
  [ ! -d pristine ] || return 0
  mkdir data || return
  : >"$scratch/moving"
  (cd tree && find . -type f -links +1 -print) | sed 's|^\./||' >"$scratch/linked"
  [ ! -s in/data ] || awk 'NR == FNR { known[substr($0, 66)] = 1; next } ($0 in known)' in/data "$scratch/linked" >"$scratch/moving"
  while IFS= read -r path; do
    case $path in */*) mkdir -p "data/${path%/*}" || return ;; esac
    mv "tree/$path" "data/$path" || return
  done <"$scratch/moving"
  cp -RPp tree pristine.tmp && link_data tree && mv pristine.tmp pristine
}
# The files of a task: a copy of its own of pristine/, and links to what is in data/. Not every cp makes links; one that does is faster than a loop.
link_data() {
  [ -d "$attempt_folder/data" ] || return 0
  cp -RPl "$attempt_folder/data/." "$1" 2>/dev/null || (cd "$attempt_folder/data" && find . ! -type d -print) | while IFS= read -r path; do
    ln -f "$attempt_folder/data/$path" "$1/$path" || cp -p "$attempt_folder/data/$path" "$1/$path" || exit 1
  done
}
fill_tree() { cp -RPp "$attempt_folder/pristine" "$1" && link_data "$1"; }
fill_task() {
  mkdir -p "$1/state" "$1/result" "$1/in" "$1/out" && cp -RPp out/. "$1/out" && fill_tree "$1/tree" || return
  for file in in/notebook.py in/step-*.json in/step-*.ipynb in/data in/trees; do
    [ ! -f "$file" ] || ln -s "../../../$file" "$1/$file" || return
  done
  [ ! -f "in/task-${1##*/}.json" ] || ln -sf "../../../in/task-${1##*/}.json" "$1/in/step-$repeating.json" || return
  # Lines of tasks that run side by side must not mix: they come into the log when the task has ended.
  if [ "$throttle" -eq 1 ]; then ln -s ../../log "$1/log"; else : >"$1/log"; fi
}
# In a subshell.
task_body() {
  task=$1
  failed=
  here=$attempt_folder/tasks/$task
  scratch=$scratch/task-$task
  cd "$here" && mkdir -p "$scratch" || exit 91
  mark
  cp -p "$scratch/mark" state/started
  export MLOPS_OUT="$here/out" MLOPS_KEEP="$keep/task-$task"
  mkdir -p "$MLOPS_KEEP" || exit 91
  # In the step's own shell alone: a parameter may be called like a variable of this script.
  task_exports="$(cat "$attempt_folder/in/task-$task.sh")
"
  task_steps
  keep_results
  printf 'run=%s attempt=%s task=%s exit=%s at=%s\n' "$run" "$attempt" "$task" "${failed:-0}" "$(epoch)" | put state/end
  [ -z "$failed" ]
}
# run_task K TITLE
run_task() {
  [ -z "$failed" ] || [ -n "$tasks_began" ] || return 0
  tasks_began=yes
  while [ "$running" -ge "$throttle" ]; do end_task; done
  now "task $1 of $tasks ($2)"
  say "task $1 of $tasks: $2"
  if ! part_data || ! fill_task "tasks/$1"; then
    say "the folder of task $1 could not be filled"
    failed="task $1"
  elif [ "$throttle" -eq 1 ]; then
    (task_body "$1") || failed="task $1"
  else
    { (task_body "$1") >"tasks/$1/log" 2>&1 </dev/null 8>&-; echo "$1 $?" >&8; } &
    running=$((running + 1))
    # All of them.
    step_pid=$$
    step_signal=USR1
  fi
}
# Waits for any of them: each says its number in a pipe.
end_task() {
  # A signal ends a read.
  until read -r over code <&8; do :; done
  running=$((running - 1))
  say "the log of task $over:"
  cat "tasks/$over/log"
  [ "$code" -eq 0 ] || failed="task $over"
}
end_tasks() { while [ "$running" -gt 0 ]; do end_task; done; }
running=0
if [ "${throttle:=1}" -gt 1 ]; then
  mkfifo "$scratch/tasks" && exec 8<>"$scratch/tasks" || exit 91
  allow_interrupts
fi
tasks_began=
attempt_folder=${attempt_folder:-$here}

# --- what is kept by content
wanted() {
  case $1 in
  model.pkl) return 0 ;;
  plots/*.png | plots/*.svg) return 0 ;;
  'a b'\''$(touch oops)'*.x) return 0 ;;
  *) return 1 ;;
  esac
}

steps=2
take_step 1 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd notebook "" '' '' ''
tasks=1
task_steps() {
  take_step 2 efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef run 'it'\''s "q" $(touch oops) `touch oops`
#SBATCH --evil ünïcode\ ; | & {{sh x}} %s' 'out/it'\''s "q" $(touch oops) `touch oops`
#SBATCH --evil ünïcode\ ; | & {{sh x}} %s.json' out/tests.xml USR2
}
repeating=2
run_task 1 'it'\''s "q" $(touch oops) `touch oops`
#SBATCH --evil ünïcode\ ; | & {{sh x}} %s'
end_tasks

now "keeping results"
keep_results
rm -rf "$private"
if [ -n "$failed" ]; then exit 1; fi
exit 0
