import { isMap, isScalar, parseDocument } from 'yaml';
import { err, ok, type Result } from '../base/result.ts';
import { type HookName, type HookProgram, hookNames, renderShim, type Shims } from './hooks-shim.ts';

/** Lines in lefthook's YAML: at the end for a hook that it does not have yet, else among the hook's commands. */
const start = '# >>> mlops >>>';
const end = '# <<< mlops <<<';

export type LefthookError = { readonly reason: 'lefthook-format'; readonly file: string; readonly hook?: HookName };

/** The config with our commands; a change of the program leaves one set of them. */
export async function addToLefthook(
  file: string,
  text: string,
  shims: Shims,
  program: HookProgram,
): Promise<Result<string, LefthookError>> {
  if (!/\.ya?ml$/.test(file)) return err({ reason: 'lefthook-format', file });
  let changed = removeFromLefthook(text);
  for (const hook of hookNames) {
    const document = parseDocument(changed, { prettyErrors: false });
    const top = document.contents;
    if (document.errors.length > 0 || (top !== null && (!isMap(top) || top.flow === true))) {
      return err({ reason: 'lefthook-format', file });
    }
    const section = top?.items.find((item) => isScalar(item.key) && item.key.value === hook);
    if (section === undefined) {
      const lines = [`${hook}:`, '  commands:', ...command(hook, shims, program, '    ')];
      changed = `${changed}${marked(lines, '', changed !== '' && !changed.endsWith('\n'))}`;
      continue;
    }
    const value = section.value;
    if (!isMap(value) || value.flow === true) return err({ reason: 'lefthook-format', file, hook });
    const commands = value.items.find((item) => isScalar(item.key) && item.key.value === 'commands');
    const parent = commands === undefined ? value : commands.value;
    if (!isMap(parent) || parent.flow === true) return err({ reason: 'lefthook-format', file, hook });
    const first = parent.items[0]?.key;
    const at = isScalar(first) ? first.range?.[0] : undefined;
    if (at === undefined) return err({ reason: 'lefthook-format', file, hook });
    const line = changed.lastIndexOf('\n', at - 1) + 1;
    const indent = changed.slice(line, at);
    if (indent.trim() !== '') return err({ reason: 'lefthook-format', file, hook });
    const lines =
      commands === undefined
        ? [`${indent}commands:`, ...command(hook, shims, program, `${indent}  `)]
        : command(hook, shims, program, indent);
    changed = `${changed.slice(0, line)}${marked(lines, indent, false)}${changed.slice(line)}`;
  }
  return ok(changed);
}

export function removeFromLefthook(text: string): string {
  // The one after an unfinished line last: without it the next block would not begin a line.
  return text
    .replace(new RegExp(`^[ ]*${start}\\n[\\s\\S]*?${end}\\n`, 'gm'), '')
    .replace(new RegExp(`\\n${start} after an unfinished line\\n[\\s\\S]*?${end}\\n`), '');
}

function marked(lines: readonly string[], indent: string, unfinished: boolean): string {
  const first = unfinished ? `\n${start} after an unfinished line` : `${indent}${start}`;
  return `${[first, ...lines, `${indent}${end}`].join('\n')}\n`;
}

function command(hook: HookName, shims: Shims, program: HookProgram, indent: string): readonly string[] {
  // Lefthook puts git's arguments for {1} and {2} (lefthook.dev, "run").
  const args = { 'post-commit': '', 'pre-push': 'set -- "{1}" "{2}"\n', 'post-rewrite': 'set -- "{1}"\n' };
  const script = `${args[hook]}${renderShim(shims[hook], program, 'tracked')}`.trimEnd().split('\n');
  return [
    `${indent}mlops:`,
    `${indent}  use_stdin: true`,
    `${indent}  run: |`,
    ...script.map((line) => (line === '' ? '' : `${indent}    ${line}`)),
  ];
}
