import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * Makes a folder and those above it, if they are not there, for this account of the machine alone: what lies in them names
 * people. Throws the file system's error. Node's own `recursive` never comes back where mkdir answers ENOENT though the parent
 * is there, as under /proc.
 */
export const makeFolder = (path: string): void => {
  if (isFolder(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    // another process may have been faster
    if (!isFolder(path)) throw error;
  }
};
