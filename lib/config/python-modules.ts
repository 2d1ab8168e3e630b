/** Modules of Python 3.8 to 3.13 itself (sys.stdlib_module_names): nothing to install. */
const standard = new Set(
  `
  abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii bisect
  builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall
  concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm
  decimal difflib dis distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput
  fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq
  hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3
  linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt
  multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib
  pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd
  py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy
  sched secrets select selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd
  sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau
  symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this threading time timeit
  tkinter token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata
  unittest urllib uu uuid venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp
  zipfile zipimport zlib zoneinfo distutils imp asynchat asyncore smtpd
  `
    .trim()
    .split(/\s+/),
);

/** Where the name on PyPI is not the module's. Dashes and underscores are the same there. */
const names: Readonly<Record<string, string>> = {
  attr: 'attrs',
  Bio: 'biopython',
  bs4: 'beautifulsoup4',
  community: 'python-louvain',
  Crypto: 'pycryptodome',
  cv2: 'opencv-python',
  dateutil: 'python-dateutil',
  docx: 'python-docx',
  dotenv: 'python-dotenv',
  faiss: 'faiss-cpu',
  fitz: 'pymupdf',
  git: 'gitpython',
  hydra: 'hydra-core',
  imblearn: 'imbalanced-learn',
  IPython: 'ipython',
  jwt: 'pyjwt',
  Levenshtein: 'levenshtein',
  magic: 'python-magic',
  mpl_toolkits: 'matplotlib',
  MySQLdb: 'mysqlclient',
  OpenSSL: 'pyopenssl',
  PIL: 'pillow',
  pkg_resources: 'setuptools',
  pptx: 'python-pptx',
  psycopg2: 'psycopg2-binary',
  pytorch_lightning: 'pytorch-lightning',
  ruamel: 'ruamel.yaml',
  sentence_transformers: 'sentence-transformers',
  serial: 'pyserial',
  skimage: 'scikit-image',
  sklearn: 'scikit-learn',
  surprise: 'scikit-surprise',
  umap: 'umap-learn',
  usb: 'pyusb',
  yaml: 'pyyaml',
  zmq: 'pyzmq',
};
/** Only there where the notebook was written (Colab, Databricks, Kaggle). */
const elsewhere = new Set(['google', 'dbutils', 'pyspark_notebook', 'kaggle_secrets']);

/** What `pip install` needs for these imports, sorted; modules of the repository itself are given as `local`. */
export function packagesOf(modules: Iterable<string>, local: ReadonlySet<string>): readonly string[] {
  const packages = new Set<string>();
  for (const module of modules) {
    if (standard.has(module) || local.has(module) || elsewhere.has(module) || module.startsWith('_')) continue;
    packages.add(names[module] ?? module.replaceAll('_', '-'));
  }
  return [...packages].sort();
}

/** The top-level modules that some Python code imports, at any indentation. Magics and prose in strings are not code, but cost little. */
export function importedModules(code: string): readonly string[] {
  const found = new Set<string>();
  for (const line of code.split('\n')) {
    const from = /^\s*from\s+([A-Za-z_]\w*)[\w.]*\s+import\b/.exec(line);
    if (from?.[1] !== undefined) found.add(from[1]);
    const plain = /^\s*import\s+([^#;]+)/.exec(line);
    for (const item of plain?.[1]?.split(',') ?? []) {
      const name = /^\s*([A-Za-z_]\w*)[\w.]*(?:\s+as\s+\w+)?\s*$/.exec(item)?.[1];
      if (name !== undefined) found.add(name);
    }
  }
  return [...found];
}
