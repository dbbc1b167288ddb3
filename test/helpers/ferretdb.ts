import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server that a test may kill. */
export type FerretDb = {
  /** `mongodb://…` of this process: another one after each start. */
  uri: string;
  /** kill -9. */
  kill(): Promise<void>;
};

/** Starts FerretDB (the command of `.ci/ferretdb`, built) over a folder, which a second start finds as the first left it. */
export const startFerretDb = async (command: string, folder: string): Promise<FerretDb> => {
  const server = spawn(command, [folder], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  return {
    uri: line.toString().trim(),
    kill: async () => {
      const gone = once(server, 'exit');
      server.kill('SIGKILL');
      await gone;
    },
  };
};
