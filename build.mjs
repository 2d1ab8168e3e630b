// Bundles the program: one small entry, everything heavy in chunks that are loaded when a command needs them.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { mlops: 'lib/cli/main.ts', supervisor: 'lib/cluster/supervisor.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  chunkNames: 'chunks/[name]-[hash]',
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
});

// What is bundled keeps its licence: one file with the text of each package's own.
const packages = [
  ...new Set(
    Object.keys(metafile.inputs).flatMap((path) => {
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
