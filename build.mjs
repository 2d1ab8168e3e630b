// Bundles the program: one entry with all that a commit's hook needs, the rest in files that are loaded when a command needs them.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { build } from 'esbuild';

const options = {
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  // ssh2's optional native parts: it works without them, and they cannot be bundled.
  external: ['cpu-features', './crypto/build/Release/sshcrypto.node'],
  banner: {
    // What CommonJS packages take for granted; ssh2 names a file of its own with __dirname.
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url), __dirname = import.meta.dirname;",
  },
  loader: { '.node': 'empty' },
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
};

/** What the entry imports when a command needs it: files of their own, beside it. */
const late = {};
const leaveLateImports = {
  name: 'late-imports',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^\./ }, async ({ kind, path, ...from }) => {
      if (kind !== 'dynamic-import' || /actions\/post-commit/.test(path)) return undefined;
      const found = await resolve(path, { ...from, kind: 'import-statement' });
      const name = relative('lib', found.path).replace(/\.ts$/, '');
      late[name] = found.path;
      return { path: `./${name}.js`, external: true };
    });
  },
};

rmSync('dist', { recursive: true, force: true });
// A commit waits for what its hook needs: one file loads in half the time of thirty.
const entry = await build({ ...options, entryPoints: { mlops: 'lib/cli/main.ts' }, plugins: [leaveLateImports] });
const rest = await build({
  ...options,
  entryPoints: { ...late, supervisor: 'lib/cluster/supervisor.ts' },
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
});

// What is bundled keeps its licence: one file with the text of each package's own.
const packages = [
  ...new Set(
    [entry, rest]
      .flatMap(({ metafile }) => Object.keys(metafile.inputs))
      .flatMap((path) => {
        const match = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
        return match === null ? [] : [match[0]];
      }),
  ),
].sort();
const notices = packages.map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  const text = file === undefined ? `License: ${license}` : readFileSync(folder + file, 'utf8').trim();
  return `${name} ${version}\n${'-'.repeat(72)}\n${text}\n`;
});
writeFileSync('THIRD-PARTY-LICENSES', notices.join('\n'));
