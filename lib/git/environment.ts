// In a hook git exports GIT_DIR, GIT_INDEX_FILE, GIT_PREFIX, GIT_AUTHOR_*, GIT_EDITOR (githooks(5)): they name the
// operation that called us, not ours. What configures git itself, or how it reaches a remote, is the user's and stays.
const kept =
  /^GIT_(?:CONFIG_.*|CONFIG|SSH.*|ASKPASS|SSL_.*|EXEC_PATH|TERMINAL_PROMPT|HTTP_.*|PROXY_.*|CURL_.*|TRACE.*|ALLOW_PROTOCOL|PROTOCOL.*|TEMPLATE_DIR|ATTR_NOSYSTEM|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|COMMITTER_(?:NAME|EMAIL)|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|TEST_.*)$/;

/** The environment for our own git processes and for anything else we start from a hook. */
export function scrubEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('GIT_') || kept.test(name)));
}

/** What every git process of ours gets besides. */
export const gitSettings: NodeJS.ProcessEnv = {
  // No refresh of the user's index behind their back.
  GIT_OPTIONAL_LOCKS: '0',
  // git-replace(1): what is pushed are the true objects, so these are what is judged.
  GIT_NO_REPLACE_OBJECTS: '1',
  // A file may be called `*`.
  GIT_LITERAL_PATHSPECS: '1',
  // Messages are classified (errors.ts).
  LC_ALL: 'C',
  LANGUAGE: '',
};
