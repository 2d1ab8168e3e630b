/** What the three tables of findings have in common. */
export const config = '.mlops/config.yaml';
export const nothingToDo = { next: [] };
export const inConfig = (range: string): string => (range === '' ? config : range);
