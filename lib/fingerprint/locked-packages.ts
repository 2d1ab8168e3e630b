/** The packages of a uv.lock as requirements, sorted: what a person wants to know of two lock files. */
export function lockedPackages(lock: string): readonly string[] {
  return lock
    .split(/^\[\[package\]\]\s*$/m)
    .slice(1)
    .flatMap((block) => {
      // Up to the next table of the package: `[package.metadata]` has names of its own.
      const [own = ''] = block.split(/^\[/m);
      const value = (key: string) => new RegExp(`^${key} = "([^"]*)"`, 'm').exec(own)?.[1];
      const [name, version] = [value('name'), value('version')];
      return name === undefined || version === undefined ? [] : [`${name}==${version}`];
    })
    .sort();
}
