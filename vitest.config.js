import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

/** What takes longest begins first, so that both workers end at about the same time. */
const slowest = ['browser/accessible', 'kill', 'storage/mongo-people-crash', 'browser/publisher', 'fanout/digests'];

const place = ({ moduleId }) => {
  const at = slowest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return at < 0 ? slowest.length : at;
};

class SlowestFirst extends BaseSequencer {
  async sort(files) {
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globals: true,
    globalSetup: 'test/helpers/global-setup.ts',
    // most of a suite's time would go into loading the application anew for each of its files
    isolate: false,
    maxWorkers: 2,
    // pages that one test file looks at at once: as many as there are processors
    maxConcurrency: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    slowTestThreshold: 5_000,
    sequence: { sequencer: SlowestFirst },
  },
});
