import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { AudienceSnapshot } from '../audience-index.ts';
import { openBlock } from '../packed/block.ts';

/** The first bytes of the file; the number goes up when what follows changes, so that an older file is not misread. */
const magic = Buffer.from('bellman-audience-1\n');
const digestBytes = 32;
/** Larger parts than this are no part of ours. */
const partMost = 2 ** 30;

type Header = Omit<AudienceSnapshot, 'blocks'> & { blocks: number[] };

/**
 * Writes a snapshot in place of the one that is there, whole or not at all: magic, length of the header, the header as JSON,
 * the blocks, and the SHA-256 of all that. `token` keeps two writers apart.
 */
export const writeSnapshot = async (file: string, snapshot: AudienceSnapshot, token: string): Promise<void> => {
  const { sequence, dictionary, blocks } = snapshot;
  const sizes = blocks.map(({ buffer }) => buffer.byteLength);
  const header = Buffer.from(JSON.stringify({ sequence, dictionary, blocks: sizes } satisfies Header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const unfinished = `${file}.${token}`;
  const handle = await open(unfinished, 'w', 0o600);
  try {
    const hash = createHash('sha256');
    for (const part of [magic, length, header, ...blocks.map(({ buffer }) => new Uint8Array(buffer))]) {
      hash.update(part);
      await handle.writeFile(part);
    }
    await handle.writeFile(hash.digest());
    await handle.sync();
  } catch (error) {
    await handle.close();
    await rm(unfinished, { force: true });
    throw error;
  }
  await handle.close();
  await rename(unfinished, file);
};

const unlessGone = (error: NodeJS.ErrnoException): null => {
  if (error.code === 'ENOENT') return null;
  throw error;
};

/** Deletes the snapshot; answers whether there was one. */
export const removeSnapshot = async (file: string): Promise<boolean> =>
  (await unlink(file).then(() => true, unlessGone)) ?? false;

/** Deletes what writers that died have left beside the file, last written to before that moment (ms): it holds everybody. */
export const removeUnfinished = async (file: string, before: number): Promise<void> => {
  const folder = dirname(file);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(file)}.`)) continue;
    const found = await stat(join(folder, name)).catch(unlessGone);
    if (found && found.mtimeMs < before) await rm(join(folder, name), { force: true });
  }
};

const readPart = async (handle: FileHandle, length: number, hash: Hash | null): Promise<ArrayBuffer> => {
  if (length > partMost) throw new RangeError('a part of the snapshot is too long');
  const part = new Uint8Array(new ArrayBuffer(length));
  for (let read = 0; read < length; ) {
    const { bytesRead } = await handle.read(part, read, length - read);
    if (bytesRead === 0) throw new RangeError('the snapshot ends too early');
    read += bytesRead;
  }
  hash?.update(part);
  return part.buffer;
};

const readAll = async (handle: FileHandle): Promise<AudienceSnapshot> => {
  const hash = createHash('sha256');
  const first = Buffer.from(await readPart(handle, magic.length, hash));
  if (!first.equals(magic)) throw new RangeError('the snapshot is not of this version');
  const length = Buffer.from(await readPart(handle, 4, hash)).readUInt32LE();
  const { sequence, dictionary, blocks } = JSON.parse(
    Buffer.from(await readPart(handle, length, hash)).toString(),
  ) as Header;
  const buffers: ArrayBuffer[] = [];
  for (const size of blocks) buffers.push(await readPart(handle, size, hash));
  const digest = Buffer.from(await readPart(handle, digestBytes, null));
  if (!digest.equals(hash.digest())) throw new RangeError('the snapshot is damaged');
  return { sequence, dictionary, blocks: buffers.map(openBlock) };
};

/** The snapshot of that file, null where there is none; throws when it is damaged, cut off or of another version. */
export const readSnapshot = async (file: string): Promise<AudienceSnapshot | null> => {
  const handle = await open(file, 'r').catch(unlessGone);
  if (!handle) return null;
  try {
    return await readAll(handle);
  } finally {
    await handle.close();
  }
};
