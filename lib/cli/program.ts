import { Command, CommanderError } from 'commander';
import type { App } from './app.ts';
import { toolOf } from './context.ts';

/** The command line: each verb is loaded when it is called. */
export async function runProgram(app: App, argv: readonly string[]): Promise<number> {
  let code = 0;
  const does =
    <Args extends readonly unknown[]>(action: (...args: Args) => Promise<number>) =>
    async (...args: Args): Promise<void> => {
      code = await action(...args);
    };
  const program = new Command('mlops')
    .description('Continuous integration for machine learning where all there is is a Slurm account.')
    .version(toolOf(app), '-V, --version')
    .showHelpAfterError('(mlops --help lists the commands)')
    .exitOverride()
    .enablePositionalOptions()
    .configureHelp({ sortSubcommands: false });

  program
    .command('init')
    .description('set this repository up: config, hooks, the display of verdicts')
    .option('-y, --yes', 'ask nothing')
    .action(does(async (flags: { yes?: boolean }) => (await import('./actions/init.ts')).initCommand(app, flags)));
  program
    .command('push')
    .description('judge what would be pushed, without an open connection, and then push')
    .argument('[args...]', 'as for git push')
    .allowUnknownOption()
    .helpOption('-h, --help')
    .passThroughOptions()
    .action(does(async (args: string[]) => (await import('./actions/push.ts')).push(app, args)));
  program
    .command('run')
    .description('judge a commit as a push would, without pushing')
    .argument('[commit]', 'HEAD where none is given')
    .option('--again', 'run it once more, although the verdict is known')
    .option('--detach', 'submit, and do not wait')
    .action(
      does(async (commit: string | undefined, flags: { again?: boolean; detach?: boolean }) =>
        (await import('./actions/run.ts')).runCommand(app, commit, flags),
      ),
    );
  program
    .command('trust')
    .description('let the hooks of this clone run what its config says')
    .action(does(async () => (await import('./actions/trust.ts')).trustCommand(app)));
  program
    .command('uninstall')
    .description('take the hooks and settings out again; config, reports and notes stay')
    .action(does(async () => (await import('./actions/init.ts')).uninstallCommand(app)));
  program
    .command('record', { hidden: true })
    .description('hash the data of HEAD and record it')
    .action(does(async () => (await import('./actions/record.ts')).recordInBackground(app)));

  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    // commander has printed its words; help and version end with 0.
    if (error instanceof CommanderError) return error.exitCode;
    throw error;
  }
}
