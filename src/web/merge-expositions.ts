/**
 * One text of several in the Prometheus exposition format: each family once, with the samples of all. Families keep the order
 * in which they come first; samples differ by their labels, which is for those who wrote them.
 */
export const mergeExpositions = (texts: string[]): string => {
  const families = new Map<string, { head: string[]; samples: string[] }>();
  for (const text of texts)
    for (const block of text.split(/^(?=# HELP )/m)) {
      const name = /^# HELP (\S+)/.exec(block)?.[1];
      if (name === undefined) continue;
      const lines = block.split('\n').filter((line) => line !== '');
      const head = lines.filter((line) => line.startsWith('#'));
      const family = families.get(name) ?? { head, samples: [] };
      for (const line of lines) if (!line.startsWith('#')) family.samples.push(line);
      families.set(name, family);
    }
  return [...families.values()].map(({ head, samples }) => `${[...head, ...samples].join('\n')}\n`).join('\n');
};
