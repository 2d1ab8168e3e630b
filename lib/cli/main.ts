#!/usr/bin/env node
import { openApp } from './app.ts';

/** What git's hooks start comes first and loads nothing that it does not need: a commit hook has to be as fast as starting Node. */
async function main(argv: readonly string[]): Promise<number> {
  const app = openApp(process.cwd());
  const [verb, ...args] = argv;
  switch (verb) {
    case 'post-commit': {
      const { postCommit } = await import('./actions/post-commit.ts');
      return postCommit(app);
    }
    case 'post-rewrite': {
      const { postRewrite } = await import('./actions/post-rewrite.ts');
      return postRewrite(app, process.stdin);
    }
    case 'pre-push': {
      const { prePush } = await import('./actions/pre-push.ts');
      const [remote = '', url = remote] = args;
      return prePush(app, remote, url, process.stdin);
    }
    default: {
      const { runProgram } = await import('./program.ts');
      return runProgram(app, argv);
    }
  }
}

// A reader that has gone (`mlops log | head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
const argv = process.argv.slice(2);
try {
  // An open socket or a waiting prompt must not keep a command alive that has ended.
  process.exit(await main(argv));
} catch (error) {
  const stack = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`mlops  stopped by a mistake of its own, please report it:\n${stack}\n`);
  process.exit(argv[0] === 'post-commit' ? 0 : 1);
}
