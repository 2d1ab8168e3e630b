/** What a path of the tree is for the fingerprint, by its name alone. docs/fingerprint.md lists the same. */
const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

const inertFolders = /(?:^|\/)(?:\.github|\.husky|\.vscode|\.idea|\.devcontainer|\.circleci|\.dvc)\//;
const inertNames =
  /^(?:\.gitignore|\.gitattributes|\.gitmodules|\.gitkeep|\.keep|\.mailmap|\.gitlab-ci\.yml|\.travis\.yml|\.editorconfig|\.pre-commit-config\.yaml|\.dvcignore|\.dockerignore|lefthook\.ya?ml|\.lefthook\.ya?ml|\.DS_Store|Thumbs\.db|desktop\.ini|mkdocs\.ya?ml|\.readthedocs\.ya?ml|\.zenodo\.json|codemeta\.json)$/;
const words =
  'LICEN[CS]E|COPYING|NOTICE|AUTHORS|CITATION|CHANGELOG|CHANGES|CONTRIBUTING|CONTRIBUTORS|CODE_OF_CONDUCT|SECURITY|CODEOWNERS';
const written = '(?:\\.(?:md|rst|txt|adoc|html|cff|bib))?$';
// With something after the word (LICENSE-MIT) only in capitals: license_plates.txt is data.
const paperwork = [
  new RegExp(`^(?:${words})${written}`, 'i'),
  new RegExp(`^(?:${words})[-_.][A-Za-z0-9.-]*?${written}`),
];
const readme = new RegExp(`^README(?:\\.[a-z]{2}(?:[-_][A-Za-z]{2})?)?${written}`, 'i');
const codeExtension = /\.(?:py|pyx|pyw|r|jl|sh|bash|zsh|lua|m|js|mjs|ts|pl|rb|scala|smk|ipynb)$/i;
const settingsExtension = /\.(?:ya?ml|json|toml|ini|cfg)$/i;
const packaging =
  /^(?:setup\.py|setup\.cfg|pyproject\.toml|package\.json|package-lock\.json|_config\.ya?ml|_quarto\.ya?ml|_toc\.ya?ml)$/;

export const isNotebook = (path: string): boolean => path.endsWith('.ipynb');
/** Cannot change a run, whatever it says. */
export const isInert = (path: string): boolean =>
  inertFolders.test(path) ||
  inertNames.test(nameOf(path)) ||
  (paperwork.some((kind) => kind.test(nameOf(path))) && !isCode(path));
export const isReadme = (path: string): boolean => readme.test(nameOf(path)) && !isCode(path);
export const isInDocs = (path: string): boolean => /^docs?\//.test(path);
export const isDocumentation = (path: string): boolean => /\.(?:md|rst)$/i.test(path) || isInDocs(path);
export const isCode = (path: string): boolean => codeExtension.test(path);

/** Templates that change the job or its environment count by their bytes, unlike the rest of `.mlops/`. */
export const isTemplate = (path: string): boolean =>
  path === '.mlops/templates/job.sh.hbs' || /^\.mlops\/templates\/env-[^/]*\.hbs$/.test(path);
export const isOurs = (path: string): boolean => path.startsWith('.mlops/');

/** Files in which a mention of another file means that a run may read it. Packaging only names what it ships. */
export function isReader(path: string): boolean {
  const name = nameOf(path);
  if (packaging.test(name)) return false;
  return codeExtension.test(name) || settingsExtension.test(name) || !name.includes('.');
}

/** In a data folder: what tools leave behind, and git's own files. */
export const isLitter = (path: string): boolean =>
  /^(?:\.gitignore|\.gitattributes|\.gitkeep|\.keep|\.DS_Store|Thumbs\.db|desktop\.ini|\.nfs[0-9a-f]+)$/.test(
    nameOf(path),
  );
export const isSkippedFolder = (name: string): boolean => name === '.git' || name === '.ipynb_checkpoints';
