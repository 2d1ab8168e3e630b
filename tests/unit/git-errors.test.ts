import { describe, expect, test } from '@jest/globals';
import { scrubEnvironment } from '../../lib/git/environment.ts';
import { classify } from '../../lib/git/errors.ts';

describe("git's words are classified", () => {
  test.each([
    ['not-a-repository', 'fatal: not a git repository (or any of the parent directories): .git'],
    ['dubious-ownership', "fatal: detected dubious ownership in repository at '/x'"],
    ['rejected', '!\trefs/heads/a:refs/heads/a\t[rejected] (fetch first)'],
    ['rejected', '! [rejected]        a -> a (non-fast-forward)'],
    ['rejected', "! [remote rejected] a -> a (cannot lock ref 'refs/heads/a': is at 1 but expected 2)"],
    ['rejected', '! [remote rejected] a -> a (incorrect old value provided)'],
    ['refused', '! [remote rejected] mlops -> mlops (pre-receive hook declined)'],
    ['refused', 'remote: error: GH006: Protected branch update failed for refs/heads/mlops.'],
    ['refused', 'remote: GitLab: You are not allowed to push code to protected branches on this project.'],
    [
      'refused',
      "remote: Permission to a/b.git denied to c.\nfatal: unable to access 'https://github.com/a/b.git/': The requested URL returned error: 403",
    ],
    ['auth', 'git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.'],
    ['auth', "fatal: could not read Username for 'https://github.com': terminal prompts disabled"],
    ['auth', 'Host key verification failed.\nfatal: Could not read from remote repository.'],
    ['unreachable', 'ssh: Could not resolve hostname x: Name or service not known'],
    ['unreachable', "fatal: unable to access 'https://x/': Failed to connect to x port 443: Connection refused"],
    ['no-atomic', 'fatal: the receiving end does not support --atomic push'],
    ['no-remote-ref', "fatal: couldn't find remote ref refs/heads/mlops"],
    ['no-remote-repository', "fatal: '/nowhere' does not appear to be a git repository"],
    ['lock', "fatal: cannot lock ref 'refs/heads/a': is at 1111 but expected 2222"],
    ['lock', "fatal: Unable to create '/x/.git/packed-refs.lock': File exists."],
    [
      'not-writable',
      "fatal: cannot lock ref 'refs/heads/a': Unable to create '/x/.git/refs/heads/a.lock': Permission denied",
    ],
    [
      'refused',
      "remote: error: cannot lock ref 'refs/heads/mlops': 'refs/heads/mlops/x' exists; cannot create 'refs/heads/mlops'\n! [remote rejected] (atomic transaction failed)",
    ],
    ['refused', 'fatal: the receiving end does not support push options\nfatal: the remote end hung up unexpectedly'],
    ['disk-full', "fatal: sha1 file '/x/tmp_pack_1' write error. Out of diskspace"],
    ['disk-full', 'error: unable to write file: No space left on device'],
    ['unknown-revision', 'fatal: Needed a single revision'],
    ['invalid-ref', 'fatal: update refs/heads/.mlops: invalid ref format: refs/heads/.mlops'],
    ['other', 'fatal: something new'],
  ])('%s: %s', (reason, words) => {
    expect(classify(words)).toBe(reason);
  });
});

test('the environment keeps how the user reaches a remote and drops what a hook was called for', () => {
  const kept = { PATH: '/bin', GIT_SSH_COMMAND: 'ssh', GIT_ASKPASS: 'x', GIT_SSL_CAINFO: 'y', GIT_EXEC_PATH: 'z' };
  const config = {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'a.b',
    GIT_CONFIG_VALUE_0: 'c',
    GIT_CONFIG_PARAMETERS: "'d=e'",
  };
  const dropped = {
    GIT_DIR: '.git',
    GIT_WORK_TREE: '.',
    GIT_INDEX_FILE: 'i',
    GIT_PREFIX: 'p',
    GIT_AUTHOR_DATE: 'd',
    GIT_EDITOR: ':',
  };
  expect(scrubEnvironment({ ...kept, ...config, ...dropped })).toEqual({ ...kept, ...config });
});
