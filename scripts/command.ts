import type { Config } from '../src/config.ts';

/** Ends the command with a message on standard error. */
export const stopWith = (message: string, code = 1): never => {
  process.stderr.write(message);
  process.exit(code);
};

/** The file of an SQLite database; on MongoDB the command ends and names the tool that does the same there. */
export const onlySqlite = ({ database }: Config, instead: string): string =>
  database.kind === 'sqlite'
    ? database.file
    : stopWith(`This is for SQLite. On MongoDB (docs/operations.md): ${instead}\n`, 2);
